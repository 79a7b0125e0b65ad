// An HTTP/1.1 server on one thread, with limits on what a client may cost in time, bytes and connections. Each request
// has an id (X-Request-Id, the client's or a new one) and a line of JSON on stderr. Knows nothing of what is served.
#ifndef HTTP_HPP
#define HTTP_HPP

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

struct HttpLimits {
  std::size_t connections = 512;           // beyond them the one that has kept the server waiting for longest is closed
  std::size_t body = 64u << 20;            // bytes of a request's body, also of one that was packed
  std::size_t bodies = 1u << 30;           // bytes of all bodies that are held at once
  std::chrono::milliseconds idle{60'000};  // between two requests
  std::chrono::milliseconds head{10'000};  // from a request's first byte to the end of its header
  std::chrono::milliseconds receive{60'000};  // from there to the end of its body
  std::chrono::milliseconds send{30'000};     // for a reply to be taken
  std::chrono::milliseconds drain{1'000};     // from SIGTERM until no connection is accepted
  std::chrono::milliseconds grace{4'000};     // from SIGTERM until runs are cancelled; a second later all is closed
};

struct Request {
  std::string method;
  std::string path;  // without a query
  std::string body;
  std::string encoding;       // Content-Encoding
  std::string header_length;  // Inference-Header-Content-Length
};

struct Reply {
  int status = 200;
  std::string body;
  std::string type = "application/json";
  std::size_t header_length = 0;  // Inference-Header-Content-Length, where it is not 0
  std::string allow;              // methods, of a 405
  bool more = false;              // a part of a body: others follow, and one that the client is too slow for is left out
};

/// To be called once, or for each part of a reply in turn; from any thread.
using Answer = std::function<void(Reply)>;
/// Called when nobody waits for the answer any more, or may any longer: it should still come, and soon.
using Cancel = std::function<void()>;

class HttpServer {
 public:
  /// `handler` is called on the server's thread, must not block, and may answer at once or later; the Cancel that it
  /// returns may be empty.
  HttpServer(const HttpLimits &limits, std::function<Cancel(Request, Answer)> handler);
  ~HttpServer();
  HttpServer(const HttpServer &) = delete;
  HttpServer &operator=(const HttpServer &) = delete;

  /// Gives the port; 0 is for any.
  int listen(const std::string &host, int port);
  /// Serves until some time after SIGTERM or SIGINT, as the limits say; a second one ends it at once.
  void run();
  /// From the signal on.
  bool stopping() const noexcept;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

#endif
