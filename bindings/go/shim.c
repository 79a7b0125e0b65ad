#include <stdio.h>
#include <string.h>

#include "_cgo_export.h"
#include "shim.h"

char *shim_check_abi(uint32_t version) {
  if (version == STK_ABI_VERSION) return NULL;
  char message[100];
  snprintf(message, sizeof message, "it has ABI version %lu, and this binding needs %d", (unsigned long)version,
           (int)STK_ABI_VERSION);
  return strdup(message);
}

// The library's callbacks, on whichever thread; smoothtopkGo* are Go functions.
static void on_done(void *user, stk_job *job) {
  (void)job;
  smoothtopkGoDone((uintptr_t)user);
}

static void on_log(void *user, stk_log_level level, const char *message) {
  (void)user;
  smoothtopkGoLog(level, (char *)message);
}

static bool on_classify(void *user, const stk_batch *batch) {
  return smoothtopkGoClassify((uintptr_t)user, (void *)batch);
}

static void on_free(void *user) { smoothtopkGoFree((uintptr_t)user); }

shim_out shim_model_from_callback(const shim_api *api, const char *name, const char *digest, const size_t *shape,
                                  size_t len, size_t classes, bool gives_labels, uintptr_t handle,
                                  const stk_model_options *options) {
  const stk_classifier classifier = {.struct_size = sizeof classifier,
                                     .classify = on_classify,
                                     .user = (void *)handle,
                                     .free_user = on_free,
                                     .shape = shape,
                                     .shape_len = len,
                                     .classes = classes,
                                     .name = name,
                                     .digest = digest,
                                     .gives = gives_labels ? STK_GIVES_LABELS : STK_GIVES_SCORES};
  SHIM_VALUE(stk_model, api->stk_model_from_callback(&classifier, options, &value, &out.error));
}

shim_out shim_log(const shim_api *api, stk_log_level level) {
  SHIM_OUT(api->stk_log_set_callback(level, level == STK_LOG_LEVEL_OFF ? NULL : on_log, NULL, &out.error));
}

static stk_status request_new(const shim_api *api, const shim_request *from, SHIM_REST, const stk_cancel *cancel,
                              stk_request **request, stk_error **error) {
  stk_status status = api->stk_request_new(noise, request, error);
#define SET(condition, call)                                                                                           \
  if (status == STK_STATUS_OK && (condition)) status = call
  SET(from->set & SHIM_SET_K, api->stk_request_set_k(*request, k, from->k_len, error));
  SET(from->set & SHIM_SET_N, api->stk_request_set_n(*request, from->n, error));
  SET(from->set & SHIM_SET_N0, api->stk_request_set_n0(*request, from->n0, error));
  SET(from->set & SHIM_SET_ALPHA, api->stk_request_set_alpha(*request, from->alpha, error));
  SET(from->set & SHIM_SET_INPUT_MAX, api->stk_request_set_input_max(*request, from->input_max, error));
  SET(from->set & SHIM_SET_SEED, api->stk_request_set_seed(*request, from->seed, error));
  SET(from->set & SHIM_SET_CHACHA12,
      api->stk_request_set_chacha12(*request, from->set & SHIM_SET_CHACHA12_KEY ? from->chacha12_key : NULL, error));
  SET(from->levels != 0, api->stk_request_set_noise_exact(*request, from->levels, error));
  SET(from->set & SHIM_SET_RANDOMIZED, api->stk_request_set_randomized(*request, true, error));
  SET(allocation != NULL, api->stk_request_set_allocation(*request, allocation, error));
  SET(rule != NULL, api->stk_request_set_rule(*request, rule, error));
  SET(from->stream != 0, api->stk_request_set_stream(*request, from->stream, error));
  SET(from->timeout_ms != 0, api->stk_request_set_timeout_ms(*request, from->timeout_ms, error));
  SET(cancel != NULL, api->stk_request_set_cancel(*request, cancel, error));
#undef SET
  return status;
}

shim_out shim_submit(const shim_api *api, const stk_model *model, stk_task task, const shim_request *from, SHIM_REST,
                     stk_dtype dtype, const void *inputs, size_t count, const int64_t *labels, uintptr_t done) {
  shim_out out = {0, NULL, NULL};
  stk_job *job = NULL;
  stk_request *request = NULL;
  out.status = request_new(api, from, noise, k, rule, allocation, NULL, &request, &out.error);
  if (out.status == STK_STATUS_OK) {
    stk_call call = {.struct_size = sizeof call, .task = task, .dtype = dtype, .inputs = inputs, .count = count,
                     .labels = labels, .done = done == 0 ? NULL : on_done, .done_user = (void *)done};
    out.status = api->stk_model_submit(model, request, &call, &job, &out.error);
  }
  api->stk_request_free(request);
  out.value = job;
  return out;
}

shim_out shim_sample(const shim_api *api, const stk_model *model, const shim_request *from, const char *noise,
                     const stk_cancel *cancel, const float *input, uint64_t first, uint64_t samples) {
  shim_out out = {0, NULL, NULL};
  stk_counts *counts = NULL;
  stk_request *request = NULL;
  out.status = request_new(api, from, noise, NULL, NULL, NULL, cancel, &request, &out.error);
  if (out.status == STK_STATUS_OK) {
    out.status = api->stk_model_sample(model, request, input, first, samples, &counts, &out.error);
  }
  api->stk_request_free(request);
  out.value = counts;
  return out;
}
