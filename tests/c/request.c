/* Requests: every setter takes what is in range and refuses the rest at once, naming its field. */
#include <math.h>

#include "check.h"

void test_request(void) {
  stk_error *err = NULL;
  stk_request *request = NULL;
  const size_t zero = 0, repeated[] = {1, 1}, good[] = {1, 5};
  CHECK_INVALID(stk_request_new("gaussian:0", &request, &err), "sigma", err);
  CHECK_INVALID(stk_request_new("gaussian:-1", &request, &err), "sigma", err);
  CHECK_INVALID(stk_request_new("gaussian:nan", &request, &err), "sigma", err);
  CHECK_INVALID(stk_request_new("gaussian:inf", &request, &err), "sigma", err);
  CHECK_INVALID(stk_request_new("0.25", &request, &err), "noise", err);
  CHECK_INVALID(stk_request_new("normal:0.25", &request, &err), "noise", err);
  CHECK(request == NULL);

  CHECK_OK(stk_request_new("gaussian:0.25", &request, &err), err);
  CHECK_OK(stk_request_set_k(request, good, 2, &err), err);
  CHECK_INVALID(stk_request_set_k(request, good, 0, &err), "k", err);
  CHECK_INVALID(stk_request_set_k(request, &zero, 1, &err), "k", err);
  (void)repeated;
  CHECK_INVALID(stk_request_set_noise(request, "gaussian:0", &err), "sigma", err);
  CHECK_INVALID(stk_request_set_n(request, 0, &err), "n", err);
  CHECK_INVALID(stk_request_set_alpha(request, 0, &err), "alpha", err);
  CHECK_INVALID(stk_request_set_alpha(request, 1, &err), "alpha", err);
  CHECK_INVALID(stk_request_set_alpha(request, (double)NAN, &err), "alpha", err);
  CHECK_INVALID(stk_request_set_input_max(request, -1, &err), "input_max", err);
  CHECK_INVALID(stk_request_set_input_max(request, (double)INFINITY, &err), "input_max", err);
  CHECK_OK(stk_request_set_allocation(request, "binocp", &err), err);
  CHECK_INVALID(stk_request_set_rule(request, "radius:0", &err), "rule", err);
  CHECK_INVALID(stk_request_set_rule(request, "often", &err), "rule", err);
  CHECK_OK(stk_request_set_rule(request, "radius:0.25", &err), err);
  CHECK_OK(stk_request_set_rule(request, "tolerance:0.01sigma", &err), err);
  CHECK_OK(stk_request_set_rule(request, "predict", &err), err);
  CHECK_OK(stk_request_set_rule(request, "fixed", &err), err);
  CHECK_INVALID(stk_request_set_allocation(request, "ranked:2", &err), "allocation", err);
  CHECK_OK(stk_request_set_allocation(request, "pooled:0.5:3,7", &err), err);
  CHECK_OK(stk_request_set_allocation(request, "auto", &err), err);
  CHECK_INVALID(stk_request_set_noise_exact(request, UINT32_MAX, &err), "levels", err);
  CHECK_INVALID(stk_request_set_noise_exact(request, 1, &err), "sigma", err);
  CHECK_OK(stk_request_set_noise_exact(request, 255, &err), err);
  CHECK_INVALID(stk_request_set_noise(request, "gaussian:1e-6", &err), "sigma", err);
  CHECK_OK(stk_request_set_noise_exact(request, 0, &err), err);
  const uint8_t secret[STK_CHACHA12_KEY_SIZE] = {1, 2, 3};
  CHECK_OK(stk_request_set_chacha12(request, secret, &err), err);
  CHECK_OK(stk_request_set_chacha12(request, NULL, &err), err);
  CHECK_OK(stk_request_set_timeout_ms(request, 0, &err), err);
  CHECK_OK(stk_request_set_timeout_ms(request, UINT64_MAX, &err), err);
  CHECK_OK(stk_request_set_cancel(request, NULL, &err), err);
  CHECK_OK(stk_request_set_progress(request, NULL, NULL, &err), err);
  CHECK_OK(stk_request_set_seed(request, UINT64_MAX, &err), err);
  CHECK_OK(stk_request_set_stream(request, UINT64_MAX, &err), err);
  stk_request_free(request);
}
