// An inference server that answers with smoothed top-k predictions and certified radii: see README.md.
#include <algorithm>
#include <boost/asio/thread_pool.hpp>
#include <csignal>
#include <iostream>
#include <thread>

#include "http.hpp"
#include "options.hpp"
#include "routes.hpp"

namespace {

void serve(const Options &options) {
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  boost::asio::thread_pool workers(options.workers > 0 ? options.workers : cores);
  Routes routes;
  for (const auto &[name, path] : options.models)
    routes.add(name, std::make_unique<Service>(name, path, options.service, workers));
  HttpServer *self = nullptr;
  HttpServer server(options.http, [&](Request request, Answer answer) {
    return routes.handle(std::move(request), std::move(answer), !self->stopping());
  });
  self = &server;
  const int port = server.listen(options.host, options.port);
  std::cout << "listening on " << options.host << ":" << port << std::endl;
  server.run();
  // Their answers go to the server, which must be there.
  workers.join();
}

}  // namespace

int main(int argc, char **argv) {
  // Who reads what is printed may have left.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const Options options = parse_options(argc, argv);
    if (options.help) std::cout << help();
    else serve(options);
    return 0;
  } catch (const std::exception &e) {
    std::cerr << "smoothtopk-server: " << e.what() << "\n";
    return 1;
  }
}
