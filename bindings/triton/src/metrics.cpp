#include "metrics.hpp"

namespace {

/// A counter grows by what its number has grown; a gauge is set.
struct Line {
  TRITONSERVER_MetricKind kind;
  const char *name;
  const char *what;
  uint64_t stk::stats::*number;  ///< null: requests in the library
};
constexpr auto counter = TRITONSERVER_METRIC_KIND_COUNTER;
constexpr auto gauge = TRITONSERVER_METRIC_KIND_GAUGE;
constexpr Line lines[] = {
    {counter, "smoothtopk_samples_total", "Noisy samples counted", &stk::stats::samples},
    {counter, "smoothtopk_invalid_samples_total", "Samples whose scores were not finite",
     &stk::stats::invalid_samples},
    {counter, "smoothtopk_jobs_ended_total", "Inputs that have ended, however", &stk::stats::jobs_ended},
    {counter, "smoothtopk_jobs_cancelled_total", "Inputs that were cancelled", &stk::stats::jobs_cancelled},
    {counter, "smoothtopk_jobs_late_total", "Inputs whose timeout passed", &stk::stats::jobs_late},
    {counter, "smoothtopk_jobs_failed_total", "Inputs that a failed run of the model ended", &stk::stats::jobs_failed},
    {counter, "smoothtopk_jobs_refused_total", "Inputs that were refused as too many", &stk::stats::jobs_refused},
    {counter, "smoothtopk_answers_total", "Statements made, one for each input and k", &stk::stats::answers},
    {counter, "smoothtopk_abstentions_total", "Statements that abstain", &stk::stats::abstentions},
    {gauge, "smoothtopk_samples_waiting", "Samples that wait for a thread", &stk::stats::samples_waiting},
    {gauge, "smoothtopk_jobs_waiting", "Inputs of which no sample was begun", &stk::stats::jobs_waiting},
    {gauge, "smoothtopk_jobs_running", "Inputs that have begun", &stk::stats::jobs_running},
    {gauge, "smoothtopk_requests_running", "Requests in the library", nullptr},
};
static_assert(std::size(lines) == metric_count);

}  // namespace

Families::Families() {
  for (std::size_t i = 0; i < metric_count; ++i)
    if (auto e = TRITONSERVER_MetricFamilyNew(&native_[i], lines[i].kind, lines[i].name, lines[i].what))
      TRITONSERVER_ErrorDelete(e), native_[i] = nullptr;
}

Families::~Families() {
  for (auto *family : native_)
    if (family) TRITONSERVER_ErrorDelete(TRITONSERVER_MetricFamilyDelete(family));
}

Metrics::Metrics(const Families &families, const std::string &model, const std::string &version) {
  auto *const a = TRITONSERVER_ParameterNew("model", TRITONSERVER_PARAMETER_STRING, model.c_str());
  auto *const b = TRITONSERVER_ParameterNew("version", TRITONSERVER_PARAMETER_STRING, version.c_str());
  const TRITONSERVER_Parameter *labels[] = {a, b};
  for (std::size_t i = 0; i < metric_count; ++i) {
    if (families.native_[i] == nullptr) continue;
    if (auto e = TRITONSERVER_MetricNew(&native_[i], families.native_[i], labels, std::size(labels)))
      TRITONSERVER_ErrorDelete(e), native_[i] = nullptr;
  }
  TRITONSERVER_ParameterDelete(a);
  TRITONSERVER_ParameterDelete(b);
}

Metrics::~Metrics() {
  for (auto *metric : native_)
    if (metric) TRITONSERVER_ErrorDelete(TRITONSERVER_MetricDelete(metric));
}

void Metrics::update(const stk::stats &now, std::size_t requests) {
  for (std::size_t i = 0; i < metric_count; ++i) {
    if (native_[i] == nullptr) continue;
    const auto &line = lines[i];
    const auto value = line.number ? now.*line.number : requests;
    TRITONSERVER_ErrorDelete(
        line.kind == gauge
            ? TRITONSERVER_MetricSet(native_[i], static_cast<double>(value))
            : TRITONSERVER_MetricIncrement(native_[i], static_cast<double>(value - before_.*line.number)));
  }
  before_ = now;
}
