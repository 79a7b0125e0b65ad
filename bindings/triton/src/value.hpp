// The value of a parameter: a request's has a type, a config's is text.
#ifndef VALUE_HPP
#define VALUE_HPP

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

using Value = std::variant<std::int64_t, double, bool, std::string>;

/// Says what the value should be; whoever knows the parameter's name puts it before.
struct BadValue : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string text(const Value &value);
double real(const Value &value);
std::uint64_t whole(const Value &value);
/// true, or "true".
bool flag(const Value &value);
/// 3, or "1,3".
std::vector<std::size_t> list(const Value &value);
/// 0.5, or "0.485,0.456,0.406".
std::vector<float> reals(const Value &value);
/// 64 hex digits.
std::vector<std::uint8_t> key(const Value &value);

/// "a,b" as a and b.
std::vector<std::string> split(const std::string &all);

/// "parameter 'NAME' is unknown", with the nearest of those that there are, or all of them where none is near.
std::string unknown(const std::string &name, const std::vector<std::string> &known);

#endif
