// Counts of bare numbers: what is stated of them, what is asked of them.
#include "check.hpp"

// Of a library with the feature test-hooks: it panics inside, and poisons counts unless they are NULL.
extern "C" stk_status stk_test_panic(const stk_counts *counts, stk_error **err);

using stk::status;

/// Counts of a multi-label model, as they are written: 1000 samples, each given up to 2 of 4 labels.
static void test_label_sets() {
  const auto counts = MUST(stk::counts::from_json(
      R"({"format":"smoothtopk-counts","version":"1.0","labels":[940,730,120,45],"n":1000,"base_k":2,"invalid":0,)"
      R"("perturbation":{"noise":"gaussian:0.5","method":"assumed","step":0,"elements":0,"radius_cost":0,"alpha_cost":0},)"
      R"("ending":{"kind":"fixed"},"seen":false,"chose":false,"draws":[],"subject":{"model_sha256":null,"reading":null,)"
      R"("arithmetic":null,"provider":null,"input_sha256":null}})"));
  const std::int64_t labels[] = {0, 1};
  double radii[2];
  MUST(counts.certify_labels(labels, 2, 0.001, radii));
  CHECK(radii[0] > 0.6 && radii[1] > 0.3 && radii[0] > radii[1]);
  FAILS(counts.certify_labels(labels, 2, 0.001, {}), status::invalid_argument, "radii");
  FAILS(counts.certify_labels(labels, 2, 0.001, radii, "binocp"), status::invalid_argument, "allocation");
  FAILS(counts.certify(stk::query(0)), status::invalid_data, "counts");
}

void test_counts() {
  test_label_sets();
  const std::uint64_t labels[] = {50, 9900, 50};
  auto counts = MUST(stk::counts::assume(labels, 0.25));
  const auto s = MUST(counts.certify(stk::query(1)));
  CHECK(s.certified == 1 && s.radius > 0.5 && s.radius < 0.6 && s.k == 1 && s.alpha == 0.001 && s.label == 1);
  CHECK(MUST(counts.certify(stk::query(1).allocation("binocp"))).radius < s.radius);
  CHECK(MUST(counts.certify(stk::query(1).k(2).alpha(0.01))).radius > s.radius);
  stk::assumed stated;
  stated.radius_cost = 0.125;
  const auto costly = MUST(MUST(stk::counts::assume(labels, 0.25, stated)).certify(stk::query(1)));
  CHECK(costly.radius_cost == 0.125 && costly.radius <= s.radius - 0.125 && costly.radius > s.radius - 0.126);
  // The uniform family, by its text: radii in l1.
  const auto uniform = MUST(MUST(stk::counts::assume(labels, "uniform:0.25")).certify(stk::query(1)));
  CHECK(uniform.noise_scale == 0.25 && uniform.radius > 0.2 && uniform.radius < 0.25);
  const auto randomized = MUST(counts.certify(stk::query(1).randomized(0.5)));
  CHECK(randomized.radius > s.radius && randomized.uniform == 0.5 && randomized.validity == STK_VALIDITY_RANDOMIZED);
  FAILS(counts.certify(stk::query(1).randomized()), status::invalid_argument, "randomized");
  FAILS(counts.certify(stk::query(1).allocation("much")), status::invalid_argument, "allocation");
  FAILS(counts.certify(stk::query(1).allocation(std::string_view("ranked\0", 7))), status::invalid_argument,
        "allocation");
  FAILS(counts.certify(stk::query(stk::no_label)), status::invalid_argument, "label");
  FAILS(counts.certify(stk::query(1).k(0)), status::invalid_argument, "k");
  FAILS(counts.certify(stk::query(1).alpha(2)), status::invalid_argument, "alpha");
  std::int64_t top[2];
  CHECK(MUST(counts.predict(1, 0.001)).label == 1);
  FAILS(counts.predict(1, 0.001, top), status::invalid_argument, "labels");
  FAILS(stk::counts::assume(labels, 0.25, {5}), status::invalid_data, "n");
  FAILS(stk::counts::assume(labels, 0), status::invalid_argument, "sigma");
  FAILS(stk::counts::assume(labels, "0.25"), status::invalid_argument, "noise");
  stated.validity = std::string_view("fixed\0", 6);
  FAILS(stk::counts::assume(labels, 0.25, stated), status::invalid_argument, "validity");
  const auto copy = MUST(counts.clone());
  MUST(counts.add(MUST(stk::counts::assume(labels, 0.25, {20000}))));
  CHECK(counts.n() == 30000 && counts.invalid() == 10000 && MUST(counts.labels())[1] == 19800 && copy.n() == 10000);
  const std::uint64_t two[] = {1, 2};
  FAILS(counts.add(MUST(stk::counts::assume(two, 0.25))), status::invalid_data, "");
  // A panic inside is an error, the handle says so, and others go on.
  FAILS(stk::result<void>(stk::detail::call([&](stk_error **e) { return stk_test_panic(counts.native(), e); })),
        status::panic, "");
  FAILS(counts.certify(stk::query(1)), status::poisoned, "");
  CHECK(copy.n() == 10000 && MUST(copy.predict(1, 0.001)).label == 1);
}
