#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"

static unsigned at;

static void refuse(const char *what, const char *text) {
  fprintf(stderr, "%s:%u: %s: %s\n", GOLDEN_CASES, at, what, text);
  exit(1);
}

static void word(char *out, const char *text) {
  if (strlen(text) >= GOLDEN_NAME) refuse("too long", text);
  strcpy(out, text);
}

static void ended(const char *text, const char *end) {
  if (end == text || *end != '\0') refuse("not a number", text);
}

static double real(const char *text) {
  char *end;
  const double value = strtod(text, &end);
  ended(text, end);
  return value;
}

static uint64_t whole(const char *text) {
  char *end;
  errno = 0;
  const uint64_t value = strtoull(text, &end, 10);
  ended(text, end);
  if (errno != 0 || *text == '-') refuse("not a whole number", text);
  return value;
}

static int64_t label(const char *text) {
  char *end;
  const int64_t value = strtoll(text, &end, 10);
  ended(text, end);
  return value;
}

/* Takes the first element of a list from *text, NULL when there is none left. */
static char *element(char **text, const char *separator) {
  char *start = *text;
  if (start == NULL || *start == '\0') return NULL;
  char *end = start + strcspn(start, separator);
  *text = *end == '\0' ? NULL : end + 1;
  *end = '\0';
  return start;
}

#define LIST(kind, array, len, text)                                                   \
  do {                                                                                 \
    char *rest = (text), *one;                                                         \
    for ((len) = 0; (one = element(&rest, ",")) != NULL;) {                            \
      if ((len) == sizeof(array) / sizeof((array)[0])) refuse("too many values", one); \
      (array)[(len)++] = kind(one);                                                    \
    }                                                                                  \
  } while (0)
/* One list for each k, parted by ';'. */
#define LISTS(kind, arrays, lens, lists, text)                  \
  do {                                                          \
    char *rest_of_lists = (text), *list;                        \
    while ((list = element(&rest_of_lists, ";")) != NULL) {     \
      if ((lists) == GOLDEN_KS) refuse("too many lists", list); \
      const size_t i = (lists)++;                               \
      LIST(kind, (arrays)[i], (lens)[i], list);                 \
    }                                                           \
  } while (0)
#define single(text) ((float)real(text))
#define size(text) ((size_t)whole(text))

/* One word for each k. */
static void words(char out[][GOLDEN_NAME], size_t *len, char *text, const char *separator) {
  char *one;
  for (*len = 0; (one = element(&text, separator)) != NULL;) {
    if (*len == GOLDEN_KS) refuse("too many values", one);
    word(out[(*len)++], one);
  }
}

/* 64 hexadecimal digits, byte 0 first. */
static void key_bytes(uint8_t out[32], const char *text) {
  if (strlen(text) != 64 || strspn(text, "0123456789abcdefABCDEF") != 64) refuse("not 64 hexadecimal digits", text);
  for (size_t i = 0; i < 32; ++i) {
    const char digits[] = {text[2 * i], text[2 * i + 1], '\0'};
    out[i] = (uint8_t)strtoul(digits, NULL, 16);
  }
}

static void expectation(golden_case *c, const char *key, char *value) {
  if (strcmp(key, "status") == 0) word(c->status, value);
  else if (strcmp(key, "field") == 0) word(c->field, value);
  else if (strcmp(key, "counts") == 0) LIST(whole, c->expect_counts, c->expect_counts_len, value);
  else if (strcmp(key, "selection") == 0) LIST(whole, c->expect_selection, c->expect_selection_len, value);
  else if (strcmp(key, "label") == 0) c->has_expect_label = true, c->expect_label = label(value);
  else if (strcmp(key, "radius") == 0) LIST(real, c->expect_radius, c->expect_radius_len, value);
  else if (strcmp(key, "p_value") == 0) LIST(real, c->expect_p_value, c->expect_p_value_len, value);
  else if (strcmp(key, "abstain") == 0) LIST(whole, c->expect_abstain, c->expect_abstain_len, value);
  else if (strcmp(key, "decision") == 0) words(c->expect_decision, &c->expect_decision_len, value, ",");
  else if (strcmp(key, "allocation") == 0) words(c->expect_allocation, &c->expect_allocation_len, value, ";");
  else if (strcmp(key, "rows") == 0) LIST(whole, c->expect_rows, c->expect_rows_len, value);
  else if (strcmp(key, "alpha_left") == 0) c->has_expect_alpha_left = true, c->expect_alpha_left = real(value);
  else if (strcmp(key, "first_radius") == 0) LIST(real, c->expect_first_radius, c->expect_first_radius_len, value);
  else if (strcmp(key, "ranking_radius") == 0)
    LIST(real, c->expect_ranking_radius, c->expect_ranking_radius_len, value);
  else if (strcmp(key, "labels") == 0)
    LISTS(label, c->expect_labels, c->expect_labels_len, c->expect_labels_lists, value);
  else if (strcmp(key, "label_radii") == 0)
    LISTS(real, c->expect_label_radii, c->expect_label_radii_len, c->expect_label_radii_lists, value);
  else if (strcmp(key, "kept_radii") == 0)
    LISTS(real, c->expect_kept_radii, c->expect_kept_radii_len, c->expect_kept_radii_lists, value);
  else refuse("unknown expectation", key);
}

static void setting(golden_case *c, const char *key, char *value) {
  if (strcmp(key, "task") == 0) word(c->task, value);
  else if (strcmp(key, "model") == 0) word(c->model, value);
  else if (strcmp(key, "bound") == 0) word(c->bound, value);
  else if (strcmp(key, "rule") == 0) word(c->rule, value);
  else if (strcmp(key, "allocation") == 0) word(c->allocation, value);
  else if (strcmp(key, "validity") == 0) word(c->validity, value);
  else if (strcmp(key, "randomized") == 0) c->randomized = whole(value) != 0;
  else if (strcmp(key, "levels") == 0) c->levels = whole(value);
  else if (strcmp(key, "chacha12") == 0) c->has_chacha12 = true, key_bytes(c->chacha12, value);
  else if (strcmp(key, "pilot") == 0) LIST(whole, c->pilot, c->pilot_len, value);
  else if (strcmp(key, "threshold") == 0) c->has_threshold = true, c->threshold = real(value);
  else if (strcmp(key, "classes") == 0) c->has_classes = true, c->classes = whole(value);
  else if (strcmp(key, "noise") == 0) word(c->noise, value);
  else if (strcmp(key, "sigma") == 0) c->has_sigma = true, c->sigma = real(value);
  else if (strcmp(key, "k") == 0) LIST(size, c->k, c->k_len, value);
  else if (strcmp(key, "n") == 0) c->has_n = true, c->n = whole(value);
  else if (strcmp(key, "n0") == 0) c->has_n0 = true, c->n0 = whole(value);
  else if (strcmp(key, "alpha") == 0) c->has_alpha = true, c->alpha = real(value);
  else if (strcmp(key, "seed") == 0) c->has_seed = true, c->seed = whole(value);
  else if (strcmp(key, "key") == 0) c->has_key = true, c->key = whole(value);
  else if (strcmp(key, "input_max") == 0) c->has_input_max = true, c->input_max = real(value);
  else if (strcmp(key, "label") == 0) c->has_label = true, c->label = label(value);
  else if (strcmp(key, "input") == 0) LIST(single, c->input, c->input_len, value);
  else if (strcmp(key, "counts") == 0) LIST(whole, c->counts, c->counts_len, value);
  else if (strcmp(key, "radius_cost") == 0) c->radius_cost = real(value);
  else refuse("unknown key", key);
}

bool golden_next(FILE *file, unsigned *line, golden_case *out) {
  static char text[1 << 20];
  bool inside = false;
  while (fgets(text, sizeof text, file) != NULL) {
    at = ++*line;
    const size_t len = strlen(text);
    if (len > 0 && text[len - 1] != '\n' && !feof(file)) refuse("line too long", "");
    text[strcspn(text, "\r\n")] = '\0';
    char *key = text + strspn(text, " \t");
    if (*key == '\0' || *key == '#') continue;
    char *value = key + strcspn(key, " ");
    if (*value != '\0') *value++ = '\0';
    if (strcmp(key, "case") == 0) {
      if (inside) refuse("case inside a case", value);
      memset(out, 0, sizeof *out);
      word(out->name, value);
      out->label = -1;
      inside = true;
    } else if (!inside) {
      refuse("outside a case", key);
    } else if (strcmp(key, "end") == 0) {
      if (out->task[0] == '\0' || out->status[0] == '\0') refuse("a case needs a task and a status", out->name);
      return true;
    } else if (strcmp(key, "expect") == 0) {
      char *rest = value + strcspn(value, " ");
      if (*rest != '\0') *rest++ = '\0';
      expectation(out, value, rest);
    } else {
      setting(out, key, value);
    }
  }
  if (inside) refuse("the file ends inside", out->name);
  return false;
}
