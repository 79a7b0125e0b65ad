// A model and the requests that it answers. All of its instances share it, for the library runs any number of requests
// on one handle.
//
// Execute hands a request to the library and returns. The library's done callback only queues it: it may run before the
// submitting call has returned, and must not free its job. One thread a model answers and releases what is queued, and
// asks every few milliseconds which clients have left: Triton tells that to nobody who does not ask.
#ifndef MODEL_HPP
#define MODEL_HPP

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "config.hpp"
#include "metrics.hpp"
#include "ticket.hpp"

class Model {
 public:
  /// Throws Failure.
  Model(TRITONBACKEND_Model *native, const Families &families);
  /// Triton keeps a model until all of its requests are released: nothing runs any more.
  ~Model();
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;

  /// Takes the requests, and waits while max_running are under way: the others stay in Triton's queue, where its
  /// limits, timeouts and priorities see them. Safe from any number of threads.
  void execute(TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request **requests, std::uint32_t count);

  /// Cancels what runs, now and later, and waits for a while until it is answered.
  void abandon();

 private:
  void accept(TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request *request) noexcept;
  void submit(Ticket &ticket);
  void part_ended(Ticket &ticket);
  void finish();
  void send_look(Ticket &ticket);
  void end(Ticket &ticket);
  void update_metrics(std::size_t requests);

  std::string name_, version_;
  Settings settings_;
  std::optional<stk::model> model_;
  InputSpec input_;
  std::size_t listed_outputs_ = 0;
  std::optional<Metrics> metrics_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<Ticket *> running_;
  std::vector<Ticket *> ended_;
  bool stopping_ = false, abandoned_ = false;
  std::thread finisher_;
};

#endif
