// One answer to a request: outputs, then send.
#ifndef RESPONSE_HPP
#define RESPONSE_HPP

#include <cstring>
#include <string>
#include <vector>

#include "errors.hpp"

class Response {
 public:
  explicit Response(TRITONBACKEND_ResponseFactory *factory) {
    check(TRITONBACKEND_ResponseNewFromFactory(&native_, factory));
  }
  ~Response() {
    if (native_) TRITONSERVER_ErrorDelete(TRITONBACKEND_ResponseDelete(native_));
  }
  Response(const Response &) = delete;
  Response &operator=(const Response &) = delete;

  /// `bytes` are the elements, row-major; of texts each with its length before it.
  void output(const char *name, TRITONSERVER_DataType type, const std::vector<std::int64_t> &shape,
              const std::string &bytes) {
    TRITONBACKEND_Output *out = nullptr;
    check(TRITONBACKEND_ResponseOutput(native_, &out, name, type, shape.data(), static_cast<uint32_t>(shape.size())));
    void *buffer = nullptr;
    auto memory = TRITONSERVER_MEMORY_CPU;
    std::int64_t id = 0;
    check(TRITONBACKEND_OutputBuffer(out, &buffer, bytes.size(), &memory, &id));
    if (memory == TRITONSERVER_MEMORY_GPU)
      throw Failure(TRITONSERVER_ERROR_UNSUPPORTED, "outputs go to the host's memory only");
    std::memcpy(buffer, bytes.data(), bytes.size());
  }
  /// The error, which may be null, stays the caller's. Once.
  void send(bool last, TRITON_ERROR error = nullptr) {
    check(TRITONBACKEND_ResponseSend(std::exchange(native_, nullptr), last ? TRITONSERVER_RESPONSE_COMPLETE_FINAL : 0,
                                     error));
  }

 private:
  TRITONBACKEND_Response *native_ = nullptr;
};

#endif
