#include "routes.hpp"

#include <sstream>
#include <stdexcept>
#include <vector>

using nlohmann::json;

namespace {

std::vector<std::string> parts_of(const std::string &path) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find('/', at + 1), path.size());
    parts.push_back(path.substr(at, end - at));
    at = end;
  }
  return parts;
}

Reply json_reply(const json &document, int status = 200) {
  Reply reply;
  reply.status = status;
  reply.body = document.dump(-1, ' ', false, json::error_handler_t::replace);
  return reply;
}

Reply error(int status, const std::string &message) { return json_reply({{"error", message}}, status); }

}  // namespace

void Routes::add(const std::string &model, std::unique_ptr<Service> service) {
  if (!services_.emplace(model, std::move(service)).second) throw std::runtime_error("two models are named " + model);
}

Reply Routes::metrics() const {
  std::ostringstream text;
  // Each metric of all models in turn, as the format wants.
  for (std::size_t metric = 0; metric < Service::metrics.size(); ++metric) {
    const std::string_view name = Service::metrics[metric].name;
    const bool counts = name.size() > 6 && name.substr(name.size() - 6) == "_total";
    text << "# HELP smoothtopk_" << name << " " << Service::metrics[metric].help << "\n# TYPE smoothtopk_" << name
         << (counts ? " counter\n" : " gauge\n");
    for (const auto &[model, service] : services_)
      // As JSON has a text, so has Prometheus.
      text << "smoothtopk_" << name << "{model=" << json(model).dump() << "} " << service->numbers()[metric] << "\n";
  }
  Reply reply;
  reply.type = "text/plain; version=0.0.4";
  reply.body = text.str();
  return reply;
}

Cancel Routes::handle(Request request, Answer answer, bool ready) const {
  auto parts = parts_of(request.path);
  Service *service = nullptr;
  if (parts.size() >= 3 && parts[0] == "/v2" && parts[1] == "/models") {
    const auto it = services_.find(parts[2].substr(1));
    if (it == services_.end()) return answer(error(404, "there is no model '" + parts[2].substr(1) + "'")), nullptr;
    service = it->second.get();
    parts.erase(parts.begin(), parts.begin() + 3);
    if (parts.size() >= 2 && parts[0] == "/versions" && parts[1] == "/1") parts.erase(parts.begin(), parts.begin() + 2);
  }
  std::string what;
  for (const auto &part : parts) what += part;
  const bool stream = service && what == "/infer_stream", infer = stream || (service && what == "/infer");
  json document;
  int status = 200;
  if (infer) {
    if (request.method == "POST")
      return stream ? service->infer_stream(std::move(request), std::move(answer))
                    : service->infer(std::move(request), std::move(answer));
  } else if (service && what.empty()) {
    document = service->metadata();
  } else if (service && what == "/stats") {
    document = {{"model_stats", json::array({service->statistics()})}};
  } else if (what == "/metrics") {
    if (request.method == "GET") return answer(metrics()), nullptr;
  } else if (what == "/v2/health/live") {
    document = {{"live", true}};
  } else if (what == "/v2/health/ready" || (service && what == "/ready")) {
    document = {{"ready", ready}};
    status = ready ? 200 : 503;
  } else if (what == "/v2") {
    document = {{"name", "smoothtopk-cpp-server"},
                {"version", std::string(smoothtopk::version())},
                {"extensions", {"binary_tensor_data", "statistics"}}};
  } else {
    return answer(error(404, "there is no such path")), nullptr;
  }
  if (!infer && (request.method == "GET" || request.method == "HEAD"))
    return answer(json_reply(document, status)), nullptr;
  Reply refused = error(405, "this path does not take " + request.method);
  refused.allow = infer ? "POST" : "GET, HEAD";
  return answer(std::move(refused)), nullptr;
}
