/* Rules, guarantees, exact noise and the cipher, through a model; what is written here is in no golden case. */
#include "check.h"

static void stops_early_and_is_late(void) {
  stk_error *err = NULL;
  stk_model *model = open_model(EXACT);
  stk_request *request = make_request(1000000000000);
  stk_result *result = NULL;
  stk_summary s;
  float x[EXACT_ELEMENTS];
  exact_input(x);
  CHECK_OK(stk_request_set_rule(request, "radius:0.05", &err), err);
  CHECK_OK(stk_model_certify(model, request, x, 1, NULL, &result, &err), err);
  CHECK_OK(stk_result_summary(result, 0, 1, &s, sizeof s, &err), err);
  CHECK(s.decision == STK_DECISION_CERTIFIED || s.decision == STK_DECISION_REFUTED);
  CHECK(s.early_stop == STK_STATUS_OK && s.n < 1000000 && s.samples_drawn >= s.n && s.n_certified <= s.n);
  stk_result_free(result);
  result = NULL;
  /* Late under a rule: the answer of the last look, and no failure. Of a clear label, which nothing refutes meanwhile. */
  for (int i = 0; i < EXACT_ELEMENTS; ++i) x[i] = i < 4 ? 1.0f : 0.0f;
  CHECK_OK(stk_request_set_rule(request, "tolerance:0", &err), err);
  CHECK_OK(stk_request_set_timeout_ms(request, 1000, &err), err);
  CHECK_OK(stk_model_certify(model, request, x, 1, NULL, &result, &err), err);
  CHECK_OK(stk_result_summary(result, 0, 1, &s, sizeof s, &err), err);
  CHECK(s.status == STK_STATUS_OK && s.decision == STK_DECISION_UNDECIDED && s.early_stop == STK_STATUS_DEADLINE_EXCEEDED);
  CHECK(s.n > 0 && s.n < 1000000000000);
  CHECK_INVALID(stk_model_predict(model, request, x, 1, &result, &err), "rule", err);
  stk_result_free(result);
  stk_request_free(request);
  stk_model_free(model);
}

/* Interim answers come in order, hold at all looks, and end with the final one; a fixed n has none. */
static void interim_answers(void) {
  stk_error *err = NULL;
  stk_model *model = open_model(EXACT);
  stk_request *request = make_request(1000000000000);
  stk_job *job = NULL;
  stk_result *result = NULL;
  stk_counts *counts = NULL;
  stk_summary s;
  uint64_t look = 0, before = 0, n = 0;
  float x[EXACT_ELEMENTS];
  for (int i = 0; i < EXACT_ELEMENTS; ++i) x[i] = i < 4 ? 1.0f : 0.0f;
  CHECK_OK(stk_request_set_rule(request, "tolerance:0", &err), err);
  CHECK_OK(stk_model_submit_certify(model, request, x, 1, NULL, NULL, NULL, &job, &err), err);
  for (int i = 0; i < 5; ++i, before = look) {
    CHECK_OK(stk_job_item_latest(job, 0, before, UINT64_MAX, &result, &look, &err), err);
    CHECK(result != NULL && look > before && look != STK_LOOK_FINAL);
    CHECK_OK(stk_result_summary(result, 0, 1, &s, sizeof s, &err), err);
    CHECK(s.status == STK_STATUS_OK && s.decision == STK_DECISION_OPEN && s.early_stop == STK_STATUS_OK);
    CHECK(s.validity == STK_VALIDITY_ANYTIME && s.n > n && s.samples_drawn >= s.n);
    n = s.n;
    CHECK_OK(stk_result_counts(result, 0, &counts, &err), err);
    stk_query query = ask((uint64_t)s.label, 3);
    stk_summary again;
    CHECK_OK(stk_counts_certify(counts, &query, &again, sizeof again, &err), err);
    CHECK(memcmp(&again.radius, &s.radius, sizeof s.radius) == 0 && again.n == n);
    stk_counts_free(counts);
    stk_result_free(result);
  }
  CHECK_INVALID(stk_job_item_latest(job, 1, 0, 0, &result, &look, &err), "input", err);
  CHECK_INVALID(stk_job_item_latest(job, 0, 0, 0, NULL, &look, &err), "out", err);
  CHECK_INVALID(stk_job_item_latest(job, 0, 0, 0, &result, NULL, &err), "look", err);
  stk_job_cancel(job);
  /* What no one has seen, if there is any; then the end, and then nothing. */
  stk_status status = STK_STATUS_OK;
  while (look != STK_LOOK_FINAL) {
    CHECK(status == STK_STATUS_OK);
    stk_error_free(err);
    err = NULL;
    result = NULL;
    status = stk_job_item_latest(job, 0, look, UINT64_MAX, &result, &look, &err);
    CHECK(result != NULL);
    stk_result_free(result);
  }
  CHECK_STATUS(status, STK_STATUS_CANCELLED, err);
  CHECK_OK(stk_job_item_latest(job, 0, look, UINT64_MAX, &result, &look, &err), err);
  CHECK(result == NULL && look == STK_LOOK_FINAL);
  stk_job_free(job);
  CHECK_OK(stk_request_set_rule(request, "fixed", &err), err);
  CHECK_OK(stk_request_set_n(request, 500, &err), err);
  CHECK_OK(stk_model_submit_certify(model, request, x, 1, NULL, NULL, NULL, &job, &err), err);
  CHECK_INVALID(stk_job_item_latest(job, 0, 0, UINT64_MAX, &result, &look, &err), "rule", err);
  stk_job_free(job);
  stk_request_free(request);
  stk_model_free(model);
}

static void guarantees(void) {
  stk_error *err = NULL;
  stk_model *model = open_model(EXACT);
  stk_request *request = make_request(2000);
  stk_result *result = NULL, *certified = NULL;
  stk_job *job = NULL;
  stk_guarantee g;
  const double *radii = NULL;
  const int64_t *labels;
  size_t len = 9;
  float x[EXACT_ELEMENTS];
  exact_input(x);
  CHECK_OK(stk_model_submit_certify_answer(model, request, x, 1, NULL, NULL, &job, &err), err);
  CHECK_OK(stk_job_result(job, &result, &err), err);
  stk_job_free(job);
  CHECK_OK(stk_result_guarantee(result, 0, 1, &g, sizeof g, &err), err);
  CHECK(g.k == 3 && g.n == 2000 && g.n0 == 100 && g.noise_scale == 0.25 && g.alpha == 0.001 && g.radius_cost > 0 && g.validity == STK_VALIDITY_FIXED && g.assumed == 0);
  CHECK(g.first_radius >= 0 && g.ranking_radius <= g.set_radius);
  CHECK_OK(stk_result_labels(result, 0, 1, &labels, &len, &err), err);
  CHECK(len == 3);
  CHECK_OK(stk_result_label_radii(result, 0, 1, &radii, &len, &err), err);
  CHECK(len == 3 && radii[0] >= radii[2]);
  CHECK_OK(stk_result_kept_radii(result, 0, 1, &radii, &len, &err), err);
  CHECK(len == 3 && radii[0] >= radii[1] && radii[1] >= radii[2] && radii[2] == g.set_radius);
  /* An older caller's struct is cut at a field. */
  stk_guarantee old;
  memset(&old, 0xee, sizeof old);
  CHECK_OK(stk_result_guarantee(result, 0, 1, &old, offsetof(stk_guarantee, set_radius), &err), err);
  CHECK(old.struct_size == offsetof(stk_guarantee, set_radius) && old.n == 2000);
  CHECK(((const unsigned char *)&old.set_radius)[0] == 0xee);
  CHECK_INVALID(stk_result_guarantee(result, 1, 0, &g, sizeof g, &err), "input", err);
  CHECK_OK(stk_model_certify(model, request, x, 1, NULL, &certified, &err), err);
  CHECK_INVALID(stk_result_guarantee(certified, 0, 0, &g, sizeof g, &err), "result", err);
  CHECK_OK(stk_result_label_radii(certified, 0, 0, &radii, &len, &err), err);
  CHECK(len == 0);
  stk_result_free(certified);
  stk_result_free(result);
  stk_request_free(request);
  stk_model_free(model);
}

static void keys(void) {
  stk_error *err = NULL;
  stk_model *model = open_model(EXACT);
  stk_request *request = make_request(500);
  stk_result *result = NULL;
  stk_summary s;
  const char *json;
  float x[EXACT_ELEMENTS];
  exact_input(x);
  CHECK_OK(stk_request_set_chacha12(request, NULL, &err), err);
  CHECK_OK(stk_request_set_noise_exact(request, 4, &err), err);
  CHECK_OK(stk_model_certify(model, request, x, 1, NULL, &result, &err), err);
  CHECK_OK(stk_result_summary(result, 0, 0, &s, sizeof s, &err), err);
  CHECK(s.generator == STK_GENERATOR_CHACHA12 && s.levels == 4 && s.grid == 0.25 && s.radius_cost == 0);
  CHECK(s.alpha == 0.001 && s.alpha_left < s.alpha && s.alpha_left > 0.00099);
  /* The key is told only where it is asked for. */
  CHECK_OK(stk_result_json(result, 0, &json, &err), err);
  CHECK(strstr(json, "\"secret\"") == NULL && strstr(json, "\"secret_sha256\":\"") != NULL);
  CHECK_OK(stk_result_json_with_secret(result, 0, &json, &err), err);
  CHECK(strstr(json, "\"secret\":\"") != NULL);
  stk_result_free(result);
  result = NULL;
  x[0] = 0.3f;
  CHECK_STATUS(stk_model_certify(model, request, x, 1, NULL, &result, &err), STK_STATUS_INVALID_DATA, err);
  CHECK(result == NULL);
  stk_request_free(request);
  stk_model_free(model);
}

void test_rules(void) {
  stops_early_and_is_late();
  interim_answers();
  guarantees();
  keys();
}
