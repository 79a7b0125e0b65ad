#include "inputs.hpp"

#include <cstdint>
#include <cstring>

namespace {

struct Type {
  const char *config;
  TRITONSERVER_DataType type;
  std::size_t bytes;
  stk::inputs (*inputs)(const Tensor &);
};
const Type types[] = {
    {"TYPE_FP32", TRITONSERVER_TYPE_FP32, 4, [](const Tensor &t) { return stk::inputs(t.as<float>()); }},
    {"TYPE_UINT8", TRITONSERVER_TYPE_UINT8, 1, [](const Tensor &t) { return stk::inputs(t.as<std::uint8_t>()); }},
    {"TYPE_FP16", TRITONSERVER_TYPE_FP16, 2,
     [](const Tensor &t) { return stk::inputs::float16(t.as<std::uint16_t>()); }},
    {"TYPE_BF16", TRITONSERVER_TYPE_BF16, 2,
     [](const Tensor &t) { return stk::inputs::bfloat16(t.as<std::uint16_t>()); }},
    {"TYPE_FP64", TRITONSERVER_TYPE_FP64, 8, [](const Tensor &t) { return stk::inputs(t.as<double>()); }},
    {"TYPE_INT64", TRITONSERVER_TYPE_INT64, 8, nullptr},  // of labels alone
};
const Type &find(TRITONSERVER_DataType type) {
  for (const auto &one : types)
    if (one.type == type) return one;
  throw invalid("type " + std::to_string(type) + " is none of an input");
}

}  // namespace

TRITONSERVER_DataType input_type(const std::string &config_name) {
  std::string names;
  for (const auto &type : types) {
    if (type.inputs == nullptr) continue;
    if (config_name == type.config) return type.type;
    names += (names.empty() ? "" : ", ") + std::string(type.config);
  }
  throw invalid("the config's input is one of " + names + ", not " + config_name);
}

Tensor::Tensor(TRITONBACKEND_Request *request, const std::string &name, TRITONSERVER_DataType type) : type_(type) {
  TRITONBACKEND_Input *in = nullptr;
  check(TRITONBACKEND_RequestInput(request, name.c_str(), &in));
  TRITONSERVER_DataType given{};
  std::uint64_t bytes = 0;
  std::uint32_t buffers = 0;
  check(TRITONBACKEND_InputProperties(in, nullptr, &given, nullptr, nullptr, &bytes, &buffers));
  const auto each = find(type).bytes;
  if (given != type || bytes % each != 0) throw invalid("input '" + name + "' has another type than the config says");
  bytes_ = static_cast<std::size_t>(bytes);
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < buffers; ++i) {
    const void *data = nullptr;
    std::uint64_t size = 0;
    auto memory = TRITONSERVER_MEMORY_CPU;
    std::int64_t id = 0;
    check(TRITONBACKEND_InputBuffer(in, i, &data, &size, &memory, &id));
    if (memory == TRITONSERVER_MEMORY_GPU)
      throw Failure(TRITONSERVER_ERROR_UNSUPPORTED, "input '" + name + "' is in a GPU's memory: give it in the host's");
    if (buffers == 1 && reinterpret_cast<std::uintptr_t>(data) % each == 0 && size == bytes) {
      data_ = data;
      return;
    }
    if (size > bytes - at) throw invalid("input '" + name + "' has more bytes than it says");
    own_.resize((bytes_ + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t));
    std::memcpy(reinterpret_cast<char *>(own_.data()) + at, data, size);
    at += size;
  }
  if (at != bytes) throw invalid("input '" + name + "' has fewer bytes than it says");
  data_ = own_.data();
}

stk::inputs Tensor::inputs() const { return find(type_).inputs(*this); }

std::size_t Tensor::elements() const { return bytes_ / find(type_).bytes; }

bool has_input(TRITONBACKEND_Request *request, const char *name) {
  std::uint32_t count = 0;
  check(TRITONBACKEND_RequestInputCount(request, &count));
  for (std::uint32_t i = 0; i < count; ++i) {
    const char *here = nullptr;
    check(TRITONBACKEND_RequestInputName(request, i, &here));
    if (std::strcmp(here, name) == 0) return true;
  }
  return false;
}
