#define SMOOTHTOPK_EXCEPTIONS
#include <smoothtopk.hpp>

#include <array>
#include <cstdio>

int main() try {
  constexpr char ink[] =
      "00agg400"
      "0098da00"
      "0004f600"
      "000dg700"
      "0005dg10"
      "00000g40"
      "00735g20"
      "00bgga00";
  std::array<float, 64> image;  // a scanned 3: 8 x 8 pixels from 0 to 1
  for (std::size_t i = 0; i < 64; ++i)
    image[i] = static_cast<float>(ink[i] <= '9' ? ink[i] - '0' : ink[i] - 'a' + 10) / 16;

  const auto model = smoothtopk::model::open("demo/digits_mlp_sigma0.25.onnx").value();
  const auto request = smoothtopk::request_builder(0.25).k({1, 3}).n(10'000).build().value();
  const auto answers = model.certify(request, image).value();
  for (std::size_t i = 0; i < answers.k_size(); ++i) {
    const auto answer = answers.summary(0, i).value();
    std::printf("label %d stays in the top %d within %.3f\n", int(answer.label), int(answer.k), answer.radius);
  }
} catch (const smoothtopk::exception &e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
