/* Runs the C suite, or the tests that are named. Runs in the repository's root. */
#include <stdlib.h>

#include "check.h"

int check_count = 0;
int check_failures = 0;

void exact_input(float *x) {
  for (int i = 0; i < EXACT_ELEMENTS; ++i) x[i] = (float)(i % 6 == 2 ? 0.75 : 0.5);
}

void slow_input(float *x) {
  for (int i = 0; i < SLOW_ELEMENTS; ++i) x[i] = 1000.0f;
}

stk_model *open_model(const char *path) {
  stk_error *err = NULL;
  stk_model *model = NULL;
  stk_model_options *options = NULL;
  /* A batch that is given need not be measured, which takes most of a second a model. */
  CHECK_OK(stk_model_options_new(&options, &err), err);
  CHECK_OK(stk_model_options_set_batch(options, 16, &err), err);
  CHECK_OK(stk_model_open(path, options, &model, &err), err);
  stk_model_options_free(options);
  if (model == NULL) exit(1);
  return model;
}

stk_counts *assume(const uint64_t *labels, size_t classes) {
  stk_error *err = NULL;
  stk_counts *counts = NULL;
  CHECK_OK(stk_counts_assume(labels, classes, 0, "gaussian:0.25", 0, NULL, &counts, &err), err);
  return counts;
}

stk_query ask(uint64_t label, uint64_t k) {
  return (stk_query){.struct_size = sizeof(stk_query), .label = label, .k = k, .alpha = 0.001};
}

stk_request *make_request(uint64_t n) {
  static const size_t k[] = {1, 3};
  stk_error *err = NULL;
  stk_request *request = NULL;
  CHECK_OK(stk_request_new("gaussian:0.25", &request, &err), err);
  CHECK_OK(stk_request_set_k(request, k, 2, &err), err);
  CHECK_OK(stk_request_set_n(request, n, &err), err);
  CHECK_OK(stk_request_set_seed(request, 7, &err), err);
  return request;
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(void);
  } tests[] = {
      {"layout", test_layout},   {"library", test_library}, {"nulls", test_nulls}, {"model", test_model},
      {"request", test_request}, {"counts", test_counts},   {"run", test_run},     {"async", test_async}, {"host", test_host},
      {"callback", test_callback},
      {"misuse", test_misuse}, {"rules", test_rules},     {"budget", test_budget},   {"panic", test_panic}, {"golden", test_golden},
  };
  size_t ran = 0;
  for (size_t i = 0; i < sizeof tests / sizeof tests[0]; ++i) {
    int wanted = argc < 2;
    for (int a = 1; a < argc; ++a) wanted |= strcmp(argv[a], tests[i].name) == 0;
    if (!wanted) continue;
    const int before = check_failures;
    tests[i].run();
    printf("c: %-8s %s\n", tests[i].name, check_failures == before ? "ok" : "FAILED");
    ++ran;
  }
  printf("c: %zu tests, %d checks, %d failed\n", ran, check_count, check_failures);
  return check_failures == 0 && ran > 0 ? 0 : 1;
}
