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

stk::result<stk::answers> ask(bool certify) {
  stk::request_builder b(c.sigma);
  if (c.k_len) b.k(stk::span<const std::size_t>(c.k, c.k_len));
  if (c.has_n) b.n(c.n);
  if (c.has_n0) b.n0(c.n0);
  if (c.has_alpha) b.alpha(c.alpha);
  if (c.bound[0]) b.bound(bound_of());
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
  return certify ? model->certify(*request, input, label) : model->predict(*request, input);
}

void with_model(bool certify) {
  const auto answers = ask(certify);
  if (!ended(answers)) return;
  const std::size_t ks = c.k_len ? c.k_len : 1;
  expect(answers->size() == 1 && answers->k_size() == ks, "the answers' size");
  if (c.expect_counts_len) expect(same_list(*answers->counts(0), c.expect_counts, c.expect_counts_len), "counts");
  expect(same_list(*answers->selection(0), c.expect_selection, c.expect_selection_len), "selection");
  for (std::size_t k = 0; k < ks; ++k) {
    check_summary(*answers->summary(0, k), k);
    if (k < c.expect_labels_lists)
      expect(same_list(*answers->labels(0, k), c.expect_labels[k], c.expect_labels_len[k]), "labels");
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
    const auto s =
        certify ? counts->certify(static_cast<std::size_t>(c.label), k, c.sigma, alpha, bound_of(), c.radius_slack)
                : counts->predict(k, alpha, labels);
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
    if (task == "certify" || task == "predict") with_model(task == "certify");
    else if (task == "counts_certify" || task == "counts_predict") from_counts(task == "counts_certify");
    else expect(false, "the task");
  }
  std::fclose(file);
  CHECK(cases > 0);
  std::printf("c++: %u golden cases\n", cases);
}
