// A model's config: what the backend takes from it, what it refuses, and what it fills in.
#ifndef CONFIG_HPP
#define CONFIG_HPP

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "options.hpp"

struct Settings {
  stk::model_builder builder;
  std::string provider;
  std::string file = "model.onnx";
  bool decoupled = false;  ///< every look of a rule is an answer
  /// Requests in the library at once; Execute holds back beyond. 0: any number.
  std::uint64_t max_running = 256;
  Limits limits;
  Options defaults;
};

/// Throws Failure for what cannot be served, or is not understood.
Settings read_settings(const nlohmann::json &config);

/// The config with the inputs, outputs and max_batch_size that it does not have. False: it has them all.
bool complete(nlohmann::json &config, const stk::model &model);

/// The model's input, as the config has it.
struct InputSpec {
  std::string name;
  TRITONSERVER_DataType type;
};
/// Throws Failure where inputs or outputs are not those of the model.
InputSpec check_tensors(const nlohmann::json &config, const stk::model &model);

#endif
