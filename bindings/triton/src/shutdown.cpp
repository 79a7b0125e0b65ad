#include "shutdown.hpp"

#include <cstdlib>
#include <mutex>
#include <set>

#include "model.hpp"

namespace {

struct Open {
  std::mutex mutex;
  std::set<Model *> models;
  std::set<std::string> registered;
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

void register_end(const std::string &sha256) {
  auto &all = open_models();
  const std::lock_guard lock(all.mutex);
  if (all.registered.count(sha256) == 0 && std::atexit(abandon_all) != 0)
    throw Failure(TRITONSERVER_ERROR_INTERNAL, "atexit takes no more functions");
  all.registered.insert(sha256);
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
