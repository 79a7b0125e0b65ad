// What a request may ask for: parameters of the request, or, as defaults, of the model's config.
#ifndef OPTIONS_HPP
#define OPTIONS_HPP

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "errors.hpp"
#include "value.hpp"

enum class Task { certify, predict, certify_answer };
/// Throws BadValue.
Task task_of(const std::string &name);

/// What the config lets a request have.
struct Limits {
  std::uint64_t max_n = 1'000'000;          ///< n + n0 of one input
  std::uint64_t max_samples = 100'000'000;  ///< n + n0 of all inputs of a request
  std::uint64_t max_timeout_ms = 60'000;    ///< 0: any, and none
  std::set<Task> tasks{Task::certify, Task::predict, Task::certify_answer};
  bool allow_seed = false;  ///< whoever chooses the noise knows it, and can find inputs that it certifies wrongly
};

/// A request's options, checked and complete.
struct Asked {
  Task task = Task::certify;
  std::vector<std::size_t> k{1};
  std::uint64_t n = 100'000, n0 = 100;
  /// HTTP clients that went away are never told of, so a request without a timeout would run for nobody.
  std::uint64_t timeout_ms = 10'000;
  std::string rule = "fixed";
  stk::request_builder builder{1.0};

  /// Where in k the largest one is.
  std::size_t widest() const;
};

struct Option;

/// Options that were given, whose values are not looked at yet.
class Options {
 public:
  /// Throws Failure for a second option that says the same (sigma and noise). False: there is no such option.
  bool set(const std::string &name, Value value);
  /// Whether one of the slot was given.
  bool has(const char *slot) const { return find(slot) != nullptr; }
  /// These, and for what they do not say the defaults.
  Asked build(const Options &defaults, const Limits &limits) const;
  static std::vector<std::string> names();

 private:
  const std::pair<const Option *, Value> *find(const char *slot) const;
  std::vector<std::pair<const Option *, Value>> given_;
};

#endif
