// Runs the C++ suite, or the tests that are named; tests that need a fresh process are run by run.sh, each by its name.
#include "check.hpp"

#include <cstring>

int check_count = 0;
int check_failures = 0;

void check_that(bool holds, const char *file, int line, const char *what, std::string_view why) {
  ++check_count;
  if (holds) return;
  ++check_failures;
  std::fprintf(stderr, "%s:%d: failed: %s %.*s\n", file, line, what, static_cast<int>(why.size()), why.data());
}

int main(int argc, char **argv) {
  static constexpr struct {
    const char *name;
    void (*run)();
    bool alone;
  } tests[] = {
      {"types", test_types, false},
      {"model", test_model, false},
      {"run", test_run, false},
      {"jobs", test_jobs, false},
      {"counts", test_counts, false},
      {"misuse", test_misuse, false},
      {"rules", test_rules, false},
      {"callbacks", test_callbacks, false},
      {"exceptions", test_exceptions, false},
      {"threads", test_threads, false},
      {"golden", test_golden, false},
      {"host-first", [] { test_two_runtimes("host-first"); }, true},
      {"ours-first", [] { test_two_runtimes("ours-first"); }, true},
      {"shared", [] { test_two_runtimes("shared"); }, true},
  };
  int ran = 0;
  for (const auto &test : tests) {
    bool wanted = argc < 2 && !test.alone;
    for (int a = 1; a < argc; ++a) wanted |= std::strcmp(argv[a], test.name) == 0;
    if (!wanted) continue;
    const int before = check_failures;
    test.run();
    std::printf("c++: %-10s %s\n", test.name, check_failures == before ? "ok" : "FAILED");
    ++ran;
  }
  std::printf("c++: %d tests, %d checks, %d failed\n", ran, check_count, check_failures);
  return check_failures == 0 && ran > 0 ? 0 : 1;
}
