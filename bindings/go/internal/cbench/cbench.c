#include "cbench.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

const char *cbench_open(cbench *b, const char *library, const char *model, size_t elements) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return "the library does not load";
#define LOOK_UP(name)                                                                                                  \
  do {                                                                                                                 \
    void *symbol = dlsym(handle, #name);                                                                               \
    if (!symbol) return "the library has no function " #name;                                                          \
    memcpy(&b->name, &symbol, sizeof symbol);                                                                          \
  } while (0);
  CBENCH_FUNCTIONS(LOOK_UP)
#undef LOOK_UP
  stk_model_options *options = NULL;
  if (b->stk_model_options_new(&options, NULL) || b->stk_model_options_set_threads(options, 1, NULL) ||
      b->stk_model_options_set_batch(options, 1, NULL) || b->stk_model_open(model, options, &b->model, NULL)) {
    return "the model does not open";
  }
  b->stk_model_options_free(options);
  b->input = calloc(elements, sizeof(float));
  return NULL;
}

static stk_request *request(const cbench *b) {
  stk_request *request = NULL;
  if (b->stk_request_new("gaussian:0.25", &request, NULL) || b->stk_request_set_n(request, 1, NULL) ||
      b->stk_request_set_seed(request, 7, NULL)) {
    abort();
  }
  return request;
}

static void read_and_free(const cbench *b, stk_result *result) {
  stk_summary summary;
  if (b->stk_result_summary(result, 0, 0, &summary, sizeof summary, NULL)) abort();
  b->stk_result_free(result);
}

void cbench_blocking(const cbench *b, size_t n) {
  for (; n > 0; n--) {
    stk_request *asked = request(b);
    stk_result *result = NULL;
    if (b->stk_model_predict(b->model, asked, b->input, 1, &result, NULL)) abort();
    b->stk_request_free(asked);
    read_and_free(b, result);
  }
}

void cbench_submit(const cbench *b, size_t n) {
  for (; n > 0; n--) {
    stk_request *asked = request(b);
    stk_job *job = NULL;
    stk_result *result = NULL;
    if (b->stk_model_submit_predict(b->model, asked, b->input, 1, NULL, NULL, &job, NULL) ||
        b->stk_job_result(job, &result, NULL)) {
      abort();
    }
    b->stk_request_free(asked);
    b->stk_job_free(job);
    read_and_free(b, result);
  }
}

void cbench_close(cbench *b) {
  b->stk_model_free(b->model);
  free(b->input);
}
