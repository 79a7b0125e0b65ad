// The command line.
#ifndef OPTIONS_HPP
#define OPTIONS_HPP

#include <string>
#include <utility>
#include <vector>

#include "http.hpp"
#include "service.hpp"

struct Options {
  std::string host = "127.0.0.1";
  int port = 8000;
  unsigned workers = 0;  // 0: one a core
  HttpLimits http;
  ServiceLimits service;
  std::vector<std::pair<std::string, std::string>> models;  // name, path
  bool help = false;
};

/// Throws std::runtime_error, with what is wrong.
Options parse_options(int argc, char **argv);
std::string help();

#endif
