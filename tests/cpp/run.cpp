// Blocking calls and counts.
#include "check.hpp"

#include <cstring>

// Of a library with the feature test-hooks: it panics inside, and poisons counts unless they are NULL.
extern "C" stk_status stk_test_panic(const stk_counts *counts, stk_error **err);

using stk::status;

void test_run() {
  const auto model = MUST(open(exact_model));
  const auto request = MUST(stk::request_builder(0.25).k({1, 3}).n(2000).seed(7).build());
  auto x = exact_input();
  const auto one = x;
  x.insert(x.end(), one.begin(), one.end());

  const auto chosen = MUST(model.certify(request, x));
  CHECK(chosen.size() == 2 && chosen.k_size() == 2);
  const auto s = MUST(chosen.summary(1, 1));
  CHECK(s.k == 3 && s.n == 2000 && s.n0 == 100 && s.seed == 7 && s.key == 1 && s.struct_size == sizeof s);
  CHECK(MUST(chosen.labels(1, 1)).size() == 1 && MUST(chosen.counts(1)).size() == 6 &&
        MUST(chosen.selection(1)).size() == 6);
  CHECK(MUST(chosen.json(1)).find(model.sha256()) != std::string_view::npos);
  FAILS(chosen.summary(2), status::invalid_argument, "");
  FAILS(chosen.labels(0, 2), status::invalid_argument, "");

  const std::int64_t labels[] = {2, stk::no_label};
  const auto fixed = MUST(model.certify(request, x, labels));
  CHECK(MUST(fixed.summary(0)).label == 2 && MUST(fixed.selection(0)).empty() && MUST(fixed.selection(1)).size() == 6);

  const auto prediction = MUST(model.predict(request, one));
  const auto top = MUST(prediction.labels(0, 1));
  CHECK(top.size() == 3 && top[0] == MUST(prediction.summary(0)).label);
  const std::int64_t first[] = {0};
  const auto certificate = MUST(model.certify(request, one, first));
  auto sampled = MUST(model.sample(request, one, 0, 700));
  MUST(sampled.add(MUST(model.sample(request, one, 700, 1300))));
  const auto counted = MUST(certificate.counts(0)), added = MUST(sampled.labels());
  CHECK(sampled.n() == 2000 && std::memcmp(counted.data(), added.data(), 6 * sizeof counted[0]) == 0);
  // A label predicted under a seed is certified by other rows.
  CHECK(std::memcmp(MUST(prediction.counts(0)).data(), added.data(), 6 * sizeof counted[0]) != 0);

  // Sizes that do not fit never reach the library, which could only trust them.
  x.pop_back();
  FAILS(model.certify(request, x), status::invalid_argument, "inputs");
  FAILS(model.predict(request, x), status::invalid_argument, "inputs");
  FAILS(model.submit_predict(request, x), status::invalid_argument, "inputs");
  FAILS(model.certify(request, one, labels), status::invalid_argument, "labels");
  FAILS(model.submit_certify(request, one, labels), status::invalid_argument, "labels");
  FAILS(model.sample(request, x, 0, 1), status::invalid_argument, "input");

  // Too late, and cancelled: an error that carries what was counted, and no certificate.
  const auto slow = MUST(open(slow_model));
  const auto late = MUST(slow_request().timeout(std::chrono::milliseconds(30)).build());
  auto r = slow.certify(late, slow_input());
  FAILS(r, status::deadline_exceeded, "");
  CHECK(r.partial() != nullptr && r.partial()->summary(0)->certified == 0);
  CHECK(r.partial()->summary(0)->status == STK_STATUS_DEADLINE_EXCEEDED);
  auto c = slow.sample(late, slow_input(), 0, 1'000'000);
  FAILS(c, status::deadline_exceeded, "");
  CHECK(c.partial() != nullptr && c.partial()->n() < 1'000'000);
  if (c.partial()->n() > 0) FAILS(c.partial()->predict(1, 0.001), status::invalid_data, "counts");
  const auto token = MUST(stk::cancel_token::create());
  token.set();
  CHECK(token.is_set());
  FAILS(slow.predict(MUST(slow_request().cancel(token).build()), slow_input()), status::cancelled, "");
}

void test_counts() {
  const std::uint64_t labels[] = {50, 9900, 50};
  auto counts = MUST(stk::counts::create(labels));
  const auto s = MUST(counts.certify(1, 1, 0.25, 0.001));
  CHECK(s.certified == 1 && s.radius > 0.5 && s.radius < 0.6 && s.bound == STK_BOUND_RANKED);
  CHECK(MUST(counts.certify(1, 1, 0.25, 0.001, stk::bound::simuem)).bound == STK_BOUND_SIMUEM);
  CHECK(MUST(counts.certify(1, 1, 0.25, 0.001, stk::bound::ranked, 0.125)).radius < s.radius - 0.12);
  FAILS(counts.certify(1, 1, 0.25, 0.001, static_cast<stk::bound>(5)), status::invalid_argument, "bound");
  std::int64_t top[2];
  CHECK(MUST(counts.predict(1, 0.001)).label == 1);
  FAILS(counts.predict(1, 0.001, top), status::invalid_argument, "labels");
  FAILS(stk::counts::create(labels, 5), status::invalid_data, "n");
  MUST(counts.add(MUST(stk::counts::create(labels, 20000))));
  CHECK(counts.n() == 30000 && MUST(counts.labels())[1] == 19800);
  const std::uint64_t two[] = {1, 2};
  FAILS(counts.add(MUST(stk::counts::create(two))), status::invalid_data, "");
  // A panic inside is an error, the handle says so, and others go on.
  FAILS(stk::result<void>(stk::detail::call([&](stk_error **e) { return stk_test_panic(counts.native(), e); })),
        status::panic, "");
  FAILS(counts.certify(1, 1, 0.25, 0.001), status::poisoned, "");
  CHECK(MUST(stk::counts::create(labels)).n() == 10000);
}
