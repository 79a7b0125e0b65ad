/* Reader of tests/golden/cases.txt, for the C and the C++ suite. The file's own head says what the keys mean. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GOLDEN_CASES "tests/golden/cases.txt"

enum { GOLDEN_NAME = 64, GOLDEN_LIST = 4096, GOLDEN_KS = 16, GOLDEN_CLASSES = 1024 };

typedef struct golden_case {
  char name[GOLDEN_NAME], task[GOLDEN_NAME], model[GOLDEN_NAME], bound[GOLDEN_NAME], noise[GOLDEN_NAME];
  char rule[GOLDEN_NAME], allocation[GOLDEN_NAME], validity[GOLDEN_NAME];
  char status[GOLDEN_NAME], field[GOLDEN_NAME];
  bool has_threshold, has_classes, has_sigma, has_n, has_n0, has_alpha, has_seed, has_key, has_input_max, has_label,
      has_chacha12, randomized;
  double threshold, sigma, alpha, input_max, radius_cost;
  uint64_t classes, n, n0, seed, key, levels;
  uint8_t chacha12[32];
  int64_t label;
  size_t k[GOLDEN_KS], k_len;
  float input[GOLDEN_LIST];
  size_t input_len;
  uint64_t counts[GOLDEN_CLASSES];
  size_t counts_len;
  uint64_t pilot[GOLDEN_CLASSES];
  size_t pilot_len;

  bool has_expect_label;
  int64_t expect_label;
  uint64_t expect_counts[GOLDEN_CLASSES], expect_selection[GOLDEN_CLASSES];
  size_t expect_counts_len, expect_selection_len;
  double expect_radius[GOLDEN_KS], expect_p_value[GOLDEN_KS];
  size_t expect_radius_len, expect_p_value_len;
  uint64_t expect_abstain[GOLDEN_KS];
  size_t expect_abstain_len;
  int64_t expect_labels[GOLDEN_KS][GOLDEN_CLASSES];
  size_t expect_labels_len[GOLDEN_KS], expect_labels_lists;

  char expect_decision[GOLDEN_KS][GOLDEN_NAME], expect_allocation[GOLDEN_KS][GOLDEN_NAME];
  size_t expect_decision_len, expect_allocation_len;
  uint64_t expect_rows[GOLDEN_KS];
  size_t expect_rows_len;
  bool has_expect_alpha_left;
  double expect_alpha_left;
  double expect_first_radius[GOLDEN_KS], expect_ranking_radius[GOLDEN_KS];
  size_t expect_first_radius_len, expect_ranking_radius_len;
  double expect_label_radii[GOLDEN_KS][GOLDEN_KS], expect_kept_radii[GOLDEN_KS][GOLDEN_KS];
  size_t expect_label_radii_len[GOLDEN_KS], expect_label_radii_lists;
  size_t expect_kept_radii_len[GOLDEN_KS], expect_kept_radii_lists;
} golden_case;

/* Reads the next case: false at the end of the file. A line it does not understand ends the program, with its number.
 */
bool golden_next(FILE *file, unsigned *line, golden_case *out);

#ifdef __cplusplus
}
#endif
#endif
