/* NULL for a required pointer is an error, never a crash, with and without a place for the error; frees accept it. */
#include "check.h"

/* Twice: with an error, whose field names the argument, and with none. */
#define REFUSES(field, ...)                                                 \
  do {                                                                      \
    stk_error *refusal = NULL;                                              \
    stk_error **e = &refusal;                                               \
    const stk_status with = (__VA_ARGS__);                                  \
    check_invalid(with, field, &refusal, __FILE__, __LINE__, #__VA_ARGS__); \
    e = NULL;                                                               \
    CHECK((__VA_ARGS__) == STK_STATUS_INVALID_ARGUMENT);                    \
  } while (0)

static void frees_and_getters(void) {
  stk_error_free(NULL);
  stk_model_options_free(NULL);
  stk_model_free(NULL);
  stk_request_free(NULL);
  stk_cancel_free(NULL);
  stk_job_free(NULL);
  stk_result_free(NULL);
  stk_counts_free(NULL);
  stk_budget_free(NULL);
  CHECK(stk_budget_drawn(NULL) == 0 && stk_budget_total(NULL) == 0 && stk_budget_spent(NULL) == 0 &&
        stk_budget_left(NULL) == 0);
  CHECK(strcmp(stk_error_message(NULL), "") == 0);
  CHECK(strcmp(stk_error_field(NULL), "") == 0);
  CHECK(stk_model_elements(NULL) == 0 && stk_model_classes(NULL) == 0 && stk_model_batch(NULL) == 0 &&
        stk_model_threads(NULL) == 0);
  CHECK(strcmp(stk_model_sha256(NULL), "") == 0 && strcmp(stk_model_provider(NULL), "") == 0);
  CHECK(stk_model_signature_json(NULL) != NULL);
  stk_cancel_set(NULL);
  CHECK(!stk_cancel_is_set(NULL));
  stk_job_cancel(NULL);
  (void)stk_job_is_done(NULL);
  CHECK(stk_job_samples_done(NULL) == 0 && stk_job_samples_total(NULL) == 0);
  CHECK(stk_result_len(NULL) == 0 && stk_result_k_len(NULL) == 0 && stk_counts_n(NULL) == 0 &&
        stk_counts_invalid(NULL) == 0);
}

static void options_and_requests(void) {
  stk_error *err = NULL;
  stk_model_options *options = NULL;
  stk_request *request = make_request(100), *unmade = NULL;
  const size_t one = 1;
  const float f = 1;
  const double d = 1;
  CHECK_OK(stk_model_options_new(&options, &err), err);
  REFUSES("out", stk_model_options_new(NULL, e));
  REFUSES("options", stk_model_options_set_provider(NULL, "cpu", e));
  REFUSES("provider", stk_model_options_set_provider(options, NULL, e));
  REFUSES("options", stk_model_options_set_provider_option(NULL, "a", "b", e));
  REFUSES("key", stk_model_options_set_provider_option(options, NULL, "b", e));
  REFUSES("value", stk_model_options_set_provider_option(options, "a", NULL, e));
  REFUSES("path", stk_model_options_set_provider_library(options, NULL, e));
  REFUSES("options", stk_model_options_set_threads(NULL, 1, e));
  REFUSES("options", stk_model_options_set_batch(NULL, 1, e));
  REFUSES("options", stk_model_options_set_memory_limit(NULL, 1, e));
  REFUSES("options", stk_model_options_set_plan_cache(NULL, true, e));
  REFUSES("options", stk_model_options_set_allow_fallback(NULL, true, e));
  REFUSES("options", stk_model_options_set_devices(NULL, NULL, 0, e));
  REFUSES("devices", stk_model_options_set_devices(options, NULL, 1, e));
  REFUSES("options", stk_model_options_set_cuda_tf32(NULL, true, e));
  REFUSES("options", stk_model_options_set_tensorrt(NULL, true, false, NULL, e));
  REFUSES("name", stk_model_options_set_input(options, NULL, e));
  REFUSES("dims", stk_model_options_set_input_shape(options, NULL, 1, e));
  REFUSES("options", stk_model_options_set_input_shape(NULL, &one, 1, e));
  REFUSES("name", stk_model_options_set_output(options, NULL, e));
  REFUSES("options", stk_model_options_set_classes(NULL, 3, e));
  REFUSES("options", stk_model_options_set_threshold(NULL, 0.5, e));
  REFUSES("options", stk_model_options_set_base_k(NULL, 2, e));
  REFUSES("mean", stk_model_options_set_normalization(options, NULL, 1, &f, 1, e));
  REFUSES("std_dev", stk_model_options_set_normalization(options, &f, 1, NULL, 1, e));
  REFUSES("name", stk_model_options_set_constant(options, NULL, &d, 1, e));
  REFUSES("values", stk_model_options_set_constant(options, "a", NULL, 1, e));
  REFUSES("noise", stk_request_new(NULL, &unmade, e));
  REFUSES("out", stk_request_new("gaussian:0.25", NULL, e));
  REFUSES("request", stk_request_set_noise(NULL, "gaussian:1", e));
  REFUSES("noise", stk_request_set_noise(request, NULL, e));
  REFUSES("request", stk_request_set_k(NULL, &one, 1, e));
  REFUSES("k", stk_request_set_k(request, NULL, 1, e));
  REFUSES("request", stk_request_set_n(NULL, 1, e));
  REFUSES("request", stk_request_set_n0(NULL, 1, e));
  REFUSES("request", stk_request_set_alpha(NULL, 0.1, e));
  REFUSES("request", stk_request_set_seed(NULL, 1, e));
  REFUSES("request", stk_request_set_stream(NULL, 1, e));
  REFUSES("request", stk_request_set_input_max(NULL, 1, e));
  REFUSES("request", stk_request_set_timeout_ms(NULL, 1, e));
  REFUSES("request", stk_request_set_cancel(NULL, NULL, e));
  REFUSES("request", stk_request_set_progress(NULL, NULL, NULL, e));
  REFUSES("out", stk_cancel_new(NULL, e));
  stk_model_options_free(options);
  stk_request_free(request);
  CHECK(unmade == NULL);
}

static void work(void) {
  stk_model *model = open_model(EXACT);
  stk_request *request = make_request(100);
  float x[EXACT_ELEMENTS];
  stk_result *result = NULL;
  stk_counts *counts = NULL;
  stk_job *job = NULL;
  const size_t *dims;
  size_t len;
  exact_input(x);
  stk_model *opened = NULL;
  REFUSES("path", stk_model_open(NULL, NULL, &opened, e));
  REFUSES("out", stk_model_open(EXACT, NULL, NULL, e));
  REFUSES("bytes", stk_model_open_memory(NULL, 1, NULL, &opened, e));
  REFUSES("model", stk_model_shape(NULL, &dims, &len, e));
  REFUSES("dims", stk_model_shape(model, NULL, &len, e));
  REFUSES("len", stk_model_shape(model, &dims, NULL, e));
  REFUSES("model", stk_model_predict(NULL, request, x, 1, &result, e));
  REFUSES("request", stk_model_predict(model, NULL, x, 1, &result, e));
  REFUSES("inputs", stk_model_predict(model, request, NULL, 1, &result, e));
  REFUSES("out", stk_model_predict(model, request, x, 1, NULL, e));
  REFUSES("model", stk_model_certify(NULL, request, x, 1, NULL, &result, e));
  REFUSES("request", stk_model_certify(model, NULL, x, 1, NULL, &result, e));
  REFUSES("inputs", stk_model_certify(model, request, NULL, 1, NULL, &result, e));
  REFUSES("out", stk_model_certify(model, request, x, 1, NULL, NULL, e));
  REFUSES("model", stk_model_sample(NULL, request, x, 0, 1, &counts, e));
  REFUSES("request", stk_model_sample(model, NULL, x, 0, 1, &counts, e));
  REFUSES("input", stk_model_sample(model, request, NULL, 0, 1, &counts, e));
  REFUSES("out", stk_model_sample(model, request, x, 0, 1, NULL, e));
  REFUSES("model", stk_model_submit_predict(NULL, request, x, 1, NULL, NULL, &job, e));
  REFUSES("inputs", stk_model_submit_predict(model, request, NULL, 1, NULL, NULL, &job, e));
  REFUSES("out", stk_model_submit_predict(model, request, x, 1, NULL, NULL, NULL, e));
  REFUSES("model", stk_model_submit_certify(NULL, request, x, 1, NULL, NULL, NULL, &job, e));
  REFUSES("out", stk_model_submit_certify(model, request, x, 1, NULL, NULL, NULL, NULL, e));
  CHECK(opened == NULL && result == NULL && counts == NULL && job == NULL);
  stk_model_free(model);
  stk_request_free(request);
}

static void answers(void) {
  stk_summary summary;
  stk_result *result = NULL;
  stk_counts *counts = NULL;
  const int64_t *labels;
  const uint64_t *numbers;
  const uint64_t three[3] = {1, 2, 3};
  const char *json;
  size_t len;
  bool done;
  uint64_t look;
  REFUSES("job", stk_job_wait(NULL, 0, &done, e));
  REFUSES("job", stk_job_item_latest(NULL, 0, 0, 0, &result, &look, e));
  REFUSES("job", stk_job_result(NULL, &result, e));
  REFUSES("result", stk_result_summary(NULL, 0, 0, &summary, sizeof summary, e));
  REFUSES("result", stk_result_labels(NULL, 0, 0, &labels, &len, e));
  const stk_query query = ask(0, 1);
  stk_guarantee g;
  REFUSES("result", stk_result_counts(NULL, 0, &counts, e));
  REFUSES("result", stk_result_counts_of_k(NULL, 0, 0, &counts, e));
  REFUSES("result", stk_result_selection(NULL, 0, &counts, e));
  REFUSES("result", stk_result_json(NULL, 0, &json, e));
  REFUSES("result", stk_result_json_with_secret(NULL, 0, &json, e));
  REFUSES("labels", stk_counts_assume(NULL, 3, 0, "gaussian:1", 0, NULL, &counts, e));
  REFUSES("noise", stk_counts_assume(three, 3, 0, NULL, 0, NULL, &counts, e));
  REFUSES("out", stk_counts_assume(three, 3, 0, "gaussian:1", 0, NULL, NULL, e));
  REFUSES("counts", stk_counts_clone(NULL, &counts, e));
  REFUSES("counts", stk_counts_add(NULL, NULL, e));
  REFUSES("counts", stk_counts_labels(NULL, &numbers, &len, e));
  REFUSES("counts", stk_counts_assumptions(NULL, &json, e));
  REFUSES("counts", stk_counts_json(NULL, &json, e));
  REFUSES("counts", stk_counts_json_with_secret(NULL, &json, e));
  REFUSES("json", stk_counts_from_json(NULL, &counts, e));
  REFUSES("counts", stk_counts_certify(NULL, &query, &summary, sizeof summary, e));
  REFUSES("counts", stk_counts_predict(NULL, 1, 0.001, NULL, &summary, sizeof summary, e));
  REFUSES("counts", stk_counts_guarantee(NULL, NULL, 1, 0.001, NULL, NULL, NULL, &g, sizeof g, e));
  CHECK(result == NULL && counts == NULL);

  counts = assume(three, 3);
  REFUSES("other", stk_counts_add(counts, NULL, e));
  REFUSES("out", stk_counts_clone(counts, NULL, e));
  REFUSES("json", stk_counts_json(counts, NULL, e));
  REFUSES("query", stk_counts_certify(counts, NULL, &summary, sizeof summary, e));
  REFUSES("out", stk_counts_certify(counts, &query, NULL, sizeof summary, e));
  const int64_t set[1] = {0};
  double radii[1];
  REFUSES("counts", stk_counts_certify_labels(NULL, set, 1, 1, 0.1, NULL, radii, e));
  REFUSES("labels", stk_counts_certify_labels(counts, NULL, 1, 1, 0.1, NULL, radii, e));
  REFUSES("radii", stk_counts_certify_labels(counts, set, 1, 1, 0.1, NULL, NULL, e));
  REFUSES("out", stk_counts_predict(counts, 1, 0.001, NULL, NULL, sizeof summary, e));
  stk_counts_free(counts);
}

void test_nulls(void) {
  frees_and_getters();
  options_and_requests();
  work();
  answers();
}
