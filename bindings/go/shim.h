// What Go cannot do itself: hold the library's functions in a table, call through it, and hand it callbacks.
#ifndef SMOOTHTOPK_GO_SHIM_H
#define SMOOTHTOPK_GO_SHIM_H

#include "smoothtopk.h"

// What only tests call: a library with the feature test-hooks has it, and no header declares it.
#ifdef SMOOTHTOPK_TEST_HOOKS
stk_status stk_test_panic(const stk_counts *counts, stk_error **err);
#define SHIM_TEST_FUNCTIONS(X) X(stk_test_panic)
#else
#define SHIM_TEST_FUNCTIONS(X)
#endif

// Every function the binding uses. The table takes its types from the header, so a changed declaration fails to compile.
#define SHIM_FUNCTIONS(X)                                                                                              \
  X(stk_abi_version) X(stk_version) X(stk_build_info) X(stk_log_set_callback)                                          \
  X(stk_status_name) X(stk_error_message) X(stk_error_field) X(stk_error_free)                                         \
  X(stk_runtime_load) X(stk_runtime_use_api_base) X(stk_runtime_version) X(stk_runtime_path)                           \
  X(stk_runtime_check_provider)                                                                                        \
  X(stk_model_options_new) X(stk_model_options_free) X(stk_model_options_set_provider)                                 \
  X(stk_model_options_set_provider_option) X(stk_model_options_set_provider_library) X(stk_model_options_set_threads)  \
  X(stk_model_options_set_batch) X(stk_model_options_set_memory_limit) X(stk_model_options_set_input)                  \
  X(stk_model_options_set_input_shape) X(stk_model_options_set_output) X(stk_model_options_set_classes)                \
  X(stk_model_options_set_threshold) X(stk_model_options_set_normalization) X(stk_model_options_set_constant)          \
  X(stk_model_options_set_devices) X(stk_model_options_set_allow_fallback) X(stk_model_options_set_cuda_tf32)          \
  X(stk_model_options_set_tensorrt) X(stk_model_options_set_plan_cache)                                                \
  X(stk_model_options_set_max_jobs) X(stk_model_options_set_max_input_bytes) X(stk_model_stats)                        \
  X(stk_model_open) X(stk_model_open_memory) X(stk_model_free) X(stk_model_elements) X(stk_model_classes)              \
  X(stk_model_batch) X(stk_model_threads) X(stk_model_shape) X(stk_model_sha256) X(stk_model_provider)                 \
  X(stk_model_signature_json) X(stk_model_arithmetic) X(stk_model_fallback)                                            \
  X(stk_request_new) X(stk_request_free) X(stk_request_set_k) X(stk_request_set_n) X(stk_request_set_n0)               \
  X(stk_request_set_alpha) X(stk_request_set_seed) X(stk_request_set_stream) X(stk_request_set_input_max)              \
  X(stk_request_set_timeout_ms) X(stk_request_set_cancel) X(stk_request_set_rule) X(stk_request_set_allocation)        \
  X(stk_request_set_randomized) X(stk_request_set_noise_exact) X(stk_request_set_chacha12)                             \
  X(stk_cancel_new) X(stk_cancel_set) X(stk_cancel_free) X(stk_cancel_is_set) X(stk_model_from_callback)               \
  X(stk_model_sample) X(stk_model_submit)                                                                              \
  X(stk_job_samples_done) X(stk_job_samples_total) X(stk_job_cancel) X(stk_job_result) X(stk_job_item_latest)          \
  X(stk_job_free)                                                                                                      \
  X(stk_result_len) X(stk_result_json) X(stk_result_json_with_secret) X(stk_result_counts) X(stk_result_counts_of_k)   \
  X(stk_result_selection) X(stk_result_free)                                                                           \
  X(stk_counts_assume) X(stk_counts_clone) X(stk_counts_add) X(stk_counts_set_growing) X(stk_counts_labels) X(stk_counts_n)                      \
  X(stk_counts_invalid) X(stk_counts_assumptions) X(stk_counts_json) X(stk_counts_json_with_secret)                    \
  X(stk_counts_from_json) X(stk_counts_certify) X(stk_counts_predict) X(stk_counts_guarantee) X(stk_counts_free)       \
  X(stk_counts_certify_labels) X(stk_model_options_set_base_k)                                                         \
  X(stk_budget_new) X(stk_budget_open) X(stk_budget_save) X(stk_budget_draw) X(stk_budget_draw_of)                     \
  X(stk_budget_total) X(stk_budget_spent) X(stk_budget_left) X(stk_budget_drawn) X(stk_budget_free)                    \
  SHIM_TEST_FUNCTIONS(X)

#define SHIM_FIELD(name) __typeof__(&name) name;
typedef struct shim_api {
  SHIM_FUNCTIONS(SHIM_FIELD)
} shim_api;
#undef SHIM_FIELD

// The status of a call with what it gave: exactly one of error and value is set.
typedef struct shim_out {
  stk_status status;
  stk_error *error;
  void *value;
} shim_out;

// An array owned by a handle.
typedef struct shim_array {
  stk_status status;
  stk_error *error;
  const void *data;
  size_t len;
} shim_array;

enum {
  SHIM_SET_K = 1,
  SHIM_SET_N = 2,
  SHIM_SET_N0 = 4,
  SHIM_SET_ALPHA = 8,
  SHIM_SET_INPUT_MAX = 16,
  SHIM_SET_SEED = 32,
  SHIM_SET_CHACHA12 = 64,
  SHIM_SET_CHACHA12_KEY = 128,
  SHIM_SET_RANDOMIZED = 256,
};

// A request's numbers; those not named in `set` keep the library's default. No pointers: it lies in Go's memory.
typedef struct shim_request {
  double alpha, input_max;
  uint64_t n, n0, seed, stream, timeout_ms;
  size_t k_len;
  uint32_t levels, set;
  uint8_t chacha12_key[STK_CHACHA12_KEY_SIZE];
} shim_request;

// What a request has beside its numbers, as arguments: the noise, k_len sizes, and two texts that are NULL for the default.
#define SHIM_REST const char *noise, const size_t *k, const char *rule, const char *allocation

// Fills the table from the library at `path` (or from the one linked in, by build tag). NULL on success, else what was
// wrong, to be freed.
char *shim_load(const char *path, shim_api *out);

// NULL if the library's ABI is the header's, else what was wrong, to be freed.
char *shim_check_abi(uint32_t version);

// What takes more than one call, in one crossing from Go.
shim_out shim_submit(const shim_api *api, const stk_model *model, stk_task task, const shim_request *request, SHIM_REST,
                     stk_dtype dtype, const void *inputs, size_t count, const int64_t *labels, uintptr_t done);
shim_out shim_sample(const shim_api *api, const stk_model *model, const shim_request *request, const char *noise,
                     const stk_cancel *cancel, const float *input, uint64_t first, uint64_t samples);
shim_out shim_model_from_callback(const shim_api *api, const char *name, const char *digest, const size_t *shape,
                                  size_t len, size_t classes, bool gives_labels, uintptr_t handle,
                                  const stk_model_options *options);
shim_out shim_log(const shim_api *api, stk_log_level level);

// Plain calls through the table.
#define SHIM_OUT(call)                                                                                                 \
  shim_out out = {0, NULL, NULL};                                                                                      \
  out.status = call;                                                                                                   \
  return out
#define SHIM_VALUE(type, call)                                                                                         \
  shim_out out = {0, NULL, NULL};                                                                                      \
  type *value = NULL;                                                                                                  \
  out.status = call;                                                                                                   \
  out.value = (void *)value;                                                                                           \
  return out
#define SHIM_ARRAY(type, call)                                                                                         \
  shim_array out = {0, NULL, NULL, 0};                                                                                 \
  const type *data = NULL;                                                                                             \
  out.status = call;                                                                                                   \
  out.data = data;                                                                                                     \
  return out

static inline shim_out shim_job_latest(const shim_api *api, const stk_job *job, uint64_t after, uint64_t *look) {
  SHIM_VALUE(stk_result, api->stk_job_item_latest(job, 0, after, UINT64_MAX, &value, look, &out.error));
}

static inline const char *shim_version(const shim_api *api) { return api->stk_version(); }
static inline const char *shim_build_info(const shim_api *api) { return api->stk_build_info(); }

static inline const char *shim_status_name(const shim_api *api, stk_status s) { return api->stk_status_name(s); }
static inline const char *shim_error_message(const shim_api *api, const stk_error *e) {
  return api->stk_error_message(e);
}
static inline const char *shim_error_field(const shim_api *api, const stk_error *e) { return api->stk_error_field(e); }
static inline void shim_error_free(const shim_api *api, stk_error *e) { api->stk_error_free(e); }

static inline shim_out shim_runtime_version(const shim_api *api) {
  SHIM_VALUE(const char, api->stk_runtime_version(&value, &out.error));
}
static inline shim_out shim_runtime_path(const shim_api *api) {
  SHIM_VALUE(const char, api->stk_runtime_path(&value, &out.error));
}
static inline shim_out shim_runtime_load(const shim_api *api, const char *path) {
  SHIM_OUT(api->stk_runtime_load(path, &out.error));
}
static inline shim_out shim_runtime_use_api_base(const shim_api *api, const void *base) {
  SHIM_OUT(api->stk_runtime_use_api_base(base, &out.error));
}
static inline shim_out shim_runtime_check_provider(const shim_api *api, const char *provider) {
  SHIM_OUT(api->stk_runtime_check_provider(provider, &out.error));
}

static inline shim_out shim_model_options_new(const shim_api *api) {
  SHIM_VALUE(stk_model_options, api->stk_model_options_new(&value, &out.error));
}
static inline void shim_model_options_free(const shim_api *api, stk_model_options *o) {
  api->stk_model_options_free(o);
}
static inline shim_out shim_set_provider(const shim_api *api, stk_model_options *o, const char *v) {
  SHIM_OUT(api->stk_model_options_set_provider(o, v, &out.error));
}
static inline shim_out shim_set_provider_option(const shim_api *api, stk_model_options *o, const char *k,
                                                const char *v) {
  SHIM_OUT(api->stk_model_options_set_provider_option(o, k, v, &out.error));
}
static inline shim_out shim_set_provider_library(const shim_api *api, stk_model_options *o, const char *v) {
  SHIM_OUT(api->stk_model_options_set_provider_library(o, v, &out.error));
}
static inline shim_out shim_set_threads(const shim_api *api, stk_model_options *o, size_t v) {
  SHIM_OUT(api->stk_model_options_set_threads(o, v, &out.error));
}
static inline shim_out shim_set_batch(const shim_api *api, stk_model_options *o, size_t v) {
  SHIM_OUT(api->stk_model_options_set_batch(o, v, &out.error));
}
static inline shim_out shim_set_memory_limit(const shim_api *api, stk_model_options *o, uint64_t v) {
  SHIM_OUT(api->stk_model_options_set_memory_limit(o, v, &out.error));
}
static inline shim_out shim_set_max_jobs(const shim_api *api, stk_model_options *o, uint64_t v) {
  SHIM_OUT(api->stk_model_options_set_max_jobs(o, v, &out.error));
}
static inline shim_out shim_set_max_input_bytes(const shim_api *api, stk_model_options *o, uint64_t v) {
  SHIM_OUT(api->stk_model_options_set_max_input_bytes(o, v, &out.error));
}
static inline shim_out shim_model_stats(const shim_api *api, const stk_model *m, stk_stats *stats) {
  SHIM_OUT(api->stk_model_stats(m, stats, sizeof *stats, &out.error));
}
static inline shim_out shim_set_devices(const shim_api *api, stk_model_options *o, const uint32_t *v, size_t n) {
  SHIM_OUT(api->stk_model_options_set_devices(o, v, n, &out.error));
}
static inline shim_out shim_set_allow_fallback(const shim_api *api, stk_model_options *o, bool v) {
  SHIM_OUT(api->stk_model_options_set_allow_fallback(o, v, &out.error));
}
static inline shim_out shim_set_cuda_tf32(const shim_api *api, stk_model_options *o, bool v) {
  SHIM_OUT(api->stk_model_options_set_cuda_tf32(o, v, &out.error));
}
static inline shim_out shim_set_tensorrt(const shim_api *api, stk_model_options *o, bool fp16, bool bf16,
                                         const char *cache) {
  SHIM_OUT(api->stk_model_options_set_tensorrt(o, fp16, bf16, cache, &out.error));
}
static inline shim_out shim_set_plan_cache(const shim_api *api, stk_model_options *o, bool v) {
  SHIM_OUT(api->stk_model_options_set_plan_cache(o, v, &out.error));
}
static inline shim_out shim_set_input(const shim_api *api, stk_model_options *o, const char *v) {
  SHIM_OUT(api->stk_model_options_set_input(o, v, &out.error));
}
static inline shim_out shim_set_input_shape(const shim_api *api, stk_model_options *o, const size_t *v, size_t n) {
  SHIM_OUT(api->stk_model_options_set_input_shape(o, v, n, &out.error));
}
static inline shim_out shim_set_output(const shim_api *api, stk_model_options *o, const char *v) {
  SHIM_OUT(api->stk_model_options_set_output(o, v, &out.error));
}
static inline shim_out shim_set_classes(const shim_api *api, stk_model_options *o, size_t v) {
  SHIM_OUT(api->stk_model_options_set_classes(o, v, &out.error));
}
static inline shim_out shim_set_threshold(const shim_api *api, stk_model_options *o, double v) {
  SHIM_OUT(api->stk_model_options_set_threshold(o, v, &out.error));
}
static inline shim_out shim_set_base_k(const shim_api *api, stk_model_options *o, size_t v) {
  SHIM_OUT(api->stk_model_options_set_base_k(o, v, &out.error));
}
static inline shim_out shim_set_normalization(const shim_api *api, stk_model_options *o, const float *mean,
                                              size_t mean_len, const float *std_dev, size_t std_len) {
  SHIM_OUT(api->stk_model_options_set_normalization(o, mean, mean_len, std_dev, std_len, &out.error));
}
static inline shim_out shim_set_constant(const shim_api *api, stk_model_options *o, const char *name, const double *v,
                                         size_t n) {
  SHIM_OUT(api->stk_model_options_set_constant(o, name, v, n, &out.error));
}

static inline shim_out shim_model_open(const shim_api *api, const char *path, const stk_model_options *options) {
  SHIM_VALUE(stk_model, api->stk_model_open(path, options, &value, &out.error));
}
static inline shim_out shim_model_open_memory(const shim_api *api, const void *bytes, size_t len,
                                              const stk_model_options *options) {
  SHIM_VALUE(stk_model, api->stk_model_open_memory(bytes, len, options, &value, &out.error));
}
static inline shim_array shim_model_shape(const shim_api *api, const stk_model *model) {
  SHIM_ARRAY(size_t, api->stk_model_shape(model, &data, &out.len, &out.error));
}
static inline void shim_model_free(const shim_api *api, stk_model *m) { api->stk_model_free(m); }
static inline size_t shim_model_elements(const shim_api *api, const stk_model *m) { return api->stk_model_elements(m); }
static inline size_t shim_model_classes(const shim_api *api, const stk_model *m) { return api->stk_model_classes(m); }
static inline size_t shim_model_batch(const shim_api *api, const stk_model *m) { return api->stk_model_batch(m); }
static inline size_t shim_model_threads(const shim_api *api, const stk_model *m) { return api->stk_model_threads(m); }
static inline const char *shim_model_sha256(const shim_api *api, const stk_model *m) {
  return api->stk_model_sha256(m);
}
static inline const char *shim_model_provider(const shim_api *api, const stk_model *m) {
  return api->stk_model_provider(m);
}
static inline const char *shim_model_arithmetic(const shim_api *api, const stk_model *m) {
  return api->stk_model_arithmetic(m);
}
static inline const char *shim_model_fallback(const shim_api *api, const stk_model *m) {
  return api->stk_model_fallback(m);
}
static inline const char *shim_model_signature_json(const shim_api *api, const stk_model *m) {
  return api->stk_model_signature_json(m);
}

static inline shim_out shim_cancel_new(const shim_api *api) {
  SHIM_VALUE(stk_cancel, api->stk_cancel_new(&value, &out.error));
}
static inline void shim_cancel_set(const shim_api *api, const stk_cancel *c) { api->stk_cancel_set(c); }
static inline bool shim_cancel_is_set(const shim_api *api, const stk_cancel *c) { return api->stk_cancel_is_set(c); }
static inline void shim_cancel_free(const shim_api *api, stk_cancel *c) { api->stk_cancel_free(c); }

static inline shim_out shim_job_result(const shim_api *api, stk_job *job) {
  SHIM_VALUE(stk_result, api->stk_job_result(job, &value, &out.error));
}
static inline uint64_t shim_job_samples_done(const shim_api *api, const stk_job *j) { return api->stk_job_samples_done(j); }
static inline uint64_t shim_job_samples_total(const shim_api *api, const stk_job *j) { return api->stk_job_samples_total(j); }
static inline void shim_job_cancel(const shim_api *api, const stk_job *j) { api->stk_job_cancel(j); }
static inline void shim_job_free(const shim_api *api, stk_job *j) { api->stk_job_free(j); }

static inline size_t shim_result_len(const shim_api *api, const stk_result *r) { return api->stk_result_len(r); }
static inline shim_out shim_result_json(const shim_api *api, const stk_result *result, size_t input) {
  SHIM_VALUE(const char, api->stk_result_json(result, input, &value, &out.error));
}
static inline shim_out shim_result_json_with_secret(const shim_api *api, const stk_result *result, size_t input) {
  SHIM_VALUE(const char, api->stk_result_json_with_secret(result, input, &value, &out.error));
}
static inline shim_out shim_result_counts(const shim_api *api, const stk_result *result, size_t input) {
  SHIM_VALUE(stk_counts, api->stk_result_counts(result, input, &value, &out.error));
}
static inline shim_out shim_result_counts_of_k(const shim_api *api, const stk_result *result, size_t input,
                                               size_t k_index) {
  SHIM_VALUE(stk_counts, api->stk_result_counts_of_k(result, input, k_index, &value, &out.error));
}
static inline shim_out shim_result_selection(const shim_api *api, const stk_result *result, size_t input) {
  SHIM_VALUE(stk_counts, api->stk_result_selection(result, input, &value, &out.error));
}
static inline void shim_result_free(const shim_api *api, stk_result *r) { api->stk_result_free(r); }

static inline shim_out shim_counts_assume(const shim_api *api, const uint64_t *labels, size_t classes, uint64_t n,
                                          const char *noise, double radius_cost, const char *validity) {
  SHIM_VALUE(stk_counts,
             api->stk_counts_assume(labels, classes, n, noise, radius_cost, validity, &value, &out.error));
}
static inline shim_out shim_counts_clone(const shim_api *api, const stk_counts *c) {
  SHIM_VALUE(stk_counts, api->stk_counts_clone(c, &value, &out.error));
}
static inline shim_out shim_counts_from_json(const shim_api *api, const char *json) {
  SHIM_VALUE(stk_counts, api->stk_counts_from_json(json, &value, &out.error));
}
static inline shim_out shim_counts_json(const shim_api *api, const stk_counts *c) {
  SHIM_VALUE(const char, api->stk_counts_json(c, &value, &out.error));
}
static inline shim_out shim_counts_json_with_secret(const shim_api *api, const stk_counts *c) {
  SHIM_VALUE(const char, api->stk_counts_json_with_secret(c, &value, &out.error));
}
static inline shim_out shim_counts_assumptions(const shim_api *api, const stk_counts *c) {
  SHIM_VALUE(const char, api->stk_counts_assumptions(c, &value, &out.error));
}
static inline shim_array shim_counts_labels(const shim_api *api, const stk_counts *counts) {
  SHIM_ARRAY(uint64_t, api->stk_counts_labels(counts, &data, &out.len, &out.error));
}
static inline uint64_t shim_counts_n(const shim_api *api, const stk_counts *c) { return api->stk_counts_n(c); }
static inline uint64_t shim_counts_invalid(const shim_api *api, const stk_counts *c) { return api->stk_counts_invalid(c); }
static inline shim_out shim_counts_add(const shim_api *api, stk_counts *c, const stk_counts *other) {
  SHIM_OUT(api->stk_counts_add(c, other, &out.error));
}

static inline shim_out shim_counts_set_growing(const shim_api *api, stk_counts *c, uint64_t last) {
  SHIM_OUT(api->stk_counts_set_growing(c, last, &out.error));
}
static inline shim_out shim_counts_certify(const shim_api *api, const stk_counts *c, size_t label, size_t k,
                                           double alpha, const char *allocation, stk_randomized randomized,
                                           double uniform, stk_summary *summary) {
  const stk_query query = {.struct_size = sizeof query, .label = label, .k = k, .alpha = alpha,
                           .allocation = allocation, .randomized = randomized, .uniform = uniform};
  SHIM_OUT(api->stk_counts_certify(c, &query, summary, sizeof *summary, &out.error));
}
static inline shim_out shim_counts_certify_labels(const shim_api *api, const stk_counts *c, const int64_t *labels,
                                                  size_t labels_len, size_t k, double alpha, const char *allocation,
                                                  double *radii) {
  SHIM_OUT(api->stk_counts_certify_labels(c, labels, labels_len, k, alpha, allocation, radii, &out.error));
}
static inline shim_out shim_counts_predict(const shim_api *api, const stk_counts *c, size_t k, double alpha,
                                           int64_t *labels, stk_summary *summary) {
  SHIM_OUT(api->stk_counts_predict(c, k, alpha, labels, summary, sizeof *summary, &out.error));
}
static inline shim_out shim_counts_guarantee(const shim_api *api, const stk_counts *c, const stk_counts *pilot,
                                             size_t k, double alpha, int64_t *labels, double *label_radii,
                                             double *kept_radii, stk_guarantee *guarantee) {
  SHIM_OUT(api->stk_counts_guarantee(c, pilot, k, alpha, labels, label_radii, kept_radii, guarantee,
                                     sizeof *guarantee, &out.error));
}
static inline void shim_counts_free(const shim_api *api, stk_counts *c) { api->stk_counts_free(c); }
#ifdef SMOOTHTOPK_TEST_HOOKS
static inline shim_out shim_test_panic(const shim_api *api, const stk_counts *c) {
  SHIM_OUT(api->stk_test_panic(c, &out.error));
}
#endif

static inline shim_out shim_budget_new(const shim_api *api, double total, const char *schedule) {
  SHIM_VALUE(stk_budget, api->stk_budget_new(total, schedule, &value, &out.error));
}
static inline shim_out shim_budget_open(const shim_api *api, const char *text) {
  SHIM_VALUE(stk_budget, api->stk_budget_open(text, &value, &out.error));
}
static inline shim_out shim_budget_save(const shim_api *api, const stk_budget *b, char *text, size_t size) {
  SHIM_OUT(api->stk_budget_save(b, text, size, &out.error));
}
static inline shim_out shim_budget_draw(const shim_api *api, const stk_budget *b, size_t number, double *alphas,
                                        uint64_t *first) {
  SHIM_OUT(api->stk_budget_draw(b, number, alphas, first, &out.error));
}
static inline shim_out shim_budget_draw_of(const shim_api *api, const stk_budget *b, double alpha,
                                           uint64_t *statement) {
  SHIM_OUT(api->stk_budget_draw_of(b, alpha, statement, &out.error));
}
static inline double shim_budget_total(const shim_api *api, const stk_budget *b) { return api->stk_budget_total(b); }
static inline double shim_budget_spent(const shim_api *api, const stk_budget *b) { return api->stk_budget_spent(b); }
static inline double shim_budget_left(const shim_api *api, const stk_budget *b) { return api->stk_budget_left(b); }
static inline uint64_t shim_budget_drawn(const shim_api *api, const stk_budget *b) {
  return api->stk_budget_drawn(b);
}
static inline void shim_budget_free(const shim_api *api, stk_budget *b) { api->stk_budget_free(b); }

#endif
