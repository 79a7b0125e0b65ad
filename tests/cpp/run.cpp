// Blocking calls, and what they leave behind.
#include "check.hpp"

#include <cmath>

using stk::status;

// A model of bytes, in bytes and on a scale from 0 to 1: the same certificates up to scale.
static void test_bytes() {
  const char *const path = "tests/models/input_uint8.onnx";
  std::vector<float> bytes, ones;
  for (int i = 0; i < 16; i++) {
    bytes.push_back(static_cast<float>((i * 89 + 17) % 256));
    ones.push_back(bytes.back() / 255);
  }
  const float std_dev = 1.0F / 255;
  const auto as_is = MUST(stk::model_builder().batch(16).open(path));
  stk::model_builder options;
  options.batch(16).normalization({}, stk::span<const float>(&std_dev, 1));
  const auto scaled = MUST(options.open(path));
  const auto in_bytes = MUST(stk::request_builder(64).input_max(255).n(2000).seed(3).build());
  const auto in_ones = MUST(stk::request_builder(64.0 / 255).n(2000).seed(3).build());
  const auto wide_answers = MUST(as_is.certify(in_bytes, bytes));
  const auto narrow_answers = MUST(scaled.certify(in_ones, ones));
  const auto wide = MUST(wide_answers.summary(0)), narrow = MUST(narrow_answers.summary(0));
  CHECK(wide.radius > 1 && wide.label == narrow.label);
  // Noise on another grid rounds a few samples in a thousand otherwise.
  CHECK(std::abs(wide.radius / 255 - narrow.radius) <= 0.002);
  FAILS(as_is.certify(in_ones, ones), status::invalid_data, "input");
}

void test_run() {
  test_bytes();
  const auto model = MUST(open(exact_model));
  const auto request = MUST(stk::request_builder(0.25).k({1, 3}).n(2000).seed(7).build());
  auto x = exact_input();
  const auto one = x;
  x.insert(x.end(), one.begin(), one.end());

  const auto chosen = MUST(model.certify(request, x));
  CHECK(chosen.size() == 2 && chosen.k_size() == 2);
  const auto s = MUST(chosen.summary(1, 1));
  CHECK(s.k == 3 && s.n == 2000 && s.n0 == 100 && s.stream == 1 && s.struct_size == sizeof s);
  CHECK(s.validity == STK_VALIDITY_FIXED && s.noise_scale == 0.25 && s.radius_cost > 0 && s.assumed == 0);
  CHECK(MUST(chosen.labels(1, 1)).size() == 1 && MUST(chosen.counts(1)).n() == 2000);
  CHECK(MUST(chosen.counts(1, 1)).n() == 2000 && MUST(chosen.selection(1)).n() == 100);
  CHECK(MUST(chosen.json(1)).find(model.sha256()) != std::string_view::npos);
  // The seed is said only where it is asked for.
  CHECK(MUST(chosen.json(1)).find("\"secret\"") == std::string_view::npos);
  CHECK(MUST(chosen.json_with_secret(1)).find("\"secret\":\"7\"") != std::string_view::npos);
  FAILS(chosen.summary(2), status::invalid_argument, "");
  FAILS(chosen.labels(0, 2), status::invalid_argument, "");
  FAILS(chosen.counts(2), status::invalid_argument, "input");
  FAILS(chosen.counts(0, 2), status::invalid_argument, "k_index");
  FAILS(chosen.selection(2), status::invalid_argument, "input");

  const std::int64_t labels[] = {2, stk::no_label};
  const auto fixed = MUST(model.certify(request, x, labels));
  CHECK(MUST(fixed.summary(0)).label == 2 && MUST(fixed.selection(0)).n() == 0 && MUST(fixed.selection(1)).n() == 100);
  FAILS(MUST(fixed.selection(0)).labels(), status::invalid_argument, "counts");

  const auto prediction = MUST(model.predict(request, one));
  const auto top = MUST(prediction.labels(0, 1));
  CHECK(top.size() == 3 && top[0] == MUST(prediction.summary(0)).label);
  const std::int64_t first[] = {0};
  const auto certificate = MUST(model.certify(request, one, first));
  auto sampled = MUST(model.sample(request, one, 0, 700));
  MUST(sampled.add(MUST(model.sample(request, one, 700, 1300))));
  CHECK(sampled.n() == 2000 && numbers_of(sampled) == numbers_of(MUST(certificate.counts(0))));
  // A label predicted under a seed is certified by other samples.
  CHECK(numbers_of(sampled) != numbers_of(MUST(prediction.counts(0))));
  // Uniform noise is asked for by its name, and its radius is in l1.
  const auto uniform = MUST(stk::request_builder("uniform:0.5").n(2000).seed(7).build());
  const auto boxed = MUST(model.certify(uniform, one));
  const auto u = MUST(boxed.summary(0));
  CHECK(u.noise_scale == 0.5 && numbers_of(MUST(boxed.counts(0))) != numbers_of(MUST(certificate.counts(0))));
  CHECK(MUST(MUST(boxed.counts(0)).json()).find("uniform:0.5") != std::string_view::npos);
  CHECK(MUST(MUST(boxed.counts(0)).certify(stk::query(u.label))).radius == u.radius);

  // Sizes that do not fit never reach the library, which could only trust them.
  x.pop_back();
  FAILS(model.certify(request, x), status::invalid_argument, "inputs");
  FAILS(model.predict(request, x), status::invalid_argument, "inputs");
  FAILS(model.submit_predict(request, x), status::invalid_argument, "inputs");
  FAILS(model.certify(request, one, labels), status::invalid_argument, "labels");
  FAILS(model.submit_certify(request, one, labels), status::invalid_argument, "labels");
  FAILS(model.sample(request, x, 0, 1), status::invalid_argument, "input");

  // Too late, and cancelled: an error that carries what was counted, and no certificate.
  const auto slow = MUST(open(slow_model));
  const auto late = MUST(slow_request().timeout(std::chrono::milliseconds(30)).build());
  auto r = slow.certify(late, slow_input());
  FAILS(r, status::deadline_exceeded, "");
  CHECK(r.partial() != nullptr && r.partial()->summary(0)->certified == 0);
  CHECK(r.partial()->summary(0)->status == STK_STATUS_DEADLINE_EXCEEDED);
  auto c = slow.sample(late, slow_input(), 0, 1'000'000);
  FAILS(c, status::deadline_exceeded, "");
  CHECK(c.partial() != nullptr && c.partial()->n() < 1'000'000);
  FAILS(c.partial()->predict(1, 0.001), status::invalid_data, "counts");
  const auto token = MUST(stk::cancel_token::create());
  token.set();
  CHECK(token.is_set());
  FAILS(slow.predict(MUST(slow_request().cancel(token).build()), slow_input()), status::cancelled, "");
}
