#include "http.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <sstream>

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using net::ip::tcp;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::uint32_t head_bytes = 16u << 10;
// What is read ahead of the request under way: some of the next one, or the client's end.
constexpr std::size_t ahead_bytes = 64u << 10;
// A connection that is closed with bytes unread is reset, and the reply may be lost: they are read for so long.
constexpr std::chrono::seconds linger{5};
// For the answers of runs that were cancelled.
constexpr std::chrono::seconds last_words{1};

constexpr const char *request_id = "X-Request-Id";

/// A client's name for its request, where it can stand in logs (short, and of visible ASCII), or a new one.
std::string named(const std::string &given) {
  const auto visible = [](unsigned char c) { return c > ' ' && c <= '~'; };
  if (!given.empty() && given.size() <= 128 && std::all_of(given.begin(), given.end(), visible)) return given;
  static std::random_device random;
  std::ostringstream id;
  for (int i = 0; i < 4; ++i) id << std::hex << std::setw(8) << std::setfill('0') << random();
  return id.str();
}

/// The time in UTC, as RFC 3339 has it.
std::string timestamp() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc));
}

Reply failure(int status, const std::string &message) {
  Reply reply;
  reply.status = status;
  reply.body = "{\"error\":\"" + message + "\"}";
  return reply;
}

class Session;

}  // namespace

struct HttpServer::Impl {
  Impl(const HttpLimits &l, std::function<Cancel(Request, Answer)> h) : limits(l), handler(std::move(h)) {}
  void accept();
  void begin(tcp::socket socket);
  void stop();
  void close_listener();
  void end(const std::shared_ptr<Session> &session);

  const HttpLimits limits;
  const std::function<Cancel(Request, Answer)> handler;
  net::io_context io{1};
  tcp::acceptor acceptor{io};
  net::signal_set signals{io};
  net::steady_timer timer{io}, pause{io};
  std::set<std::shared_ptr<Session>> sessions;
  std::size_t held = 0;  // bytes of all bodies
  std::atomic<bool> stopping{false};
};

namespace {

/// A connection. One read is always under way, so that the client's end is seen at once; deadlines are for whole steps,
/// so that no byte now and then keeps it open.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, HttpServer::Impl &server)
      : server_(server), socket_(std::move(socket)), timer_(server.io), buffer_(ahead_bytes) {}

  void start() {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);
    next();
  }
  bool idle() const { return state_ == State::idle; }
  /// Not for the server's sake: it has nothing to do for this client.
  bool waiting() const { return state_ != State::running && state_ != State::replying; }
  Clock::time_point since() const { return since_; }
  /// Ends the run that may be under way, whose answer is still sent, or else the connection.
  void cancel() {
    if (state_ == State::running && cancel_) cancel_();
    else if (waiting()) close();
  }
  void close() {
    if (state_ == State::closed) return;
    if (state_ == State::running && cancel_) cancel_();
    // It may hold this session.
    cancel_ = nullptr;
    state_ = State::closed;
    hold(0);
    log();
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
    server_.end(shared_from_this());
  }

 private:
  enum class State { idle, head, body, running, replying, lingering, closed };

  void enter(State state, std::chrono::milliseconds deadline) {
    state_ = state;
    timer_.expires_after(deadline);
    timer_.async_wait([self = shared_from_this()](error_code ec) {
      // One that was to fire when it was set anew, or stopped, is not cancelled.
      if (!ec && self->timer_.expiry() <= Clock::now()) self->expired();
    });
  }
  void next() {
    parser_.emplace();
    parser_->header_limit(head_bytes);
    parser_->body_limit(server_.limits.body);
    since_ = Clock::now();
    enter(State::idle, server_.limits.idle);
    if (buffer_.size() > 0) took();
    else read();
  }
  void read() {
    if (reading_ || buffer_.size() >= ahead_bytes) return;
    reading_ = true;
    socket_.async_read_some(buffer_.prepare(ahead_bytes - buffer_.size()),
                            [self = shared_from_this()](error_code ec, std::size_t bytes) {
                              self->reading_ = false;
                              self->buffer_.commit(bytes);
                              if (self->state_ == State::closed) return;
                              if (!ec) self->took();
                              // A reply under way may still be read.
                              else if (self->state_ != State::replying) self->close();
                            });
  }
  void took() {
    if (state_ == State::idle) enter(State::head, server_.limits.head);
    if (state_ == State::lingering) buffer_.consume(buffer_.size());
    if (state_ == State::head || state_ == State::body) parse();
    else read();
  }
  void parse() {
    while (buffer_.size() > 0) {
      error_code ec;
      const bool before = parser_->is_header_done();
      buffer_.consume(parser_->put(buffer_.data(), ec));
      if (ec == http::error::need_more && buffer_.size() < ahead_bytes) break;
      if (ec == http::error::body_limit)
        return refuse(413, "the body is larger than " + std::to_string(server_.limits.body) + " bytes");
      if (ec == http::error::header_limit)
        return refuse(431, "the header is larger than " + std::to_string(head_bytes) + " bytes");
      if (ec) return refuse(400, "the request cannot be read as HTTP/1.1");
      hold(parser_->get().body().size());
      if (server_.held > server_.limits.bodies)
        return refuse(503, "the server is busy: it holds as many bytes of requests as it may");
      if (parser_->is_done()) return dispatch();
      if (!before && parser_->is_header_done()) {
        enter(State::body, server_.limits.receive);
        if (boost::beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
          // Nothing is on its way to the client: the socket has room for it.
          error_code ignored;
          socket_.write_some(net::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), ignored);
        }
      }
    }
    read();
  }
  void dispatch() {
    timer_.cancel();
    state_ = State::running;
    auto message = parser_->release();
    keep_ = message.keep_alive();
    version_ = message.version();
    const auto text = [](const auto &view) { return std::string(view.data(), view.size()); };
    Request request;
    request.method = text(message.method_string());
    head_only_ = message.method() == http::verb::head;
    request.path = text(message.target());
    request.path.resize(std::min(request.path.find('?'), request.path.size()));
    begin(text(message[request_id]), request.method, request.path);
    request.body = std::move(message.body());
    request.encoding = text(message[http::field::content_encoding]);
    request.header_length = text(message["Inference-Header-Content-Length"]);
    cancel_ = server_.handler(std::move(request), [self = shared_from_this()](Reply reply) {
      net::post(self->server_.io, [self, reply = std::move(reply)]() mutable {
        if (self->state_ == State::running) self->reply(std::move(reply));
      });
    });
    read();
  }
  void begin(const std::string &id, const std::string &method, const std::string &path) {
    entry_ = {{"time", ""}, {"msg", "request"}, {"id", named(id)}, {"method", method}, {"path", path}, {"status", 0}};
    begun_ = Clock::now();
  }
  /// A line about the request that has ended. Its status is 0 where nothing was answered: the client left.
  void log() {
    if (entry_.empty()) return;
    entry_["time"] = timestamp();
    entry_["ms"] = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begun_).count() / 1000.0;
    std::clog << entry_.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
    entry_.clear();
  }
  void refuse(int status, const std::string &message) {
    keep_ = false;
    begin("", "", "");
    reply(failure(status, message));
  }
  /// A part of a reply that is sent as it comes; the last one ends it, and the connection.
  void part(Reply from) {
    if (last_) return;
    last_ = !from.more;
    hold(0);
    std::string out;
    if (!in_parts_) {
      in_parts_ = true;
      out = "HTTP/1.1 200 OK\r\nContent-Type: " + from.type + "\r\nCache-Control: no-store\r\nConnection: close\r\n";
      // What HTTP/1.0 does not know ends with the connection.
      out += std::string(request_id) + ": " + entry_["id"].get<std::string>() + "\r\n";
      entry_["status"] = 200;
      out += version_ >= 11 ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n";
    }
    std::ostringstream length;
    length << std::hex << from.body.size() << "\r\n";
    out += version_ >= 11 ? length.str() + from.body + "\r\n" : from.body;
    if (last_ && version_ >= 11) out += "0\r\n\r\n";
    next_part_ = std::move(out);
    if (!writing_) write_part();
  }
  void write_part() {
    writing_ = true;
    part_ = *std::exchange(next_part_, std::nullopt);
    enter(State::running, server_.limits.send);
    net::async_write(socket_, net::buffer(part_), [self = shared_from_this()](error_code ec, std::size_t) {
      self->writing_ = false;
      if (self->state_ == State::closed) return;
      if (ec) return self->close();
      if (self->next_part_) return self->write_part();
      self->timer_.cancel();
      if (!self->last_) return;
      self->log();
      self->cancel_ = nullptr;
      self->socket_.shutdown(tcp::socket::shutdown_send, ec);
      self->enter(State::lingering, linger);
      self->took();
    });
  }
  void reply(Reply from) {
    if (from.more || in_parts_) return part(std::move(from));
    cancel_ = nullptr;
    hold(0);
    response_ = {};
    response_.version(version_);
    response_.result(static_cast<unsigned>(from.status));
    response_.set(http::field::content_type, from.type);
    response_.set(request_id, entry_["id"].get<std::string>());
    entry_["status"] = from.status;
    if (from.header_length > 0) response_.set("Inference-Header-Content-Length", std::to_string(from.header_length));
    if (!from.allow.empty()) response_.set(http::field::allow, from.allow);
    keep_ = keep_ && !server_.stopping;
    response_.keep_alive(keep_);
    response_.body() = std::move(from.body);
    response_.prepare_payload();
    if (head_only_) response_.body().clear();
    enter(State::replying, server_.limits.send);
    http::async_write(socket_, response_, [self = shared_from_this()](error_code ec, std::size_t) {
      if (self->state_ == State::closed) return;
      if (ec) return self->close();
      self->log();
      if (self->keep_) return self->next();
      self->socket_.shutdown(tcp::socket::shutdown_send, ec);
      self->enter(State::lingering, linger);
      self->took();
    });
  }
  void expired() {
    if (state_ == State::running && !writing_) return;
    if (state_ == State::head || state_ == State::body) refuse(408, "the request did not arrive in time");
    else close();
  }
  /// Says how many bytes of a body are held.
  void hold(std::size_t bytes) {
    server_.held += bytes - held_;
    held_ = bytes;
  }

  HttpServer::Impl &server_;
  tcp::socket socket_;
  net::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  Cancel cancel_;
  State state_ = State::idle;
  Clock::time_point since_, begun_;
  // What is logged of the request under way.
  nlohmann::ordered_json entry_;
  std::size_t held_ = 0;
  unsigned version_ = 11;
  bool keep_ = false, head_only_ = false, reading_ = false;
  // Of a reply in parts: the one that is being written, and the one after it.
  bool in_parts_ = false, last_ = false, writing_ = false;
  std::string part_;
  std::optional<std::string> next_part_;
};

}  // namespace

void HttpServer::Impl::accept() {
  acceptor.async_accept([this](error_code ec, tcp::socket socket) {
    if (!acceptor.is_open()) return;
    if (!ec) {
      begin(std::move(socket));
      return accept();
    }
    // There are no descriptors left, say: clients wait until there are.
    pause.expires_after(std::chrono::milliseconds(50));
    pause.async_wait([this](error_code) {
      if (acceptor.is_open()) accept();
    });
  });
}

void HttpServer::Impl::begin(tcp::socket socket) {
  if (sessions.size() >= limits.connections) {
    std::shared_ptr<Session> longest;
    for (const auto &session : sessions)
      if (session->waiting() && (!longest || session->since() < longest->since())) longest = session;
    // All have runs under way: this one is closed, and not answered.
    if (!longest) return;
    longest->close();
  }
  (*sessions.insert(std::make_shared<Session>(std::move(socket), *this)).first)->start();
}

void HttpServer::Impl::stop() {
  stopping = true;
  std::cout << "shutting down" << std::endl;
  const auto drain = std::min(limits.drain, limits.grace);
  timer.expires_after(drain);
  timer.async_wait([this, drain](error_code) {
    close_listener();
    timer.expires_after(limits.grace - drain);
    timer.async_wait([this](error_code) {
      for (const auto &session : std::set(sessions)) session->cancel();
      timer.expires_after(last_words);
      timer.async_wait([this](error_code) { io.stop(); });
    });
  });
}

void HttpServer::Impl::close_listener() {
  error_code ignored;
  acceptor.close(ignored);
  for (const auto &session : std::set(sessions))
    if (session->idle()) session->close();
  if (sessions.empty()) io.stop();
}

void HttpServer::Impl::end(const std::shared_ptr<Session> &session) {
  sessions.erase(session);
  if (sessions.empty() && !acceptor.is_open()) io.stop();
}

HttpServer::HttpServer(const HttpLimits &limits, std::function<Cancel(Request, Answer)> handler)
    : impl_(std::make_unique<Impl>(limits, std::move(handler))) {}
HttpServer::~HttpServer() = default;

int HttpServer::listen(const std::string &host, int port) {
  const auto found = tcp::resolver(impl_->io).resolve(host, std::to_string(port));
  const tcp::endpoint endpoint = found.begin()->endpoint();
  impl_->acceptor.open(endpoint.protocol());
  impl_->acceptor.set_option(tcp::acceptor::reuse_address(true));
  impl_->acceptor.bind(endpoint);
  impl_->acceptor.listen();
  return impl_->acceptor.local_endpoint().port();
}

void HttpServer::run() {
  for (const int signal : {SIGTERM, SIGINT}) impl_->signals.add(signal);
  impl_->signals.async_wait([this](error_code, int) {
    impl_->stop();
    impl_->signals.async_wait([this](error_code, int) { impl_->io.stop(); });
  });
  impl_->accept();
  impl_->io.run();
  std::cout << "done" << std::endl;
}

bool HttpServer::stopping() const noexcept { return impl_->stopping; }
