/* Counts in, counts out, certificates and predictions with no model: what valgrind runs too. */
#include <math.h>

#include "check.h"

static stk_counts *make(uint64_t a, uint64_t b, uint64_t c, uint64_t n) {
  const uint64_t labels[] = {a, b, c};
  stk_error *err = NULL;
  stk_counts *counts = NULL;
  CHECK_OK(stk_counts_assume(labels, 3, n, "gaussian:0.25", 0, NULL, &counts, &err), err);
  return counts;
}

static void adds(void) {
  stk_error *err = NULL;
  stk_counts *a = make(5, 90, 5, 0), *b = make(1, 2, 3, 10);
  const uint64_t *labels = NULL;
  const uint64_t two[] = {1, 1};
  size_t classes = 0;
  stk_counts *other = NULL;
  CHECK(stk_counts_n(a) == 100 && stk_counts_n(b) == 10);
  CHECK_OK(stk_counts_add(a, b, &err), err);
  CHECK_OK(stk_counts_labels(a, &labels, &classes, &err), err);
  CHECK(stk_counts_n(a) == 110 && classes == 3 && labels[0] == 6 && labels[1] == 92 && labels[2] == 8);
  other = assume(two, 2);
  CHECK_STATUS(stk_counts_add(a, other, &err), STK_STATUS_INVALID_DATA, err);
  CHECK(stk_counts_n(a) == 110);
  stk_counts_free(a);
  stk_counts_free(b);
  stk_counts_free(other);
}

static void refuses(void) {
  stk_error *err = NULL;
  stk_counts *counts = NULL;
  stk_summary s;
  const uint64_t labels[] = {1, 2}, huge[] = {UINT64_MAX, 1};
  CHECK_STATUS(stk_counts_assume(labels, 2, 2, "gaussian:1", 0, NULL, &counts, &err), STK_STATUS_INVALID_DATA, err);
  CHECK_STATUS(stk_counts_assume(huge, 2, 0, "gaussian:1", 0, NULL, &counts, &err), STK_STATUS_INVALID_DATA, err);
  CHECK_INVALID(stk_counts_assume(labels, 2, 0, "gaussian:0", 0, NULL, &counts, &err), "sigma", err);
  CHECK_INVALID(stk_counts_assume(labels, 2, 0, "0.25", 0, NULL, &counts, &err), "noise", err);
  CHECK_INVALID(stk_counts_assume(labels, 2, 0, "gaussian:1", -1, NULL, &counts, &err), "radius_cost", err);
  CHECK_INVALID(stk_counts_assume(labels, 2, 0, "gaussian:1", 0, "often", &counts, &err), "validity", err);
  CHECK_INVALID(stk_counts_assume(labels, 2, 0, "gaussian:1", 0, "randomized:0.5", &counts, &err), "validity", err);
  CHECK_INVALID(stk_counts_assume(labels, 2, 0, "gaussian:1", 0, "anytime:2", &counts, &err), "validity", err);
  CHECK(counts == NULL);
  counts = make(5, 90, 5, 0);
  stk_query query = ask(3, 1);
  CHECK_INVALID(stk_counts_certify(counts, &query, &s, sizeof s, &err), "label", err);
  query = ask(1, 0);
  CHECK_INVALID(stk_counts_certify(counts, &query, &s, sizeof s, &err), "k", err);
  query = ask(1, 1);
  query.alpha = 0;
  CHECK_INVALID(stk_counts_certify(counts, &query, &s, sizeof s, &err), "alpha", err);
  query = ask(1, 1);
  query.allocation = "auto";
  CHECK_INVALID(stk_counts_certify(counts, &query, &s, sizeof s, &err), "allocation", err);
  query = ask(1, 1);
  query.randomized = 3;
  CHECK_INVALID(stk_counts_certify(counts, &query, &s, sizeof s, &err), "randomized", err);
  query.randomized = STK_RANDOMIZED_FROM_SEED; /* Bare numbers have none. */
  CHECK_INVALID(stk_counts_certify(counts, &query, &s, sizeof s, &err), "randomized", err);
  query.randomized = STK_RANDOMIZED_BY;
  CHECK_INVALID(stk_counts_certify(counts, &query, &s, sizeof s, &err), "uniform", err);
  query = ask(1, 1);
  query.uniform = 0.5;
  CHECK_INVALID(stk_counts_certify(counts, &query, &s, sizeof s, &err), "uniform", err);
  query = ask(1, 1);
  query.reserved = 1;
  CHECK_INVALID(stk_counts_certify(counts, &query, &s, sizeof s, &err), "reserved", err);
  CHECK_INVALID(stk_counts_predict(counts, 0, 0.001, NULL, &s, sizeof s, &err), "k", err);
  CHECK_INVALID(stk_counts_predict(counts, 1, 2, NULL, &s, sizeof s, &err), "alpha", err);
  stk_counts_free(counts);
}

/* A query is a struct of some size: an older one is read as it was, a newer one if it sets nothing new. */
static void queries_of_other_sizes(void) {
  stk_error *err = NULL;
  stk_counts *counts = make(50, 9900, 50, 0);
  struct {
    stk_query known;
    unsigned char later[8];
  } newer = {.known = ask(1, 1)};
  stk_summary s, same;
  CHECK_OK(stk_counts_certify(counts, &newer.known, &s, sizeof s, &err), err);
  newer.known.struct_size = sizeof newer;
  CHECK_OK(stk_counts_certify(counts, &newer.known, &same, sizeof same, &err), err);
  CHECK(memcmp(&s, &same, sizeof s) == 0);
  newer.later[7] = 1;
  CHECK_INVALID(stk_counts_certify(counts, &newer.known, &s, sizeof s, &err), "query", err);
  /* What was never set, in many ways. */
  const uint64_t sizes[] = {0, 8, sizeof(stk_query) - 1, 4097, UINT64_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
    newer.known.struct_size = sizes[i];
    CHECK_INVALID(stk_counts_certify(counts, &newer.known, &s, sizeof s, &err), "struct_size", err);
  }
  stk_counts_free(counts);
}

static void certifies(void) {
  stk_error *err = NULL;
  stk_counts *counts = make(50, 9900, 50, 0), *costly = NULL;
  const uint64_t labels[] = {50, 9900, 50};
  stk_query query = ask(1, 1);
  stk_summary s, plain, cost;
  CHECK_OK(stk_counts_certify(counts, &query, &plain, sizeof plain, &err), err);
  CHECK(plain.struct_size == sizeof plain && plain.status == STK_STATUS_OK && plain.validity == STK_VALIDITY_FIXED);
  CHECK(plain.label == 1 && plain.k == 1 && plain.n == 10000 && plain.noise_scale == 0.25 && plain.alpha == 0.001);
  CHECK(plain.alpha_left == 0.001 && plain.n_certified == 10000 && plain.samples_drawn == 0 && plain.assumed == 1);
  CHECK(plain.decision == STK_DECISION_NONE && plain.generator == STK_GENERATOR_NONE && plain.levels == 0);
  CHECK(plain.certified == 1 && plain.abstain == 0);
  /* sigma times Phi^-1 of 0.985 is 0.54. */
  CHECK(plain.radius > 0.5 && plain.radius < 0.6 && plain.p_lower > 0.98 && plain.p_lower < 0.99 &&
        plain.p_upper < 0.02);
  CHECK_OK(stk_counts_assume(labels, 3, 0, "gaussian:0.25", 0.125, NULL, &costly, &err), err);
  CHECK_OK(stk_counts_certify(costly, &query, &cost, sizeof cost, &err), err);
  CHECK(fabs(plain.radius - 0.125 - cost.radius) < 1e-12 && cost.radius <= plain.radius - 0.125 &&
        cost.radius_cost == 0.125);
  query.allocation = "pooled:0.9";
  CHECK_OK(stk_counts_certify(counts, &query, &s, sizeof s, &err), err);
  CHECK(s.radius > 0.5 && s.radius != plain.radius);
  query = ask(1, 1);
  query.randomized = STK_RANDOMIZED_BY;
  query.uniform = 0.5;
  CHECK_OK(stk_counts_certify(counts, &query, &s, sizeof s, &err), err);
  CHECK(s.radius > plain.radius && s.uniform == 0.5 && s.validity == STK_VALIDITY_RANDOMIZED);
  query = ask(0, 1);
  CHECK_OK(stk_counts_certify(counts, &query, &s, sizeof s, &err), err);
  CHECK(s.certified == 0 && s.abstain == 1 && s.radius == 0);
  stk_counts_free(counts);
  stk_counts_free(costly);
}

static void guarantees(void) {
  stk_error *err = NULL;
  stk_counts *counts = make(50, 9900, 50, 0), *pilot = make(1, 98, 1, 0), *looked = NULL;
  const uint64_t numbers[] = {50, 9900, 50};
  stk_guarantee g, same, anytime;
  double each[2], kept[2];
  int64_t labels[2];
  CHECK_OK(stk_counts_guarantee(counts, NULL, 2, 0.001, labels, each, kept, &g, sizeof g, &err), err);
  CHECK(labels[0] == 1 && each[0] > 0.5 && isinf(kept[0]) && kept[1] == g.set_radius && g.n0 == 0);
  CHECK(g.assumed == 1 && g.validity == STK_VALIDITY_FIXED && g.alpha_left == 0.001 && g.noise_scale == 0.25);
  CHECK_OK(stk_counts_guarantee(counts, pilot, 1, 0.001, NULL, NULL, NULL, &g, sizeof g, &err), err);
  CHECK_OK(stk_counts_guarantee(counts, NULL, 1, 0.001, NULL, NULL, NULL, &same, sizeof same, &err), err);
  CHECK_OK(stk_counts_assume(numbers, 3, 0, "gaussian:0.25", 0, "anytime", &looked, &err), err);
  CHECK_OK(stk_counts_guarantee(looked, pilot, 1, 0.001, NULL, NULL, NULL, &anytime, sizeof anytime, &err), err);
  CHECK(anytime.set_radius > 0 && anytime.set_radius < g.set_radius && anytime.validity == STK_VALIDITY_ANYTIME);
  /* The choice by the same counts costs a little. */
  CHECK(g.n0 == 100 && g.set_radius > same.set_radius && same.set_radius > 0.5);
  stk_counts_free(counts);
  stk_counts_free(pilot);
  stk_counts_free(looked);
}

static void predicts(void) {
  stk_error *err = NULL;
  stk_counts *clear = make(100, 9000, 900, 0), *tie = make(50, 50, 0, 0);
  stk_summary s;
  int64_t labels[2] = {-7, -7};
  CHECK_OK(stk_counts_predict(clear, 2, 0.001, labels, &s, sizeof s, &err), err);
  CHECK(labels[0] == 1 && labels[1] == 2 && s.label == 1 && s.abstain == 0 && s.p_value < 0.001);
  CHECK_OK(stk_counts_predict(tie, 1, 0.001, NULL, &s, sizeof s, &err), err);
  CHECK(s.abstain == 1 && s.p_value == 1);
  stk_counts_free(clear);
  stk_counts_free(tie);
}

/* A newer caller's struct is zero-filled behind what this library knows; an older caller's is cut at a field. */
static void summaries_of_other_sizes(void) {
  stk_error *err = NULL;
  stk_counts *counts = make(50, 9900, 50, 0);
  struct {
    stk_summary known;
    unsigned char later[64];
  } newer;
  unsigned char older[sizeof(stk_summary)];
  stk_summary s;
  const stk_query query = ask(1, 1);
  memset(&newer, 0xff, sizeof newer);
  memset(older, 0xee, sizeof older);
  CHECK_OK(stk_counts_certify(counts, &query, &newer.known, sizeof newer, &err), err);
  CHECK(newer.known.struct_size <= sizeof newer && newer.known.radius > 0.5);
  for (size_t i = 0; i < sizeof newer.later; ++i) CHECK(newer.later[i] == 0);
  CHECK_OK(stk_counts_certify(counts, &query, (stk_summary *)(void *)older,
                              offsetof(stk_summary, p_lower), &err),
           err);
  memcpy(&s, older, sizeof s);
  CHECK(s.struct_size == offsetof(stk_summary, p_lower) && s.radius == newer.known.radius);
  for (size_t i = offsetof(stk_summary, p_lower); i < sizeof older; ++i) CHECK(older[i] == 0xee);
  CHECK_STATUS(stk_counts_certify(counts, &query, &s, 0, &err),
               STK_STATUS_INVALID_ARGUMENT, err);
  stk_counts_free(counts);
}

void test_counts(void) {
  adds();
  refuses();
  queries_of_other_sizes();
  certifies();
  guarantees();
  predicts();
  summaries_of_other_sizes();
}
