/* Models: opened from a path and from memory, described, and refused with the reason. */
#include <stdlib.h>

#include "check.h"

static unsigned char *read_whole(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  unsigned char *bytes = malloc(1 << 20);
  if (file == NULL || bytes == NULL) exit(1);
  *len = fread(bytes, 1, 1 << 20, file);
  fclose(file);
  return bytes;
}

static void describes(const stk_model *model) {
  stk_error *err = NULL;
  const size_t *dims = NULL;
  size_t len = 0;
  CHECK(stk_model_elements(model) == EXACT_ELEMENTS);
  CHECK(stk_model_classes(model) == EXACT_CLASSES);
  CHECK(stk_model_batch(model) >= 1);
  CHECK(stk_model_threads(model) >= 1);
  CHECK_OK(stk_model_shape(model, &dims, &len, &err), err);
  CHECK(len == 1 && dims[0] == EXACT_ELEMENTS);
  CHECK(strlen(stk_model_sha256(model)) == 64);
  CHECK(strstr(stk_model_provider(model), "cpu") != NULL || strstr(stk_model_provider(model), "CPU") != NULL);
  CHECK(strcmp(stk_model_arithmetic(model), "float32") == 0 && stk_model_fallback(model) == NULL);
  CHECK(stk_model_signature_json(model)[0] == '{');
}

static void opens(void) {
  stk_error *err = NULL;
  stk_model *from_path = NULL;
  stk_model *from_memory = NULL;
  size_t len;
  unsigned char *bytes = read_whole(EXACT, &len);
  CHECK_OK(stk_model_open_memory(bytes, len, NULL, &from_memory, &err), err);
  /* The bytes are the caller's again. */
  memset(bytes, 0, len);
  free(bytes);
  CHECK_OK(stk_model_open(EXACT, NULL, &from_path, &err), err);
  describes(from_path);
  describes(from_memory);
  CHECK(strcmp(stk_model_sha256(from_path), stk_model_sha256(from_memory)) == 0);
  stk_model_free(from_path);
  stk_model_free(from_memory);
}

static void refuses(void) {
  stk_error *err = NULL;
  stk_model *model = NULL;
  size_t len;
  unsigned char *bytes = read_whole(EXACT, &len);
  CHECK_STATUS(stk_model_open("no/such/model.onnx", NULL, &model, &err), STK_STATUS_NOT_FOUND, err);
  CHECK_STATUS(stk_model_open_memory(bytes, len / 2, NULL, &model, &err), STK_STATUS_MODEL, err);
  CHECK_STATUS(stk_model_open(MODELS "batch_leak.onnx", NULL, &model, &err), STK_STATUS_MODEL, err);
  CHECK(model == NULL);
  free(bytes);
}

/* Without CUDA: refused, or on the processor with the reason, as asked. */
static void falls_back(void) {
  stk_error *err = NULL;
  stk_model_options *options = NULL;
  stk_model *model = NULL;
  const uint32_t devices[] = {0, 1}, twice[] = {1, 1};
  stk_status here = stk_runtime_check_provider("cuda", &err);
  stk_error_free(err);
  err = NULL;
  if (here == STK_STATUS_OK) {
    printf("SKIPPED: this machine has CUDA\n");
    return;
  }
  CHECK_OK(stk_model_options_new(&options, &err), err);
  CHECK_OK(stk_model_options_set_batch(options, 8, &err), err);
  CHECK_OK(stk_model_options_set_plan_cache(options, false, &err), err);
  CHECK_OK(stk_model_options_set_provider(options, "cuda", &err), err);
  CHECK_STATUS(stk_model_options_set_devices(options, twice, 2, &err), STK_STATUS_INVALID_ARGUMENT, err);
  CHECK_OK(stk_model_options_set_devices(options, devices, 2, &err), err);
  CHECK_OK(stk_model_options_set_cuda_tf32(options, true, &err), err);
  CHECK_STATUS(stk_model_open(EXACT, options, &model, &err), STK_STATUS_PROVIDER, err);
  CHECK_OK(stk_model_options_set_allow_fallback(options, true, &err), err);
  CHECK_OK(stk_model_open(EXACT, options, &model, &err), err);
  CHECK(strcmp(stk_model_provider(model), "cpu") == 0);
  CHECK(strcmp(stk_model_arithmetic(model), "float32") == 0);
  CHECK(stk_model_fallback(model) != NULL && strstr(stk_model_fallback(model), "cuda") != NULL);
  stk_model_free(model);
  model = NULL;
  /* A fallback is for what is missing, not for options that do not fit. */
  CHECK_OK(stk_model_options_set_tensorrt(options, true, false, NULL, &err), err);
  CHECK_STATUS(stk_model_open(EXACT, options, &model, &err), STK_STATUS_INVALID_ARGUMENT, err);
  stk_model_options_free(options);
}

static void takes_options(void) {
  stk_error *err = NULL;
  stk_model_options *options = NULL;
  stk_model *model = NULL;
  const float zero = 0, one = 1, negative = -1;
  const size_t dims[] = {EXACT_ELEMENTS};
  CHECK_OK(stk_model_options_new(&options, &err), err);
  CHECK_OK(stk_model_options_set_provider(options, "cpu", &err), err);
  CHECK_OK(stk_model_options_set_threads(options, 1, &err), err);
  CHECK_OK(stk_model_options_set_batch(options, 5, &err), err);
  CHECK_OK(stk_model_options_set_input(options, "x", &err), err);
  CHECK_OK(stk_model_options_set_output(options, "scores", &err), err);
  CHECK_OK(stk_model_options_set_input_shape(options, dims, 1, &err), err);
  CHECK_OK(stk_model_options_set_classes(options, EXACT_CLASSES, &err), err);
  CHECK_OK(stk_model_options_set_normalization(options, &zero, 1, &one, 1, &err), err);
  CHECK_STATUS(stk_model_options_set_normalization(options, &zero, 1, &negative, 1, &err), STK_STATUS_INVALID_ARGUMENT,
               err);
  CHECK_STATUS(stk_model_options_set_classes(options, 0, &err), STK_STATUS_INVALID_ARGUMENT, err);
  CHECK_OK(stk_model_open(EXACT, options, &model, &err), err);
  describes(model);
  CHECK(stk_model_batch(model) == 5);
  CHECK(stk_model_threads(model) == 1);
  stk_model_free(model);

  model = NULL;
  CHECK_OK(stk_model_options_set_input(options, "no_such_input", &err), err);
  CHECK(stk_model_open(EXACT, options, &model, &err) != STK_STATUS_OK);
  CHECK(model == NULL && strstr(stk_error_message(err), "no_such_input") != NULL);
  stk_error_free(err);
  stk_model_options_free(options);
}

void test_model(void) {
  opens();
  refuses();
  takes_options();
  falls_back();
}
