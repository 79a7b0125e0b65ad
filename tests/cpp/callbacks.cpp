// Callables as callbacks, and exceptions out of them, in a unit without SMOOTHTOPK_EXCEPTIONS.
#include "check.hpp"

#include <atomic>
#include <memory>
#include <stdexcept>

static void progress() {
  const auto model = MUST(open(exact_model));
  const auto request = MUST(stk::request_builder(0.25).n(5000).seed(7).build());
  std::uint64_t last = 0, total = 0;
  auto counter = std::make_unique<int>(0);
  const auto count = [&, owned = std::move(counter)](std::uint64_t done, std::uint64_t all) {
    CHECK(done >= last && done <= all);
    last = done, total = all, ++*owned;
  };
  CHECK(MUST(model.certify(request, exact_input(), {}, count)).size() == 1);
  CHECK(last == 5100 && total == 5100);
  last = 0;
  CHECK(MUST(model.predict(request, exact_input(), count)).size() == 1);
  CHECK(last == 5000 && total == 5000);

  // What progress throws reaches the caller once the run is cancelled; the model goes on.
  const auto slow = MUST(open(slow_model));
  const auto endless = MUST(slow_request().build());
  bool caught = false;
  try {
    (void)slow.certify(endless, slow_input(), {},
                       [](std::uint64_t, std::uint64_t) { throw std::runtime_error("enough"); });
  } catch (const std::runtime_error &e) { caught = std::string_view(e.what()) == "enough"; }
  CHECK(caught);
  CHECK(slow.predict(MUST(stk::request_builder(0.25).n(10).build()), std::vector<float>(64, 0.5F)));
}

static void done_that_throws() {
  const auto model = MUST(open(exact_model));
  const auto request = MUST(stk::request_builder(0.25).n(100).seed(7).build());
  std::atomic<int> calls{0};
  {
    auto job = MUST(model.submit_predict(request, exact_input(), [&calls] {
      ++calls;
      throw std::runtime_error("nobody waits for this");
    }));
    CHECK(job.get());
  }
  CHECK(calls == 1);
}

static void log_that_throws() {
  std::atomic<int> calls{0};
  {
    auto logger =
        MUST(stk::logger::install(stk::log_level::debug, [&calls](stk::log_level level, std::string_view message) {
          CHECK(level != stk::log_level::off && !message.empty());
          ++calls;
          throw 5;
        }));
    MUST(open(exact_model));
    CHECK(calls > 0);
    auto moved = std::move(logger);
    const int before = calls;
    MUST(open(exact_model));
    CHECK(calls > before);
  }
  const int after = calls;
  MUST(open(exact_model));
  CHECK(calls == after);
}

void test_callbacks() {
  progress();
  done_that_throws();
  log_that_throws();
}
