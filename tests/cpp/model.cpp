// Models, their options, requests, the runtime: what is taken, and what is refused with which field.
#include "check.hpp"

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>

using stk::status;

void test_model() {
  auto model = MUST(stk::model::open(exact_model));
  CHECK(model.elements() == 24 && model.classes() == 6 && model.batch() > 0 && model.threads() > 0);
  const auto shape = MUST(model.shape());
  CHECK(shape.size() == 1 && shape[0] == 24);
  CHECK(model.sha256().size() == 64 && !model.provider().empty() && model.signature_json().front() == '{');

  std::ifstream file(exact_model, std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  CHECK(MUST(stk::model::open_memory(bytes.data(), bytes.size())).sha256() == model.sha256());
  FAILS(stk::model::open_memory(bytes.data(), bytes.size() / 2), status::model, "");
  FAILS(stk::model::open("no/such/model.onnx"), status::not_found, "");
  FAILS(stk::model::open(std::string_view("a\0b", 3)), status::invalid_argument, "path");

  const float zero = 0, one = 1;
  stk::model_builder options;
  options.provider("cpu").threads(1).batch(5).memory_limit(0).input("x").output("scores").input_shape({24}).classes(6);
  options.normalization(stk::span<const float>(&zero, 1), stk::span<const float>(&one, 1));
  model = MUST(options.open(exact_model));
  CHECK(model.batch() == 5 && model.threads() == 1);
  CHECK(MUST(options.open_memory(bytes.data(), bytes.size())).batch() == 5);
  // The first refusal is what opening gives, each time.
  options.classes(0).threads(2);
  FAILS(options.open(exact_model), status::invalid_argument, "classes");
  FAILS(options.open(exact_model), status::invalid_argument, "classes");
  FAILS(stk::model_builder().input(std::string_view("x\0", 2)).open(exact_model), status::invalid_argument, "name");
  FAILS(stk::model_builder().provider_option(std::string_view("x\0", 2), "1").open(exact_model),
        status::invalid_argument, "key");

  CHECK(model.arithmetic() == "float32" && model.fallback().empty());
  FAILS(stk::model_builder().devices({0, 0}).open(exact_model), status::invalid_argument, "devices");
  FAILS(stk::model_builder().devices({0}).open(exact_model), status::invalid_argument, "devices");
  FAILS(stk::model_builder().cuda_tf32().open(exact_model), status::invalid_argument, "cuda");
  FAILS(stk::model_builder().tensorrt(true, false).open(exact_model), status::invalid_argument, "tensorrt");
  FAILS(stk::model_builder().tensorrt(false, false, "engines").open(exact_model), status::invalid_argument, "tensorrt");
  if (stk::runtime::check_provider("cuda").has_value()) {
    std::puts("SKIPPED: this machine has CUDA");
  } else {
    stk::model_builder cuda;
    cuda.provider("cuda").devices({0, 1}).cuda_tf32().batch(8).plan_cache(false);
    FAILS(cuda.open(exact_model), status::provider, "provider");
    const auto fallen = MUST(cuda.allow_fallback().open(exact_model));
    CHECK(fallen.provider() == "cpu" && fallen.arithmetic() == "float32");
    CHECK(fallen.fallback().find("cuda") != std::string_view::npos);
  }

  const double nan = std::numeric_limits<double>::quiet_NaN();
  FAILS(stk::request_builder(nan).n(5).build(), status::invalid_argument, "sigma");
  FAILS(stk::request_builder(0.25).noise(0).build(), status::invalid_argument, "sigma");
  FAILS(stk::request_builder(0.25).k({1, 0}).n(0).build(), status::invalid_argument, "k");
  FAILS(stk::request_builder(0.25).k(0).build(), status::invalid_argument, "k");
  FAILS(stk::request_builder(0.25).n(0).k({1}).build(), status::invalid_argument, "n");
  FAILS(stk::request_builder(0.25).alpha(nan).build(), status::invalid_argument, "alpha");
  FAILS(stk::request_builder(0.25).noise("uniform:-1").build(), status::invalid_argument, "lambda");
  FAILS(stk::request_builder("0.25").build(), status::invalid_argument, "noise");
  FAILS(stk::request_builder(std::string_view("uniform:1\0", 10)).build(), status::invalid_argument, "noise");
  FAILS(stk::request_builder(0.25).input_max(-1).build(), status::invalid_argument, "input_max");
  FAILS(stk::request_builder(0.25).timeout(std::chrono::milliseconds(-1)).build(), status::invalid_argument,
        "timeout_ms");

  CHECK(MUST(stk::runtime::version()).substr(0, 2) == "1.");
  CHECK(MUST(stk::runtime::path()).find("onnxruntime") != std::string_view::npos);
  MUST(stk::runtime::load());
  MUST(stk::runtime::check_provider("cpu"));
  FAILS(stk::runtime::check_provider("MIGraphXExecutionProvider"), status::provider, "");
  FAILS(stk::runtime::check_provider("no such provider"), status::invalid_argument, "provider");
  FAILS(stk::runtime::load("no/such/library.so"), status::runtime, "");
  FAILS(stk::runtime::use_api_base(nullptr), status::invalid_argument, "");
}
