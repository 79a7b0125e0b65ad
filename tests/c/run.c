/* Blocking calls: certify, predict, sample; progress, cancellation, timeouts. */
#include <stdlib.h>
#include <time.h>

#include "check.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void certifies(const stk_model *model) {
  stk_error *err = NULL;
  stk_request *request = make_request(2000);
  stk_result *chosen = NULL, *fixed = NULL;
  float x[2 * EXACT_ELEMENTS];
  exact_input(x);
  exact_input(x + EXACT_ELEMENTS);
  CHECK_OK(stk_model_certify(model, request, x, 2, NULL, &chosen, &err), err);
  CHECK(stk_result_len(chosen) == 2 && stk_result_k_len(chosen) == 2);
  stk_summary s, f;
  const uint64_t *labels_of, *selected_of;
  stk_counts *counts = NULL, *selection = NULL;
  const int64_t *labels;
  const char *json;
  size_t classes, len;
  for (size_t i = 0; i < 2; ++i) {
    CHECK_OK(stk_result_summary(chosen, i, 0, &s, sizeof s, &err), err);
    CHECK(s.struct_size == sizeof s && s.n == 2000 && s.n0 == 100 && s.k == 1 && s.stream == i);
    CHECK(s.status == STK_STATUS_OK && s.certified == (s.radius > 0) && s.abstain == !s.certified && s.grid > 0);
    CHECK(s.validity == STK_VALIDITY_FIXED && s.assumed == 0 && s.alpha_left == s.alpha && s.radius_cost > 0);
    CHECK_OK(stk_result_counts(chosen, i, &counts, &err), err);
    CHECK_OK(stk_result_selection(chosen, i, &selection, &err), err);
    CHECK_OK(stk_counts_labels(counts, &labels_of, &classes, &err), err);
    CHECK_OK(stk_counts_labels(selection, &selected_of, &len, &err), err);
    CHECK(classes == EXACT_CLASSES && len == EXACT_CLASSES);
    uint64_t sum = 0, selected = 0;
    for (size_t c = 0; c < classes; ++c) sum += labels_of[c], selected += selected_of[c];
    CHECK(sum == 2000 && selected == 100);
    CHECK_OK(stk_result_labels(chosen, i, 0, &labels, &len, &err), err);
    CHECK(len == 1 && labels[0] == s.label);
    CHECK_OK(stk_result_json(chosen, i, &json, &err), err);
    CHECK(json[0] == '{' && strstr(json, stk_model_sha256(model)) != NULL);
    /* The certificate follows from the counts alone. */
    const stk_query query = ask((uint64_t)s.label, 1);
    CHECK_OK(stk_counts_certify(counts, &query, &f, sizeof f, &err), err);
    CHECK(memcmp(&f.radius, &s.radius, sizeof f.radius) == 0 && f.radius_cost == s.radius_cost);
    stk_counts_free(counts);
    stk_counts_free(selection);
  }
  /* The label fixed beforehand: the same counts, no selection. */
  const int64_t given[] = {2, STK_NO_LABEL};
  CHECK_OK(stk_model_certify(model, request, x, 2, given, &fixed, &err), err);
  CHECK_OK(stk_result_summary(fixed, 0, 0, &s, sizeof s, &err), err);
  CHECK(s.label == 2 && s.n0 == 0);
  CHECK_OK(stk_result_selection(fixed, 0, &selection, &err), err);
  CHECK(selection == NULL);
  CHECK_OK(stk_result_selection(fixed, 1, &selection, &err), err);
  CHECK(stk_counts_n(selection) == 100);
  stk_counts_free(selection);
  CHECK_STATUS(stk_result_summary(fixed, 2, 0, &s, sizeof s, &err), STK_STATUS_INVALID_ARGUMENT, err);
  CHECK_STATUS(stk_result_summary(fixed, 0, 2, &s, sizeof s, &err), STK_STATUS_INVALID_ARGUMENT, err);
  CHECK_STATUS(stk_result_counts(fixed, 2, &counts, &err), STK_STATUS_INVALID_ARGUMENT, err);
  stk_result_free(fixed);
  fixed = NULL;
  const int64_t out_of_range[] = {0, EXACT_CLASSES};
  CHECK_STATUS(stk_model_certify(model, request, x, 2, out_of_range, &fixed, &err), STK_STATUS_INVALID_ARGUMENT, err);
  x[0] /= 0.0f;
  CHECK_STATUS(stk_model_certify(model, request, x, 1, NULL, &fixed, &err), STK_STATUS_INVALID_DATA, err);
  CHECK(fixed == NULL);
  stk_result_free(chosen);
  stk_request_free(request);
}

static void predicts_and_samples(const stk_model *model) {
  stk_error *err = NULL;
  stk_request *request = make_request(2000);
  stk_result *result = NULL;
  stk_counts *first = NULL, *rest = NULL;
  stk_summary s;
  const int64_t *labels;
  stk_counts *whole = NULL;
  const uint64_t *counts, *sampled;
  size_t classes, len;
  float x[EXACT_ELEMENTS];
  exact_input(x);
  CHECK_OK(stk_model_predict(model, request, x, 1, &result, &err), err);
  CHECK_OK(stk_result_summary(result, 0, 1, &s, sizeof s, &err), err);
  CHECK(s.k == 3 && s.n == 2000 && s.n0 == 0 && s.radius == 0 && s.p_value >= 0 && s.p_value <= 1);
  CHECK_OK(stk_result_labels(result, 0, 1, &labels, &len, &err), err);
  CHECK_OK(stk_result_counts(result, 0, &whole, &err), err);
  CHECK_OK(stk_counts_labels(whole, &counts, &classes, &err), err);
  CHECK(len == 3 && labels[0] == s.label && counts[labels[0]] >= counts[labels[1]] &&
        counts[labels[1]] >= counts[labels[2]]);
  stk_counts_free(whole);
  /* Counts of disjoint ranges add up to a certificate's, whose samples are not the prediction's. */
  stk_result_free(result);
  result = NULL;
  CHECK_OK(stk_model_certify(model, request, x, 1, &(const int64_t){0}, &result, &err), err);
  CHECK_OK(stk_result_counts(result, 0, &whole, &err), err);
  CHECK_OK(stk_counts_labels(whole, &counts, &classes, &err), err);
  CHECK_OK(stk_model_sample(model, request, x, 0, 700, &first, &err), err);
  CHECK_OK(stk_model_sample(model, request, x, 700, 1300, &rest, &err), err);
  CHECK_OK(stk_counts_add(first, rest, &err), err);
  CHECK_OK(stk_counts_labels(first, &sampled, &len, &err), err);
  CHECK(len == classes && memcmp(sampled, counts, classes * sizeof *counts) == 0 && stk_counts_n(first) == 2000);
  stk_counts_free(whole);
  stk_counts_free(first);
  stk_counts_free(rest);
  stk_result_free(result);
  stk_request_free(request);
}

struct progress {
  unsigned calls;
  uint64_t done, total;
  const stk_cancel *cancel;
};

static void on_progress(void *user, uint64_t done, uint64_t total) {
  struct progress *p = user;
  CHECK(done >= p->done && done <= total);
  ++p->calls;
  p->done = done;
  p->total = total;
  if (p->cancel != NULL) stk_cancel_set(p->cancel);
}

static void reports_progress(const stk_model *model) {
  stk_error *err = NULL;
  stk_request *request = make_request(5000);
  stk_result *result = NULL;
  struct progress p = {0, 0, 0, NULL};
  float x[EXACT_ELEMENTS];
  exact_input(x);
  CHECK_OK(stk_request_set_progress(request, on_progress, &p, &err), err);
  CHECK_OK(stk_model_certify(model, request, x, 1, NULL, &result, &err), err);
  CHECK(p.calls > 0 && p.done == p.total && p.total == 5100);
  stk_result_free(result);
  stk_request_free(request);
}

/* What was counted is given, and certifies nothing. */
static void is_partial(stk_result *result, stk_status why, uint64_t n) {
  stk_error *err = NULL;
  stk_summary s;
  CHECK(result != NULL && stk_result_len(result) == 1);
  CHECK_OK(stk_result_summary(result, 0, 0, &s, sizeof s, &err), err);
  CHECK(s.status == why && s.n < n && s.radius == 0 && s.certified == 0 && s.abstain == 1);
}

static void cancels(void) {
  stk_error *err = NULL;
  stk_model *model = open_model(EXACT);
  stk_request *request = make_request(100000000);
  stk_result *result = NULL;
  stk_cancel *cancel = NULL;
  float x[EXACT_ELEMENTS];
  exact_input(x);
  CHECK_OK(stk_cancel_new(&cancel, &err), err);
  CHECK(!stk_cancel_is_set(cancel));
  struct progress p = {0, 0, 0, cancel};
  CHECK_OK(stk_request_set_cancel(request, cancel, &err), err);
  CHECK_OK(stk_request_set_progress(request, on_progress, &p, &err), err);
  CHECK_STATUS(stk_model_certify(model, request, x, 1, NULL, &result, &err), STK_STATUS_CANCELLED, err);
  CHECK(stk_cancel_is_set(cancel));
  is_partial(result, STK_STATUS_CANCELLED, 100000000);
  stk_result_free(result);
  /* The request keeps its own reference; a token that is set cancels what starts later. */
  stk_cancel_free(cancel);
  CHECK_OK(stk_request_set_progress(request, NULL, NULL, &err), err);
  result = NULL;
  CHECK_STATUS(stk_model_predict(model, request, x, 1, &result, &err), STK_STATUS_CANCELLED, err);
  is_partial(result, STK_STATUS_CANCELLED, 100000000);
  stk_result_free(result);
  stk_request_free(request);
  stk_model_free(model);
}

static void comes_too_late(void) {
  stk_error *err = NULL;
  stk_model *model = open_model(SLOW);
  stk_request *request = make_request(1000000);
  stk_result *result = NULL;
  stk_counts *counts = NULL;
  float x[SLOW_ELEMENTS];
  slow_input(x);
  CHECK_OK(stk_request_set_input_max(request, 1000, &err), err);
  CHECK_OK(stk_request_set_timeout_ms(request, 50, &err), err);
  const double start = now();
  CHECK_STATUS(stk_model_certify(model, request, x, 1, NULL, &result, &err), STK_STATUS_DEADLINE_EXCEEDED, err);
  is_partial(result, STK_STATUS_DEADLINE_EXCEEDED, 1000000);
  stk_result_free(result);
  CHECK_STATUS(stk_model_sample(model, request, x, 0, 1000000, &counts, &err), STK_STATUS_DEADLINE_EXCEEDED, err);
  CHECK(counts != NULL && stk_counts_n(counts) < 1000000);
  /* A batch alone would take seconds: both were stopped inside one. */
  CHECK(now() - start >= 0.1);
  stk_counts_free(counts);
  stk_request_free(request);
  stk_model_free(model);
}

void test_run(void) {
  stk_model *model = open_model(EXACT);
  certifies(model);
  predicts_and_samples(model);
  reports_progress(model);
  stk_model_free(model);
  cancels();
  comes_too_late();
}
