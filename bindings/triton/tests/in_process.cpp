// Answers a second without a server: in_process MODEL INPUT N SECONDS keeps 64 questions about one input (a file of float32)
// in flight, of predict by rule where N is 0, else of certify with n = N. What bench.py compares Triton with.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <smoothtopk.hpp>
#include <vector>

namespace stk = smoothtopk;
using std::chrono::steady_clock;

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  const auto n = static_cast<std::uint64_t>(std::atoll(argv[3]));
  const auto end = steady_clock::now() + std::chrono::duration<double>(std::atof(argv[4]));
  const auto model = stk::model::open(argv[1]);
  if (!model) return std::fprintf(stderr, "%s\n", model.error().message().data()), 1;
  stk::request_builder builder(0.25);
  if (n == 0) builder.rule(stk::rule::predict());
  else builder.n(n);
  const auto request = builder.build();
  if (!request) return std::fprintf(stderr, "%s\n", request.error().message().data()), 1;
  std::vector<float> image(model->elements());
  std::FILE *file = std::fopen(argv[2], "rb");
  if (!file || std::fread(image.data(), sizeof(float), image.size(), file) != image.size())
    return std::fprintf(stderr, "%s is no input of the model\n", argv[2]), 1;
  std::fclose(file);

  std::deque<stk::job> jobs;
  std::uint64_t answers = 0;
  const auto began = steady_clock::now();
  while (steady_clock::now() < end || !jobs.empty()) {
    while (jobs.size() < 64 && steady_clock::now() < end) {
      auto job = n == 0 ? model->submit_predict(*request, image) : model->submit_certify(*request, image);
      if (!job) return std::fprintf(stderr, "%s\n", job.error().message().data()), 1;
      jobs.push_back(*std::move(job));
    }
    if (jobs.empty()) break;
    const auto answer = jobs.front().get();
    if (!answer) return std::fprintf(stderr, "%s\n", answer.error().message().data()), 1;
    jobs.pop_front();
    ++answers;
  }
  std::printf("%.0f\n", static_cast<double>(answers) / std::chrono::duration<double>(steady_clock::now() - began).count());
}
