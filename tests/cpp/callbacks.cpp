// Callables as callbacks, and exceptions out of them, in a unit without SMOOTHTOPK_EXCEPTIONS.
#include "check.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

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

static void sums_of(stk::span<const float> row, stk::span<float> scores) {
  for (std::size_t c = 0; c < scores.size(); ++c) {
    scores[c] = 0;
    for (std::size_t t = 0; t < 4; ++t) scores[c] += std::nearbyint(row[4 * c + t] * 64);
  }
}

/// The arithmetic of exact_model.
static void exact_sums(stk::batch &b) {
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (!b.scores().empty()) {
      sums_of(b.row(i), b.scores(i));
      continue;
    }
    float scores[6];
    sums_of(b.row(i), scores);
    b.labels()[i] = std::max_element(scores, scores + 6) - scores;
  }
}

static const stk::classifier sums{{24}, 6, "sums"};

static void function_as_model() {
  const auto request = MUST(stk::request_builder(0.25).n(2000).seed(7).build());
  const auto of_file = MUST(MUST(open(exact_model)).certify(request, exact_input()));
  auto labels = sums;
  labels.gives = stk::gives::labels;
  for (const auto &about : {sums, labels}) {
    auto counter = std::make_unique<std::atomic<int>>(0);
    const auto model = MUST(stk::model_builder().batch(50).threads(2).from_callback(
        about, [owned = std::move(counter)](stk::batch &b) { ++*owned, exact_sums(b); }));
    CHECK(model.sha256().empty() && model.threads() == 2 && model.elements() == 24 && model.classes() == 6);
    const auto answers = MUST(model.certify(request, exact_input()));
    CHECK(MUST(answers.summary(0)).radius == MUST(of_file.summary(0)).radius);
    CHECK(numbers_of(MUST(answers.counts(0))) == numbers_of(MUST(of_file.counts(0))));
  }
}

static void function_that_fails() {
  const auto request = MUST(stk::request_builder(0.25).n(100).seed(7).build());
  enum { works, throws, throws_number, fails };
  std::atomic<int> does{works};
  const auto model = MUST(stk::model_builder().batch(16).from_callback(sums, [&does](stk::batch &b) {
    if (does == throws) throw std::runtime_error("no engine for " + std::to_string(b.size()) + " rows");
    if (does == throws_number) throw 5;
    if (does == fails) return b.fail("the queue is full");
    exact_sums(b);
  }));
  const std::pair<int, const char *> kinds[] = {
      {throws, "no engine for "}, {throws_number, "no std::exception"}, {fails, "the queue is full"}};
  for (const auto &[kind, said] : kinds) {
    does = kind;
    const auto failed = model.predict(request, exact_input());
    CHECK(!failed && failed.partial() != nullptr && failed.error().status() == stk::status::run);
    CHECK(failed.error().message().find(said) != std::string_view::npos);
  }
  does = works;
  MUST(model.predict(request, exact_input()));
  does = throws;
  FAILS(stk::model::from_callback(sums, [](stk::batch &) { throw std::runtime_error("no"); }), stk::status::model, "");
  FAILS(stk::model::from_callback(stk::classifier{{24}, 6, ""}, exact_sums), stk::status::invalid_argument, "name");
  const auto nul = stk::classifier{{24}, 6, std::string("a\0b", 3)};
  FAILS(stk::model::from_callback(nul, exact_sums), stk::status::invalid_argument, "name");
}

void test_callbacks() {
  function_as_model();
  function_that_fails();
  progress();
  done_that_throws();
  log_that_throws();
}
