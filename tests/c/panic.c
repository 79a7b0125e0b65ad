/* A panic inside is a status: the process goes on, the handle says what befell it. */
#include "check.h"

/* Of a library with the feature test-hooks: it panics inside, and poisons counts unless they are NULL. */
stk_status stk_test_panic(const stk_counts *counts, stk_error **err);

void test_panic(void) {
  stk_error *err = NULL;
  stk_counts *counts = NULL, *other = NULL;
  stk_summary s;
  const uint64_t labels[] = {5, 90, 5};
  const uint64_t *got;
  size_t classes;
  const stk_query query = ask(1, 1);
  counts = assume(labels, 3);
  other = assume(labels, 3);
  CHECK_STATUS(stk_test_panic(NULL, &err), STK_STATUS_PANIC, err);
  CHECK(stk_test_panic(NULL, NULL) == STK_STATUS_PANIC);
  CHECK_STATUS(stk_test_panic(counts, &err), STK_STATUS_PANIC, err);
  CHECK_STATUS(stk_counts_certify(counts, &query, &s, sizeof s, &err), STK_STATUS_POISONED, err);
  CHECK_STATUS(stk_counts_add(counts, other, &err), STK_STATUS_POISONED, err);
  CHECK_STATUS(stk_counts_add(other, counts, &err), STK_STATUS_POISONED, err);
  CHECK_STATUS(stk_counts_labels(counts, &got, &classes, &err), STK_STATUS_POISONED, err);
  /* Others are untouched. */
  CHECK_OK(stk_counts_predict(other, 1, 0.001, NULL, &s, sizeof s, &err), err);
  stk_counts_free(counts);
  stk_counts_free(other);
}
