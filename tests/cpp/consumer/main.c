/* Without an argument it needs no model and no ONNX Runtime: whether the package's headers and library are found is what is tested. */
#include <smoothtopk.h>
#include <stdio.h>

/* Where ONNX Runtime is found, for the test of where it is not looked for. */
static int show_runtime(void) {
  const char *path = "";
  stk_error *err = NULL;
  if (stk_runtime_path(&path, &err) != STK_STATUS_OK) path = stk_error_message(err);
  printf("%s\n", path);
  stk_error_free(err);
  return 0;
}

int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1) return show_runtime();
  const uint64_t labels[] = {50, 9900, 50};
  stk_counts *counts = NULL;
  const stk_query query = {.struct_size = sizeof query, .label = 1, .k = 1, .alpha = 0.001};
  stk_summary s;
  stk_error *err = NULL;
  if (stk_abi_version() != STK_ABI_VERSION ||
      stk_counts_assume(labels, 3, 0, "gaussian:0.25", 0, NULL, &counts, &err) != STK_STATUS_OK ||
      stk_counts_certify(counts, &query, &s, sizeof s, &err) != STK_STATUS_OK) {
    fprintf(stderr, "%s\n", stk_error_message(err));
    stk_error_free(err);
    return 1;
  }
  printf("c: %s, radius %.6f\n", stk_version(), s.radius);
  stk_counts_free(counts);
  return 0;
}
