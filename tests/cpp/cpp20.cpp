// A unit of C++20, linked with units of C++17: std::span converts to the library's span and back.
#if __cplusplus < 202002L
#error "this unit is compiled with -std=c++20"
#endif
#include "check.hpp"

#include <span>

static_assert(std::is_convertible_v<std::span<const float>, stk::span<const float>>);
static_assert(std::is_convertible_v<std::span<double>, stk::span<double>>);
static_assert(std::is_convertible_v<stk::span<double>, std::span<double>>);
static_assert(!std::is_constructible_v<stk::span<double>, std::span<const double>>);
static_assert(!std::is_constructible_v<stk::span<double>, std::vector<double>>);

template <>
stk::result<double> radius_in<in_cpp20>(stk::model &model, stk::request request, stk::span<const float> x) {
  const std::span<const float> given = x;
  const auto answers = model.certify(request, given);
  if (!answers) return answers.error().clone();
  const std::span<const std::int64_t> labels = *answers->labels(0);
  CHECK(labels.size() == 1 && labels[0] == answers->summary(0)->label);
  return double{answers->summary(0)->radius};
}
