/* Every case of tests/golden/cases.txt, through smoothtopk.h, bit for bit. */
#include "golden.h"

#include <stdlib.h>

#include "check.h"

static golden_case c;

static void expect(int holds, const char *what) {
  ++check_count;
  if (holds) return;
  ++check_failures;
  fprintf(stderr, "golden case %s: %s is not as expected\n", c.name, what);
}

/* The allocation of the case, NULL for the default. */
static const char *allocation_of(void) {
  if (c.allocation[0]) return c.allocation;
  return c.bound[0] ? c.bound : NULL;
}

/* A prediction from counts does not depend on the noise, and its cases name none. */
static void noise_text(char *out, size_t size) {
  if (c.noise[0]) snprintf(out, size, "%s", c.noise);
  else snprintf(out, size, "gaussian:%.17g", c.has_sigma ? c.sigma : 1.0);
}

static int same(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

/* What the case says of status and field; the error is freed. */
static void ended(stk_status status, stk_error *err) {
  if (strcmp(stk_status_name(status), c.status) != 0 ||
      (c.field[0] != '\0' && strcmp(stk_error_field(err), c.field) != 0)) {
    fprintf(stderr, "golden case %s: %s [%s]: %s\n", c.name, stk_status_name(status), stk_error_field(err),
            stk_error_message(err));
    expect(0, "status or field");
  } else {
    expect(1, "status and field");
  }
  stk_error_free(err);
}

static void check_summary(const stk_summary *s, size_t k) {
  if (k < c.expect_radius_len) expect(same(s->radius, c.expect_radius[k]), "radius");
  if (k < c.expect_abstain_len) expect(s->abstain == c.expect_abstain[k], "abstain");
  if (k < c.expect_p_value_len) expect(same(s->p_value, c.expect_p_value[k]), "p_value");
  if (c.has_expect_label) expect(s->label == c.expect_label, "label");
}

static void check_labels(const int64_t *labels, size_t len, size_t k) {
  if (k >= c.expect_labels_lists) return;
  expect(len == c.expect_labels_len[k] && memcmp(labels, c.expect_labels[k], len * sizeof *labels) == 0, "labels");
}

static int same_list(const double *got, size_t len, const double *want, size_t want_len) {
  return len == want_len && memcmp(got, want, len * sizeof *got) == 0;
}

static void check_guarantee(const stk_guarantee *g, const double *each, const double *kept, size_t len, size_t k) {
  expect(g->struct_size == sizeof *g && g->k == len, "the guarantee's size");
  expect(k < c.expect_radius_len && same(g->set_radius, c.expect_radius[k]), "set_radius");
  expect(k < c.expect_first_radius_len && same(g->first_radius, c.expect_first_radius[k]), "first_radius");
  expect(k < c.expect_ranking_radius_len && same(g->ranking_radius, c.expect_ranking_radius[k]), "ranking_radius");
  expect(k < c.expect_label_radii_lists && same_list(each, len, c.expect_label_radii[k], c.expect_label_radii_len[k]),
         "label_radii");
  expect(k < c.expect_kept_radii_lists && same_list(kept, len, c.expect_kept_radii[k], c.expect_kept_radii_len[k]),
         "kept_radii");
}

/* What the rule, the allocation and the noise came to. */
static void check_choices(const stk_result *result, const stk_summary *s, size_t k) {
  stk_error *err = NULL;
  const char *allocation;
  if (c.rule[0] != '\0') {
    expect(k < c.expect_decision_len && strcmp(stk_decision_name(s->decision), c.expect_decision[k]) == 0, "decision");
    expect(k < c.expect_rows_len && s->n_certified == c.expect_rows[k], "rows");
  }
  CHECK_OK(stk_result_allocation(result, 0, k, &allocation, &err), err);
  if (c.expect_allocation_len)
    expect(k < c.expect_allocation_len && strcmp(allocation, c.expect_allocation[k]) == 0, "allocation");
  expect((s->uniform > 0) == c.randomized && s->uniform <= 1, "uniform");
  expect(s->levels == c.levels && s->early_stop == STK_STATUS_OK, "levels and early_stop");
  expect(s->generator == (c.has_chacha12 ? STK_GENERATOR_CHACHA12 : STK_GENERATOR_PHILOX), "generator");
  expect(same(s->alpha_left, c.has_expect_alpha_left ? c.expect_alpha_left : s->alpha), "alpha_left");
}

static void check_result(const stk_result *result) {
  stk_error *err = NULL;
  stk_counts *counts = NULL;
  const uint64_t *by_label;
  const int64_t *labels;
  size_t len;
  const size_t ks = stk_result_k_len(result);
  expect(stk_result_len(result) == 1 && ks == (c.k_len ? c.k_len : 1), "the result's size");
  CHECK_OK(stk_result_counts(result, 0, &counts, &err), err);
  CHECK_OK(stk_counts_labels(counts, &by_label, &len, &err), err);
  if (c.expect_counts_len)
    expect(len == c.expect_counts_len && memcmp(by_label, c.expect_counts, len * sizeof *by_label) == 0, "counts");
  stk_counts_free(counts);
  CHECK_OK(stk_result_selection(result, 0, &counts, &err), err);
  expect((counts != NULL) == (c.expect_selection_len > 0), "whether there is a selection");
  if (counts != NULL) {
    CHECK_OK(stk_counts_labels(counts, &by_label, &len, &err), err);
    expect(len == c.expect_selection_len && memcmp(by_label, c.expect_selection, len * sizeof *by_label) == 0,
           "selection");
  }
  stk_counts_free(counts);
  for (size_t k = 0; k < ks; ++k) {
    stk_summary s;
    CHECK_OK(stk_result_summary(result, 0, k, &s, sizeof s, &err), err);
    check_summary(&s, k);
    check_choices(result, &s, k);
    CHECK_OK(stk_result_labels(result, 0, k, &labels, &len, &err), err);
    check_labels(labels, len, k);
    if (strcmp(c.task, "certify_answer") == 0) {
      stk_guarantee g;
      const double *each, *kept;
      size_t each_len, kept_len;
      CHECK_OK(stk_result_guarantee(result, 0, k, &g, sizeof g, &err), err);
      CHECK_OK(stk_result_label_radii(result, 0, k, &each, &each_len, &err), err);
      CHECK_OK(stk_result_kept_radii(result, 0, k, &kept, &kept_len, &err), err);
      expect(each_len == len && kept_len == len, "the radii's number");
      check_guarantee(&g, each, kept, len, k);
    }
  }
}

/* The first setter that refuses is the case's outcome. */
static stk_status build_request(stk_request **request, stk_error **err) {
  char noise[GOLDEN_NAME];
  noise_text(noise, sizeof noise);
  stk_status s = stk_request_new(noise, request, err);
  if (s == STK_STATUS_OK && c.k_len) s = stk_request_set_k(*request, c.k, c.k_len, err);
  if (s == STK_STATUS_OK && c.has_n) s = stk_request_set_n(*request, c.n, err);
  if (s == STK_STATUS_OK && c.has_n0) s = stk_request_set_n0(*request, c.n0, err);
  if (s == STK_STATUS_OK && c.has_alpha) s = stk_request_set_alpha(*request, c.alpha, err);
  if (s == STK_STATUS_OK && c.rule[0]) s = stk_request_set_rule(*request, c.rule, err);
  if (s == STK_STATUS_OK && c.randomized) s = stk_request_set_randomized(*request, true, err);
  if (s == STK_STATUS_OK && allocation_of()) s = stk_request_set_allocation(*request, allocation_of(), err);
  if (s == STK_STATUS_OK && c.levels) s = stk_request_set_noise_exact(*request, (uint32_t)c.levels, err);
  if (s == STK_STATUS_OK && c.has_chacha12) s = stk_request_set_chacha12(*request, c.chacha12, err);
  if (s == STK_STATUS_OK && c.has_seed) s = stk_request_set_seed(*request, c.seed, err);
  if (s == STK_STATUS_OK && c.has_key) s = stk_request_set_stream(*request, c.key, err);
  if (s == STK_STATUS_OK && c.has_input_max) s = stk_request_set_input_max(*request, c.input_max, err);
  return s;
}

static stk_status open_case_model(stk_model **model, stk_error **err) {
  char path[2 * GOLDEN_NAME];
  stk_model_options *options = NULL;
  snprintf(path, sizeof path, MODELS "%s", c.model);
  stk_status s = stk_model_options_new(&options, err);
  /* Answers do not depend on the batch; one that is given need not be measured. */
  if (s == STK_STATUS_OK && strncmp(c.model, "fixed", 5) != 0) s = stk_model_options_set_batch(options, 16, err);
  if (s == STK_STATUS_OK && c.has_threshold) s = stk_model_options_set_threshold(options, c.threshold, err);
  if (s == STK_STATUS_OK && c.has_classes) s = stk_model_options_set_classes(options, (size_t)c.classes, err);
  if (s == STK_STATUS_OK) s = stk_model_open(path, options, model, err);
  stk_model_options_free(options);
  return s;
}

static void with_model(void) {
  stk_error *err = NULL;
  stk_model *model = NULL;
  stk_request *request = NULL;
  stk_result *result = NULL;
  stk_status s = build_request(&request, &err);
  if (s == STK_STATUS_OK) s = open_case_model(&model, &err);
  if (s == STK_STATUS_OK) {
    /* The input is passed as one row, so it must have a row's length to be read safely. */
    if (c.input_len != stk_model_elements(model)) {
      fprintf(stderr, "golden case %s: the input has %zu elements\n", c.name, c.input_len);
      exit(1);
    }
    if (strcmp(c.task, "certify") == 0)
      s = stk_model_certify(model, request, c.input, 1, c.has_label ? &c.label : NULL, &result, &err);
    else if (strcmp(c.task, "predict") == 0) s = stk_model_predict(model, request, c.input, 1, &result, &err);
    else s = stk_model_certify_answer(model, request, c.input, 1, &result, &err);
  }
  ended(s, err);
  if (s == STK_STATUS_OK) check_result(result);
  stk_result_free(result);
  stk_request_free(request);
  stk_model_free(model);
}

/* What a rule says of its last number no bare numbers can state, but their text. */
static stk_status of_a_rule(stk_counts **counts, stk_error **err) {
  static const char none[] = "\"rule\":null";
  const char *json;
  char text[2 * GOLDEN_LIST];
  stk_status s = stk_counts_json(*counts, &json, err);
  const char *at = s == STK_STATUS_OK ? strstr(json, none) : NULL;
  expect(at != NULL, "counts of looks");
  if (at == NULL) return s;
  snprintf(text, sizeof text, "%.*s\"rule\":\"steps:1\"%s", (int)(at - json), json, at + sizeof none - 1);
  stk_counts_free(*counts);
  *counts = NULL;
  return stk_counts_from_json(text, counts, err);
}

/* Counts of bare numbers, with what the case states of them. */
static stk_status assume_counts(const uint64_t *labels, size_t len, uint64_t n, stk_counts **out, stk_error **err) {
  char noise[GOLDEN_NAME];
  noise_text(noise, sizeof noise);
  const int randomized = strncmp(c.validity, "randomized:", 11) == 0;
  const stk_status s = stk_counts_assume(labels, len, n, noise, c.radius_cost,
                                         c.validity[0] && !randomized ? c.validity : NULL, out, err);
  return s == STK_STATUS_OK && strncmp(c.validity, "anytime:", 8) == 0 ? of_a_rule(out, err) : s;
}

static stk_status certify_counts(const stk_counts *counts, size_t k, double alpha, stk_summary *out, stk_error **err) {
  stk_query query = ask((uint64_t)c.label, k);
  query.alpha = alpha;
  query.allocation = allocation_of();
  if (strncmp(c.validity, "randomized:", 11) == 0) {
    query.randomized = STK_RANDOMIZED_BY;
    query.uniform = strtod(c.validity + 11, NULL);
  }
  return stk_counts_certify(counts, &query, out, sizeof *out, err);
}

static void guarantee_counts(void) {
  stk_counts *counts = NULL, *pilot = NULL;
  const size_t ks = c.k_len ? c.k_len : 1;
  stk_error *err = NULL;
  stk_status s = assume_counts(c.counts, c.counts_len, c.has_n ? c.n : 0, &counts, &err);
  if (s == STK_STATUS_OK && c.pilot_len) s = assume_counts(c.pilot, c.pilot_len, 0, &pilot, &err);
  if (s != STK_STATUS_OK) ended(s, err);
  for (size_t i = 0; s == STK_STATUS_OK && i < ks; ++i) {
    stk_guarantee g;
    int64_t labels[GOLDEN_KS];
    double each[GOLDEN_KS], kept[GOLDEN_KS];
    const size_t k = c.k_len ? c.k[i] : 1;
    if (k > GOLDEN_KS) {
      expect(0, "a k that there is room for");
      break;
    }
    err = NULL;
    s = stk_counts_guarantee(counts, pilot, k, c.has_alpha ? c.alpha : 0.001, labels, each, kept, &g, sizeof g, &err);
    ended(s, err);
    if (s != STK_STATUS_OK) break;
    check_guarantee(&g, each, kept, k, i);
    check_labels(labels, k, i);
    expect(g.n0 == stk_counts_n(pilot) && g.n == stk_counts_n(counts), "n and n0");
  }
  stk_counts_free(counts);
  stk_counts_free(pilot);
}

static void from_counts(int certify) {
  stk_counts *counts = NULL;
  const size_t ks = c.k_len ? c.k_len : 1;
  for (size_t i = 0; i < ks; ++i) {
    stk_error *err = NULL;
    stk_summary summary;
    int64_t labels[GOLDEN_CLASSES];
    const size_t k = c.k_len ? c.k[i] : 1;
    const double alpha = c.has_alpha ? c.alpha : 0.001;
    /* Only as many labels are written as there is room for. */
    int64_t *const room = k <= c.counts_len ? labels : NULL;
    stk_status s = counts ? STK_STATUS_OK : assume_counts(c.counts, c.counts_len, c.has_n ? c.n : 0, &counts, &err);
    if (s == STK_STATUS_OK)
      s = certify ? certify_counts(counts, k, alpha, &summary, &err)
                  : stk_counts_predict(counts, k, alpha, room, &summary, sizeof summary, &err);
    ended(s, err);
    if (s != STK_STATUS_OK) break;
    check_summary(&summary, i);
    if (!certify && room != NULL) check_labels(labels, k, i);
  }
  stk_counts_free(counts);
}

void test_golden(void) {
  FILE *file = fopen(GOLDEN_CASES, "r");
  unsigned line = 0, cases = 0;
  CHECK(file != NULL);
  if (file == NULL) return;
  for (; golden_next(file, &line, &c); ++cases) {
    if (strcmp(c.task, "certify") == 0 || strcmp(c.task, "predict") == 0 || strcmp(c.task, "certify_answer") == 0)
      with_model();
    else if (strcmp(c.task, "counts_guarantee") == 0) guarantee_counts();
    else if (strcmp(c.task, "counts_certify") == 0) from_counts(1);
    else if (strcmp(c.task, "counts_predict") == 0) from_counts(0);
    else expect(0, "the task");
  }
  fclose(file);
  CHECK(cases > 0);
  printf("c: %u golden cases\n", cases);
}
