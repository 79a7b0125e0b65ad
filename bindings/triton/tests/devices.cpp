// Instance groups as provider and devices, among them those of GPUs, which a server without one refuses by itself.
#include "../src/devices.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "../src/errors.hpp"

using nlohmann::json;

namespace {

int failures = 0;

void expect(const char *groups, const std::string &provider, const std::string &expected) {
  std::string found;
  try {
    const auto placed = placement(json::parse(groups), provider);
    found = placed.provider;
    for (const auto device : placed.devices) found += " " + std::to_string(device);
  } catch (const Failure &e) { found = std::string("refused: ") + e.what(); }
  if (found.compare(0, expected.size(), expected) == 0 && (expected == "refused" || found == expected)) return;
  std::printf("%s, provider '%s': %s, not %s\n", groups, provider.c_str(), found.c_str(), expected.c_str());
  ++failures;
}

}  // namespace

int main() {
  expect("[]", "", "cpu");
  expect(R"([{"kind": "KIND_CPU", "count": 2}])", "", "cpu");
  expect(R"([{"kind": "KIND_CPU"}])", "openvino", "openvino");
  expect(R"([{"kind": "KIND_CPU"}])", "cuda", "refused");
  expect(R"([{"kind": "KIND_CPU"}])", "tensorrt:1", "refused");
  expect(R"([{"kind": "KIND_GPU", "gpus": [0, 2]}])", "", "cuda 0 2");
  expect(R"([{"kind": "KIND_GPU", "gpus": [0]}, {"kind": "KIND_GPU", "gpus": [1]}])", "tensorrt", "tensorrt 0 1");
  expect(R"([{"kind": "KIND_GPU", "gpus": [0]}, {"kind": "KIND_GPU", "gpus": [0]}])", "", "cuda 0");
  expect(R"([{"kind": "KIND_GPU", "gpus": [0]}])", "cpu", "refused");
  expect(R"([{"kind": "KIND_GPU", "gpus": [0]}])", "cuda:1", "refused");
  expect(R"([{"kind": "KIND_GPU", "gpus": [0]}, {"kind": "KIND_CPU"}])", "", "refused");
  expect(R"([{"kind": "KIND_MODEL"}])", "cuda:1", "cuda:1");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
