#include "model.hpp"

#include <chrono>
#include <cstring>

#include "outputs.hpp"
#include "shutdown.hpp"

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds cancel_poll{5}, metrics_every{100}, abandon_within{5000};

json config_of(TRITONBACKEND_Model *native) {
  TRITONSERVER_Message *message = nullptr;
  check(TRITONBACKEND_ModelConfig(native, 1, &message));
  const char *data = nullptr;
  std::size_t size = 0;
  const auto error = TRITONSERVER_MessageSerializeToJson(message, &data, &size);
  auto out = error ? json() : json::parse(data, data + size);
  TRITONSERVER_ErrorDelete(TRITONSERVER_MessageDelete(message));
  check(error);
  return out;
}

void set_config(TRITONBACKEND_Model *native, const json &config) {
  const auto body = config.dump();
  TRITONSERVER_Message *message = nullptr;
  check(TRITONSERVER_MessageNewFromSerializedJson(&message, body.data(), body.size()));
  const auto error = TRITONBACKEND_ModelSetConfig(native, 1, message);
  TRITONSERVER_ErrorDelete(TRITONSERVER_MessageDelete(message));
  check(error);
}

Value value_of(TRITONSERVER_ParameterType type, const void *value, const std::string &name) {
  switch (type) {
    case TRITONSERVER_PARAMETER_STRING: return std::string(static_cast<const char *>(value));
    case TRITONSERVER_PARAMETER_INT: return *static_cast<const std::int64_t *>(value);
    case TRITONSERVER_PARAMETER_BOOL: return *static_cast<const bool *>(value);
    case TRITONSERVER_PARAMETER_DOUBLE: return *static_cast<const double *>(value);
    default: throw invalid("parameter '" + name + "' has a type that is not taken");
  }
}

Options options_of(TRITONBACKEND_Request *request) {
  Options out;
  std::uint32_t count = 0;
  check(TRITONBACKEND_RequestParameterCount(request, &count));
  for (std::uint32_t i = 0; i < count; ++i) {
    const char *name = nullptr;
    TRITONSERVER_ParameterType type{};
    const void *value = nullptr;
    check(TRITONBACKEND_RequestParameter(request, i, &name, &type, &value));
    // The server's own, such as the wish of a stream for an empty final response.
    if (std::strncmp(name, "triton_", 7) == 0) continue;
    if (!out.set(name, value_of(type, value, name))) throw invalid(unknown(name, Options::names()));
  }
  return out;
}

/// The last response is an error, which stays the caller's.
void refuse(Ticket &ticket, TRITON_ERROR error) {
  logged([&] {
    if (ticket.factory) Response(ticket.factory).send(true, error);
  });
}

}  // namespace

Model::Model(TRITONBACKEND_Model *native, const Families &families) {
  const char *name = nullptr, *folder = nullptr;
  std::uint64_t version = 0;
  TRITONBACKEND_ArtifactType type{};
  check(TRITONBACKEND_ModelName(native, &name));
  check(TRITONBACKEND_ModelVersion(native, &version));
  check(TRITONBACKEND_ModelRepository(native, &type, &folder));
  name_ = name, version_ = std::to_string(version);

  auto config = config_of(native);
  settings_ = read_settings(config);
  model_ = checked(settings_.builder.open(std::string(folder) + "/" + version_ + "/" + settings_.file));
  bool may_complete = false;
  check(TRITONBACKEND_ModelAutoCompleteConfig(native, &may_complete));
  if (may_complete && complete(config, *model_)) set_config(native, config);
  input_ = check_tensors(config, *model_);
  listed_outputs_ = config.value("output", json::array()).size();

  metrics_.emplace(families, name_, version_);
  log(TRITONSERVER_LOG_INFO, name_ + " " + version_ + ": " + std::string(model_->provider()) + ", " +
                                 std::to_string(model_->threads()) + " threads, batches of " +
                                 std::to_string(model_->batch()));
  register_end(std::string(model_->sha256()));
  finisher_ = std::thread([this] { finish(); });
  opened(this);
}

Model::~Model() {
  closed(this);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  finisher_.join();
}

void Model::execute(TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request **requests, std::uint32_t count) {
  // The array is Triton's, and is gone when this returns; the requests are not.
  for (std::uint32_t i = 0; i < count; ++i) {
    accept(instance, requests[i]);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return settings_.max_running == 0 || running_.size() < settings_.max_running; });
  }
}

void Model::accept(TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request *request) noexcept {
  auto &ticket = *new Ticket(instance, request);
  {
    const std::lock_guard lock(mutex_);
    running_.insert(&ticket);
  }
  changed_.notify_all();
  if (auto error = shielded([&] {
        submit(ticket);
        ticket.submitted = true;
      })) {
    refuse(ticket, error);
    TRITONSERVER_ErrorDelete(error);
    ticket.parts = 1;  // there is no run
  }
  part_ended(ticket);
}

void Model::submit(Ticket &ticket) {
  check(TRITONBACKEND_ResponseFactoryNew(&ticket.factory, ticket.request));
  const auto given = options_of(ticket.request);
  auto &asked = ticket.asked = given.build(settings_.defaults, settings_.limits);
  ticket.outputs = wanted_outputs(ticket.request, asked.task, listed_outputs_);

  const Tensor tensor(ticket.request, input_.name, input_.type);
  const auto each = model_->elements();
  if (tensor.elements() == 0 || tensor.elements() % each != 0)
    throw invalid("input '" + input_.name + "' has " + std::to_string(tensor.elements()) +
                  " elements, not a multiple of the model's " + std::to_string(each));
  ticket.inputs = tensor.elements() / each;
  if (asked.n + asked.n0 > settings_.limits.max_samples / ticket.inputs)
    throw invalid("n + n0 of " + std::to_string(ticket.inputs) + " inputs is more than the config's max_samples, " +
                  std::to_string(settings_.limits.max_samples));
  std::optional<Tensor> labels;
  if (has_input(ticket.request, label_input)) {
    if (asked.task != Task::certify) throw invalid("input 'label' is for the task certify");
    labels.emplace(ticket.request, label_input, TRITONSERVER_TYPE_INT64);
  }

  ticket.streams = settings_.decoupled && asked.rule != "fixed";
  if (ticket.streams && ticket.inputs != 1)
    throw invalid("a decoupled model answers with the looks of a rule at one input; the request has " +
                  std::to_string(ticket.inputs));

  // Triton's own timeout, in microseconds, is no parameter, and may only be the shorter one.
  std::uint64_t timeout_us = 0;
  check(TRITONBACKEND_InferenceRequestTimeoutMicroseconds(ticket.request, &timeout_us));
  auto timeout = milliseconds(asked.timeout_ms);
  if (timeout_us > 0 && (timeout.count() == 0 || timeout_us / 1000 < asked.timeout_ms))
    timeout = milliseconds((timeout_us + 999) / 1000);

  const auto request = checked(asked.builder.cancel(ticket.cancel).timeout(timeout).build());
  const auto done = [this, &ticket] { part_ended(ticket); };
  ticket.computing = now();
  switch (asked.task) {
    case Task::certify:
      ticket.job = checked(model_->submit_certify(
          request, tensor.inputs(), labels ? labels->as<std::int64_t>() : stk::span<const std::int64_t>(), done));
      return;
    case Task::predict: ticket.job = checked(model_->submit_predict(request, tensor.inputs(), done)); return;
    case Task::certify_answer:
      ticket.job = checked(model_->submit_certify_answer(request, tensor.inputs(), done));
      return;
  }
}

void Model::part_ended(Ticket &ticket) {
  if (--ticket.parts > 0) return;
  // Under the lock: when it is let go the ticket may be gone, and with the last one the model.
  const std::lock_guard lock(mutex_);
  ended_.push_back(&ticket);
  changed_.notify_all();
}

void Model::abandon() {
  std::unique_lock lock(mutex_);
  abandoned_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, abandon_within, [this] { return running_.empty(); });
}

void Model::finish() {
  auto next_poll = steady_clock::now(), next_metrics = next_poll;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (running_.empty()) {
      changed_.wait(lock, [this] { return stopping_ || !running_.empty(); });
    } else {
      changed_.wait_until(lock, next_poll, [this] { return stopping_ || !ended_.empty(); });
    }
    const auto ended = std::exchange(ended_, {});
    const bool abandoned = abandoned_;
    const auto time = steady_clock::now();
    std::vector<Ticket *> polled;
    if (time >= next_poll) {
      polled.assign(running_.begin(), running_.end());
      next_poll = time + cancel_poll;
    }
    const auto left = running_.size() - ended.size();
    // Only this thread frees tickets. A token may run done callbacks here, and these lock.
    lock.unlock();
    for (auto *ticket : polled) {
      if (!ticket->submitted || ticket->cancel.is_set()) continue;
      bool gone = abandoned;
      logged([&] {
        if (!gone) check(TRITONBACKEND_ResponseFactoryIsCancelled(ticket->factory, &gone));
      });
      if (gone) ticket->cancel.set();
      else if (ticket->streams) send_look(*ticket);
    }
    // Before the answers, so that who has the last one finds it counted.
    if (time >= next_metrics || left == 0) {
      update_metrics(left);
      next_metrics = time + metrics_every;
    }
    for (auto *ticket : ended) end(*ticket);
    lock.lock();
  }
}

void Model::update_metrics(std::size_t requests) {
  logged([&] { metrics_->update(checked(model_->stats()), requests); });
}

void Model::send_look(Ticket &ticket) {
  logged([&] {
    const auto seen = ticket.job->latest(0, ticket.look);
    // What came of the end, or that there is nothing new, is not to be told here.
    if (!seen || !*seen || (*seen)->is_final()) return;
    ticket.look = (*seen)->look;
    Response response(ticket.factory);
    write_outputs(response, (*seen)->answers, ticket.asked, ticket.outputs);
    response.send(false);
  });
}

void Model::end(Ticket &ticket) {
  if (ticket.job) {
    ticket.computed = now();
    if (auto error = shielded([&] {
          const auto answers = checked(ticket.job->get());
          Response response(ticket.factory);
          write_outputs(response, answers, ticket.asked, ticket.outputs);
          response.send(true);
          ticket.answered = true;
        })) {
      refuse(ticket, error);
      TRITONSERVER_ErrorDelete(error);
    }
  }
  logged([&] {
    const auto end = now();
    check(TRITONBACKEND_ModelInstanceReportStatistics(ticket.instance, ticket.request, ticket.answered, ticket.start,
                                                      ticket.computing, ticket.computed, end));
    if (ticket.answered)
      check(TRITONBACKEND_ModelInstanceReportBatchStatistics(ticket.instance, ticket.inputs, ticket.start,
                                                             ticket.computing, ticket.computed, end));
  });
  // Triton may take the instance and the model down then, which waits for this thread.
  logged([&] { check(TRITONBACKEND_RequestRelease(ticket.request, TRITONSERVER_REQUEST_RELEASE_ALL)); });
  if (ticket.factory) TRITONSERVER_ErrorDelete(TRITONBACKEND_ResponseFactoryDelete(ticket.factory));
  {
    const std::lock_guard lock(mutex_);
    running_.erase(&ticket);
  }
  changed_.notify_all();
  delete &ticket;
}
