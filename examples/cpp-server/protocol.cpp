#include "protocol.hpp"

#include <charconv>
#include <cstring>

#include "reader.hpp"

using nlohmann::json;

namespace {

[[noreturn]] void refuse(const std::string &message) { throw Refusal(400, message); }

const json *find(const json &object, const char *key) {
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

std::string string_of(const json &object, const char *key, const std::string &where) {
  const json *value = find(object, key);
  if (!value || !value->is_string()) refuse(where + " needs a string '" + key + "'");
  return value->get<std::string>();
}

bool flag_of(const json &parameters, const char *key, bool fallback) {
  const json *value = parameters.is_object() ? find(parameters, key) : nullptr;
  if (!value) return fallback;
  if (!value->is_boolean()) refuse(std::string("parameter '") + key + "' is true or false");
  return value->get<bool>();
}

std::size_t parse_size(const std::string &text, const char *what) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) refuse(std::string(what) + " is no length: " + text);
  return value;
}

std::vector<std::int64_t> shape_of(const json &tensor, const std::string &name, std::size_t limit,
                                   std::size_t &elements) {
  const json *shape = find(tensor, "shape");
  if (!shape || !shape->is_array() || shape->size() > 16) refuse("input '" + name + "' needs a shape");
  std::vector<std::int64_t> dims;
  elements = 1;
  for (const json &dim : *shape) {
    if (!dim.is_number_integer() || dim.get<std::int64_t>() < 1)
      refuse("input '" + name + "' has a dimension that is not positive");
    dims.push_back(dim.get<std::int64_t>());
    // A body holds at least a byte an element, so that a shape beyond it is wrong, and no product overflows.
    if (static_cast<std::size_t>(dims.back()) > limit / elements)
      refuse("input '" + name + "' has a shape larger than its data");
    elements *= static_cast<std::size_t>(dims.back());
  }
  return dims;
}

template <class T>
void read_data(const json &tensor, const Numbers *data, std::size_t elements, std::string_view &binary,
               std::vector<T> &out, const InputTensor &in) {
  const json *parameters = find(tensor, "parameters");
  const json *size = parameters && parameters->is_object() ? find(*parameters, "binary_data_size") : nullptr;
  if (size) {
    if (!size->is_number_unsigned() || size->get<std::size_t>() != elements * sizeof(T))
      refuse("input '" + in.name + "' has a binary_data_size that is not its shape's");
    if (binary.size() < elements * sizeof(T)) refuse("the body ends before the binary data of input '" + in.name + "'");
    out.resize(elements);
    std::memcpy(out.data(), binary.data(), elements * sizeof(T));
    binary.remove_prefix(elements * sizeof(T));
    return;
  }
  if (!data) refuse("input '" + in.name + "' has neither an array of data nor binary_data_size");
  if (std::is_integral_v<T> && !data->whole)
    refuse("input '" + in.name + "' holds a number that is not whole, or beyond 2^53");
  const std::vector<std::int64_t> flat{static_cast<std::int64_t>(elements)};
  if (data->dims != flat && data->dims != in.shape)
    refuse("input '" + in.name + "' has the shape " + json(in.shape).dump() + ", and data of the shape " +
           json(data->dims).dump());
  out.assign(data->values.begin(), data->values.end());
}

}  // namespace

InferRequest parse_infer_request(std::string_view body, const std::string &header_length, std::size_t most_values) {
  std::string_view header = body, binary;
  if (!header_length.empty()) {
    const std::size_t length = parse_size(header_length, "Inference-Header-Content-Length");
    if (length > body.size()) refuse("Inference-Header-Content-Length is beyond the body");
    header = body.substr(0, length);
    binary = body.substr(length);
  }
  const Reader reader(header, most_values);
  const json &document = reader.document();

  InferRequest request;
  if (const json *id = find(document, "id")) {
    if (!id->is_string()) refuse("'id' is a string");
    request.id = id->get<std::string>();
  }
  request.parameters = json::object();
  if (const json *parameters = find(document, "parameters")) {
    if (!parameters->is_object()) refuse("'parameters' is an object");
    request.parameters = *parameters;
  }
  request.binary_outputs = flag_of(request.parameters, "binary_data_output", false);
  request.parameters.erase("binary_data_output");

  const json *inputs = find(document, "inputs");
  if (!inputs || !inputs->is_array()) refuse("'inputs' is missing");
  for (const json &tensor : *inputs) {
    if (!tensor.is_object()) refuse("an input is an object");
    InputTensor in;
    std::size_t elements = 0;
    in.name = string_of(tensor, "name", "an input");
    in.datatype = string_of(tensor, "datatype", "input '" + in.name + "'");
    in.shape = shape_of(tensor, in.name, body.size(), elements);
    const Numbers *data = reader.data(tensor);
    if (in.datatype == "FP32") read_data(tensor, data, elements, binary, in.fp32, in);
    else if (in.datatype == "INT64") read_data(tensor, data, elements, binary, in.int64, in);
    else refuse("input '" + in.name + "' is " + in.datatype + "; FP32 and INT64 are taken");
    request.inputs.push_back(std::move(in));
  }
  if (!binary.empty())
    refuse("there are " + std::to_string(binary.size()) + " bytes of binary data that no input takes");

  if (const json *outputs = find(document, "outputs")) {
    if (!outputs->is_array()) refuse("'outputs' is an array");
    for (const json &output : *outputs) {
      if (!output.is_object()) refuse("an output is an object");
      const json *parameters = find(output, "parameters");
      const bool as_binary = parameters && flag_of(*parameters, "binary_data", request.binary_outputs);
      request.outputs.push_back(
          {string_of(output, "name", "an output"), parameters ? as_binary : request.binary_outputs});
    }
  }
  return request;
}

OutputTensor text_tensor(std::string name, std::vector<std::size_t> shape, const std::vector<std::string> &texts) {
  OutputTensor out{std::move(name), "BYTES", std::move(shape), json::array(), {}};
  for (const auto &text : texts) {
    const auto length = static_cast<std::uint32_t>(text.size());
    out.data.push_back(text);
    out.bytes.append(reinterpret_cast<const char *>(&length), sizeof length);
    out.bytes += text;
  }
  return out;
}

InferResponse build_infer_response(const std::string &model, const InferRequest &request,
                                   std::vector<OutputTensor> available, std::vector<OutputTensor> extra) {
  json outputs = json::array();
  std::string binary;
  const auto add = [&](const OutputTensor &tensor, bool as_binary) {
    json out = {{"name", tensor.name}, {"datatype", tensor.datatype}, {"shape", tensor.shape}};
    if (as_binary) {
      out["parameters"] = {{"binary_data_size", tensor.bytes.size()}};
      binary += tensor.bytes;
    } else {
      out["data"] = tensor.data;
    }
    outputs.push_back(std::move(out));
  };
  if (request.outputs.empty())
    for (const auto &tensor : available) add(tensor, request.binary_outputs);
  for (const auto &wanted : request.outputs) {
    const OutputTensor *found = nullptr;
    for (const auto *from : {&available, &extra})
      for (const auto &tensor : *from)
        if (tensor.name == wanted.name) found = &tensor;
    if (!found) refuse("there is no output '" + wanted.name + "' of this task");
    add(*found, wanted.binary);
  }
  json document = {{"model_name", model}, {"model_version", "1"}, {"outputs", std::move(outputs)}};
  if (!request.id.empty()) document["id"] = request.id;
  InferResponse response{document.dump(-1, ' ', false, json::error_handler_t::replace), 0};
  if (!binary.empty()) {
    response.header_length = response.body.size();
    response.body += binary;
  }
  return response;
}
