#include "parameters.hpp"

#include <algorithm>

using nlohmann::json;
namespace stk = smoothtopk;

namespace {

std::uint64_t whole(const json &value, const std::string &key) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  // JSON readers that know only doubles cannot carry a seed: text does.
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos && text.size() <= 20) try {
        return std::stoull(text);
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
    if (out.size() == 64) throw Refusal(400, "parameter '" + key + "' has more than 64 values");
    out.push_back(static_cast<std::size_t>(whole(all.substr(at, comma - at), key)));
    at = comma + 1;
  }
  return out;
}

Kind kind(const std::string &task) {
  if (task == "certify") return Kind::certify;
  if (task == "predict") return Kind::predict;
  if (task == "certify_answer") return Kind::certify_answer;
  throw Refusal(400, "parameter 'task' is certify, predict or certify_answer");
}

}  // namespace

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

Parameters parse_parameters(const json &given) {
  Parameters p;
  if (given.contains("sigma") == given.contains("noise"))
    throw Refusal(400, "parameter 'sigma', or in its place 'noise', must be given");
  p.builder = given.contains("sigma") ? stk::request_builder(real(given["sigma"], "sigma"))
                                      : stk::request_builder(text(given["noise"], "noise"));
  for (const auto &[key, value] : given.items()) {
    if (key == "task") p.kind = kind(text(value, key));
    else if (key == "k") p.builder.k(p.k = list(value, key));
    else if (key == "n") p.builder.n(p.n = whole(value, key));
    else if (key == "n0") p.builder.n0(p.n0 = whole(value, key));
    else if (key == "alpha") p.builder.alpha(real(value, key));
    else if (key == "rule") p.rule = text(value, key);
    else if (key == "allocation") p.builder.allocation(text(value, key));
    else if (key == "seed") p.builder.seed(whole(value, key));
    else if (key == "stream") p.builder.stream(whole(value, key));
    else if (key == "input_max") p.builder.input_max(real(value, key));
    else if (key == "levels") {
      p.builder.noise_exact(static_cast<std::uint32_t>(std::min<std::uint64_t>(whole(value, key), UINT32_MAX)));
    } else if (key == "generator") {
      const auto generator = text(value, key);
      if (generator != "philox" && generator != "chacha12")
        throw Refusal(400, "parameter 'generator' is philox or chacha12");
      if (generator == "chacha12" && given.contains("seed"))
        throw Refusal(400, "parameter 'seed' is for philox; chacha12 has a key of its own");
      if (generator == "chacha12") p.builder.chacha12();
    } else if (key == "timeout") {
      // Microseconds, as Triton's clients have it; 0 is for none of one's own.
      const auto ms = (std::min<std::uint64_t>(whole(value, key), INT64_MAX / 2) + 999) / 1000;
      if (ms > 0) p.timeout = std::chrono::milliseconds(ms);
    } else if (key != "sigma" && key != "noise" && key != "priority" && key.rfind("sequence_", 0) != 0) {
      throw Refusal(400, "parameter '" + key + "' is unknown");
    }
  }
  return p;
}
