#include <smoothtopk.hpp>

#include <cstdio>

int main() {
  const std::uint64_t labels[] = {50, 9900, 50};
  const auto counts = smoothtopk::counts::assume(labels, 0.25);
  if (!counts) return 1;
  const auto s = counts->certify(smoothtopk::query(1));
  if (!s) return 1;
  std::printf("c++: %s, radius %.6f\n", smoothtopk::version().data(), s->radius);
}
