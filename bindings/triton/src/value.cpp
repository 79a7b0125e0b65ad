#include "value.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>
#include <system_error>

namespace {

template <class T>
bool parse(const std::string &text, T &out, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size();
}
bool parse(const std::string &text, double &out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

/// How many letters must be changed, put in or left out to make one of the other.
std::size_t distance(const std::string &a, const std::string &b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto here = std::min({row[j] + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1])});
      corner = std::exchange(row[j], here);
    }
  }
  return row.back();
}

}  // namespace

std::string text(const Value &value) {
  if (const auto *s = std::get_if<std::string>(&value)) return *s;
  throw BadValue("is text");
}

double real(const Value &value) {
  if (const auto *d = std::get_if<double>(&value)) return *d;
  if (const auto *i = std::get_if<std::int64_t>(&value)) return static_cast<double>(*i);
  double out = 0;
  if (const auto *s = std::get_if<std::string>(&value); s && parse(*s, out)) return out;
  throw BadValue("is a number");
}

std::uint64_t whole(const Value &value) {
  if (const auto *i = std::get_if<std::int64_t>(&value); i && *i >= 0) return static_cast<std::uint64_t>(*i);
  std::uint64_t out = 0;
  if (const auto *s = std::get_if<std::string>(&value); s && parse(*s, out, 10)) return out;
  throw BadValue("is a whole number, 0 or more");
}

bool flag(const Value &value) {
  if (const auto *b = std::get_if<bool>(&value)) return *b;
  if (const auto *s = std::get_if<std::string>(&value); s && (*s == "true" || *s == "false")) return *s == "true";
  throw BadValue("is true or false");
}

std::vector<std::string> split(const std::string &all) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= all.size();) {
    const auto comma = std::min(all.find(',', at), all.size());
    out.push_back(all.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

std::vector<std::size_t> list(const Value &value) {
  const auto *s = std::get_if<std::string>(&value);
  if (!s) return {static_cast<std::size_t>(whole(value))};
  std::vector<std::size_t> out;
  for (const auto &part : split(*s)) out.push_back(static_cast<std::size_t>(whole(part)));
  return out;
}

std::vector<float> reals(const Value &value) {
  const auto *s = std::get_if<std::string>(&value);
  if (!s) return {static_cast<float>(real(value))};
  std::vector<float> out;
  for (const auto &part : split(*s)) out.push_back(static_cast<float>(real(part)));
  return out;
}

std::vector<std::uint8_t> key(const Value &value) {
  const auto digits = text(value);
  std::vector<std::uint8_t> out(32);
  bool good = digits.size() == 2 * out.size();
  for (std::size_t i = 0; good && i < out.size(); ++i) good = parse(digits.substr(2 * i, 2), out[i], 16);
  if (!good) throw BadValue("has 64 hex digits");
  return out;
}

std::string unknown(const std::string &name, const std::vector<std::string> &known) {
  const std::string *nearest = nullptr;
  std::size_t least = std::max<std::size_t>(3, name.size() / 2);
  std::string all;
  for (const auto &other : known) {
    if (const auto d = distance(name, other); d < least) least = d, nearest = &other;
    all += (all.empty() ? "" : ", ") + other;
  }
  return "parameter '" + name + "' is unknown; " +
         (nearest ? "is '" + *nearest + "' meant?" : "there are: " + all);
}
