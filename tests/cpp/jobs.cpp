// Jobs: one callback each, whatever ends them.
#include "check.hpp"

#include <atomic>
#include <future>

using stk::status;

void test_jobs() {
  const auto x = exact_input();
  auto model = MUST(open(exact_model));
  const auto request = MUST(stk::request_builder(0.25).n(2000).seed(7).build());
  const auto blocking = MUST(model.certify(request, x));

  // A move-only callable.
  std::promise<void> promise;
  auto finished = promise.get_future();
  auto job = MUST(model.submit_certify(request, x, {}, [p = std::move(promise)]() mutable { p.set_value(); }));
  finished.wait();
  CHECK(job.is_done() && job.samples_done() == 2100 && job.samples_total() == 2100);
  const auto answers = MUST(job.get());
  CHECK(numbers_of(MUST(answers.counts(0))) == numbers_of(MUST(blocking.counts(0))));
  CHECK(answers.summary(0)->radius == blocking.summary(0)->radius);
  FAILS(job.get(), status::invalid_argument, "");

  auto predict = MUST(model.submit_predict(request, x));
  MUST(predict.wait());
  CHECK(MUST(predict.wait(std::chrono::milliseconds(0))));
  model = MUST(open(slow_model));
  // Jobs and answers outlive the model.
  CHECK(MUST(predict.get()).size() == 1 && answers.summary(0)->n == 2000);

  std::atomic<int> calls{0};
  const auto submit = [&](const stk::request &r) {
    return MUST(model.submit_certify(r, slow_input(), {}, [&calls] { ++calls; }));
  };
  const auto slow = MUST(slow_request().build());
  {
    auto cancelled = submit(slow);
    CHECK(!MUST(cancelled.wait(std::chrono::milliseconds(10))));
    cancelled.cancel();
    auto r = cancelled.get();
    FAILS(r, status::cancelled, "");
    CHECK(r.partial() != nullptr && r.partial()->summary(0)->abstain == 1);
  }
  CHECK(calls == 1);
  { auto dropped = submit(slow); }
  CHECK(calls == 2);
  {
    auto replaced = submit(slow);
    replaced = submit(slow);
    CHECK(calls == 3);
  }
  CHECK(calls == 4);
  {
    auto late = submit(MUST(slow_request().timeout(std::chrono::milliseconds(30)).build()));
    FAILS(late.get(), status::deadline_exceeded, "");
  }
  CHECK(calls == 5);
  {
    auto limited = MUST(stk::model_builder().batch(16).max_jobs(1).max_input_bytes(1u << 20).open(slow_model));
    auto only = MUST(limited.submit_certify(slow, slow_input()));
    FAILS(limited.predict(slow, slow_input()), status::busy, "max_jobs");
    only.cancel();
    MUST(only.wait());
    const stk::stats stats = MUST(limited.stats());
    CHECK(stats.jobs_ended == 1 && stats.jobs_cancelled == 1 && stats.jobs_refused == 1 && stats.seconds > 0);
  }
  const auto token = MUST(stk::cancel_token::create());
  auto by_token = submit(MUST(slow_request().cancel(token).build()));
  auto orphan = submit(slow);
  token.set();
  FAILS(by_token.get(), status::cancelled, "");
  { auto gone = std::move(model); }
  FAILS(orphan.get(), status::cancelled, "");
}
