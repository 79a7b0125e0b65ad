#include "outputs.hpp"

#include <algorithm>
#include <cstring>

using nlohmann::json;

namespace {

/// One input's part of an output, appended to the others'.
class Column {
 public:
  template <class T>
  void add(T value) {
    bytes_.append(reinterpret_cast<const char *>(&value), sizeof value);
  }
  void add(std::string_view text) {
    add(static_cast<std::uint32_t>(text.size()));
    bytes_.append(text);
  }
  template <class T>
  void all(stk::span<const T> values) {
    bytes_.append(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T));
  }
  const std::string &bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// What there is of one input.
struct Part {
  const stk::answers &answers;
  std::size_t input, widest;
  std::vector<stk::summary> ks;
};

template <class Get>
void each_k(Column &to, const Part &part, Get get) {
  for (const auto &k : part.ks) to.add(get(k));
}

enum class Shape { input, ks, labels };

struct Output {
  const char *name;
  TRITONSERVER_DataType type;
  const char *config_type;
  Shape shape;
  const char *tasks;  // c: certify, p: predict, a: certify_answer
  void (*write)(Column &, const Part &);
};

constexpr Output outputs[] = {
    {"labels", TRITONSERVER_TYPE_INT64, "TYPE_INT64", Shape::labels, "cpa",
     [](Column &to, const Part &p) { to.all(checked(p.answers.labels(p.input, p.widest))); }},
    {"abstain", TRITONSERVER_TYPE_BOOL, "TYPE_BOOL", Shape::ks, "cpa",
     [](Column &to, const Part &p) { each_k(to, p, [](const auto &k) { return k.abstain; }); }},
    {"radius", TRITONSERVER_TYPE_FP64, "TYPE_FP64", Shape::ks, "c",
     [](Column &to, const Part &p) { each_k(to, p, [](const auto &k) { return k.radius; }); }},
    {"set_radius", TRITONSERVER_TYPE_FP64, "TYPE_FP64", Shape::ks, "a",
     [](Column &to, const Part &p) { each_k(to, p, [](const auto &k) { return k.radius; }); }},
    {"label_radii", TRITONSERVER_TYPE_FP64, "TYPE_FP64", Shape::labels, "a",
     [](Column &to, const Part &p) { to.all(checked(p.answers.label_radii(p.input, p.widest))); }},
    {"kept_radii", TRITONSERVER_TYPE_FP64, "TYPE_FP64", Shape::labels, "a",
     [](Column &to, const Part &p) { to.all(checked(p.answers.kept_radii(p.input, p.widest))); }},
    {"ranking_radius", TRITONSERVER_TYPE_FP64, "TYPE_FP64", Shape::ks, "a",
     [](Column &to, const Part &p) {
       for (std::size_t k = 0; k < p.ks.size(); ++k) to.add(checked(p.answers.guarantee(p.input, k)).ranking_radius);
     }},
    {"p_value", TRITONSERVER_TYPE_FP64, "TYPE_FP64", Shape::ks, "p",
     [](Column &to, const Part &p) { each_k(to, p, [](const auto &k) { return k.p_value; }); }},
    {"decision", TRITONSERVER_TYPE_BYTES, "TYPE_STRING", Shape::ks, "cpa",
     [](Column &to, const Part &p) {
       each_k(to, p, [](const auto &k) { return stk::name(static_cast<stk::decision>(k.decision)); });
     }},
    {"late", TRITONSERVER_TYPE_BOOL, "TYPE_BOOL", Shape::input, "cpa",
     [](Column &to, const Part &p) { to.add(p.ks.front().early_stop != STK_STATUS_OK); }},
    {"samples", TRITONSERVER_TYPE_UINT64, "TYPE_UINT64", Shape::ks, "cpa",
     [](Column &to, const Part &p) { each_k(to, p, [](const auto &k) { return k.n_certified; }); }},
    {"counts", TRITONSERVER_TYPE_BYTES, "TYPE_STRING", Shape::input, "cpa",
     [](Column &to, const Part &p) {
       const auto counts = checked(p.answers.counts(p.input));
       to.add(checked(counts.json()));
     }},
    {"json", TRITONSERVER_TYPE_BYTES, "TYPE_STRING", Shape::input, "cpa",
     [](Column &to, const Part &p) { to.add(checked(p.answers.json(p.input))); }},
};

bool has(const Output &output, Task task) {
  const char letter = task == Task::certify ? 'c' : task == Task::predict ? 'p' : 'a';
  return std::strchr(output.tasks, letter) != nullptr;
}

const Output *find(const std::string &name) {
  for (const auto &output : outputs)
    if (name == output.name) return &output;
  return nullptr;
}

}  // namespace

json output_configs(bool batched) {
  json all = json::array();
  for (const auto &output : outputs) {
    const json dims = batched ? json::array({-1}) : json::array({-1, -1});
    all.push_back({{"name", output.name}, {"data_type", output.config_type}, {"dims", dims}});
  }
  return all;
}

void check_output(const std::string &name, const std::string &data_type) {
  const auto *output = find(name);
  if (output == nullptr) throw invalid("output '" + name + "' of the config is none of this backend's");
  if (data_type != output->config_type)
    throw invalid("output '" + name + "' of the config is " + output->config_type + ", not " + data_type);
}

std::set<std::string> wanted_outputs(TRITONBACKEND_Request *request, Task task, std::size_t listed) {
  std::uint32_t count = 0;
  check(TRITONBACKEND_RequestOutputCount(request, &count));
  std::set<std::string> wanted;
  for (std::uint32_t i = 0; i < count; ++i) {
    const char *name = nullptr;
    check(TRITONBACKEND_RequestOutputName(request, i, &name));
    const auto *output = find(name);
    if (output != nullptr && has(*output, task)) {
      wanted.insert(name);
    } else if (count != listed) {
      std::string names;
      for (const auto &other : outputs)
        if (has(other, task)) names += (names.empty() ? "" : ", ") + std::string(other.name);
      throw invalid("there is no output '" + std::string(name) + "' of this task; there are " + names);
    }
  }
  return wanted;
}

void write_outputs(Response &response, const stk::answers &answers, const Asked &asked,
                   const std::set<std::string> &wanted) {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    parts.push_back({answers, i, asked.widest(), {}});
    for (std::size_t k = 0; k < answers.k_size(); ++k) parts.back().ks.push_back(checked(answers.summary(i, k)));
  }
  const auto inputs = static_cast<std::int64_t>(answers.size());
  for (const auto &output : outputs) {
    if (wanted.count(output.name) == 0) continue;
    Column column;
    for (const auto &part : parts) output.write(column, part);
    std::vector<std::int64_t> shape{inputs, 1};
    if (output.shape == Shape::ks) shape[1] = static_cast<std::int64_t>(answers.k_size());
    if (output.shape == Shape::labels) shape[1] = static_cast<std::int64_t>(checked(
        answers.labels(0, asked.widest())).size());
    response.output(output.name, output.type, shape, column.bytes());
  }
}
