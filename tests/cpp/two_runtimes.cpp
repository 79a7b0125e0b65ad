// The host's own ONNX Runtime, a second copy of the library's file, beside ours in one process.
//
// The copy is used through the C API's function table, whose positions never change (onnxruntime_c_api.h: functions are
// only added at its end), so no header of ONNX Runtime is needed here.
#include "check.hpp"

#include <dlfcn.h>

#include <cstring>

namespace {

struct ApiBase {
  const void *const *(*get_api)(std::uint32_t version);
  const char *(*version)();
};

constexpr std::uint32_t api_version = 24;
enum Position : std::size_t {
  error_message = 2,
  create_env = 3,
  create_session = 7,
  run = 9,
  create_session_options = 10,
  create_tensor = 49,
  tensor_data = 51,
  create_cpu_memory_info = 69,
  release_env = 92,
  release_memory_info = 94,
  release_session = 95,
  release_value = 96,
  release_session_options = 100,
};

class HostRuntime {
 public:
  HostRuntime() {
    const char *path = std::getenv("HOST_ONNXRUNTIME");
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
    CHECK(library != nullptr);
    if (library == nullptr) std::exit(1);
    base_ = reinterpret_cast<const ApiBase *(*)()>(dlsym(library, "OrtGetApiBase"))();
    api_ = base_->get_api(api_version);
    CHECK(api_ != nullptr);
    must(call<void *, int, const char *, void **>(create_env, 2, "host", &env_));
    void *options = nullptr;
    must(call<void *, void **>(create_session_options, &options));
    must(call<void *, void *, const char *, void *, void **>(create_session, env_, exact_model, options, &session_));
    call<void, void *>(release_session_options, options);
  }
  ~HostRuntime() {
    call<void, void *>(release_session, session_);
    call<void, void *>(release_env, env_);
  }
  HostRuntime(const HostRuntime &) = delete;
  HostRuntime &operator=(const HostRuntime &) = delete;

  const ApiBase *base() const { return base_; }
  /// The model's scores of one input.
  std::vector<float> scores(std::vector<float> x) const {
    void *memory = nullptr, *input = nullptr, *output = nullptr, *data = nullptr;
    const std::int64_t shape[] = {1, static_cast<std::int64_t>(x.size())};
    const char *in = "x", *out = "scores";
    must(call<void *, int, int, void **>(create_cpu_memory_info, 1, 0, &memory));
    must(call<void *, void *, void *, std::size_t, const std::int64_t *, std::size_t, int, void **>(
        create_tensor, memory, x.data(), x.size() * sizeof(float), shape, 2, 1, &input));
    must(call<void *, void *, void *, const char **, void **, std::size_t, const char **, std::size_t, void **>(
        run, session_, nullptr, &in, &input, 1, &out, 1, &output));
    must(call<void *, void *, void **>(tensor_data, output, &data));
    std::vector<float> scores(6);
    std::memcpy(scores.data(), data, scores.size() * sizeof(float));
    call<void, void *>(release_value, output);
    call<void, void *>(release_value, input);
    call<void, void *>(release_memory_info, memory);
    return scores;
  }

 private:
  template <class R, class... A>
  R call(Position at, A... arguments) const {
    return reinterpret_cast<R (*)(A...)>(const_cast<void *>(api_[at]))(arguments...);
  }
  void must(void *status) const {
    if (status == nullptr) return;
    CHECK(false);
    std::fprintf(stderr, "%s\n", call<const char *, void *>(error_message, status));
    std::exit(1);
  }
  const ApiBase *base_ = nullptr;
  const void *const *api_ = nullptr;
  void *env_ = nullptr;
  void *session_ = nullptr;
};

std::vector<std::uint64_t> our_counts() {
  const auto model = MUST(open(exact_model));
  const auto answers = MUST(model.certify(MUST(stk::request_builder(0.25).n(1000).seed(7).build()), exact_input()));
  return numbers_of(MUST(answers.counts(0)));
}

}  // namespace

void test_two_runtimes(const char *how) {
  if (std::strcmp(how, "host-first") == 0) {
    const HostRuntime host;
    const auto before = host.scores(exact_input());
    const auto counts = our_counts();
    CHECK(MUST(stk::runtime::path()).find("libhost_onnxruntime") == std::string_view::npos);
    CHECK(host.scores(exact_input()) == before && our_counts() == counts);
    // Ours is loaded: another one is refused, and what is loaded goes on.
    FAILS(stk::runtime::use_api_base(host.base()), stk::status::runtime, "");
    CHECK(our_counts() == counts);
  } else if (std::strcmp(how, "ours-first") == 0) {
    const auto counts = our_counts();
    {
      const HostRuntime host;
      const auto scores = host.scores(exact_input());
      CHECK(our_counts() == counts && host.scores(exact_input()) == scores);
    }
    // The host's is gone, ours goes on.
    CHECK(our_counts() == counts);
  } else {
    const HostRuntime host;
    const auto before = host.scores(exact_input());
    MUST(stk::runtime::use_api_base(host.base()));
    CHECK(MUST(stk::runtime::path()).empty());
    CHECK(MUST(stk::runtime::version()) == host.base()->version());
    const auto counts = our_counts();
    CHECK(counts.size() == 6 && host.scores(exact_input()) == before && our_counts() == counts);
  }
}
