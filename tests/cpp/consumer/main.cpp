#include <smoothtopk.hpp>

#include <cstdio>

int main() {
  const std::uint64_t labels[] = {50, 9900, 50};
  const auto counts = smoothtopk::counts::create(labels);
  if (!counts) return 1;
  const auto s = counts->certify(1, 1, 0.25, 0.001);
  if (!s) return 1;
  std::printf("c++: %s, radius %.6f\n", smoothtopk::version().data(), s->radius);
}
