#include "devices.hpp"

#include <algorithm>

#include "errors.hpp"

using nlohmann::json;

namespace {

bool on_gpu(const std::string &provider) {
  const auto name = provider.substr(0, provider.find(':'));
  return name == "cuda" || name == "tensorrt";
}

}  // namespace

Placement placement(const json &instance_groups, const std::string &provider) {
  std::string kind;
  Placement out{provider, {}};
  for (const auto &group : instance_groups) {
    const auto here = group.value("kind", "KIND_AUTO");
    if (!kind.empty() && here != kind)
      throw invalid("instance_group has " + kind + " and " + here + ": a model is opened once, on one kind of device");
    kind = here;
    for (const auto &gpu : group.value("gpus", json::array())) {
      const auto id = gpu.get<std::uint32_t>();
      if (std::find(out.devices.begin(), out.devices.end(), id) == out.devices.end()) out.devices.push_back(id);
    }
  }
  if (kind == "KIND_GPU") {
    if (out.provider.empty()) out.provider = "cuda";
    if (!on_gpu(out.provider))
      throw invalid("instance_group is KIND_GPU: parameter 'provider' is cuda or tensorrt, not '" + provider + "'");
    if (out.provider.find(':') != std::string::npos)
      throw invalid("instance_group names the GPUs: parameter 'provider' is '" + provider + "' without its number");
    return out;
  }
  // KIND_MODEL leaves it to the model, so to the parameter; KIND_AUTO is resolved by the server before.
  if (kind != "KIND_MODEL" && on_gpu(out.provider))
    throw invalid("parameter 'provider' is '" + provider + "': its instance_group must be KIND_GPU");
  if (out.provider.empty()) out.provider = "cpu";
  return out;
}
