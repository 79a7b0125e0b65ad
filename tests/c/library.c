/* Versions, the log, ONNX Runtime. */
#include "check.h"

struct log_state {
  unsigned calls;
  stk_log_level most_talkative;
};

static void on_log(void *user, stk_log_level level, const char *message) {
  struct log_state *state = user;
  ++state->calls;
  if (level > state->most_talkative) state->most_talkative = level;
  CHECK(message != NULL && message[0] != '\0');
}

static void test_log(void) {
  stk_error *err = NULL;
  struct log_state state = {0, 0};
  CHECK_OK(stk_log_set_callback(STK_LOG_LEVEL_DEBUG, on_log, &state, &err), err);
  stk_model_free(open_model(EXACT));
  CHECK(state.calls > 0);
  CHECK(state.most_talkative >= STK_LOG_LEVEL_ERROR && state.most_talkative <= STK_LOG_LEVEL_DEBUG);
  CHECK_OK(stk_log_set_callback(STK_LOG_LEVEL_OFF, NULL, NULL, &err), err);
  const unsigned calls = state.calls;
  stk_model_free(open_model(EXACT));
  CHECK(state.calls == calls);
  CHECK_STATUS(stk_log_set_callback(5, on_log, &state, &err), STK_STATUS_INVALID_ARGUMENT, err);
  CHECK_STATUS(stk_log_set_callback(-1, on_log, &state, &err), STK_STATUS_INVALID_ARGUMENT, err);
}

void test_library(void) {
  stk_error *err = NULL;
  CHECK(stk_abi_version() == STK_ABI_VERSION);
  CHECK(strchr(stk_version(), '.') != NULL);
  CHECK(strstr(stk_build_info(), stk_version()) != NULL);
  CHECK(strchr(stk_build_info(), '\n') == NULL);

  const char *text = NULL;
  CHECK_OK(stk_runtime_load(NULL, &err), err);
  CHECK_OK(stk_runtime_version(&text, &err), err);
  CHECK(text != NULL && text[0] == '1' && text[1] == '.');
  CHECK_OK(stk_runtime_path(&text, &err), err);
  CHECK(text != NULL && strstr(text, "onnxruntime") != NULL);
  CHECK_OK(stk_runtime_check_provider("cpu", &err), err);
  CHECK_STATUS(stk_runtime_check_provider("MIGraphXExecutionProvider", &err), STK_STATUS_PROVIDER, err);
  CHECK_INVALID(stk_runtime_check_provider("no such provider", &err), "provider", err);
  /* The first load stays. */
  CHECK_OK(stk_runtime_load(NULL, &err), err);
  CHECK_STATUS(stk_runtime_load("no/such/library.so", &err), STK_STATUS_RUNTIME, err);
  test_log();
}
