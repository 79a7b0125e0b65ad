/* A function of the host's as a model: the same counts as the ONNX model of the same arithmetic; failures; provenance. */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { ROW_NAN = 1, UNWRITTEN, OUTSIDE, FAILS, FAILS_SILENTLY, FLOODS, WAITS, RANDOM, MIXES };

/* What the function is given: what it does once a model is open, and what is noted of it. */
typedef struct {
  atomic_int does, calls, freed, saw_cancel, bad_batch;
  uint64_t most;
} state;

/* Rounded to the nearest integer, as ONNX's Round: exact in float below 2^22. */
static float whole(float v) { return (v + 12582912.0F) - 12582912.0F; }

static void exact_scores(const float *row, float *scores) {
  for (int c = 0; c < EXACT_CLASSES; ++c) {
    scores[c] = 0;
    for (int t = 0; t < 4; ++t) scores[c] += whole(row[4 * c + t] * 64);
  }
}

static bool classify(void *user, const stk_batch *batch) {
  state *s = user;
  ++s->calls;
  if (batch->struct_size != sizeof *batch || batch->count < 1 || batch->count > s->most ||
      batch->elements != EXACT_ELEMENTS || batch->classes != EXACT_CLASSES || !batch->scores == !batch->labels ||
      batch->message_size < 1024 || batch->message[0] != '\0')
    s->bad_batch = 1;
  if (s->does == FAILS) {
    snprintf(batch->message, batch->message_size, "the engine is \xc3\xbc" "berhitzt: %d", 80);
    return false;
  }
  if (s->does == FAILS_SILENTLY) return false;
  if (s->does == FLOODS) {
    memset(batch->message, 'x', batch->message_size);
    return false;
  }
  if (s->does == WAITS) {
    const struct timespec while_ = {0, 1000000};
    /* Far beyond the request's timeout; the suite's own limit ends it should nobody cancel. */
    while (!stk_cancel_is_set(batch->cancelled)) nanosleep(&while_, NULL);
    s->saw_cancel = 1;
    return false;
  }
  for (uint64_t i = 0; i < batch->count; ++i) {
    float scores[EXACT_CLASSES];
    exact_scores(batch->rows + i * EXACT_ELEMENTS, scores);
    if (s->does == UNWRITTEN && i + 1 == batch->count) break;
    if (s->does == ROW_NAN && scores[0] > scores[1]) scores[2] = NAN;
    if (s->does == RANDOM) scores[0] += (float)(s->calls * 1000);
    if (s->does == MIXES) scores[0] += 1000 * batch->rows[0];
    if (batch->scores != NULL) {
      memcpy(batch->scores + i * EXACT_CLASSES, scores, sizeof scores);
      continue;
    }
    int best = 0;
    for (int c = 1; c < EXACT_CLASSES; ++c)
      if (scores[c] > scores[best]) best = c;
    batch->labels[i] = s->does == OUTSIDE ? EXACT_CLASSES : best;
  }
  return true;
}

static void free_state(void *user) { ++((state *)user)->freed; }

static const size_t shape[] = {EXACT_ELEMENTS};

static stk_classifier describe(state *s, stk_gives gives) {
  return (stk_classifier){.struct_size = sizeof(stk_classifier), .classify = classify, .user = s, .free_user = free_state,
                          .shape = shape, .shape_len = 1, .classes = EXACT_CLASSES, .name = "sums", .gives = gives};
}

static stk_model_options *make_options(size_t batch, size_t threads) {
  stk_error *err = NULL;
  stk_model_options *options = NULL;
  CHECK_OK(stk_model_options_new(&options, &err), err);
  CHECK_OK(stk_model_options_set_batch(options, batch, &err), err);
  CHECK_OK(stk_model_options_set_threads(options, threads, &err), err);
  return options;
}

static stk_model *make(state *s, stk_classifier f, size_t batch, size_t threads) {
  stk_error *err = NULL;
  stk_model *model = NULL;
  stk_model_options *options = make_options(batch, threads);
  s->most = batch;
  CHECK_OK(stk_model_from_callback(&f, options, &model, &err), err);
  stk_model_options_free(options);
  if (model == NULL) exit(1);
  return model;
}

static stk_counts *sampled(const stk_model *model, uint64_t first, uint64_t samples) {
  stk_error *err = NULL;
  stk_counts *counts = NULL;
  stk_request *request = make_request(100);
  float x[EXACT_ELEMENTS];
  exact_input(x);
  CHECK_OK(stk_model_sample(model, request, x, first, samples, &counts, &err), err);
  stk_request_free(request);
  return counts;
}

/* The same radius, interval and counts as the file, bit for bit, by scores and by labels, in any batches. */
static void equals_the_file(void) {
  stk_error *err = NULL;
  stk_request *request = make_request(2000);
  stk_model *file = open_model(EXACT);
  stk_result *results[3] = {NULL};
  float x[EXACT_ELEMENTS];
  exact_input(x);
  CHECK_OK(stk_model_certify(file, request, x, 1, NULL, &results[0], &err), err);
  for (int gives = 0; gives < 2; ++gives) {
    state s = {0};
    stk_model *model = make(&s, describe(&s, gives ? STK_GIVES_LABELS : STK_GIVES_SCORES), gives ? 7 : 64, (size_t)(1 + gives));
    CHECK(stk_model_elements(model) == EXACT_ELEMENTS && stk_model_classes(model) == EXACT_CLASSES);
    CHECK(stk_model_threads(model) == (size_t)(1 + gives) && stk_model_batch(model) == s.most);
    CHECK(stk_model_sha256(model)[0] == '\0' && stk_model_fallback(model) == NULL);
    CHECK(strstr(stk_model_signature_json(model), "\"sums\"") != NULL);
    const size_t *dims = NULL;
    size_t len = 0;
    CHECK_OK(stk_model_shape(model, &dims, &len, &err), err);
    CHECK(len == 1 && dims[0] == EXACT_ELEMENTS);
    CHECK_OK(stk_model_certify(model, request, x, 1, NULL, &results[1 + gives], &err), err);
    CHECK(s.freed == 0);
    stk_model_free(model);
    CHECK(s.freed == 1 && s.calls > 0 && s.bad_batch == 0);
  }
  for (int r = 1; r < 3; ++r) {
    for (size_t k = 0; k < 2; ++k) {
      stk_summary want, got;
      CHECK_OK(stk_result_summary(results[0], 0, k, &want, sizeof want, &err), err);
      CHECK_OK(stk_result_summary(results[r], 0, k, &got, sizeof got, &err), err);
      got.seconds = want.seconds;
      CHECK(memcmp(&want, &got, sizeof want) == 0);
    }
    stk_counts *want = NULL, *got = NULL;
    const uint64_t *wanted, *found;
    size_t classes;
    CHECK_OK(stk_result_counts(results[0], 0, &want, &err), err);
    CHECK_OK(stk_result_counts(results[r], 0, &got, &err), err);
    CHECK_OK(stk_counts_labels(want, &wanted, &classes, &err), err);
    CHECK_OK(stk_counts_labels(got, &found, &classes, &err), err);
    CHECK(memcmp(wanted, found, classes * sizeof *wanted) == 0 && wanted[0] != wanted[1]);
    stk_counts_free(want);
    stk_counts_free(got);
    const char *json = NULL;
    CHECK_OK(stk_result_json(results[r], 0, &json, &err), err);
    CHECK(strstr(json, "\"model_sha256\":null") != NULL && strstr(json, "\"name\":\"sums\"") != NULL);
  }
  for (int r = 0; r < 3; ++r) stk_result_free(results[r]);
  stk_model_free(file);
  stk_request_free(request);
}

/* A batch that fails ends its job, with what was said and the counts so far; the model goes on. */
static void fails(stk_gives gives, int how, const char *said) {
  stk_error *err = NULL;
  state s = {0};
  stk_model *model = make(&s, describe(&s, gives), 16, 1);
  stk_request *request = make_request(100);
  stk_result *result = NULL;
  float x[EXACT_ELEMENTS];
  exact_input(x);
  s.does = how;
  const stk_status status = stk_model_predict(model, request, x, 1, &result, &err);
  CHECK(status == STK_STATUS_RUN && result != NULL);
  if (err == NULL || strstr(stk_error_message(err), said) == NULL || strstr(stk_error_message(err), "sums") == NULL) {
    CHECK(!"the error says what the function said");
    fprintf(stderr, "  it said: %s\n", stk_error_message(err));
  }
  stk_error_free(err);
  err = NULL;
  stk_result_free(result);
  s.does = 0;
  CHECK_OK(stk_model_predict(model, request, x, 1, &result, &err), err);
  stk_result_free(result);
  stk_request_free(request);
  stk_model_free(model);
  CHECK(s.freed == 1 && s.bad_batch == 0);
}

static void invalid_samples(void) {
  state s = {0};
  stk_model *model = make(&s, describe(&s, STK_GIVES_SCORES), 32, 1);
  s.does = ROW_NAN;
  stk_counts *counts = sampled(model, 0, 500);
  CHECK(stk_counts_invalid(counts) > 0 && stk_counts_invalid(counts) < 500 && stk_counts_n(counts) == 500);
  stk_counts_free(counts);
  stk_model_free(model);
}

/* A function that hangs until it is told that nobody waits any more. */
static void is_cancelled(void) {
  stk_error *err = NULL;
  state s = {0};
  stk_model *model = make(&s, describe(&s, STK_GIVES_SCORES), 16, 1);
  stk_request *request = make_request(1000);
  stk_result *result = NULL;
  float x[EXACT_ELEMENTS];
  exact_input(x);
  CHECK_OK(stk_request_set_timeout_ms(request, 30, &err), err);
  s.does = WAITS;
  CHECK_STATUS(stk_model_predict(model, request, x, 1, &result, &err), STK_STATUS_DEADLINE_EXCEEDED, err);
  stk_result_free(result);
  stk_request_free(request);
  stk_model_free(model);
  CHECK(s.saw_cancel == 1 && s.freed == 1);
}

static void refuses(void) {
  stk_error *err = NULL;
  stk_model *model = NULL;
  state s = {.most = 128};
  const size_t none[] = {0};
  const stk_classifier good = describe(&s, STK_GIVES_SCORES);
  stk_classifier f;
#define REFUSED(field, change) \
  f = good;                    \
  f.change;                    \
  CHECK_INVALID(stk_model_from_callback(&f, NULL, &model, &err), field, err)
  REFUSED("struct_size", struct_size = 0);
  REFUSED("classify", classify = NULL);
  REFUSED("shape", shape = NULL);
  REFUSED("shape", shape_len = 0);
  REFUSED("shape", shape = none);
  REFUSED("shape", shape_len = UINT64_MAX);
  REFUSED("classes", classes = 1);
  REFUSED("classes", classes = UINT64_C(1) << 40);
  REFUSED("name", name = NULL);
  REFUSED("name", name = "");
  REFUSED("digest", digest = "");
  REFUSED("gives", gives = 2);
  REFUSED("reserved", reserved = 1);
  CHECK_INVALID(stk_model_from_callback(NULL, NULL, &model, &err), "classifier", err);
  CHECK_INVALID(stk_model_from_callback(&good, NULL, NULL, &err), "out", err);
  stk_model_options *options = make_options(16, 1);
  CHECK_OK(stk_model_options_set_provider(options, "cuda", &err), err);
  CHECK_INVALID(stk_model_from_callback(&good, options, &model, &err), "options", err);
  stk_model_options_free(options);
  CHECK(s.calls == 0);
  /* What is tried with a few rows. */
  const int broken[] = {RANDOM, MIXES, FAILS, UNWRITTEN};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; ++i) {
    s.does = broken[i];
    CHECK_STATUS(stk_model_from_callback(&good, NULL, &model, &err), STK_STATUS_MODEL, err);
  }
  f = good;
  f.gives = STK_GIVES_LABELS, s.does = OUTSIDE;
  CHECK_STATUS(stk_model_from_callback(&f, NULL, &model, &err), STK_STATUS_MODEL, err);
  CHECK(model == NULL && s.freed == 0 && s.calls > 0 && s.bad_batch == 0);
}

/* Counts of two functions are added where both state one digest, and else not, nor to those of a file. */
static void tells_functions_apart(void) {
  stk_error *err = NULL;
  state s = {0};
  stk_classifier f = describe(&s, STK_GIVES_SCORES);
  const char *digests[] = {NULL, NULL, "abc", "abc", "abd"};
  enum { FUNCTIONS = 5 };
  stk_counts *counts[FUNCTIONS + 1], *other[FUNCTIONS + 1];
  for (int i = 0; i <= FUNCTIONS; ++i) {
    if (i < FUNCTIONS) f.digest = digests[i];
    stk_model *model = i < FUNCTIONS ? make(&s, f, 64, 1) : open_model(EXACT);
    counts[i] = sampled(model, 0, 100);
    other[i] = sampled(model, 100, 100);
    stk_model_free(model);
  }
  for (int i = 0; i <= FUNCTIONS; ++i) {
    for (int j = 0; j <= FUNCTIONS; ++j) {
      stk_counts *sum = NULL;
      CHECK_OK(stk_counts_clone(counts[i], &sum, &err), err);
      const int same = i == j || (i == 2 && j == 3) || (i == 3 && j == 2);
      CHECK_STATUS(stk_counts_add(sum, other[j], &err), same ? STK_STATUS_OK : STK_STATUS_INVALID_DATA, err);
      stk_counts_free(sum);
    }
  }
  /* As written and read again. */
  const char *json = NULL;
  stk_counts *read = NULL;
  CHECK_OK(stk_counts_json(counts[0], &json, &err), err);
  CHECK(strstr(json, "\"stated\":{\"name\":\"sums\",\"digest\":null,\"handle\":\"") != NULL);
  CHECK_OK(stk_counts_from_json(json, &read, &err), err);
  CHECK_STATUS(stk_counts_add(read, other[1], &err), STK_STATUS_INVALID_DATA, err);
  CHECK_OK(stk_counts_add(read, other[0], &err), err);
  stk_counts_free(read);
  for (int i = 0; i <= FUNCTIONS; ++i) {
    stk_counts_free(counts[i]);
    stk_counts_free(other[i]);
  }
}

/* In a forked child work is refused, and freeing the model is safe. */
static void forks(void) {
  stk_error *err = NULL;
  state s = {0};
  stk_model *model = make(&s, describe(&s, STK_GIVES_SCORES), 16, 1);
  stk_request *request = make_request(100);
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    stk_result *result = NULL;
    float x[EXACT_ELEMENTS];
    const int before = check_failures;
    alarm(60);
    exact_input(x);
    CHECK_STATUS(stk_model_predict(model, request, x, 1, &result, &err), STK_STATUS_FORKED, err);
    stk_model_free(model);
    stk_request_free(request);
    CHECK(s.freed == 0);
    _exit(check_failures == before ? 0 : 1);
  }
  int status = 0;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  stk_model_free(model);
  stk_request_free(request);
  CHECK(s.freed == 1);
}

void test_callback(void) {
  equals_the_file();
  fails(STK_GIVES_SCORES, FAILS, "the engine is \xc3\xbc" "berhitzt: 80");
  fails(STK_GIVES_SCORES, FAILS_SILENTLY, "did not say why");
  fails(STK_GIVES_SCORES, FLOODS, "xxxx");
  fails(STK_GIVES_SCORES, UNWRITTEN, "did not write the scores of row");
  fails(STK_GIVES_LABELS, UNWRITTEN, "did not write the labels of row");
  fails(STK_GIVES_LABELS, OUTSIDE, "label 6 outside 0..6");
  invalid_samples();
  is_cancelled();
  refuses();
  tells_functions_apart();
  forks();
}
