#include "config.hpp"

#include "devices.hpp"
#include "inputs.hpp"
#include "outputs.hpp"

using nlohmann::json;

namespace {

struct Setting {
  const char *name;
  void (*apply)(Settings &, const Value &);
};

constexpr Setting settings[] = {
    {"provider", [](Settings &s, const Value &v) { s.provider = text(v); }},
    {"threads", [](Settings &s, const Value &v) { s.builder.threads(whole(v)); }},
    {"batch", [](Settings &s, const Value &v) { s.builder.batch(whole(v)); }},
    {"memory_limit", [](Settings &s, const Value &v) { s.builder.memory_limit(whole(v)); }},
    {"max_jobs", [](Settings &s, const Value &v) { s.builder.max_jobs(whole(v)); }},
    {"max_input_bytes", [](Settings &s, const Value &v) { s.builder.max_input_bytes(whole(v)); }},
    {"model_input", [](Settings &s, const Value &v) { s.builder.input(text(v)); }},
    {"input_shape", [](Settings &s, const Value &v) { s.builder.input_shape(list(v)); }},
    {"model_output", [](Settings &s, const Value &v) { s.builder.output(text(v)); }},
    {"classes", [](Settings &s, const Value &v) { s.builder.classes(whole(v)); }},
    {"threshold", [](Settings &s, const Value &v) { s.builder.threshold(real(v)); }},
    {"custom_ops", [](Settings &s, const Value &v) { s.builder.add_custom_ops(text(v)); }},
    {"max_running", [](Settings &s, const Value &v) { s.max_running = whole(v); }},
    {"max_n", [](Settings &s, const Value &v) { s.limits.max_n = whole(v); }},
    {"max_samples", [](Settings &s, const Value &v) { s.limits.max_samples = whole(v); }},
    {"max_timeout_ms", [](Settings &s, const Value &v) { s.limits.max_timeout_ms = whole(v); }},
    {"allow_seed", [](Settings &s, const Value &v) { s.limits.allow_seed = flag(v); }},
    {"tasks",
     [](Settings &s, const Value &v) {
       s.limits.tasks.clear();
       for (const auto &name : split(text(v))) s.limits.tasks.insert(task_of(name));
     }},
};

const Setting *find(const std::string &name) {
  for (const auto &setting : settings)
    if (name == setting.name) return &setting;
  return nullptr;
}

void refuse_unsound(const json &config) {
  // Triton's cache knows a request by its inputs alone: it would answer one sigma, k or alpha with another's radii.
  if (config.value("response_cache", json::object()).value("enable", false))
    throw invalid(
        "response_cache is refused: it leaves request parameters out of its key, so one sigma would get the radius of "
        "another");
  if (config.contains("sequence_batching"))
    throw invalid(
        "sequence_batching is refused: an answer is about one input and its own noise, and there is no state to keep "
        "between requests; use dynamic_batching, or neither");
}

/// Options of all kinds, under the name of each. mean and std go together.
void read_parameters(Settings &out, const json &parameters) {
  std::vector<float> mean, std_dev;
  for (const auto &[name, value] : parameters.items()) {
    const Value given = value.value("string_value", "");
    try {
      if (const auto *setting = find(name)) setting->apply(out, given);
      else if (name == "mean") mean = reals(given);
      else if (name == "std") std_dev = reals(given);
      else if (!out.defaults.set(name, given)) {
        auto known = Options::names();
        for (const auto &one : settings) known.emplace_back(one.name);
        known.insert(known.end(), {"mean", "std"});
        throw invalid("the config's " + unknown(name, known));
      }
    } catch (const BadValue &e) { throw invalid("the config's parameter '" + name + "' " + e.what()); }
  }
  if (mean.empty() != std_dev.empty()) throw invalid("the config's parameters 'mean' and 'std' go together");
  if (!mean.empty()) out.builder.normalization(mean, std_dev);
}

/// Defaults that no request could use are an error of the config, and not of each request.
void check_defaults(const Settings &read) {
  Options request;
  const bool complete = read.defaults.has("noise");
  if (!complete) request.set("sigma", 1.0);
  try {
    auto asked = request.build(read.defaults, read.limits);
    // What fits the noise is known where the config has one.
    if (complete) static_cast<void>(checked(asked.builder.build()));
  } catch (const Failure &e) { throw invalid("the config's defaults: " + std::string(e.what())); }
}

}  // namespace

Settings read_settings(const json &config) {
  refuse_unsound(config);
  Settings out;
  if (const auto file = config.value("default_model_filename", ""); !file.empty()) out.file = file;
  out.decoupled = config.value("model_transaction_policy", json::object()).value("decoupled", false);
  const auto parameters = config.value("parameters", json::object());
  read_parameters(out, parameters);
  const auto placed = placement(config.value("instance_group", json::array()), out.provider);
  out.builder.provider(placed.provider);
  if (!placed.devices.empty()) out.builder.devices(placed.devices);
  check_defaults(out);
  return out;
}

bool complete(json &config, const stk::model &model) {
  const bool has_inputs = !config.value("input", json::array()).empty();
  const bool has_outputs = !config.value("output", json::array()).empty();
  if (has_inputs && has_outputs) return false;
  if (!has_inputs) {
    json shape = json::array();
    for (const auto dim : checked(model.shape())) shape.push_back(dim);
    config["input"] = {{{"name", json::parse(model.signature_json()).at("input")},
                        {"data_type", "TYPE_FP32"},
                        {"dims", shape}},
                       {{"name", label_input}, {"data_type", "TYPE_INT64"}, {"dims", {1}}, {"optional", true}}};
    if (config.value("max_batch_size", 0) == 0) config["max_batch_size"] = 64;
  }
  if (!has_outputs) config["output"] = output_configs(config.value("max_batch_size", 0) > 0);
  return true;
}

InputSpec check_tensors(const json &config, const stk::model &model) {
  InputSpec out;
  for (const auto &input : config.value("input", json::array())) {
    const auto name = input.value("name", ""), type = input.value("data_type", "");
    if (name == label_input) {
      if (type != "TYPE_INT64") throw invalid("input 'label' of the config is TYPE_INT64");
      continue;
    }
    if (!out.name.empty()) throw invalid("the config's inputs are one, and optionally 'label'; '" + name + "' is more");
    out = {name, input_type(type)};
    std::size_t elements = 1;
    for (const auto &dim : input.value("dims", json::array()))
      if (dim.get<std::int64_t>() > 0) elements *= dim.get<std::size_t>();
    if (elements == 0 || model.elements() % elements != 0)
      throw invalid("input '" + name + "' of the config has " + std::to_string(elements) +
                    " elements; the model takes " + std::to_string(model.elements()));
  }
  if (out.name.empty()) throw invalid("the config has no input, and the server does not complete configs");
  for (const auto &output : config.value("output", json::array()))
    check_output(output.value("name", ""), output.value("data_type", ""));
  return out;
}
