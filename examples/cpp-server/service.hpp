// A smoothed classifier behind the protocol: what a request's parameters mean, and how a run ends.
#ifndef SERVICE_HPP
#define SERVICE_HPP

#include <array>
#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <smoothtopk.hpp>

#include "http.hpp"
#include "protocol.hpp"

struct ServiceLimits {
  std::uint64_t max_samples = 10'000'000;           // (n + n0) of all inputs of a request
  std::size_t max_inputs = 256;                     // of a request
  std::size_t max_body = HttpLimits{}.body;         // of a request that was unpacked
  std::chrono::milliseconds timeout{60'000};        // of a request that names none, and the longest that one may name
  std::chrono::milliseconds predict_within{5'000};  // the same of a predict under a rule
};

class Service {
 public:
  /// `workers` read requests and write answers; no thread waits for a run.
  Service(std::string name, const std::string &path, const ServiceLimits &limits, boost::asio::thread_pool &workers);

  nlohmann::json metadata() const;
  nlohmann::json statistics() const;
  /// What /metrics says of a model, as Prometheus has it: those that only grow end with _total.
  struct Metric {
    const char *name, *help;
  };
  static constexpr std::array<Metric, 14> metrics{{
      {"requests_answered_total", "Requests that were answered."},
      {"requests_failed_total", "Requests that were answered with an error."},
      {"requests_cancelled_total", "Requests whose client went away, or that the shutdown ended."},
      {"samples_total", "Samples drawn."},
      {"invalid_samples_total", "Samples whose scores were not finite."},
      {"samples_waiting", "Samples that wait for a thread."},
      {"jobs_waiting", "Inputs under way of which no sample was begun."},
      {"jobs_running", "Inputs under way that have begun."},
      {"jobs_ended_total", "Inputs that have ended, however that came."},
      {"jobs_cancelled_total", "Inputs that were cancelled."},
      {"jobs_late_total", "Inputs whose timeout passed, with an answer or without."},
      {"jobs_failed_total", "Inputs that a failed run of the model ended."},
      {"answers_total", "Statements made: predictions, and radii above 0."},
      {"abstentions_total", "Statements that abstain."},
  }};
  /// In their order.
  std::array<std::uint64_t, metrics.size()> numbers() const;
  /// Starts a request's run, at once; its end is the answer.
  Cancel infer(Request request, Answer answer);
  /// The same about one input, with the interim answers of its rule as server-sent events before it.
  Cancel infer_stream(Request request, Answer answer);

 private:
  struct Task;
  struct Run;
  Task task_of(const InferRequest &request, const smoothtopk::cancel_token &token) const;
  Cancel begin(Request request, const std::shared_ptr<Run> &run);
  void start(const std::shared_ptr<Run> &run, Request request);
  void look(const std::shared_ptr<Run> &run);
  void look_later(const std::shared_ptr<Run> &run);
  void finish(const std::shared_ptr<Run> &run);
  template <class F>
  void guarded(const std::shared_ptr<Run> &run, F f);

  const std::string name_;
  const ServiceLimits limits_;
  boost::asio::thread_pool &workers_;
  smoothtopk::model model_;
  std::string input_;
  std::vector<std::int64_t> shape_;
  std::atomic<std::uint64_t> succeeded_{0}, failed_{0}, cancelled_{0};
};

#endif
