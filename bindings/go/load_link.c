//go:build smoothtopk_link

#include "shim.h"

char *shim_load(const char *path, shim_api *out) {
  (void)path;
#define TAKE(name) out->name = name;
  SHIM_FUNCTIONS(TAKE)
#undef TAKE
  return shim_check_abi(out->stk_abi_version());
}
