/* Jobs: submitted, polled, waited for, cancelled, freed; `done` is called once. */
#include <pthread.h>
#include <stdlib.h>

#include "check.h"

struct latch {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  unsigned calls;
};

static void on_done(void *user, stk_job *job) {
  if (!stk_job_is_done(job)) abort();
  struct latch *latch = user;
  pthread_mutex_lock(&latch->mutex);
  ++latch->calls;
  pthread_cond_broadcast(&latch->changed);
  pthread_mutex_unlock(&latch->mutex);
}

static void wait_for_calls(struct latch *latch, unsigned calls) {
  pthread_mutex_lock(&latch->mutex);
  while (latch->calls < calls) pthread_cond_wait(&latch->changed, &latch->mutex);
  pthread_mutex_unlock(&latch->mutex);
}

static unsigned calls_of(struct latch *latch) {
  pthread_mutex_lock(&latch->mutex);
  const unsigned calls = latch->calls;
  pthread_mutex_unlock(&latch->mutex);
  return calls;
}

static void same_answers(const stk_result *a, const stk_result *b) {
  stk_error *err = NULL;
  stk_summary s, t;
  stk_counts *counts_a = NULL, *counts_b = NULL;
  CHECK_OK(stk_result_summary(a, 0, 0, &s, sizeof s, &err), err);
  CHECK_OK(stk_result_summary(b, 0, 0, &t, sizeof t, &err), err);
  CHECK_OK(stk_result_counts(a, 0, &counts_a, &err), err);
  CHECK_OK(stk_result_counts(b, 0, &counts_b, &err), err);
  CHECK(s.label == t.label && s.n == t.n && memcmp(&s.radius, &t.radius, sizeof s.radius) == 0);
  const char *json_a, *json_b;
  CHECK_OK(stk_counts_json(counts_a, &json_a, &err), err);
  CHECK_OK(stk_counts_json(counts_b, &json_b, &err), err);
  CHECK(strcmp(json_a, json_b) == 0);
  stk_counts_free(counts_a);
  stk_counts_free(counts_b);
}

static void finishes(void) {
  stk_error *err = NULL;
  struct latch latch = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
  stk_model *model = open_model(EXACT);
  stk_request *request = make_request(2000);
  stk_job *certify = NULL, *predict = NULL;
  stk_result *blocking = NULL, *result = NULL, *again = NULL;
  float x[EXACT_ELEMENTS];
  exact_input(x);
  CHECK_OK(stk_model_certify(model, request, x, 1, NULL, &blocking, &err), err);
  CHECK_OK(stk_model_submit_certify(model, request, x, 1, NULL, on_done, &latch, &certify, &err), err);
  CHECK_OK(stk_model_submit_predict(model, request, x, 1, NULL, NULL, &predict, &err), err);
  /* Inputs and request are copied. */
  memset(x, 0, sizeof x);
  stk_request_free(request);
  wait_for_calls(&latch, 1);
  CHECK(stk_job_is_done(certify));
  CHECK(stk_job_samples_done(certify) == 2100 && stk_job_samples_total(certify) == 2100);
  CHECK_OK(stk_job_result(certify, &result, &err), err);
  same_answers(blocking, result);
  CHECK_STATUS(stk_job_result(certify, &again, &err), STK_STATUS_INVALID_ARGUMENT, err);
  CHECK(again == NULL);
  bool done = false;
  CHECK_OK(stk_job_wait(predict, UINT64_MAX, &done, &err), err);
  CHECK(done && stk_job_is_done(predict));
  stk_job_cancel(predict);
  /* Jobs and results outlive the model; what was finished is not cancelled any more. */
  stk_model_free(model);
  CHECK_OK(stk_job_result(predict, &again, &err), err);
  stk_job_free(certify);
  stk_job_free(predict);
  same_answers(blocking, result);
  CHECK(calls_of(&latch) == 1);
  stk_result_free(blocking);
  stk_result_free(result);
  stk_result_free(again);
}

static stk_job *submit_slow(const stk_model *model, struct latch *latch, uint64_t timeout_ms) {
  stk_error *err = NULL;
  stk_job *job = NULL;
  stk_request *request = make_request(1000000);
  float x[SLOW_ELEMENTS];
  slow_input(x);
  CHECK_OK(stk_request_set_input_max(request, 1000, &err), err);
  CHECK_OK(stk_request_set_timeout_ms(request, timeout_ms, &err), err);
  CHECK_OK(stk_model_submit_certify(model, request, x, 1, NULL, on_done, latch, &job, &err), err);
  stk_request_free(request);
  return job;
}

static void ends_early(void) {
  stk_error *err = NULL;
  struct latch latch = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
  stk_model *model = open_model(SLOW);
  stk_result *result = NULL;
  stk_summary s;
  bool done = true;

  stk_job *job = submit_slow(model, &latch, 0);
  CHECK_OK(stk_job_wait(job, 20, &done, &err), err);
  CHECK(!done && !stk_job_is_done(job));
  stk_job_cancel(job);
  CHECK_STATUS(stk_job_result(job, &result, &err), STK_STATUS_CANCELLED, err);
  CHECK_OK(stk_result_summary(result, 0, 0, &s, sizeof s, &err), err);
  CHECK(s.status == STK_STATUS_CANCELLED && s.certified == 0 && s.abstain == 1);
  stk_result_free(result);
  stk_job_free(job);
  CHECK(calls_of(&latch) == 1);

  result = NULL;
  job = submit_slow(model, &latch, 50);
  CHECK_STATUS(stk_job_result(job, &result, &err), STK_STATUS_DEADLINE_EXCEEDED, err);
  CHECK(result != NULL);
  stk_result_free(result);
  stk_job_free(job);
  CHECK(calls_of(&latch) == 2);

  /* A job that is freed, and a model that is freed under its job. */
  stk_job_free(submit_slow(model, &latch, 0));
  CHECK(calls_of(&latch) == 3);
  job = submit_slow(model, &latch, 0);
  stk_model_free(model);
  result = NULL;
  CHECK_STATUS(stk_job_result(job, &result, &err), STK_STATUS_CANCELLED, err);
  stk_result_free(result);
  stk_job_free(job);
  CHECK(calls_of(&latch) == 4);
}

void test_async(void) {
  finishes();
  ends_early();
}
