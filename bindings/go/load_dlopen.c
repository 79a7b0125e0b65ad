//go:build !smoothtopk_link

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "shim.h"

char *shim_load(const char *path, shim_api *out) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    return strdup(reason ? reason : "the loader gives no reason");
  }
  const char *missing = NULL;
#define LOOK_UP(name)                                                                                                  \
  do {                                                                                                                 \
    void *symbol = dlsym(library, #name);                                                                              \
    if (!symbol && !missing) missing = #name;                                                                          \
    memcpy(&out->name, &symbol, sizeof symbol);                                                                        \
  } while (0);
  SHIM_FUNCTIONS(LOOK_UP)
#undef LOOK_UP
  // The version first: it explains what is missing.
  char *wrong = out->stk_abi_version ? shim_check_abi(out->stk_abi_version()) : NULL;
  if (!wrong && missing) {
    char message[160];
    snprintf(message, sizeof message, "it has no function %s: it is not smoothtopk, or an older one", missing);
    wrong = strdup(message);
  }
  if (wrong) dlclose(library);
  return wrong;
}
