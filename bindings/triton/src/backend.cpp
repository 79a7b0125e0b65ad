// What Triton calls. Triton's API is in triton_api.h; a model and its requests in model.hpp.
#include "model.hpp"

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace {

constexpr uint32_t api_major = 1, api_minor = 15;

TRITONSERVER_LogLevel level_of(stk::log_level level) {
  switch (level) {
    case stk::log_level::error: return TRITONSERVER_LOG_ERROR;
    case stk::log_level::warn: return TRITONSERVER_LOG_WARN;
    case stk::log_level::info: return TRITONSERVER_LOG_INFO;
    default: return TRITONSERVER_LOG_VERBOSE;
  }
}

struct Backend {
  Families families;
  stk::logger logger = checked(stk::logger::install(
      TRITONSERVER_LogIsEnabled(TRITONSERVER_LOG_VERBOSE) ? stk::log_level::debug : stk::log_level::info,
      [](stk::log_level level, std::string_view message) { log(level_of(level), std::string(message)); }));
};

template <class T, class Native>
T &state_of(TRITON_ERROR (*get)(Native *, void **), Native *native) {
  void *state = nullptr;
  check(get(native, &state));
  return *static_cast<T *>(state);
}

}  // namespace

EXPORTED TRITON_ERROR TRITONBACKEND_Initialize(TRITONBACKEND_Backend *backend) {
  return shielded([&] {
    std::uint32_t major = 0, minor = 0;
    check(TRITONBACKEND_ApiVersion(&major, &minor));
    if (major != api_major || minor < api_minor)
      throw Failure(TRITONSERVER_ERROR_UNSUPPORTED,
                    "the server's backend API is " + std::to_string(major) + "." + std::to_string(minor) +
                        "; this backend is for " + std::to_string(api_major) + "." + std::to_string(api_minor) +
                        " and later ones of the same major version");
    // Loads ONNX Runtime: where it is missing that is told once, and not for each model.
    log(TRITONSERVER_LOG_INFO, "library " + std::string(stk::version()) + ", ONNX Runtime " +
                                   std::string(checked(stk::runtime::version())));
    check(TRITONBACKEND_BackendSetState(backend, new Backend));
  });
}

EXPORTED TRITON_ERROR TRITONBACKEND_Finalize(TRITONBACKEND_Backend *backend) {
  return shielded([&] { delete &state_of<Backend>(TRITONBACKEND_BackendState, backend); });
}

EXPORTED TRITON_ERROR TRITONBACKEND_ModelInitialize(TRITONBACKEND_Model *model) {
  return shielded([&] {
    TRITONBACKEND_Backend *backend = nullptr;
    check(TRITONBACKEND_ModelBackend(model, &backend));
    const auto &families = state_of<Backend>(TRITONBACKEND_BackendState, backend).families;
    check(TRITONBACKEND_ModelSetState(model, new Model(model, families)));
  });
}

EXPORTED TRITON_ERROR TRITONBACKEND_ModelFinalize(TRITONBACKEND_Model *model) {
  return shielded([&] { delete &state_of<Model>(TRITONBACKEND_ModelState, model); });
}

/// Where this gives an error the requests stay Triton's; each gets an answer of its own instead.
EXPORTED TRITON_ERROR TRITONBACKEND_ModelInstanceExecute(TRITONBACKEND_ModelInstance *instance,
                                                         TRITONBACKEND_Request **requests, const std::uint32_t count) {
  return shielded([&] {
    TRITONBACKEND_Model *model = nullptr;
    check(TRITONBACKEND_ModelInstanceModel(instance, &model));
    state_of<Model>(TRITONBACKEND_ModelState, model).execute(instance, requests, count);
  });
}
