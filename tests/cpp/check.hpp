// The C++ suite's checks. Built as C++17 without SMOOTHTOPK_EXCEPTIONS, except where a file defines it.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <smoothtopk.hpp>

#include <cstdio>
#include <cstdlib>
#include <vector>

extern int check_count;
extern int check_failures;
void check_that(bool holds, const char *file, int line, const char *what, std::string_view why = {});

#define CHECK(...) check_that(static_cast<bool>(__VA_ARGS__), __FILE__, __LINE__, #__VA_ARGS__)

namespace stk = smoothtopk;

/// The value; without one the suite cannot go on.
template <class T>
T must_at(stk::result<T> r, const char *file, int line, const char *what) {
  check_that(r.has_value(), file, line, what, r.error().message());
  if (!r.has_value()) std::exit(1);
  if constexpr (!std::is_void_v<T>) return *std::move(r);
}
#define MUST(...) must_at(__VA_ARGS__, __FILE__, __LINE__, #__VA_ARGS__)

/// Fails with this status (and blames this field).
template <class T>
void fails_at(const stk::result<T> &r, stk::status want, std::string_view field, const char *file, int line,
              const char *what) {
  const bool as_wanted =
      !r && r.error().status() == want && !r.error().message().empty() && (field.empty() || r.error().field() == field);
  check_that(as_wanted, file, line, what, r ? std::string_view("it succeeded") : r.error().message());
}
#define FAILS(r, ...) fails_at(r, __VA_ARGS__, __FILE__, __LINE__, #r)

constexpr const char *exact_model = "tests/models/exact_order.onnx";
constexpr const char *slow_model = "tests/models/slow.onnx";
/// A batch that is given need not be measured, which takes most of a second a model.
inline stk::result<stk::model> open(const char *path) { return stk::model_builder().batch(16).open(path); }
inline std::vector<float> exact_input() {
  std::vector<float> x(24, 0.5F);
  for (std::size_t i = 2; i < x.size(); i += 6) x[i] = 0.75F;
  return x;
}
inline std::vector<float> slow_input() { return std::vector<float>(64, 1000.0F); }
inline stk::request_builder slow_request() {
  stk::request_builder b(0.25);
  b.n(1'000'000).seed(7).input_max(1000);
  return b;
}

inline std::vector<std::uint64_t> numbers_of(const stk::counts &counts) {
  const auto labels = MUST(counts.labels());
  return {labels.begin(), labels.end()};
}

/// What each unit of another version or setting of C++ does with the handles of this one.
template <class Tag>
stk::result<double> radius_in(stk::model &model, stk::request request, stk::span<const float> x);
struct in_cpp20;
struct in_throwing;
struct in_bare;

void test_types();
void test_model();
void test_run();
void test_jobs();
void test_counts();
void test_misuse();
void test_rules();
void test_callbacks();
void test_exceptions();
void test_threads();
void test_golden();
/// In a process of its own: the host's own ONNX Runtime beside ours; how is "host-first", "ours-first" or "shared".
void test_two_runtimes(const char *how);

#endif
