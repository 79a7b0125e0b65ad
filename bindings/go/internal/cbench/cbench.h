#ifndef SMOOTHTOPK_CBENCH_H
#define SMOOTHTOPK_CBENCH_H

#include "../../smoothtopk.h"

#define CBENCH_FUNCTIONS(X)                                                                                            \
  X(stk_model_options_new) X(stk_model_options_free) X(stk_model_options_set_threads) X(stk_model_options_set_batch)   \
  X(stk_model_open) X(stk_model_free) X(stk_model_predict) X(stk_model_submit_predict) X(stk_job_result)               \
  X(stk_job_free) X(stk_result_summary) X(stk_result_free) X(stk_request_new) X(stk_request_free)                      \
  X(stk_request_set_n) X(stk_request_set_seed)

typedef struct cbench {
#define CBENCH_FIELD(name) __typeof__(&name) name;
  CBENCH_FUNCTIONS(CBENCH_FIELD)
#undef CBENCH_FIELD
  stk_model *model;
  float *input;
} cbench;

const char *cbench_open(cbench *b, const char *library, const char *model, size_t elements);
void cbench_blocking(const cbench *b, size_t n);
void cbench_submit(const cbench *b, size_t n);
void cbench_close(cbench *b);

#endif
