#include <smoothtopk.h>
#include <stdio.h>

int main(void) {
  stk_model *model = NULL;
  stk_request *request = NULL;
  stk_result *result = NULL;
  stk_error *err = NULL;
  stk_summary answer;
  float image[64]; /* a scanned 3: 8 x 8 pixels from 0 to 1 */
  static const char ink[] =
      "00agg400"
      "0098da00"
      "0004f600"
      "000dg700"
      "0005dg10"
      "00000g40"
      "00735g20"
      "00bgga00";
  for (int i = 0; i < 64; ++i) image[i] = (float)(ink[i] <= '9' ? ink[i] - '0' : ink[i] - 'a' + 10) / 16;
  if (stk_model_open("demo/digits_mlp_sigma0.25.onnx", NULL, &model, &err) == STK_STATUS_OK &&
      stk_request_new("gaussian:0.25", &request, &err) == STK_STATUS_OK &&
      stk_request_set_n(request, 10000, &err) == STK_STATUS_OK &&
      stk_model_certify(model, request, image, 1, NULL, &result, &err) == STK_STATUS_OK &&
      stk_result_summary(result, 0, 0, &answer, sizeof answer, &err) == STK_STATUS_OK)
    printf("label %d, certified radius %.3f\n", (int)answer.label, answer.radius);
  else fprintf(stderr, "%s: %s\n", stk_status_name(stk_error_status(err)), stk_error_message(err));
  const int failed = err != NULL;

  stk_error_free(err);
  stk_result_free(result);
  stk_request_free(request);
  stk_model_free(model);
  return failed;
}
