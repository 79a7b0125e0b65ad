// Where a model runs: Triton's instance groups as the library's provider and devices.
#ifndef DEVICES_HPP
#define DEVICES_HPP

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

struct Placement {
  std::string provider;
  std::vector<std::uint32_t> devices;  ///< empty: the provider's own
};

/// `provider` is the config's parameter, "" for none. Strict: a group that the provider does not fit is refused, and
/// nothing falls back on the processor.
Placement placement(const nlohmann::json &instance_groups, const std::string &provider);

#endif
