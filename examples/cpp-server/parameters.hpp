// What the parameters of a request ask for.
#ifndef PARAMETERS_HPP
#define PARAMETERS_HPP

#include <chrono>
#include <optional>
#include <smoothtopk.hpp>
#include <string>
#include <vector>

#include "protocol.hpp"

enum class Kind { certify, predict, certify_answer };

struct Parameters {
  Kind kind = Kind::certify;
  std::vector<std::size_t> k{1};
  std::uint64_t n = 100'000, n0 = 100;
  std::string rule;  // empty: the kind's own
  std::optional<std::chrono::milliseconds> timeout;
  smoothtopk::request_builder builder{0.0};  // has all but rule and timeout
};

/// Reads them; a parameter that is not known is refused: a misspelt one must not become a default.
Parameters parse_parameters(const nlohmann::json &given);

/// The library's value, or its error, by whose fault it is.
Refusal refusal(const smoothtopk::error &error);
template <class T>
T checked(smoothtopk::result<T> r) {
  if (!r) throw refusal(r.error());
  if constexpr (!std::is_void_v<T>) return *std::move(r);
}

#endif
