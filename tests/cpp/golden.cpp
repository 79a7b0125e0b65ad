// Every case of tests/golden/cases.txt, through smoothtopk.hpp, bit for bit.
#include "golden.h"

#include "check.hpp"

#include <cstring>

namespace {

golden_case c;

void expect(bool holds, const char *what) { check_that(holds, c.name, 0, what); }

bool same(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

template <class A, class B>
bool same_list(const A &got, const B *want, std::size_t len) {
  if (got.size() != len) return false;
  for (std::size_t i = 0; i < len; ++i)
    if (got[i] != want[i]) return false;
  return true;
}

std::string_view allocation_of() {
  if (c.allocation[0]) return c.allocation;
  return c.bound[0] ? c.bound : "ranked";
}

template <class T>
bool ended(const stk::result<T> &r) {
  const auto code = r ? stk::status::ok : r.error().status();
  check_that(stk::name(code) == c.status && (c.field[0] == '\0' || r.error().field() == c.field), c.name, 0,
             "status and field", r.error().message());
  return r.has_value();
}

void check_summary(const stk::summary &s, std::size_t k) {
  if (k < c.expect_radius_len) expect(same(s.radius, c.expect_radius[k]), "radius");
  if (k < c.expect_abstain_len) expect(s.abstain == c.expect_abstain[k], "abstain");
  if (k < c.expect_p_value_len) expect(same(s.p_value, c.expect_p_value[k]), "p_value");
  if (c.has_expect_label) expect(s.label == c.expect_label, "label");
}

/// What the rule, the allocation and the noise came to.
void check_choices(const stk::answers &answers, const stk::summary &s, std::size_t k) {
  if (c.rule[0] != '\0') {
    expect(k < c.expect_decision_len && stk::name(static_cast<stk::decision>(s.decision)) == c.expect_decision[k],
           "decision");
    expect(k < c.expect_rows_len && s.n_certified == c.expect_rows[k], "rows");
  }
  if (c.expect_allocation_len)
    expect(k < c.expect_allocation_len && *answers.allocation(0, k) == c.expect_allocation[k], "allocation");
  expect((s.uniform > 0) == c.randomized && s.uniform <= 1, "uniform");
  expect(s.levels == c.levels && s.early_stop == STK_STATUS_OK, "levels and early_stop");
  expect(
      static_cast<stk::generator>(s.generator) == (c.has_chacha12 ? stk::generator::chacha12 : stk::generator::philox),
      "generator");
  expect(same(s.alpha_left, c.has_expect_alpha_left ? c.expect_alpha_left : s.alpha), "alpha_left");
}

void check_guarantee(const stk::guarantee &g, stk::span<const double> each, stk::span<const double> kept,
                     std::size_t k) {
  expect(k < c.expect_radius_len && same(g.set_radius, c.expect_radius[k]), "set_radius");
  expect(k < c.expect_first_radius_len && same(g.first_radius, c.expect_first_radius[k]), "first_radius");
  expect(k < c.expect_ranking_radius_len && same(g.ranking_radius, c.expect_ranking_radius[k]), "ranking_radius");
  expect(k < c.expect_label_radii_lists && same_list(each, c.expect_label_radii[k], c.expect_label_radii_len[k]),
         "label_radii");
  expect(k < c.expect_kept_radii_lists && same_list(kept, c.expect_kept_radii[k], c.expect_kept_radii_len[k]),
         "kept_radii");
}

/// A prediction from counts does not depend on the noise, and its cases name none.
stk::noise noise_of() {
  if (c.noise[0]) return stk::noise(std::string_view(c.noise));
  return stk::noise(c.has_sigma ? c.sigma : 1.0);
}

stk::result<stk::answers> ask() {
  stk::request_builder b(noise_of());
  if (c.k_len) b.k(stk::span<const std::size_t>(c.k, c.k_len));
  if (c.has_n) b.n(c.n);
  if (c.has_n0) b.n0(c.n0);
  if (c.has_alpha) b.alpha(c.alpha);
  if (c.rule[0]) b.rule(c.rule);
  if (c.randomized) b.randomized(true);
  b.allocation(allocation_of());
  if (c.levels) b.noise_exact(static_cast<std::uint32_t>(c.levels));
  if (c.has_chacha12) b.chacha12(c.chacha12);
  if (c.has_seed) b.seed(c.seed);
  if (c.has_key) b.stream(c.key);
  if (c.has_input_max) b.input_max(c.input_max);
  auto request = b.build();
  if (!request) return std::move(request).error();
  // Answers do not depend on the batch (another one than the C suite's); one that is given need not be measured.
  stk::model_builder options;
  if (std::strncmp(c.model, "fixed", 5) != 0) options.batch(7);
  if (c.has_threshold) options.threshold(c.threshold);
  if (c.has_classes) options.classes(static_cast<std::size_t>(c.classes));
  auto model = options.open(std::string("tests/models/") + c.model);
  if (!model) return std::move(model).error();
  const stk::span<const float> input(c.input, c.input_len);
  const stk::span<const std::int64_t> label(&c.label, c.has_label ? 1 : 0);
  const std::string_view task = c.task;
  if (task == "certify") return model->certify(*request, input, label);
  return task == "predict" ? model->predict(*request, input) : model->certify_answer(*request, input);
}

void with_model() {
  const auto answers = ask();
  if (!ended(answers)) return;
  const std::size_t ks = c.k_len ? c.k_len : 1;
  expect(answers->size() == 1 && answers->k_size() == ks, "the answers' size");
  const auto counts = MUST(answers->counts(0)), selection = MUST(answers->selection(0));
  if (c.expect_counts_len) expect(same_list(*counts.labels(), c.expect_counts, c.expect_counts_len), "counts");
  expect((selection.n() > 0) == (c.expect_selection_len > 0), "whether there is a selection");
  if (selection.n() > 0)
    expect(same_list(*selection.labels(), c.expect_selection, c.expect_selection_len), "selection");
  for (std::size_t k = 0; k < ks; ++k) {
    const auto s = *answers->summary(0, k);
    check_summary(s, k);
    check_choices(*answers, s, k);
    if (std::string_view(c.task) == "certify_answer")
      check_guarantee(*answers->guarantee(0, k), *answers->label_radii(0, k), *answers->kept_radii(0, k), k);
    if (k < c.expect_labels_lists)
      expect(same_list(*answers->labels(0, k), c.expect_labels[k], c.expect_labels_len[k]), "labels");
  }
}

constexpr std::string_view randomized = "randomized:";

/// What a rule says of its last number no bare numbers can state, but their text.
stk::result<stk::counts> of_a_rule(const stk::counts &counts) {
  constexpr std::string_view none = "\"rule\":null";
  std::string text(MUST(counts.json()));
  const auto at = text.find(none);
  expect(at != std::string::npos, "counts of looks");
  return stk::counts::from_json(text.replace(at, none.size(), "\"rule\":\"steps:1\""));
}

/// Bare numbers, with what the case states of them.
stk::result<stk::counts> assume(const std::uint64_t *labels, std::size_t len, std::uint64_t n) {
  stk::assumed stated;
  stated.n = n;
  stated.radius_cost = c.radius_cost;
  const std::string_view validity = c.validity;
  if (!validity.empty() && validity.substr(0, randomized.size()) != randomized) stated.validity = validity;
  auto counts =
      stk::counts::assume(stk::span<const std::uint64_t>(labels, len), noise_of(), stated);
  return counts && validity.substr(0, 8) == "anytime:" ? of_a_rule(*counts) : std::move(counts);
}

stk::result<stk::summary> certify_counts(const stk::counts &counts, std::size_t k, double alpha) {
  auto asked = stk::query(c.label).k(k).alpha(alpha).allocation(allocation_of());
  if (std::string_view(c.validity).substr(0, randomized.size()) == randomized)
    asked.randomized(std::strtod(c.validity + randomized.size(), nullptr));
  return counts.certify(asked);
}

void guarantee_counts() {
  const auto counts = assume(c.counts, c.counts_len, c.has_n ? c.n : 0);
  if (!counts) return (void)ended(counts);
  std::optional<stk::counts> pilot;
  if (c.pilot_len) pilot = MUST(assume(c.pilot, c.pilot_len, 0));
  for (std::size_t i = 0; i < (c.k_len ? c.k_len : 1); ++i) {
    const std::size_t k = c.k_len ? c.k[i] : 1;
    std::vector<std::int64_t> labels(k);
    std::vector<double> each(k), kept(k);
    const auto g =
        counts->guarantee(k, c.has_alpha ? c.alpha : 0.001, {labels, each, kept}, pilot ? &*pilot : nullptr);
    if (!ended(g)) return;
    check_guarantee(*g, each, kept, i);
    expect(i < c.expect_labels_lists && same_list(labels, c.expect_labels[i], c.expect_labels_len[i]), "labels");
  }
}

void from_counts(bool certify) {
  const auto counts = assume(c.counts, c.counts_len, c.has_n ? c.n : 0);
  if (!counts) return (void)ended(counts);
  for (std::size_t i = 0; i < (c.k_len ? c.k_len : 1); ++i) {
    const std::size_t k = c.k_len ? c.k[i] : 1;
    const double alpha = c.has_alpha ? c.alpha : 0.001;
    std::vector<std::int64_t> labels(k <= c.counts_len ? k : 0);
    const auto s = certify ? certify_counts(*counts, k, alpha) : counts->predict(k, alpha, labels);
    if (!ended(s)) return;
    check_summary(*s, i);
    if (!certify && !labels.empty() && i < c.expect_labels_lists)
      expect(same_list(labels, c.expect_labels[i], c.expect_labels_len[i]), "labels");
  }
}

}  // namespace

void test_golden() {
  std::FILE *file = std::fopen(GOLDEN_CASES, "r");
  CHECK(file != nullptr);
  if (file == nullptr) return;
  unsigned line = 0, cases = 0;
  for (; golden_next(file, &line, &c); ++cases) {
    const std::string_view task = c.task;
    if (task == "certify" || task == "predict" || task == "certify_answer") with_model();
    else if (task == "counts_guarantee") guarantee_counts();
    else if (task == "counts_certify" || task == "counts_predict") from_counts(task == "counts_certify");
    else expect(false, "the task");
  }
  std::fclose(file);
  CHECK(cases > 0);
  std::printf("c++: %u golden cases\n", cases);
}
