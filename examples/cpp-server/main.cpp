// An inference server that answers with smoothed top-k predictions and certified radii: see README.md.
#include <httplib.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <charconv>
#include <filesystem>
#include <iostream>
#include <map>
#include <thread>

#include "service.hpp"

using nlohmann::json;

namespace {

struct Options {
  std::string host = "127.0.0.1";
  int port = 8000;
  std::size_t threads = 64;               // connections served at once
  std::size_t max_body = 64u << 20;       // bytes
  std::chrono::milliseconds grace{5000};  // for runs under way at shutdown
  Limits limits;
  std::vector<std::pair<std::string, std::string>> models;
};

constexpr const char *usage =
    "usage: smoothtopk-server --model NAME=PATH [--model NAME=PATH ...] [--host 127.0.0.1] [--port 8000 (0: any)]\n"
    "         [--threads 64] [--max-body BYTES] [--max-samples N] [--timeout-ms 60000] [--grace-ms 5000]\n";

template <class T>
void number(const std::string &text, T &out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) throw std::runtime_error("'" + text + "' is no number");
}

Options parse_options(int argc, char **argv) {
  Options o;
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i];
    if (i + 1 == argc) throw std::runtime_error(flag + " needs a value");
    const std::string value = argv[i + 1];
    std::int64_t ms = 0;
    if (flag == "--model") {
      const auto equals = value.find('=');
      if (equals == 0 || equals == std::string::npos) throw std::runtime_error("--model takes NAME=PATH");
      o.models.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    } else if (flag == "--host") o.host = value;
    else if (flag == "--port") number(value, o.port);
    else if (flag == "--threads") number(value, o.threads);
    else if (flag == "--max-body") number(value, o.max_body);
    else if (flag == "--max-samples") number(value, o.limits.max_samples);
    else if (flag == "--timeout-ms") number(value, ms), o.limits.timeout = std::chrono::milliseconds(ms);
    else if (flag == "--grace-ms") number(value, ms), o.grace = std::chrono::milliseconds(ms);
    else throw std::runtime_error(flag + " is unknown");
  }
  if (o.models.empty() || o.threads == 0) throw std::runtime_error("at least one --model and one thread are needed");
  return o;
}

/// The socket of the connection from this address, -1 if it is not found. httplib's handlers are not told theirs; it
/// stays open while its handler runs, and no other one has the same two ends.
int socket_from(const httplib::Request &request, int server_port) {
  std::error_code gone;
  for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd", gone)) {
    int fd = -1;
    number(entry.path().filename().string(), fd);
    sockaddr_storage peer{}, local{};
    socklen_t peer_size = sizeof peer, local_size = sizeof local;
    if (getpeername(fd, reinterpret_cast<sockaddr *>(&peer), &peer_size) != 0 ||
        getsockname(fd, reinterpret_cast<sockaddr *>(&local), &local_size) != 0)
      continue;
    char host[NI_MAXHOST];
    const auto port = [](const sockaddr_storage &s) {
      // Both families have the port in the same place.
      return ntohs(reinterpret_cast<const sockaddr_in &>(s).sin_port);
    };
    if ((peer.ss_family == AF_INET || peer.ss_family == AF_INET6) && port(peer) == request.remote_port &&
        port(local) == server_port &&
        getnameinfo(reinterpret_cast<sockaddr *>(&peer), peer_size, host, sizeof host, nullptr, 0, NI_NUMERICHOST) ==
            0 &&
        request.remote_addr == host)
      return fd;
  }
  return -1;
}

void reply(httplib::Response &res, const json &document, int status = 200) {
  res.status = status;
  res.set_content(document.dump(-1, ' ', false, json::error_handler_t::replace), "application/json");
}

class Server {
 public:
  explicit Server(const Options &options) : options_(options) {
    for (const auto &[name, path] : options.models) {
      if (!services_.try_emplace(name, nullptr).second) throw std::runtime_error("two models are named " + name);
      services_[name] = std::make_unique<Service>(name, path, options_.limits, abort_);
    }
    http_.new_task_queue = [n = options.threads] { return new httplib::ThreadPool(n); };
    http_.set_payload_max_length(options.max_body);
    http_.set_keep_alive_max_count(1'000'000);
    http_.set_keep_alive_timeout(2);
    http_.set_tcp_nodelay(true);
    routes();
  }

  /// Serves until SIGTERM or SIGINT, which every thread has blocked.
  void run(const sigset_t &signals) {
    port_ = options_.port == 0 ? http_.bind_to_any_port(options_.host.c_str()) : options_.port;
    if (port_ < 0 || (options_.port != 0 && !http_.bind_to_port(options_.host.c_str(), port_)))
      throw std::runtime_error("cannot listen on " + options_.host + ":" + std::to_string(options_.port));
    std::atomic<bool> ended{false};
    std::thread serving([this, &ended] {
      http_.listen_after_bind();
      ended = true;
    });
    // A stop before it runs would be lost.
    while (!http_.is_running() && !ended) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::cout << "listening on " << options_.host << ":" << port_ << std::endl;
    int signal = 0;
    sigwait(&signals, &signal);
    std::cout << "shutting down" << std::endl;
    stopping_ = true;
    // No new connections; runs under way may finish, then they are cancelled.
    http_.stop();
    const auto end = std::chrono::steady_clock::now() + options_.grace;
    while (running_ > 0 && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    abort_.raise();
    serving.join();
    std::cout << "done" << std::endl;
  }

 private:
  struct Running {
    explicit Running(std::atomic<int> &n) : count(n) { ++count; }
    ~Running() { --count; }
    Running(const Running &) = delete;
    Running &operator=(const Running &) = delete;
    std::atomic<int> &count;
  };

  Service &service(const httplib::Request &req) {
    const auto it = services_.find(req.matches[1]);
    if (it == services_.end()) throw Refusal(404, "there is no model '" + std::string(req.matches[1]) + "'");
    return *it->second;
  }

  /// Refusals become {"error": ...}; so does what nobody thought of.
  template <class F>
  httplib::Server::Handler guarded(F handler) {
    return [handler](const httplib::Request &req, httplib::Response &res) {
      try {
        handler(req, res);
      } catch (const Refusal &refusal) {
        reply(res, {{"error", refusal.what()}}, refusal.status);
      } catch (const std::exception &e) { reply(res, {{"error", e.what()}}, 500); }
    };
  }

  void infer(const httplib::Request &req, httplib::Response &res) {
    const Running running(running_);
    if (stopping_) throw Refusal(503, "the server is shutting down");
    try {
      auto response = service(req).infer(req.body, req.get_header_value("Inference-Header-Content-Length"),
                                         socket_from(req, port_));
      if (response.header_length > 0)
        res.set_header("Inference-Header-Content-Length", std::to_string(response.header_length));
      res.set_content(std::move(response.body),
                      response.header_length > 0 ? "application/octet-stream" : "application/json");
    } catch (const Service::Gone &) {
      // Nobody reads this.
      reply(res, {{"error", "the client is gone"}}, 499);
    }
  }

  void routes() {
    const std::string model = "/v2/models/([^/]+)(?:/versions/1)?";
    http_.Get("/v2", guarded([](const auto &, auto &res) {
                reply(res, {{"name", "smoothtopk-cpp-server"},
                            {"version", std::string(smoothtopk::version())},
                            {"extensions", {"binary_tensor_data", "statistics"}}});
              }));
    http_.Get("/v2/health/live", guarded([](const auto &, auto &res) { reply(res, {{"live", true}}); }));
    http_.Get("/v2/health/ready",
              guarded([this](const auto &, auto &res) { reply(res, {{"ready", !stopping_}}, stopping_ ? 503 : 200); }));
    http_.Get(model, guarded([this](const auto &req, auto &res) { reply(res, service(req).metadata()); }));
    http_.Get(model + "/ready", guarded([this](const auto &req, auto &res) {
                service(req);
                reply(res, {{"ready", !stopping_}}, stopping_ ? 503 : 200);
              }));
    http_.Get(model + "/stats", guarded([this](const auto &req, auto &res) {
                reply(res, {{"model_stats", json::array({service(req).statistics()})}});
              }));
    http_.Post(model + "/infer", guarded([this](const auto &req, auto &res) { infer(req, res); }));
    // httplib's own refusals, which have no body.
    http_.set_error_handler([](const httplib::Request &, httplib::Response &res) {
      if (!res.body.empty()) return;
      const char *text = res.status == 404   ? "there is no such path"
                         : res.status == 413 ? "the body is larger than this server takes"
                                             : "the request cannot be read";
      reply(res, {{"error", text}}, res.status);
    });
  }

  const Options &options_;
  const Event abort_;
  std::map<std::string, std::unique_ptr<Service>> services_;
  httplib::Server http_;
  std::atomic<int> running_{0};
  std::atomic<bool> stopping_{false};
  int port_ = 0;
};

}  // namespace

int main(int argc, char **argv) {
  // Before any thread starts, so that the signals wait for sigwait.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  try {
    const Options options = parse_options(argc, argv);
    Server(options).run(signals);
    return 0;
  } catch (const std::exception &e) {
    std::cerr << "smoothtopk-server: " << e.what() << "\n" << (argc < 2 ? usage : "");
    return 1;
  }
}
