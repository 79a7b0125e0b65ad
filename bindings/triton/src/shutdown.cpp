#include "shutdown.hpp"

#include <cstdlib>
#include <mutex>
#include <set>

#include "model.hpp"

namespace {

struct Open {
  std::mutex mutex;
  std::set<Model *> models;
  bool registered = false;
};
Open &open_models() {
  static auto *const all = new Open;  // never freed: it is used at exit
  return *all;
}
void abandon_all() {
  auto &all = open_models();
  const std::lock_guard lock(all.mutex);
  for (auto *model : all.models) model->abandon();
}

}  // namespace

void prepare_shutdown() {
  checked(stk::runtime::load());
  auto &all = open_models();
  const std::lock_guard lock(all.mutex);
  if (!all.registered && std::atexit(abandon_all) != 0)
    throw Failure(TRITONSERVER_ERROR_INTERNAL, "atexit takes no more functions");
  all.registered = true;
}

void opened(Model *model) {
  auto &all = open_models();
  const std::lock_guard lock(all.mutex);
  all.models.insert(model);
}

void closed(Model *model) {
  auto &all = open_models();
  const std::lock_guard lock(all.mutex);
  all.models.erase(model);
}
