/* Counts in, counts out, certificates and predictions with no model: what valgrind runs too. */
#include <math.h>

#include "check.h"

static stk_counts *make(uint64_t a, uint64_t b, uint64_t c, uint64_t n) {
  const uint64_t labels[] = {a, b, c};
  stk_error *err = NULL;
  stk_counts *counts = NULL;
  CHECK_OK(stk_counts_new(labels, 3, n, &counts, &err), err);
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
  CHECK_OK(stk_counts_new(two, 2, 0, &other, &err), err);
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
  CHECK_STATUS(stk_counts_new(labels, 2, 2, &counts, &err), STK_STATUS_INVALID_DATA, err);
  CHECK_STATUS(stk_counts_new(huge, 2, 0, &counts, &err), STK_STATUS_INVALID_DATA, err);
  CHECK(counts == NULL);
  counts = make(5, 90, 5, 0);
  CHECK_INVALID(stk_counts_certify(counts, 3, 1, 0.25, 0.001, STK_BOUND_RANKED, 0, &s, sizeof s, &err), "label", err);
  CHECK_INVALID(stk_counts_certify(counts, 1, 0, 0.25, 0.001, STK_BOUND_RANKED, 0, &s, sizeof s, &err), "k", err);
  CHECK_INVALID(stk_counts_certify(counts, 1, 1, 0, 0.001, STK_BOUND_RANKED, 0, &s, sizeof s, &err), "sigma", err);
  CHECK_INVALID(stk_counts_certify(counts, 1, 1, 0.25, 0, STK_BOUND_RANKED, 0, &s, sizeof s, &err), "alpha", err);
  CHECK_INVALID(stk_counts_certify(counts, 1, 1, 0.25, 0.001, 7, 0, &s, sizeof s, &err), "bound", err);
  CHECK_INVALID(stk_counts_certify(counts, 1, 1, 0.25, 0.001, STK_BOUND_RANKED, -1, &s, sizeof s, &err), "radius_slack",
                err);
  CHECK_INVALID(stk_counts_predict(counts, 0, 0.001, NULL, &s, sizeof s, &err), "k", err);
  CHECK_INVALID(stk_counts_predict(counts, 1, 2, NULL, &s, sizeof s, &err), "alpha", err);
  stk_counts_free(counts);
}

static void certifies(void) {
  stk_error *err = NULL;
  stk_counts *counts = make(50, 9900, 50, 0);
  stk_summary s, slack;
  CHECK_OK(stk_counts_certify(counts, 1, 1, 0.25, 0.001, STK_BOUND_RANKED, 0, &s, sizeof s, &err), err);
  CHECK(s.struct_size == sizeof s && s.status == STK_STATUS_OK && s.bound == STK_BOUND_RANKED);
  CHECK(s.label == 1 && s.k == 1 && s.n == 10000 && s.sigma == 0.25 && s.alpha == 0.001);
  CHECK(s.certified == 1 && s.abstain == 0);
  /* sigma times Phi^-1 of 0.985 is 0.54. */
  CHECK(s.radius > 0.5 && s.radius < 0.6 && s.p_lower > 0.98 && s.p_lower < 0.99 && s.p_upper < 0.02);
  CHECK_OK(stk_counts_certify(counts, 1, 1, 0.25, 0.001, STK_BOUND_RANKED, 0.125, &slack, sizeof slack, &err), err);
  CHECK(fabs(s.radius - 0.125 - slack.radius) < 1e-12 && slack.radius <= s.radius - 0.125 &&
        slack.radius_slack == 0.125);
  CHECK_OK(stk_counts_certify(counts, 0, 1, 0.25, 0.001, STK_BOUND_RANKED, 0, &s, sizeof s, &err), err);
  CHECK(s.certified == 0 && s.abstain == 1 && s.radius == 0);
  stk_counts_free(counts);
}

static void certifies_with(void) {
  stk_error *err = NULL;
  stk_counts *counts = make(50, 9900, 50, 0), *pilot = make(1, 98, 1, 0);
  stk_summary plain, s;
  stk_guarantee g, same;
  double each[2], kept[2];
  int64_t labels[2];
  CHECK_OK(stk_counts_certify(counts, 1, 1, 0.25, 0.001, STK_BOUND_RANKED, 0, &plain, sizeof plain, &err), err);
  CHECK_OK(stk_counts_certify_with(counts, 1, 1, 0.25, 0.001, NULL, NULL, 0, &s, sizeof s, &err), err);
  CHECK(memcmp(&s, &plain, sizeof s) == 0 && s.alpha_left == 0.001 && s.n_certified == 10000 && s.samples_drawn == 0);
  CHECK(s.decision == STK_DECISION_NONE && s.generator == STK_GENERATOR_NONE && s.levels == 0);
  CHECK_OK(stk_counts_certify_with(counts, 1, 1, 0.25, 0.001, "pooled:0.9", "anytime", 0, &s, sizeof s, &err), err);
  CHECK(s.bound == STK_BOUND_ALLOCATION && s.radius > 0.5 && s.radius < plain.radius);
  CHECK_INVALID(stk_counts_certify_with(counts, 1, 1, 0.25, 0.001, "auto", NULL, 0, &s, sizeof s, &err), "allocation",
                err);
  CHECK_INVALID(stk_counts_certify_with(counts, 1, 1, 0.25, 0.001, NULL, "often", 0, &s, sizeof s, &err), "validity",
                err);
  CHECK_INVALID(stk_counts_certify(counts, 1, 1, 0.25, 0.001, STK_BOUND_AUTO, 0, &s, sizeof s, &err), "bound", err);

  CHECK_OK(stk_counts_guarantee(counts, NULL, 2, 0.25, 0.001, 0, labels, each, kept, &g, sizeof g, &err), err);
  CHECK(labels[0] == 1 && each[0] > 0.5 && isinf(kept[0]) && kept[1] == g.set_radius && g.n0 == 0);
  CHECK_OK(stk_counts_guarantee(counts, pilot, 1, 0.25, 0.001, 0, NULL, NULL, NULL, &g, sizeof g, &err), err);
  CHECK_OK(stk_counts_guarantee(counts, NULL, 1, 0.25, 0.001, 0, NULL, NULL, NULL, &same, sizeof same, &err), err);
  stk_guarantee looked = {0};
  CHECK_OK(stk_counts_guarantee_with(counts, pilot, 1, 0.25, 0.001, "anytime", 0, NULL, NULL, NULL, &looked, sizeof looked,
                                     &err),
           err);
  CHECK(looked.set_radius > 0 && looked.set_radius < g.set_radius);
  /* The choice by the same counts costs a little. */
  CHECK(g.n0 == 100 && g.set_radius > same.set_radius && same.set_radius > 0.5);
  CHECK_INVALID(stk_counts_guarantee(counts, counts, 1, 0.25, 0.001, 0, NULL, NULL, NULL, &g, sizeof g, &err), "pilot",
                err);
  stk_counts_free(counts);
  stk_counts_free(pilot);
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
  memset(&newer, 0xff, sizeof newer);
  memset(older, 0xee, sizeof older);
  CHECK_OK(stk_counts_certify(counts, 1, 1, 0.25, 0.001, STK_BOUND_RANKED, 0, &newer.known, sizeof newer, &err), err);
  CHECK(newer.known.struct_size <= sizeof newer && newer.known.radius > 0.5);
  for (size_t i = 0; i < sizeof newer.later; ++i) CHECK(newer.later[i] == 0);
  CHECK_OK(stk_counts_certify(counts, 1, 1, 0.25, 0.001, STK_BOUND_RANKED, 0, (stk_summary *)(void *)older,
                              offsetof(stk_summary, p_lower), &err),
           err);
  memcpy(&s, older, sizeof s);
  CHECK(s.struct_size == offsetof(stk_summary, p_lower) && s.radius == newer.known.radius);
  for (size_t i = offsetof(stk_summary, p_lower); i < sizeof older; ++i) CHECK(older[i] == 0xee);
  CHECK_STATUS(stk_counts_certify(counts, 1, 1, 0.25, 0.001, STK_BOUND_RANKED, 0, &s, 0, &err),
               STK_STATUS_INVALID_ARGUMENT, err);
  stk_counts_free(counts);
}

void test_counts(void) {
  adds();
  refuses();
  certifies();
  certifies_with();
  predicts();
  summaries_of_other_sizes();
}
