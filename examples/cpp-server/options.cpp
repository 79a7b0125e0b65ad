#include "options.hpp"

#include <charconv>
#include <functional>
#include <stdexcept>

namespace {

template <class T>
void number(const std::string &text, T &out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size())
    throw std::runtime_error("'" + text + "' is not a number that is taken here");
}

void number(const std::string &text, std::chrono::milliseconds &out) {
  std::uint32_t ms = 0;
  number(text, ms);
  out = std::chrono::milliseconds(ms);
}

std::string shown(std::chrono::milliseconds ms) { return std::to_string(ms.count()); }
template <class T>
std::string shown(T value) {
  return std::to_string(value);
}

struct Flag {
  const char *name;
  const char *value;
  const char *what;
  std::string usual;
  std::function<void(const std::string &)> set;
};

std::vector<Flag> flags_of(Options &o) {
  const auto numeric = [](const char *name, const char *value, const char *what, auto &field) {
    return Flag{name, value, what, shown(field), [&field](const std::string &text) { number(text, field); }};
  };
  return {
      {"--model", "NAME=PATH", "an ONNX classifier, served under this name; may be given again", "",
       [&o](const std::string &text) {
         const auto equals = text.find('=');
         if (equals == 0 || equals == std::string::npos) throw std::runtime_error("'" + text + "' is not NAME=PATH");
         o.models.emplace_back(text.substr(0, equals), text.substr(equals + 1));
       }},
      {"--host", "ADDRESS", "where to listen", o.host, [&o](const std::string &text) { o.host = text; }},
      numeric("--port", "PORT", "0: any", o.port),
      numeric("--workers", "N", "threads that read requests and write answers; 0: one a core", o.workers),
      numeric("--max-connections", "N", "beyond them the one that has kept the server waiting for longest is closed",
              o.http.connections),
      numeric("--max-body", "BYTES", "of one request, packed or not", o.http.body),
      numeric("--max-bodies", "BYTES", "of all requests that are held at once", o.http.bodies),
      numeric("--max-inputs", "N", "inputs of one request", o.service.max_inputs),
      numeric("--max-samples", "N", "(n + n0) times the inputs of one request", o.service.max_samples),
      numeric("--idle-ms", "MS", "for the next request of a connection to begin", o.http.idle),
      numeric("--head-ms", "MS", "for a request's header to arrive", o.http.head),
      numeric("--receive-ms", "MS", "for its body to arrive", o.http.receive),
      numeric("--send-ms", "MS", "for a reply to be taken", o.http.send),
      numeric("--timeout-ms", "MS", "for a run, and the most that a request may ask for", o.service.timeout),
      numeric("--predict-ms", "MS", "for a predict under a rule that names no timeout", o.service.predict_within),
      numeric("--drain-ms", "MS", "from SIGTERM, when 'ready' says no, until no connection is accepted", o.http.drain),
      numeric("--grace-ms", "MS", "from SIGTERM until runs are cancelled; the end comes a second later at most",
              o.http.grace),
  };
}

}  // namespace

Options parse_options(int argc, char **argv) {
  Options o;
  const auto flags = flags_of(o);
  for (int i = 1; i < argc; ++i) {
    const std::string given = argv[i];
    if (given == "--help" || given == "-h") {
      o.help = true;
      return o;
    }
    const Flag *found = nullptr;
    for (const auto &flag : flags)
      if (given == flag.name) found = &flag;
    if (!found) throw std::runtime_error("there is no option '" + given + "'; --help lists them");
    if (++i == argc) throw std::runtime_error(given + " needs a value: " + found->value);
    try {
      found->set(argv[i]);
    } catch (const std::exception &e) { throw std::runtime_error(given + ": " + e.what()); }
  }
  if (o.models.empty()) throw std::runtime_error("give --model NAME=PATH; --help tells of the other options");
  if (o.http.connections == 0) throw std::runtime_error("--max-connections: at least 1 is needed");
  o.service.max_body = o.http.body;
  return o;
}

std::string help() {
  Options defaults;
  std::string text =
      "smoothtopk-server --model NAME=PATH [OPTION VALUE]...\n\n"
      "Serves smoothed top-k predictions and certified radii over HTTP (Open Inference Protocol v2).\n\n";
  for (const auto &flag : flags_of(defaults)) {
    std::string left = std::string("  ") + flag.name + " " + flag.value;
    left.resize(std::max<std::size_t>(left.size() + 1, 26), ' ');
    text += left + flag.what + (flag.usual.empty() ? "" : " [" + flag.usual + "]") + "\n";
  }
  return text +
         "  --help                  this text\n\n"
         "Exit status: 0 after SIGTERM or SIGINT; 1 when it cannot start. README.md has the protocol.\n";
}
