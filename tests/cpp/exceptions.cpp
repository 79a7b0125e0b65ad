// A unit with SMOOTHTOPK_EXCEPTIONS, linked with units that have none: value() throws.
#define SMOOTHTOPK_EXCEPTIONS
#include "check.hpp"

template <>
stk::result<double> radius_in<in_throwing>(stk::model &model, stk::request request, stk::span<const float> x) {
  return model.certify(request, x).value().summary(0).value().radius;
}

void test_exceptions() {
  const auto model = stk::model::open(exact_model).value();
  const auto request = stk::request_builder(0.25).n(500).seed(7).build().value();
  auto answers = model.certify(request, exact_input()).value();
  CHECK(answers.summary(0).value().n == 500);
  stk::result<int> number(3);
  ++number.value();
  CHECK(number.value() == 4);
  int caught = 0;
  try {
    (void)stk::request_builder(-1).build().value();
  } catch (const stk::exception &e) {
    caught += e.status() == stk::status::invalid_argument && e.field() == "sigma" && e.what()[0] != '\0';
  }
  try {
    stk::runtime::check_provider("no such provider").value();
  } catch (const std::runtime_error &e) { caught += e.what()[0] != '\0'; }
  try {
    (void)model.certify(request, exact_input(), {}, [](std::uint64_t, std::uint64_t) { throw 7; }).value();
  } catch (int thrown) { caught += thrown == 7; }
  CHECK(caught == 3);
}
