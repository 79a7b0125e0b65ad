#include "errors.hpp"

Failure failure_of(const stk::error &e) {
  std::string text(e.message());
  if (!e.field().empty()) text = std::string(e.field()) + ": " + text;
  switch (e.status()) {
    case stk::status::invalid_argument:
    case stk::status::invalid_data: return invalid(text);
    case stk::status::not_found: return {TRITONSERVER_ERROR_NOT_FOUND, text};
    case stk::status::cancelled: return {TRITONSERVER_ERROR_CANCELLED, text};
    // Triton has no code of their own for these two; its queue's limits and timeouts are UNAVAILABLE as well.
    case stk::status::deadline_exceeded: return {TRITONSERVER_ERROR_UNAVAILABLE, "timeout: " + text};
    case stk::status::busy: return {TRITONSERVER_ERROR_UNAVAILABLE, "busy: " + text};
    default: return {TRITONSERVER_ERROR_INTERNAL, text};
  }
}

void check(TRITON_ERROR e) {
  if (e == nullptr) return;
  const Failure failure(TRITONSERVER_ErrorCode(e), TRITONSERVER_ErrorMessage(e));
  TRITONSERVER_ErrorDelete(e);
  throw failure;
}

void log(TRITONSERVER_LogLevel level, const std::string &text) {
  TRITONSERVER_ErrorDelete(TRITONSERVER_LogMessage(level, "smoothtopk", 0, ("smoothtopk: " + text).c_str()));
}
