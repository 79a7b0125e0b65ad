#include "outputs.hpp"

#include <algorithm>

using nlohmann::json;
namespace stk = smoothtopk;

namespace {

struct Output {
  const char *name;
  const char *datatype;
  std::size_t dims;   // 2: [batch, ks], of labels [batch, 1] or [batch, largest k]; 1: [batch]
  const char *kinds;  // c: certify, p: predict, a: certify_answer
};
constexpr Output outputs[] = {
    {"labels", "INT64", 2, "cpa"},    {"abstain", "BOOL", 2, "cpa"},      {"radius", "FP64", 2, "ca"},
    {"first_radius", "FP64", 2, "a"}, {"ranking_radius", "FP64", 2, "a"}, {"p_value", "FP64", 2, "p"},
    {"decision", "BYTES", 2, "cp"},   {"late", "BOOL", 1, "cpa"},         {"samples", "UINT64", 2, "cpa"},
    {"counted", "UINT64", 1, "cpa"},  {"counts", "BYTES", 1, "cpa"},      {"json", "BYTES", 1, "cpa"},
};

bool has(const Output &output, Kind kind) {
  const char letter = kind == Kind::certify ? 'c' : kind == Kind::predict ? 'p' : 'a';
  return std::string_view(output.kinds).find(letter) != std::string_view::npos;
}

}  // namespace

json outputs_metadata() {
  json all = json::array();
  for (const auto &output : outputs)
    all.push_back({{"name", output.name}, {"datatype", output.datatype}, {"shape", std::vector<int>(output.dims, -1)}});
  return all;
}

void check_outputs(const std::vector<WantedOutput> &wanted, Kind kind) {
  for (const auto &want : wanted) {
    std::string names;
    bool found = false;
    for (const auto &output : outputs) {
      if (!has(output, kind)) continue;
      found = found || want.name == output.name;
      names += (names.empty() ? "" : ", ") + std::string(output.name);
    }
    if (!found) throw Refusal(400, "there is no output '" + want.name + "' of this task; there are " + names);
  }
}

InferResponse response_of(const std::string &model, const InferRequest &request, const Parameters &asked,
                          const stk::answers &answers) {
  const std::size_t count = answers.size(), ks = answers.k_size();
  const auto widest = static_cast<std::size_t>(std::max_element(asked.k.begin(), asked.k.end()) - asked.k.begin());
  std::vector<std::int64_t> labels;
  std::vector<bool> abstain, late;
  std::vector<double> radius, first, ranking, p_value;
  std::vector<std::uint64_t> samples, counted;
  std::vector<std::string> decision, counts, records;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < ks; ++k) {
      const auto s = checked(answers.summary(i, k));
      abstain.push_back(s.abstain != 0);
      radius.push_back(s.radius);
      p_value.push_back(s.p_value);
      samples.push_back(s.n_certified);
      decision.emplace_back(name(static_cast<stk::decision>(s.decision)));
      if (k == 0) late.push_back(s.early_stop != STK_STATUS_OK);
      if (asked.kind != Kind::certify_answer) continue;
      const auto g = checked(answers.guarantee(i, k));
      first.push_back(g.first_radius);
      ranking.push_back(g.ranking_radius);
    }
    for (const auto label : checked(answers.labels(i, widest))) labels.push_back(label);
    const auto evidence = checked(answers.counts(i));
    counted.push_back(evidence.n());
    counts.emplace_back(checked(evidence.json()));
    records.emplace_back(checked(answers.json(i)));
  }
  std::vector<OutputTensor> all;
  all.push_back(output_tensor<std::int64_t>("labels", "INT64", {count, labels.size() / count}, labels));
  all.push_back(output_tensor<std::uint8_t>("abstain", "BOOL", {count, ks}, abstain));
  if (asked.kind != Kind::predict) all.push_back(output_tensor<double>("radius", "FP64", {count, ks}, radius));
  if (asked.kind == Kind::certify_answer) {
    all.push_back(output_tensor<double>("first_radius", "FP64", {count, ks}, first));
    all.push_back(output_tensor<double>("ranking_radius", "FP64", {count, ks}, ranking));
  } else {
    all.push_back(text_tensor("decision", {count, ks}, decision));
  }
  if (asked.kind == Kind::predict) all.push_back(output_tensor<double>("p_value", "FP64", {count, ks}, p_value));
  all.push_back(output_tensor<std::uint8_t>("late", "BOOL", {count}, late));
  all.push_back(output_tensor<std::uint64_t>("samples", "UINT64", {count, ks}, samples));
  all.push_back(output_tensor<std::uint64_t>("counted", "UINT64", {count}, counted));
  all.push_back(text_tensor("counts", {count}, counts));
  return build_infer_response(model, request, std::move(all), {text_tensor("json", {count}, records)});
}
