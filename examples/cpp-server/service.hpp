// A smoothed classifier behind the protocol: what a request's parameters mean, and how a run ends.
#ifndef SERVICE_HPP
#define SERVICE_HPP

#include <atomic>
#include <cstdint>
#include <smoothtopk.hpp>

#include "protocol.hpp"

/// A file descriptor that poll(2) finds readable once it was raised.
class Event {
 public:
  Event();
  ~Event();
  Event(const Event &) = delete;
  Event &operator=(const Event &) = delete;
  void raise() const noexcept;
  int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

struct Limits {
  std::uint64_t max_samples = 10'000'000;     // (n + n0) of all inputs of a request
  std::chrono::milliseconds timeout{60'000};  // of a request that names none, and the longest that one may name
};

class Service {
 public:
  Service(std::string name, const std::string &path, const Limits &limits, const Event &abort);

  const std::string &name() const noexcept { return name_; }
  nlohmann::json metadata() const;
  nlohmann::json statistics() const;
  /// Runs a request. `client` is the connection's socket, -1 if unknown: when it is closed, the run is cancelled and
  /// Gone is thrown.
  InferResponse infer(std::string_view body, const std::string &header_length, int client);

  struct Gone {};

 private:
  struct Task;
  Task task_of(const InferRequest &request) const;
  smoothtopk::answers run(const Task &task, int client) const;

  std::string name_;
  smoothtopk::model model_;
  std::string input_;
  std::vector<std::size_t> shape_;
  const Limits &limits_;
  const Event &abort_;
  std::atomic<std::uint64_t> succeeded_{0}, failed_{0}, cancelled_{0};
};

#endif
