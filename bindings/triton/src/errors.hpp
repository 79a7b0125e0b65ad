// Errors are exceptions inside the backend, and TRITONSERVER_Error at its border. Triton's log is here, too.
#ifndef ERRORS_HPP
#define ERRORS_HPP

#include <smoothtopk.hpp>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "triton_api.h"

namespace stk = smoothtopk;

struct Failure : std::runtime_error {
  Failure(TRITONSERVER_Error_Code c, const std::string &text) : std::runtime_error(text), code(c) {}
  TRITONSERVER_Error_Code code;
};

inline Failure invalid(const std::string &text) { return {TRITONSERVER_ERROR_INVALID_ARG, text}; }

/// The library's error with Triton's code.
Failure failure_of(const stk::error &e);

/// Throws what a function of Triton's gave, if it is an error.
void check(TRITON_ERROR e);

/// The value, or its error thrown.
template <class T>
T checked(stk::result<T> r) {
  if (!r.has_value()) throw failure_of(r.error());
  if constexpr (!std::is_void_v<T>) return *std::move(r);
}

void log(TRITONSERVER_LogLevel level, const std::string &text);

/// What f throws, as Triton's error; null for none.
template <class F>
TRITON_ERROR shielded(F &&f) noexcept {
  try {
    f();
    return nullptr;
  } catch (const Failure &e) {
    return TRITONSERVER_ErrorNew(e.code, e.what());
  } catch (const std::exception &e) { return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, e.what()); }
}

/// Runs what has nobody to tell of an error but the log.
template <class F>
void logged(F &&f) noexcept {
  if (auto e = shielded(f)) {
    log(TRITONSERVER_LOG_ERROR, TRITONSERVER_ErrorMessage(e));
    TRITONSERVER_ErrorDelete(e);
  }
}

#endif
