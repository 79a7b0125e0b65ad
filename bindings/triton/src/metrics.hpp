// The library's statistics as Triton's metrics, by model and version. A server without metrics has none, which is no
// error.
#ifndef METRICS_HPP
#define METRICS_HPP

#include <array>
#include <cstddef>
#include <string>

#include "errors.hpp"

inline constexpr std::size_t metric_count = 13;

/// One for each metric, as long as the backend is loaded.
class Families {
 public:
  Families();
  ~Families();
  Families(const Families &) = delete;
  Families &operator=(const Families &) = delete;

 private:
  friend class Metrics;
  std::array<TRITONSERVER_MetricFamily *, metric_count> native_{};
};

class Metrics {
 public:
  Metrics(const Families &families, const std::string &model, const std::string &version);
  ~Metrics();
  Metrics(const Metrics &) = delete;
  Metrics &operator=(const Metrics &) = delete;
  /// By one thread at a time.
  void update(const stk::stats &now, std::size_t requests);

 private:
  std::array<TRITONSERVER_Metric *, metric_count> native_{};
  stk::stats before_{};
};

#endif
