// A unit without exceptions and run-time types, linked with units that have them.
#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "this unit is compiled with -fno-exceptions -fno-rtti"
#endif
#include "check.hpp"

template <>
stk::result<double> radius_in<in_bare>(stk::model &model, stk::request request, stk::span<const float> x) {
  const auto answers = model.certify(request, x);
  if (!answers) return answers.error().clone();
  return double{answers->summary(0)->radius};
}
