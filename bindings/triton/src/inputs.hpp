// A request's tensors, as the library takes them.
#ifndef INPUTS_HPP
#define INPUTS_HPP

#include <cstddef>
#include <string>
#include <vector>

#include "errors.hpp"

inline constexpr const char *label_input = "label";

/// Of "TYPE_FP32" and the others that inputs may have; throws Failure.
TRITONSERVER_DataType input_type(const std::string &config_name);

/// Where the elements lie: in Triton's memory, until the request is released, or here, if that is in pieces.
class Tensor {
 public:
  /// Throws Failure where the request has it not, of another type, or in a GPU's memory.
  Tensor(TRITONBACKEND_Request *request, const std::string &name, TRITONSERVER_DataType type);
  stk::inputs inputs() const;
  template <class T>
  stk::span<const T> as() const {
    return {static_cast<const T *>(data_), bytes_ / sizeof(T)};
  }
  std::size_t elements() const;

 private:
  TRITONSERVER_DataType type_;
  const void *data_ = nullptr;
  std::size_t bytes_ = 0;
  std::vector<std::max_align_t> own_;
};

bool has_input(TRITONBACKEND_Request *request, const char *name);

#endif
