/* The C suite's checks: a failed one is printed with its place, counted, and the run goes on. */
#ifndef CHECK_H
#define CHECK_H

#include <smoothtopk.h>
#include <stdio.h>
#include <string.h>

extern int check_count;
extern int check_failures;

static inline void check_that(int holds, const char *file, int line, const char *what) {
  ++check_count;
  if (holds) return;
  ++check_failures;
  fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
}

#define CHECK(condition) check_that((condition) ? 1 : 0, __FILE__, __LINE__, #condition)

/* The status must be the expected one; what the error says is printed if not. Frees and clears *err. */
static inline void check_status(stk_status got, stk_status want, stk_error **err, const char *file, int line,
                                const char *what) {
  ++check_count;
  if (got != want) {
    ++check_failures;
    fprintf(stderr, "%s:%d: %s: %s, not %s: %s [%s]\n", file, line, what, stk_status_name(got), stk_status_name(want),
            stk_error_message(*err), stk_error_field(*err));
  }
  /* The error is there exactly when the call failed, and says the same status. */
  check_that((*err != NULL) == (got != STK_STATUS_OK), file, line, "an error exactly with a failure");
  if (*err != NULL) {
    check_that(stk_error_status(*err) == got, file, line, "the error's status is the call's");
    check_that(stk_error_message(*err)[0] != '\0', file, line, "the error has a message");
  }
  stk_error_free(*err);
  *err = NULL;
}

#define CHECK_STATUS(call, want, err) check_status((call), (want), &(err), __FILE__, __LINE__, #call)
#define CHECK_OK(call, err) CHECK_STATUS(call, STK_STATUS_OK, err)

/* A call must fail with INVALID_ARGUMENT and blame `blamed`. */
static inline void check_invalid(stk_status got, const char *blamed, stk_error **err, const char *file, int line,
                                 const char *what) {
  ++check_count;
  if (got != STK_STATUS_INVALID_ARGUMENT || strcmp(stk_error_field(*err), blamed) != 0) {
    ++check_failures;
    fprintf(stderr, "%s:%d: %s: %s [%s], not INVALID_ARGUMENT [%s]: %s\n", file, line, what, stk_status_name(got),
            stk_error_field(*err), blamed, stk_error_message(*err));
  }
  stk_error_free(*err);
  *err = NULL;
}

#define CHECK_INVALID(call, field, err) check_invalid((call), (field), &(err), __FILE__, __LINE__, #call)

#define MODELS "tests/models/"
#define EXACT MODELS "exact_order.onnx" /* 24 inputs, 6 classes */
#define SLOW MODELS "slow.onnx"         /* 64 inputs, 4 classes; a row with an input above 100 takes seconds */

/* An input of exact_order.onnx that is not near a boundary, and one of slow.onnx that takes seconds a batch. */
enum { EXACT_ELEMENTS = 24, EXACT_CLASSES = 6, SLOW_ELEMENTS = 64 };
void exact_input(float *x);
void slow_input(float *x);

stk_model *open_model(const char *path);
/* Bare numbers of Gaussian noise of sigma 0.25. */
stk_counts *assume(const uint64_t *labels, size_t classes);
/* A query at alpha 0.001. */
stk_query ask(uint64_t label, uint64_t k);
/* sigma 0.25, n samples, seed 7, k = {1, 3} */
stk_request *make_request(uint64_t n);

void test_layout(void);
void test_library(void);
void test_nulls(void);
void test_model(void);
void test_request(void);
void test_counts(void);
void test_run(void);
void test_async(void);
void test_host(void);
void test_callback(void);
void test_misuse(void);
void test_rules(void);
void test_budget(void);
void test_panic(void);
void test_golden(void);

#endif
