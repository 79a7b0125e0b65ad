/* The layout of structs, which only grow at their tail, and the numbers that are never reused. */
#include "check.h"

#define AT(field, offset) _Static_assert(offsetof(stk_summary, field) == (offset), "stk_summary." #field " has moved")
AT(struct_size, 0);
AT(n, 8);
AT(n0, 16);
AT(k, 24);
AT(label, 32);
AT(radius, 40);
AT(p_lower, 48);
AT(p_upper, 56);
AT(p_value, 64);
AT(noise_scale, 72);
AT(alpha, 80);
AT(alpha_left, 88);
AT(radius_cost, 96);
AT(grid, 104);
AT(seconds, 112);
AT(stream, 120);
AT(samples_drawn, 128);
AT(n_certified, 136);
AT(uniform, 144);
AT(validity_last, 152);
AT(status, 160);
AT(decision, 164);
AT(early_stop, 168);
AT(validity, 172);
AT(generator, 176);
AT(levels, 180);
AT(certified, 184);
AT(abstain, 185);
AT(assumed, 186);
AT(reserved, 187);
_Static_assert(sizeof(stk_summary) >= 192, "stk_summary has shrunk");
#define GUARANTEE_AT(field, offset) \
  _Static_assert(offsetof(stk_guarantee, field) == (offset), "stk_guarantee." #field " has moved")
GUARANTEE_AT(struct_size, 0);
GUARANTEE_AT(k, 8);
GUARANTEE_AT(n, 16);
GUARANTEE_AT(n0, 24);
GUARANTEE_AT(noise_scale, 32);
GUARANTEE_AT(alpha, 40);
GUARANTEE_AT(alpha_left, 48);
GUARANTEE_AT(radius_cost, 56);
GUARANTEE_AT(set_radius, 64);
GUARANTEE_AT(first_radius, 72);
GUARANTEE_AT(ranking_radius, 80);
GUARANTEE_AT(validity_last, 88);
GUARANTEE_AT(validity, 96);
GUARANTEE_AT(assumed, 100);
GUARANTEE_AT(reserved, 101);
_Static_assert(sizeof(stk_guarantee) >= 104, "stk_guarantee has shrunk");
#define STATS_AT(field, offset) _Static_assert(offsetof(stk_stats, field) == (offset), "stk_stats." #field " has moved")
STATS_AT(struct_size, 0);
STATS_AT(seconds, 8);
STATS_AT(samples, 16);
STATS_AT(invalid_samples, 24);
STATS_AT(samples_waiting, 32);
STATS_AT(jobs_waiting, 40);
STATS_AT(jobs_running, 48);
STATS_AT(jobs_ended, 56);
STATS_AT(jobs_cancelled, 64);
STATS_AT(jobs_late, 72);
STATS_AT(jobs_failed, 80);
STATS_AT(jobs_refused, 88);
STATS_AT(answers, 96);
STATS_AT(abstentions, 104);
_Static_assert(sizeof(stk_stats) >= 112, "stk_stats has shrunk");
#define CALL_AT(field, offset) _Static_assert(offsetof(stk_call, field) == (offset), "stk_call." #field " has moved")
CALL_AT(struct_size, 0);
CALL_AT(task, 8);
CALL_AT(dtype, 12);
CALL_AT(inputs, 16);
CALL_AT(count, 24);
CALL_AT(labels, 32);
CALL_AT(timeout_ms, 40);
CALL_AT(deadline_ns, 48);
CALL_AT(done, 56);
CALL_AT(done_user, 64);
CALL_AT(release, 72);
CALL_AT(release_user, 80);
_Static_assert(sizeof(stk_call) >= 88, "stk_call has shrunk");
#define QUERY_AT(field, offset) _Static_assert(offsetof(stk_query, field) == (offset), "stk_query." #field " has moved")
QUERY_AT(struct_size, 0);
QUERY_AT(label, 8);
QUERY_AT(k, 16);
QUERY_AT(alpha, 24);
QUERY_AT(allocation, 32);
QUERY_AT(uniform, 40);
QUERY_AT(randomized, 48);
QUERY_AT(reserved, 52);
_Static_assert(sizeof(stk_query) >= 56, "stk_query has shrunk");
_Static_assert(sizeof(stk_decision) == 4 && sizeof(stk_generator) == 4, "enumerations are int32_t");
_Static_assert(sizeof(stk_status) == 4 && sizeof(stk_validity) == 4 && sizeof(stk_randomized) == 4 && sizeof(stk_log_level) == 4,
               "enumerations are int32_t");
_Static_assert(STK_NO_LABEL == -1 && STK_ABI_VERSION == 1, "constants of ABI 1");

static const struct {
  stk_status status, number;
  const char *name;
} statuses[] = {
    {STK_STATUS_OK, 0, "OK"},
    {STK_STATUS_INVALID_ARGUMENT, 1, "INVALID_ARGUMENT"},
    {STK_STATUS_INVALID_DATA, 2, "INVALID_DATA"},
    {STK_STATUS_NOT_FOUND, 3, "NOT_FOUND"},
    {STK_STATUS_IO, 4, "IO"},
    {STK_STATUS_MODEL, 5, "MODEL"},
    {STK_STATUS_RUNTIME, 6, "RUNTIME"},
    {STK_STATUS_PROVIDER, 7, "PROVIDER"},
    {STK_STATUS_RUN, 8, "RUN"},
    {STK_STATUS_CANCELLED, 9, "CANCELLED"},
    {STK_STATUS_DEADLINE_EXCEEDED, 10, "DEADLINE_EXCEEDED"},
    {STK_STATUS_INTERNAL, 11, "INTERNAL"},
    {STK_STATUS_PANIC, 12, "PANIC"},
    {STK_STATUS_POISONED, 13, "POISONED"},
    {STK_STATUS_BUSY, 14, "BUSY"},
    {STK_STATUS_FORKED, 15, "FORKED"},
};

void test_layout(void) {
  for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; ++i) {
    CHECK(statuses[i].status == statuses[i].number);
    CHECK(strcmp(stk_status_name(statuses[i].status), statuses[i].name) == 0);
  }
  CHECK(strcmp(stk_status_name(-1), "UNKNOWN") == 0);
  CHECK(strcmp(stk_status_name(1 << 30), "UNKNOWN") == 0);
  CHECK(STK_GENERATOR_NONE == 0 && STK_GENERATOR_PHILOX == 1 && STK_GENERATOR_CHACHA12 == 2);
  CHECK(STK_CHACHA12_KEY_SIZE == 32 && STK_BUDGET_TEXT_SIZE == 256);
  static const char *const decisions[] = {"none",    "complete",  "certified", "refuted", "reached",
                                          "settled", "undecided", "open",      "unknown"};
  for (stk_decision d = 0; d < 9; ++d) CHECK(strcmp(stk_decision_name(d), decisions[d]) == 0);
  CHECK(STK_DECISION_NONE == 0 && STK_DECISION_OPEN == 7 && STK_LOOK_FINAL == UINT64_MAX);
  CHECK(STK_VALIDITY_NONE == 0 && STK_VALIDITY_FIXED == 1 && STK_VALIDITY_ANYTIME == 2 &&
        STK_VALIDITY_ANYTIME_TO == 3 && STK_VALIDITY_RANDOMIZED == 4);
  CHECK(STK_RANDOMIZED_NO == 0 && STK_RANDOMIZED_FROM_SEED == 1 && STK_RANDOMIZED_BY == 2);
  CHECK(STK_LOG_LEVEL_OFF == 0 && STK_LOG_LEVEL_ERROR == 1 && STK_LOG_LEVEL_WARN == 2 && STK_LOG_LEVEL_INFO == 3 &&
        STK_LOG_LEVEL_DEBUG == 4);
}
