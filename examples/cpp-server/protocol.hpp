// The Open Inference Protocol v2 with its binary tensor extension: requests in, tensors out. Knows nothing of
// smoothtopk.
#ifndef PROTOCOL_HPP
#define PROTOCOL_HPP

#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// A request that cannot be served: becomes {"error": text} with this HTTP status.
struct Refusal : std::runtime_error {
  Refusal(int code, const std::string &message) : std::runtime_error(message), status(code) {}
  int status;
};

struct InputTensor {
  std::string name;
  std::string datatype;
  std::vector<std::int64_t> shape;
  std::vector<float> fp32;          // datatype FP32
  std::vector<std::int64_t> int64;  // datatype INT64
};

struct WantedOutput {
  std::string name;
  bool binary;
};

struct InferRequest {
  std::string id;
  nlohmann::json parameters;
  std::vector<InputTensor> inputs;
  std::vector<WantedOutput> outputs;  // empty: all
  bool binary_outputs = false;        // of outputs that are not named
};

/// Reads a request's body. header_length is the Inference-Header-Content-Length, empty where there is none;
/// `most_values` bounds the numbers of all inputs.
InferRequest parse_infer_request(std::string_view body, const std::string &header_length, std::size_t most_values);

struct OutputTensor {
  std::string name;
  std::string datatype;
  std::vector<std::size_t> shape;
  nlohmann::json data;  // flat
  std::string bytes;    // the same as the binary extension has it
};

/// Builds an output in both renderings from numbers (BOOL, INT64, UINT64, FP64).
template <class Wire, class T>
OutputTensor output_tensor(std::string name, std::string datatype, std::vector<std::size_t> shape,
                           const std::vector<T> &values) {
  OutputTensor out{std::move(name), std::move(datatype), std::move(shape), nlohmann::json::array(), {}};
  for (const auto value : values) {
    const auto wire = static_cast<Wire>(value);
    out.data.push_back(value);
    // The protocol is little-endian, as are the machines that ONNX Runtime is built for.
    out.bytes.append(reinterpret_cast<const char *>(&wire), sizeof wire);
  }
  return out;
}
OutputTensor text_tensor(std::string name, std::vector<std::size_t> shape, const std::vector<std::string> &texts);

struct InferResponse {
  std::string body;
  std::size_t header_length = 0;  // 0: JSON alone
};
/// Picks the wanted outputs from `available`; `extra` are given only where they are asked for.
InferResponse build_infer_response(const std::string &model, const InferRequest &request,
                                   std::vector<OutputTensor> available, std::vector<OutputTensor> extra);

#endif
