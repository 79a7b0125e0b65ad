/* What counts do not prove they do not certify, in the ways in which a host may come to ask. docs/statistics.md has the table. */
#include <stdlib.h>

#include "check.h"

static stk_counts *sample(const stk_model *model, const stk_request *request, const float *x, uint64_t first, uint64_t n) {
  stk_error *err = NULL;
  stk_counts *counts = NULL;
  CHECK_OK(stk_model_sample(model, request, x, first, n, &counts, &err), err);
  return counts;
}

static stk_counts *counts_of(const stk_result *result) {
  stk_error *err = NULL;
  stk_counts *counts = NULL;
  CHECK_OK(stk_result_counts(result, 0, &counts, &err), err);
  return counts;
}

static stk_summary certify(const stk_counts *counts, uint64_t label) {
  stk_error *err = NULL;
  stk_summary s;
  const stk_query query = ask(label, 1);
  CHECK_OK(stk_counts_certify(counts, &query, &s, sizeof s, &err), err);
  return s;
}

static void refuses_to_certify(const stk_counts *counts) {
  stk_error *err = NULL;
  stk_summary s;
  const stk_query query = ask(0, 1);
  CHECK_STATUS(stk_counts_certify(counts, &query, &s, sizeof s, &err), STK_STATUS_INVALID_DATA, err);
}

/* 1. Samples that are drawn by the range certify as a call does, costs taken, bit for bit. */
static void samples_certify_as_a_call(const stk_model *model, const float *x) {
  stk_error *err = NULL;
  stk_request *request = make_request(2000);
  stk_result *result = NULL;
  stk_summary s;
  for (uint32_t levels = 0; levels <= 4; levels += 4) {
    CHECK_OK(stk_request_set_noise_exact(request, levels, &err), err);
    CHECK_OK(stk_model_certify(model, request, x, 1, &(const int64_t){2}, &result, &err), err);
    CHECK_OK(stk_result_summary(result, 0, 0, &s, sizeof s, &err), err);
    stk_counts *counts = sample(model, request, x, 0, 2000);
    const stk_summary again = certify(counts, 2);
    CHECK(memcmp(&again.radius, &s.radius, sizeof s.radius) == 0 && again.radius > 0);
    CHECK(again.radius_cost == s.radius_cost && again.alpha_left == s.alpha_left && again.assumed == 0);
    CHECK(levels ? again.alpha_left < again.alpha : again.radius_cost > 0);
    stk_counts_free(counts);
    stk_result_free(result);
  }
  stk_request_free(request);
}

/* 2. Counts of a rule's answer take bounds that hold at all looks, by themselves, and give its radius again. */
static void counts_of_a_rule(const stk_model *model, const float *x) {
  stk_error *err = NULL;
  stk_request *request = make_request(20000);
  static const char *const rules[] = {"tolerance:0.2sigma", "steps:0.05"};
  static const stk_validity kinds[] = {STK_VALIDITY_ANYTIME, STK_VALIDITY_ANYTIME_TO};
  for (size_t i = 0; i < 2; ++i) {
    stk_result *result = NULL;
    stk_counts *counts = NULL;
    stk_summary s;
    CHECK_OK(stk_request_set_rule(request, rules[i], &err), err);
    CHECK_OK(stk_model_certify(model, request, x, 1, &(const int64_t){2}, &result, &err), err);
    CHECK_OK(stk_result_summary(result, 0, 0, &s, sizeof s, &err), err);
    CHECK_OK(stk_result_counts_of_k(result, 0, 0, &counts, &err), err);
    const stk_summary again = certify(counts, 2);
    CHECK(again.validity == kinds[i] && again.validity_last == s.validity_last);
    CHECK(s.validity == kinds[i] && s.validity_last == (i == 1 ? 20000 : 0));
    CHECK(memcmp(&again.radius, &s.radius, sizeof s.radius) == 0 && again.n == s.n_certified);
    stk_counts_free(counts);
    stk_result_free(result);
  }
  stk_request_free(request);
}

/* 3. What a deadline left of a fixed n certifies and predicts nothing. */
static void cut_short(const stk_model *model, const float *x) {
  stk_error *err = NULL;
  stk_request *request = make_request(1000000000);
  stk_result *result = NULL;
  stk_summary s;
  stk_guarantee g;
  CHECK_OK(stk_request_set_timeout_ms(request, 200, &err), err);
  CHECK_STATUS(stk_model_certify(model, request, x, 1, &(const int64_t){2}, &result, &err),
               STK_STATUS_DEADLINE_EXCEEDED, err);
  stk_counts *counts = counts_of(result);
  CHECK_OK(stk_result_summary(result, 0, 0, &s, sizeof s, &err), err);
  CHECK(s.validity == STK_VALIDITY_NONE && s.n == stk_counts_n(counts));
  refuses_to_certify(counts);
  CHECK_STATUS(stk_counts_predict(counts, 1, 0.001, NULL, &s, sizeof s, &err), STK_STATUS_INVALID_DATA, err);
  CHECK_STATUS(stk_counts_guarantee(counts, NULL, 1, 0.001, NULL, NULL, NULL, &g, sizeof g, &err),
               STK_STATUS_INVALID_DATA, err);
  stk_counts_free(counts);
  stk_result_free(result);
  stk_request_free(request);
}

/* 4. The same samples are not added twice; 5. nor are they their own pilot; 7. what was looked at, and then grew. */
static void the_same_samples(const stk_model *model, const float *x) {
  stk_error *err = NULL;
  stk_request *request = make_request(1000);
  stk_guarantee g;
  stk_counts *total = sample(model, request, x, 0, 1000), *again = sample(model, request, x, 0, 1000);
  stk_counts *overlap = sample(model, request, x, 999, 10), *more = sample(model, request, x, 1000, 1000);
  CHECK_STATUS(stk_counts_add(total, again, &err), STK_STATUS_INVALID_DATA, err);
  CHECK_STATUS(stk_counts_add(total, overlap, &err), STK_STATUS_INVALID_DATA, err);
  CHECK(stk_counts_n(total) == 1000);
  CHECK_STATUS(stk_counts_guarantee(total, again, 1, 0.001, NULL, NULL, NULL, &g, sizeof g, &err),
               STK_STATUS_INVALID_DATA, err);
  CHECK_INVALID(stk_counts_guarantee(total, total, 1, 0.001, NULL, NULL, NULL, &g, sizeof g, &err), "pilot", err);
  CHECK_OK(stk_counts_guarantee(total, more, 1, 0.001, NULL, NULL, NULL, &g, sizeof g, &err), err);
  CHECK(g.n0 == 1000 && g.validity == STK_VALIDITY_FIXED);
  stk_counts_free(total);
  stk_counts_free(more);

  total = sample(model, request, x, 0, 1000);
  more = sample(model, request, x, 1000, 1000);
  CHECK(certify(total, 2).validity == STK_VALIDITY_FIXED);
  const char *json;
  CHECK_OK(stk_counts_json(total, &json, &err), err);
  CHECK(strstr(json, "\"seen\":true") != NULL);
  CHECK_OK(stk_counts_add(total, more, &err), err);
  CHECK(certify(total, 2).validity == STK_VALIDITY_ANYTIME);
  /* Looks had no last number, so no prediction for a number fixed beforehand. */
  stk_summary s;
  CHECK_STATUS(stk_counts_predict(total, 1, 0.001, NULL, &s, sizeof s, &err), STK_STATUS_INVALID_DATA, err);
  stk_counts_free(total);

  /* The sum that is built again from its parts has been looked at, too. */
  stk_counts *part = sample(model, request, x, 0, 1000), *rest = sample(model, request, x, 1000, 1000);
  CHECK_OK(stk_counts_clone(part, &total, &err), err);
  CHECK_OK(stk_counts_add(total, rest, &err), err);
  CHECK(certify(total, 2).validity == STK_VALIDITY_FIXED);
  CHECK_OK(stk_counts_add(part, rest, &err), err);
  CHECK(certify(part, 2).validity == STK_VALIDITY_ANYTIME);
  stk_counts_free(part);
  stk_counts_free(rest);
  CHECK_STATUS(stk_counts_set_growing(total, 0, &err), STK_STATUS_INVALID_DATA, err);
  stk_counts_free(total);

  /* Said before the first look: one alpha for all looks. */
  total = sample(model, request, x, 0, 1000);
  CHECK_INVALID(stk_counts_set_growing(total, 999, &err), "last", err);
  CHECK_OK(stk_counts_set_growing(total, 0, &err), err);
  CHECK(certify(total, 2).validity == STK_VALIDITY_ANYTIME);
  CHECK_OK(stk_counts_add(total, more, &err), err);
  CHECK(certify(total, 2).validity == STK_VALIDITY_ANYTIME);
  stk_counts_free(total);
  stk_counts_free(again);
  stk_counts_free(overlap);
  stk_counts_free(more);
  stk_request_free(request);
}

/* 6. Bare numbers certify what is stated of them, and say so; they do not mix with samples that are known. */
static void bare_numbers(const stk_model *model, const float *x) {
  stk_error *err = NULL;
  const uint64_t numbers[EXACT_CLASSES] = {10, 10, 970, 10, 0, 0};
  stk_request *request = make_request(1000);
  stk_counts *bare = assume(numbers, EXACT_CLASSES), *drawn = sample(model, request, x, 0, 1000);
  const char *text;
  CHECK(certify(bare, 2).assumed == 1 && certify(drawn, 2).assumed == 0);
  CHECK_OK(stk_counts_assumptions(bare, &text, &err), err);
  CHECK(strstr(text, "gaussian:0.25") != NULL && strstr(text, "fixed before") != NULL);
  CHECK_OK(stk_counts_assumptions(drawn, &text, &err), err);
  CHECK(text[0] == '\0');
  CHECK_STATUS(stk_counts_add(bare, drawn, &err), STK_STATUS_INVALID_DATA, err);
  CHECK_STATUS(stk_counts_add(drawn, bare, &err), STK_STATUS_INVALID_DATA, err);
  stk_counts_free(bare);
  stk_counts_free(drawn);
  stk_request_free(request);
}

/* 8. Samples that chose or predicted labels certify none of them as if it had been fixed; a guarantee pays for the choice. */
static void counts_that_chose(const stk_model *model, const float *x) {
  stk_error *err = NULL;
  stk_request *request = make_request(1000);
  stk_result *certified = NULL, *predicted = NULL, *answered = NULL;
  stk_counts *pilot = NULL;
  stk_guarantee g;
  CHECK_OK(stk_model_certify(model, request, x, 1, NULL, &certified, &err), err);
  CHECK_OK(stk_model_predict(model, request, x, 1, &predicted, &err), err);
  CHECK_OK(stk_model_certify_answer(model, request, x, 1, &answered, &err), err);
  CHECK_OK(stk_result_selection(certified, 0, &pilot, &err), err);
  stk_counts *chose[] = {pilot, counts_of(predicted), counts_of(answered)};
  for (size_t i = 0; i < 3; ++i) {
    refuses_to_certify(chose[i]);
    CHECK_OK(stk_counts_guarantee(chose[i], NULL, 1, 0.001, NULL, NULL, NULL, &g, sizeof g, &err), err);
    stk_counts_free(chose[i]);
  }
  stk_result_free(certified);
  stk_result_free(predicted);
  stk_result_free(answered);
  stk_request_free(request);
}

static void adds_not(stk_counts *counts, stk_counts *other, const char *what) {
  stk_error *err = NULL;
  CHECK(stk_counts_add(counts, other, &err) == STK_STATUS_INVALID_DATA);
  if (strstr(stk_error_message(err), what) == NULL) fprintf(stderr, "misuse: %s\n", stk_error_message(err));
  CHECK(strstr(stk_error_message(err), what) != NULL);
  stk_error_free(err);
  stk_counts_free(other);
}

/* 9. Samples of another model, input or noise are not added, and the reason is named. */
static void other_samples(const stk_model *model, const float *x) {
  stk_error *err = NULL;
  stk_request *request = make_request(1000);
  stk_counts *counts = sample(model, request, x, 0, 100);
  float other_x[EXACT_ELEMENTS];
  memcpy(other_x, x, sizeof other_x);
  other_x[0] += 0.25f;
  stk_model *other = open_model(MODELS "exact_order_image.onnx");
  adds_not(counts, sample(model, request, other_x, 100, 100), "another input");
  adds_not(counts, sample(other, request, x, 100, 100), "another model");
  CHECK_OK(stk_request_set_noise(request, "gaussian:0.5", &err), err);
  adds_not(counts, sample(model, request, x, 100, 100), "other noise");
  CHECK(stk_counts_n(counts) == 100);
  stk_model_free(other);
  stk_counts_free(counts);
  stk_request_free(request);
}

/* The text with the first `from` replaced by `to`; to be freed. */
static char *replaced(const char *text, const char *from, const char *to) {
  const char *at = strstr(text, from);
  CHECK(at != NULL);
  if (at == NULL) exit(1);
  char *out = malloc(strlen(text) + strlen(to) + 1);
  if (out == NULL) exit(1);
  memcpy(out, text, (size_t)(at - text));
  strcpy(out + (at - text), to);
  strcat(out, at + strlen(from));
  return out;
}

/* 10. JSON reads back, and what was damaged is refused. */
static void json_that_was_damaged(const stk_model *model, const float *x) {
  stk_error *err = NULL;
  stk_request *request = make_request(1000);
  stk_counts *counts = sample(model, request, x, 0, 1000), *read = NULL;
  const char *json, *secret, *again;
  CHECK_OK(stk_counts_json(counts, &json, &err), err);
  CHECK_OK(stk_counts_json_with_secret(counts, &secret, &err), err);
  CHECK(strstr(json, "\"secret\"") == NULL && strstr(secret, "\"secret\":\"7\"") != NULL);
  CHECK_OK(stk_counts_from_json(secret, &read, &err), err);
  CHECK_OK(stk_counts_json_with_secret(read, &again, &err), err);
  CHECK(strcmp(secret, again) == 0);
  stk_counts_free(read);
  CHECK_OK(stk_counts_from_json(json, &read, &err), err);
  const stk_summary a = certify(counts, 2), b = certify(read, 2);
  CHECK(memcmp(&a, &b, sizeof a) == 0);
  stk_counts_free(read);
  read = NULL;
  static const char *const damage[][2] = {
      {"\"radius_cost\":", "\"radius_cost\":0,\"was\":"},
      {"\"radius_cost\":", "\"radius_cost\":1"},
      {"\"alpha_cost\":0", "\"alpha_cost\":1"},
      {"\"n\":1000", "\"n\":1001"},
      {"[[0,1000]]", "[[0,600],[500,900]]"},
      {"[[0,1000]]", "[[0,999]]"},
      {"\"seen\":", "\"unheard_of\":1,\"seen\":"},
      {"smoothtopk-counts", "smoothtopk-record"},
      {"\"version\":\"1.", "\"version\":\"2."},
  };
  for (size_t i = 0; i < sizeof damage / sizeof damage[0]; ++i) {
    char *text = replaced(json, damage[i][0], damage[i][1]);
    CHECK_STATUS(stk_counts_from_json(text, &read, &err), STK_STATUS_INVALID_DATA, err);
    free(text);
  }
  CHECK_STATUS(stk_counts_from_json("{", &read, &err), STK_STATUS_INVALID_DATA, err);
  CHECK(read == NULL);
  stk_counts_free(counts);
  stk_request_free(request);
}

void test_misuse(void) {
  stk_model *model = open_model(EXACT);
  float x[EXACT_ELEMENTS];
  for (int i = 0; i < EXACT_ELEMENTS; ++i) x[i] = i >= 8 && i < 12 ? 1.0f : 0.5f;
  samples_certify_as_a_call(model, x);
  counts_of_a_rule(model, x);
  cut_short(model, x);
  the_same_samples(model, x);
  bare_numbers(model, x);
  counts_that_chose(model, x);
  other_samples(model, x);
  json_that_was_damaged(model, x);
  stk_model_free(model);
}
