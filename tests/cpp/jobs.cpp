// Jobs: one callback each, whatever ends them.
#include "check.hpp"

#include <atomic>
#include <future>

using stk::status;

// Inputs of every type and owner, a call's own limits, single inputs of a batch, and callbacks that know their job.
static void calls() {
  auto model = MUST(open(exact_model));
  const auto request = MUST(stk::request_builder(0.25).n(500).seed(7).build());
  const auto x = exact_input();
  const double radius = MUST(model.certify(request, x)).summary(0)->radius;
  const auto same = [&](stk::result<stk::answers> answers) {
    return MUST(std::move(answers)).summary(0)->radius == radius;
  };
  CHECK(same(model.certify(request, std::vector<double>(x.begin(), x.end()))));
  std::vector<std::uint16_t> half, brain;
  for (const float value : x) {
    half.push_back(value == 0.75F ? 0x3a00 : 0x3800);
    brain.push_back(value == 0.75F ? 0x3f40 : 0x3f00);
  }
  CHECK(same(model.certify(request, stk::inputs::float16(half))));
  CHECK(same(model.certify(request, stk::inputs::bfloat16(brain))));
  const std::vector<std::uint8_t> zeros(24);
  CHECK(MUST(model.predict(request, zeros)).size() == 1);
  FAILS(model.predict(request, std::vector<std::uint8_t>(25)), status::invalid_argument, "inputs");
  FAILS(model.predict(request, std::shared_ptr<std::vector<float>>()), status::invalid_argument, "");

  // Kept until the last input was read, and no longer.
  auto shared = std::make_shared<const std::vector<float>>(x);
  const std::weak_ptr<const std::vector<float>> watch = shared;
  auto kept = MUST(model.submit_certify(request, std::move(shared)));
  CHECK(same(kept.get()) && watch.expired());
  shared = std::make_shared<const std::vector<float>>(25);
  FAILS(model.submit_certify(request, shared), status::invalid_argument, "inputs");
  CHECK(shared.use_count() == 1);

  using clock = std::chrono::steady_clock;
  const auto slow = MUST(open(slow_model));
  const auto endless = MUST(slow_request().build());
  const auto soon = std::chrono::milliseconds(20);
  const auto within = [&](const stk::limits &limits) { return slow.predict(endless, slow_input(), limits); };
  FAILS(within(stk::limits().timeout(soon)), status::deadline_exceeded, "");
  FAILS(within(stk::limits().deadline(clock::now() + soon)), status::deadline_exceeded, "");
  FAILS(within(stk::limits().deadline(clock::now() - soon)), status::deadline_exceeded, "");
  FAILS(within(stk::limits().timeout(-soon)), status::invalid_argument, "timeout_ms");
  CHECK(same(model.certify(request, x, {}, stk::limits().deadline(clock::now() + std::chrono::hours(1)))));

  // The first input's rows take no time, the second's seconds.
  std::vector<float> both(64, 0.5F);
  for (const float value : slow_input()) both.push_back(value);
  auto batch = MUST(slow.submit_predict(MUST(slow_request().n(16).build()), both));
  CHECK(batch.size() == 2);
  FAILS(batch.get(2), status::invalid_argument, "input");
  FAILS(batch.counts(2), status::invalid_argument, "input");
  while (!batch.is_done(0)) {}
  CHECK(MUST(batch.get(0)).summary(0)->n == 16);
  FAILS(MUST(batch.counts(0)).predict(1, 0.001), status::invalid_data, "");
  batch.cancel();
  (void)batch.get();
  FAILS(batch.get(0), status::invalid_argument, "job");
  CHECK(batch.size() == 0);

  std::promise<const stk_job *> ended;
  auto future = ended.get_future();
  auto told = MUST(model.submit_predict(request, x, [&ended](stk_job *job) { ended.set_value(job); }));
  CHECK(future.get() == told.native());
}

// What waits for a job does not take "not yet" for "done".
static void waited_for_with_care() {
  const auto slow = MUST(open(slow_model));
  const auto job = MUST(slow.submit_predict(MUST(slow_request().build()), slow_input()));
  CHECK(!job.wait(std::chrono::milliseconds(1)).value_or(true));
  job.cancel();
  MUST(job.wait());
  CHECK(job.wait(std::chrono::milliseconds(1)).value_or(false));
}

void test_jobs() {
  calls();
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

  waited_for_with_care();

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
