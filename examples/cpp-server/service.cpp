#include "service.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmath>
#include <limits>

using nlohmann::json;
namespace stk = smoothtopk;

Event::Event() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) throw std::runtime_error("no event descriptor is to be had");
}
Event::~Event() { close(fd_); }
void Event::raise() const noexcept {
  const std::uint64_t one = 1;
  // It can only fail where it is raised already.
  [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
}

namespace {

/// The library's errors, by whose fault they are.
Refusal refusal(const stk::error &e) {
  std::string message(e.message());
  if (!e.field().empty()) message = std::string(e.field()) + ": " + message;
  switch (e.status()) {
    case stk::status::invalid_argument:
    case stk::status::invalid_data: return Refusal(400, message);
    case stk::status::deadline_exceeded: return Refusal(504, "timeout: " + message);
    case stk::status::cancelled: return Refusal(503, "the server is shutting down");
    default: return Refusal(500, message);
  }
}

template <class T>
T checked(stk::result<T> r) {
  if (!r) throw refusal(r.error());
  if constexpr (!std::is_void_v<T>) return *std::move(r);
}

std::uint64_t whole(const json &value, const std::string &key) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  // JSON readers that know only doubles cannot carry a seed: text does.
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    std::size_t end = 0;
    if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos && text.size() <= 20) try {
        const auto number = std::stoull(text, &end);
        if (end == text.size()) return number;
      } catch (const std::out_of_range &) {}
  }
  throw Refusal(400, "parameter '" + key + "' is a whole number, 0 or more");
}

double real(const json &value, const std::string &key) {
  if (!value.is_number()) throw Refusal(400, "parameter '" + key + "' is a number");
  return value.get<double>();
}

std::string text(const json &value, const std::string &key) {
  if (!value.is_string()) throw Refusal(400, "parameter '" + key + "' is a string");
  return value.get<std::string>();
}

/// 3, or "1,3".
std::vector<std::size_t> list(const json &value, const std::string &key) {
  if (!value.is_string()) return {static_cast<std::size_t>(whole(value, key))};
  std::vector<std::size_t> out;
  const auto all = value.get<std::string>();
  for (std::size_t at = 0; at <= all.size();) {
    const auto comma = std::min(all.find(',', at), all.size());
    out.push_back(static_cast<std::size_t>(whole(all.substr(at, comma - at), key)));
    at = comma + 1;
  }
  if (out.size() > 64) throw Refusal(400, "parameter 'k' has more than 64 values");
  return out;
}

}  // namespace

struct Service::Task {
  bool certify = true;
  std::vector<std::size_t> k{1};
  std::vector<float> inputs;
  std::vector<std::int64_t> labels;
  stk::request request;
};

Service::Service(std::string name, const std::string &path, const Limits &limits, const Event &abort)
    : name_(std::move(name)), model_(checked(stk::model::open(path))), limits_(limits), abort_(abort) {
  input_ = json::parse(model_.signature_json()).at("input").get<std::string>();
  for (const auto dim : checked(model_.shape())) shape_.push_back(dim);
}

json Service::metadata() const {
  json shape = json::array({-1});
  for (const auto dim : shape_) shape.push_back(dim);
  const auto tensor = [](const char *tensor_name, const char *datatype, json dims) {
    return json{{"name", tensor_name}, {"datatype", datatype}, {"shape", std::move(dims)}};
  };
  return {{"name", name_},
          {"versions", {"1"}},
          {"platform", "smoothtopk_onnxruntime"},
          {"inputs", {tensor(input_.c_str(), "FP32", shape), tensor("label", "INT64", {-1})}},
          {"outputs",
           {tensor("labels", "INT64", {-1, -1}), tensor("abstain", "BOOL", {-1, -1}),
            tensor("radius", "FP64", {-1, -1}), tensor("p_value", "FP64", {-1, -1}),
            tensor("counts", "BYTES", {-1}), tensor("json", "BYTES", {-1})}}};
}

json Service::statistics() const {
  const auto count = [](const std::atomic<std::uint64_t> &n) { return json{{"count", n.load()}}; };
  return {
      {"name", name_},
      {"version", "1"},
      {"inference_stats", {{"success", count(succeeded_)}, {"fail", count(failed_)}, {"cancel", count(cancelled_)}}}};
}

Service::Task Service::task_of(const InferRequest &request) const {
  bool certify = true;
  double sigma = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::size_t> k{1};
  std::uint64_t n = 100'000, n0 = 100;
  std::chrono::milliseconds timeout = limits_.timeout;
  if (!request.parameters.contains("sigma")) throw Refusal(400, "parameter 'sigma' is missing");
  sigma = real(request.parameters["sigma"], "sigma");
  stk::request_builder builder(sigma);
  for (const auto &[key, value] : request.parameters.items()) {
    if (key == "task") {
      const auto task = text(value, key);
      if (task != "certify" && task != "predict") throw Refusal(400, "parameter 'task' is certify or predict");
      certify = task == "certify";
    } else if (key == "k") builder.k(k = list(value, key));
    else if (key == "n") builder.n(n = whole(value, key));
    else if (key == "n0") builder.n0(n0 = whole(value, key));
    else if (key == "alpha") builder.alpha(real(value, key));
    else if (key == "allocation") builder.allocation(text(value, key));
    else if (key == "seed") builder.seed(whole(value, key));
    else if (key == "stream") builder.stream(whole(value, key));
    else if (key == "input_max") builder.input_max(real(value, key));
    else if (key == "timeout") {
      // Microseconds, as Triton's clients have it; 0 is for none of one's own.
      const auto microseconds = whole(value, key);
      if (microseconds > 0 && microseconds / 1000 < static_cast<std::uint64_t>(limits_.timeout.count()))
        timeout = std::chrono::milliseconds((microseconds + 999) / 1000);
    } else if (key != "sigma" && key != "priority" && key.rfind("sequence_", 0) != 0) {
      throw Refusal(400, "parameter '" + key + "' is unknown");
    }
  }
  std::vector<float> inputs;
  std::vector<std::int64_t> labels;
  std::vector<std::int64_t> one(shape_.begin(), shape_.end());
  for (const auto &in : request.inputs) {
    if (in.name == input_ && in.datatype == "FP32" && inputs.empty()) {
      // One input, or a batch of them.
      const bool batch = in.shape.size() == one.size() + 1;
      if (!std::equal(one.begin(), one.end(),
                      in.shape.end() - static_cast<std::ptrdiff_t>(std::min(one.size(), in.shape.size())),
                      in.shape.end()) ||
          !(batch || in.shape.size() == one.size()))
        throw Refusal(400, "input '" + input_ + "' has another shape than the model's " + json(one).dump() +
                               ", with or without a batch");
      inputs = in.fp32;
    } else if (in.name == "label" && in.datatype == "INT64" && labels.empty()) {
      labels = in.int64;
    } else {
      throw Refusal(400, "input '" + in.name + "' (" + in.datatype + ") is not taken; '" + input_ +
                             "' (FP32) and 'label' (INT64) are, once");
    }
  }
  const std::size_t count = inputs.size() / model_.elements();
  if (count == 0) throw Refusal(400, "input '" + input_ + "' is missing");
  if (!labels.empty() && !certify) throw Refusal(400, "input 'label' is for task certify");
  const auto most = limits_.max_samples;
  if (n > most || n0 > most - n || (n + n0) > most / count)
    throw Refusal(400, "the request asks for more than " + std::to_string(most) + " samples (n + n0 of every input)");
  return {certify, std::move(k), std::move(inputs), std::move(labels), checked(builder.timeout(timeout).build())};
}

stk::answers Service::run(const Task &task, int client) const {
  // Lives longer than the job, whose end waits for the callback.
  const Event done;
  const auto ready = [&done] { done.raise(); };
  auto job = checked(task.certify ? model_.submit_certify(task.request, task.inputs, task.labels, ready)
                                  : model_.submit_predict(task.request, task.inputs, ready));
  pollfd watched[] = {{done.fd(), POLLIN, 0}, {abort_.fd(), POLLIN, 0}, {client, POLLRDHUP, 0}};
  while (!job.is_done()) {
    if (poll(watched, 3, -1) < 0) continue;
    if (watched[2].revents & (POLLRDHUP | POLLHUP | POLLERR)) throw Gone{};
    if (watched[1].revents) job.cancel(), watched[1].fd = -1;
  }
  // A run that ended early has counts, but neither a certificate nor a prediction: that is an error here.
  return checked(job.get());
}

InferResponse Service::infer(std::string_view body, const std::string &header_length, int client) try {
  const InferRequest request = parse_infer_request(body, header_length);
  const Task task = task_of(request);
  const stk::answers answers = run(task, client);

  const std::size_t count = answers.size(), ks = answers.k_size();
  std::vector<std::int64_t> labels;
  std::vector<bool> abstain;
  std::vector<double> radius, p_value;
  std::vector<std::string> counts, records;
  std::size_t widest = 0;
  for (std::size_t k = 1; k < ks; ++k)
    if (task.k[k] > task.k[widest]) widest = k;
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < ks; ++k) {
      const auto s = checked(answers.summary(i, k));
      abstain.push_back(s.abstain != 0);
      radius.push_back(s.radius);
      p_value.push_back(s.p_value);
      n = s.n;
    }
    for (const auto label : checked(answers.labels(i, widest))) labels.push_back(label);
    counts.emplace_back(checked(checked(answers.counts(i)).json()));
    records.emplace_back(checked(answers.json(i)));
  }
  std::vector<OutputTensor> outputs;
  outputs.push_back(output_tensor<std::int64_t>("labels", "INT64", {count, labels.size() / count}, labels));
  outputs.push_back(output_tensor<std::uint8_t>("abstain", "BOOL", {count, ks}, abstain));
  outputs.push_back(task.certify ? output_tensor<double>("radius", "FP64", {count, ks}, radius)
                                 : output_tensor<double>("p_value", "FP64", {count, ks}, p_value));
  outputs.push_back(text_tensor("counts", counts));
  auto response =
      build_infer_response(name_, request, {{"n", n}}, std::move(outputs), {text_tensor("json", records)});
  ++succeeded_;
  return response;
} catch (const Gone &) {
  ++cancelled_;
  throw;
} catch (...) {
  ++failed_;
  throw;
}
