#include "options.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

/// A line for each. Options of one slot exclude one another: a request's `sigma` takes the place of a default `noise`.
struct Option {
  const char *name;
  const char *slot;
  bool secret;  ///< says what the noise is: see Limits::allow_seed
  void (*apply)(Asked &, const Value &);
};

namespace {

// Applied in this order: the noise comes first, for the others are checked against it.
constexpr Option options[] = {
    {"sigma", "noise", false, [](Asked &a, const Value &v) { a.builder.noise(real(v)); }},
    {"noise", "noise", false, [](Asked &a, const Value &v) { a.builder.noise(text(v)); }},
    {"levels", "levels", false,
     [](Asked &a, const Value &v) {
       const auto levels = whole(v);
       if (levels > std::numeric_limits<std::uint32_t>::max()) throw BadValue("is at most 1048576");
       a.builder.noise_exact(static_cast<std::uint32_t>(levels));
     }},
    {"input_max", "input_max", false, [](Asked &a, const Value &v) { a.builder.input_max(real(v)); }},
    {"task", "task", false, [](Asked &a, const Value &v) { a.task = task_of(text(v)); }},
    {"k", "k", false, [](Asked &a, const Value &v) { a.builder.k(a.k = list(v)); }},
    {"n", "n", false, [](Asked &a, const Value &v) { a.builder.n(a.n = whole(v)); }},
    {"n0", "n0", false, [](Asked &a, const Value &v) { a.builder.n0(a.n0 = whole(v)); }},
    {"alpha", "alpha", false, [](Asked &a, const Value &v) { a.builder.alpha(real(v)); }},
    {"allocation", "allocation", false, [](Asked &a, const Value &v) { a.builder.allocation(text(v)); }},
    {"rule", "rule", false, [](Asked &a, const Value &v) { a.builder.rule(a.rule = text(v)); }},
    {"randomized", "randomized", false, [](Asked &a, const Value &v) { a.builder.randomized(flag(v)); }},
    {"timeout_ms", "timeout_ms", false, [](Asked &a, const Value &v) { a.timeout_ms = whole(v); }},
    {"generator", "generator", false,
     [](Asked &a, const Value &v) {
       const auto name = text(v);
       if (name != "philox" && name != "chacha12") throw BadValue("is philox or chacha12");
       if (name == "chacha12") a.builder.chacha12();
     }},
    {"seed", "generator", true, [](Asked &a, const Value &v) { a.builder.seed(whole(v)); }},
    {"key", "generator", true, [](Asked &a, const Value &v) { a.builder.chacha12(key(v)); }},
    {"stream", "stream", false, [](Asked &a, const Value &v) { a.builder.stream(whole(v)); }},
};

void check_limits(const Asked &asked, const Limits &limits) {
  if (limits.tasks.count(asked.task) == 0) throw invalid("parameter 'task': the model's config has it not among tasks");
  if (asked.n > limits.max_n || asked.n0 > limits.max_n - asked.n)
    throw invalid("parameter 'n': n + n0 is more than the config's max_n, " + std::to_string(limits.max_n));
  if (limits.max_timeout_ms > 0 && (asked.timeout_ms == 0 || asked.timeout_ms > limits.max_timeout_ms))
    throw invalid("parameter 'timeout_ms' is " + std::to_string(asked.timeout_ms) +
                  (asked.timeout_ms == 0 ? ", for none" : "") + ": the config's max_timeout_ms is " +
                  std::to_string(limits.max_timeout_ms));
}

}  // namespace

Task task_of(const std::string &name) {
  if (name == "certify") return Task::certify;
  if (name == "predict") return Task::predict;
  if (name == "certify_answer") return Task::certify_answer;
  throw BadValue("is certify, predict or certify_answer");
}

std::size_t Asked::widest() const {
  return static_cast<std::size_t>(std::max_element(k.begin(), k.end()) - k.begin());
}

std::vector<std::string> Options::names() {
  std::vector<std::string> all;
  for (const auto &option : options) all.emplace_back(option.name);
  return all;
}

const std::pair<const Option *, Value> *Options::find(const char *slot) const {
  for (const auto &one : given_)
    if (std::strcmp(one.first->slot, slot) == 0) return &one;
  return nullptr;
}

bool Options::set(const std::string &name, Value value) {
  for (const auto &option : options) {
    if (name != option.name) continue;
    if (const auto *other = find(option.slot))
      throw invalid("parameters '" + std::string(other->first->name) + "' and '" + name + "' exclude each other");
    given_.emplace_back(&option, std::move(value));
    return true;
  }
  return false;
}

Asked Options::build(const Options &defaults, const Limits &limits) const {
  std::vector<const std::pair<const Option *, Value> *> all;
  for (const auto &one : given_) all.push_back(&one);
  for (const auto &one : defaults.given_)
    if (!find(one.first->slot)) all.push_back(&one);
  std::sort(all.begin(), all.end(), [](const auto *a, const auto *b) { return a->first < b->first; });
  if (all.empty() || std::strcmp(all.front()->first->slot, "noise") != 0)
    throw invalid("parameter 'sigma', or 'noise', is missing: neither the request nor the model's config has it");
  Asked asked;
  for (const auto *one : all) {
    if (one->first->secret && !limits.allow_seed)
      throw invalid("parameter '" + std::string(one->first->name) +
                    "' is refused: whoever chooses the noise knows it, and certificates are no proof against those who "
                    "do; the model's config may have allow_seed \"true\" for tests");
    try {
      one->first->apply(asked, one->second);
    } catch (const BadValue &e) { throw invalid("parameter '" + std::string(one->first->name) + "' " + e.what()); }
  }
  check_limits(asked, limits);
  return asked;
}
