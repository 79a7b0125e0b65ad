// 64 threads share one model, and get the counts that one alone gets.
#include "check.hpp"

#include <atomic>
#include <cstring>
#include <thread>

void test_threads() {
  constexpr std::size_t threads = 64;
  const auto model = MUST(open(exact_model));
  const auto x = exact_input();
  const auto ask = [&](std::size_t i) {
    const auto request = stk::request_builder(0.25).k({1, 2}).n(300 + i).seed(7).stream(i).build();
    auto answers = model.certify(*request, x);
    if (!answers) return std::vector<std::uint64_t>();
    auto numbers = numbers_of(*answers->counts(0));
    for (const auto n : numbers_of(*answers->selection(0))) numbers.push_back(n);
    std::uint64_t bits;
    const double radius = answers->summary(0, 1)->radius;
    std::memcpy(&bits, &radius, sizeof bits);
    numbers.push_back(bits);
    return numbers;
  };
  std::vector<std::vector<std::uint64_t>> together(threads);
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < threads; ++i) running.emplace_back([&, i] { together[i] = ask(i); });
  for (auto &t : running) t.join();
  for (std::size_t i = 0; i < threads; ++i) CHECK(together[i].size() == 13 && together[i] == ask(i));

  // Every other run is cancelled, the rest are not disturbed.
  running.clear();
  std::atomic<int> right{0};
  for (std::size_t i = 0; i < threads; ++i)
    running.emplace_back([&, i] {
      const auto token = stk::cancel_token::create();
      const auto request = stk::request_builder(0.25).n(i % 2 ? 200 : 100'000'000).seed(7).cancel(*token).build();
      auto job = model.submit_predict(*request, x);
      if (i % 2 == 0) token->set();
      const auto r = job->get();
      right += i % 2 ? r.has_value() : r.error().status() == stk::status::cancelled;
    });
  for (auto &t : running) t.join();
  CHECK(right == int{threads});
}
