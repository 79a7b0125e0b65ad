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

stk::bound bound_of() {
  const std::string_view name = c.bound;
  if (name == "simuem") return stk::bound::simuem;
  if (name == "binocp") return stk::bound::binocp;
  expect(name.empty() || name == "ranked", "the bound's name");
  return stk::bound::ranked;
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
  expect(s.levels == c.levels && s.cut == STK_STATUS_OK, "levels and cut");
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

stk::result<stk::answers> ask() {
  stk::request_builder b(c.sigma);
  if (c.k_len) b.k(stk::span<const std::size_t>(c.k, c.k_len));
  if (c.has_n) b.n(c.n);
  if (c.has_n0) b.n0(c.n0);
  if (c.has_alpha) b.alpha(c.alpha);
  if (c.bound[0]) b.bound(bound_of());
  if (c.rule[0]) b.rule(c.rule);
  if (c.randomized) b.randomized(true);
  if (c.allocation[0]) b.allocation(c.allocation);
  if (c.levels) b.noise_exact(static_cast<std::uint32_t>(c.levels));
  if (c.has_chacha12) b.chacha12(c.chacha12);
  if (c.has_seed) b.seed(c.seed);
  if (c.has_key) b.key(c.key);
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
  if (c.expect_counts_len) expect(same_list(*answers->counts(0), c.expect_counts, c.expect_counts_len), "counts");
  expect(same_list(*answers->selection(0), c.expect_selection, c.expect_selection_len), "selection");
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

stk::result<stk::summary> certify_counts(const stk::counts &counts, std::size_t k, double alpha) {
  const auto label = static_cast<std::size_t>(c.label);
  if (c.allocation[0] == '\0' && c.validity[0] == '\0')
    return counts.certify(label, k, c.sigma, alpha, bound_of(), c.radius_slack);
  return counts.certify_with(label, k, c.sigma, alpha, c.allocation[0] ? c.allocation : "ranked",
                             c.validity[0] ? c.validity : "fixed", c.radius_slack);
}

void guarantee_counts() {
  const auto counts = stk::counts::create(stk::span<const std::uint64_t>(c.counts, c.counts_len), c.has_n ? c.n : 0);
  if (!counts) return (void)ended(counts);
  std::optional<stk::counts> pilot;
  if (c.pilot_len) pilot = MUST(stk::counts::create(stk::span<const std::uint64_t>(c.pilot, c.pilot_len)));
  for (std::size_t i = 0; i < (c.k_len ? c.k_len : 1); ++i) {
    const std::size_t k = c.k_len ? c.k[i] : 1;
    std::vector<std::int64_t> labels(k);
    std::vector<double> each(k), kept(k);
    const auto g = counts->guarantee(k, c.sigma, c.has_alpha ? c.alpha : 0.001, {labels, each, kept},
                                     pilot ? &*pilot : nullptr, c.radius_slack);
    if (!ended(g)) return;
    check_guarantee(*g, each, kept, i);
    expect(i < c.expect_labels_lists && same_list(labels, c.expect_labels[i], c.expect_labels_len[i]), "labels");
  }
}

void from_counts(bool certify) {
  const stk::span<const std::uint64_t> numbers(c.counts, c.counts_len);
  const auto counts = stk::counts::create(numbers, c.has_n ? c.n : 0);
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
