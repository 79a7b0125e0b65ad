/* An alpha that many statements share: draws, and a restart between them. */
#include "check.h"

static void shares(void) {
  stk_error *err = NULL;
  stk_budget *budget = NULL, *resumed = NULL;
  double alphas[3];
  uint64_t first = 0;
  char text[STK_BUDGET_TEXT_SIZE];
  CHECK_OK(stk_budget_new(0.01, "even:4", &budget, &err), err);
  CHECK_OK(stk_budget_draw(budget, 3, alphas, &first, &err), err);
  CHECK(first == 1 && alphas[0] == alphas[2] && alphas[0] <= 0.0025 && alphas[0] > 0.00249);
  CHECK_INVALID(stk_budget_draw(budget, 2, alphas, &first, &err), "budget", err);
  CHECK_INVALID(stk_budget_draw(budget, 0, alphas, &first, &err), "number", err);
  CHECK_INVALID(stk_budget_save(budget, text, sizeof text - 1, &err), "size", err);
  CHECK_OK(stk_budget_save(budget, text, sizeof text, &err), err);
  CHECK_OK(stk_budget_open(text, &resumed, &err), err);
  CHECK(stk_budget_drawn(resumed) == 3 && stk_budget_total(resumed) == 0.01);
  CHECK(stk_budget_spent(resumed) == stk_budget_spent(budget) && stk_budget_left(resumed) == stk_budget_left(budget));
  CHECK_OK(stk_budget_draw(resumed, 1, alphas, &first, &err), err);
  CHECK(first == 4 && stk_budget_spent(resumed) <= 0.01);
  CHECK_INVALID(stk_budget_draw(resumed, 1, alphas, NULL, &err), "budget", err);
  stk_budget_free(budget);
  stk_budget_free(resumed);
}

static void asked(void) {
  stk_error *err = NULL;
  stk_budget *budget = NULL;
  double alpha;
  uint64_t statement = 0;
  CHECK_OK(stk_budget_new(0.01, "asked", &budget, &err), err);
  CHECK_OK(stk_budget_draw_of(budget, 0.006, &statement, &err), err);
  CHECK(statement == 1);
  CHECK_INVALID(stk_budget_draw_of(budget, 0.006, &statement, &err), "budget", err);
  CHECK_INVALID(stk_budget_draw(budget, 1, &alpha, NULL, &err), "schedule", err);
  CHECK_OK(stk_budget_draw_of(budget, 0.004, NULL, &err), err);
  CHECK(stk_budget_drawn(budget) == 2);
  stk_budget_free(budget);
}

static void refuses(void) {
  stk_error *err = NULL;
  stk_budget *budget = NULL;
  CHECK_INVALID(stk_budget_new(0, "slow", &budget, &err), "total", err);
  CHECK_INVALID(stk_budget_new(0.1, "often", &budget, &err), "schedule", err);
  CHECK_INVALID(stk_budget_new(0.1, NULL, &budget, &err), "schedule", err);
  CHECK_INVALID(stk_budget_new(0.1, "slow", NULL, &err), "out", err);
  CHECK_STATUS(stk_budget_open("{}", &budget, &err), STK_STATUS_INVALID_DATA, err);
  CHECK_INVALID(stk_budget_open(NULL, &budget, &err), "text", err);
  CHECK_INVALID(stk_budget_draw_of(NULL, 0.1, NULL, &err), "budget", err);
  CHECK(budget == NULL);
}

void test_budget(void) {
  shares();
  asked();
  refuses();
}
