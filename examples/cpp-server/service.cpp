#include "service.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <optional>

#include "outputs.hpp"
#include "parameters.hpp"
#include "unpack.hpp"

using nlohmann::json;
namespace stk = smoothtopk;

namespace {

Reply reply_of(InferResponse response) {
  Reply reply;
  reply.header_length = response.header_length;
  if (response.header_length > 0) reply.type = "application/octet-stream";
  reply.body = std::move(response.body);
  return reply;
}

/// How often interim answers are looked for: as often as anyone can read.
constexpr std::chrono::milliseconds between_looks{25};

/// A server-sent event.
Reply event(const char *name, const std::string &json, bool more) {
  Reply reply;
  reply.type = "text/event-stream";
  reply.body = std::string("event: ") + name + "\ndata: " + json + "\n\n";
  reply.more = more;
  return reply;
}

}  // namespace

struct Service::Task {
  Parameters asked;
  std::vector<float> inputs;
  std::vector<std::int64_t> labels;
  stk::request request;
};

struct Service::Run {
  Run(Answer a, stk::cancel_token t) : answer(std::move(a)), token(std::move(t)) {}

  const Answer answer;
  const stk::cancel_token token;
  InferRequest request;
  std::optional<Task> task;
  std::mutex submitting;  // the run may end before its job is known here
  std::optional<stk::job> job;
  // Of a stream.
  std::optional<boost::asio::steady_timer> timer;
  std::uint64_t seen = 0;
  std::atomic<bool> has_begun{false};
};

Service::Service(std::string name, const std::string &path, const ServiceLimits &limits,
                 boost::asio::thread_pool &workers)
    : name_(std::move(name)), limits_(limits), workers_(workers), model_(checked(stk::model::open(path))) {
  input_ = json::parse(model_.signature_json()).at("input").get<std::string>();
  for (const auto dim : checked(model_.shape())) shape_.push_back(static_cast<std::int64_t>(dim));
}

json Service::metadata() const {
  json shape = json::array({-1});
  for (const auto dim : shape_) shape.push_back(dim);
  return {{"name", name_},
          {"versions", {"1"}},
          {"platform", "smoothtopk_onnxruntime"},
          {"inputs",
           {{{"name", input_}, {"datatype", "FP32"}, {"shape", std::move(shape)}},
            {{"name", "label"}, {"datatype", "INT64"}, {"shape", json::array({-1})}}}},
          {"outputs", outputs_metadata()}};
}

json Service::statistics() const {
  const auto count = [](const std::atomic<std::uint64_t> &n) { return json{{"count", n.load()}}; };
  return {
      {"name", name_},
      {"version", "1"},
      {"inference_stats", {{"success", count(succeeded_)}, {"fail", count(failed_)}, {"cancel", count(cancelled_)}}}};
}

std::array<std::uint64_t, Service::metrics.size()> Service::numbers() const {
  const stk::stats s = checked(model_.stats());
  return {succeeded_,     failed_,       cancelled_,    s.samples,        s.invalid_samples, s.samples_waiting,
          s.jobs_waiting, s.jobs_running, s.jobs_ended, s.jobs_cancelled, s.jobs_late,       s.jobs_failed,
          s.answers,      s.abstentions};
}

Service::Task Service::task_of(const InferRequest &request, const stk::cancel_token &token) const {
  Parameters asked = parse_parameters(request.parameters);
  check_outputs(request.outputs, asked.kind);
  std::vector<float> inputs;
  std::vector<std::int64_t> labels;
  for (const auto &in : request.inputs) {
    if (in.name == input_ && in.datatype == "FP32" && inputs.empty()) {
      // One input, or a batch of them.
      const bool batch = in.shape.size() == shape_.size() + 1;
      if (!std::equal(shape_.begin(), shape_.end(), in.shape.begin() + batch, in.shape.end()))
        throw Refusal(400, "input '" + input_ + "' has another shape than the model's " + json(shape_).dump() +
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
  if (count > limits_.max_inputs)
    throw Refusal(400, "the request has more than " + std::to_string(limits_.max_inputs) + " inputs");
  if (!labels.empty() && asked.kind != Kind::certify) throw Refusal(400, "input 'label' is for task certify");
  const auto most = limits_.max_samples, n = asked.n, n0 = asked.n0;
  if (n > most || n0 > most - n || (n + n0) > most / count)
    throw Refusal(400, "the request asks for more than " + std::to_string(most) + " samples (n + n0 of every input)");

  // Those who ask for a prediction wait: it ends when its labels are settled, or when it is due.
  if (asked.rule.empty()) asked.rule = asked.kind == Kind::predict ? "predict" : "fixed";
  const auto longest =
      asked.kind == Kind::predict && asked.rule != "fixed" && !asked.timeout ? limits_.predict_within : limits_.timeout;
  asked.builder.rule(asked.rule).timeout(std::min(asked.timeout.value_or(longest), longest)).cancel(token);
  auto built = checked(asked.builder.build());
  return {std::move(asked), std::move(inputs), std::move(labels), std::move(built)};
}

/// A refusal, and what nobody thought of, become {"error": ...}.
template <class F>
void Service::guarded(const std::shared_ptr<Run> &run, F f) {
  int status = 500;
  std::string message;
  try {
    return f();
  } catch (const Refusal &refusal) {
    status = refusal.status;
    message = refusal.what();
  } catch (const std::bad_alloc &) {
    status = 503;
    message = "the server has no memory left for this request";
  } catch (const std::exception &e) { message = e.what(); }
  ++(run->token.is_set() ? cancelled_ : failed_);
  Reply reply;
  reply.status = status;
  reply.body = json{{"error", message}}.dump(-1, ' ', false, json::error_handler_t::replace);
  if (run->has_begun) reply = event("error", reply.body, false);
  run->answer(std::move(reply));
}

Cancel Service::infer(Request request, Answer answer) {
  return begin(std::move(request), std::make_shared<Run>(std::move(answer), checked(stk::cancel_token::create())));
}

Cancel Service::infer_stream(Request request, Answer answer) {
  auto run = std::make_shared<Run>(std::move(answer), checked(stk::cancel_token::create()));
  run->timer.emplace(workers_);
  return begin(std::move(request), run);
}

Cancel Service::begin(Request request, const std::shared_ptr<Run> &run) {
  boost::asio::post(workers_, [this, run, request = std::move(request)]() mutable {
    guarded(run, [&] { start(run, std::move(request)); });
  });
  return [run] { run->token.set(); };
}

void Service::start(const std::shared_ptr<Run> &run, Request request) {
  if (run->token.is_set()) throw Refusal(503, "the server is shutting down");
  const std::string body = unpacked(std::move(request.body), request.encoding, limits_.max_body);
  // Each input may have a label.
  run->request = parse_infer_request(body, request.header_length, limits_.max_inputs * (model_.elements() + 1));
  run->task.emplace(task_of(run->request, run->token));
  run->request.inputs.clear();
  if (run->timer) {
    if (run->task->inputs.size() != model_.elements())
      throw Refusal(400, "infer_stream is about one input: ask for each by itself");
    bool binary = run->request.binary_outputs;
    for (const auto &output : run->request.outputs) binary |= output.binary;
    if (binary) throw Refusal(400, "infer_stream has its outputs in JSON: ask for none in binary");
  }
  const Task &task = *run->task;
  const auto done = [this, run] { boost::asio::post(workers_, [this, run] { guarded(run, [&] { finish(run); }); }); };
  const std::lock_guard<std::mutex> lock(run->submitting);
  switch (task.asked.kind) {
    case Kind::certify: run->job = checked(model_.submit_certify(task.request, task.inputs, task.labels, done)); break;
    case Kind::predict: run->job = checked(model_.submit_predict(task.request, task.inputs, done)); break;
    case Kind::certify_answer: run->job = checked(model_.submit_certify_answer(task.request, task.inputs, done)); break;
  }
  run->task->inputs = {};
  if (!run->timer) return;
  try {
    // A fixed n has no interim answers.
    static_cast<void>(checked(run->job->latest()));
  } catch (const Refusal &) {
    // Its end waits for the callback, which only posts, and so for no lock.
    run->job.reset();
    throw;
  }
  look_later(run);
}

void Service::look_later(const std::shared_ptr<Run> &run) {
  run->timer->expires_after(between_looks);
  run->timer->async_wait([this, run](const boost::system::error_code &) { guarded(run, [&] { look(run); }); });
}

/// Sends the interim answer that there may be; the final one is finish's.
void Service::look(const std::shared_ptr<Run> &run) {
  const std::lock_guard<std::mutex> lock(run->submitting);
  if (!run->job || run->job->is_done()) return;
  const auto latest = checked(run->job->latest(0, run->seen));
  if (latest && !latest->is_final()) {
    run->seen = latest->look;
    const auto response = response_of(name_, run->request, run->task->asked, latest->answers);
    run->has_begun = true;
    run->answer(event("interim", response.body, true));
  }
  look_later(run);
}

void Service::finish(const std::shared_ptr<Run> &run) {
  std::optional<stk::job> job;
  {
    const std::lock_guard<std::mutex> lock(run->submitting);
    job = std::exchange(run->job, std::nullopt);
  }
  // It was refused.
  if (!job) return;
  // A run that ended early has counts, but neither a certificate nor a prediction: that is an error here.
  const stk::answers answers = checked(job->get());
  InferResponse response = response_of(name_, run->request, run->task->asked, answers);
  ++succeeded_;
  run->answer(run->timer ? event("final", response.body, false) : reply_of(std::move(response)));
}
