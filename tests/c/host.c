/* The host's process: a fork, signals; how much may be under way, and the numbers that say so. */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static stk_job *submit(const stk_model *model, const stk_request *request, int slow) {
  stk_error *err = NULL;
  stk_job *job = NULL;
  float x[SLOW_ELEMENTS] = {0};
  if (slow) slow_input(x);
  CHECK_OK(stk_model_submit_predict(model, request, x, 1, NULL, NULL, &job, &err), err);
  return job;
}

static stk_request *slow_request(void) {
  stk_error *err = NULL;
  stk_request *request = make_request(1000);
  CHECK_OK(stk_request_set_input_max(request, 1000, &err), err);
  CHECK_OK(stk_request_set_timeout_ms(request, 3600 * 1000, &err), err);
  return request;
}

/* Everything that would wait in the child says why not, and everything can be freed. */
static void in_the_child(stk_model *model, stk_request *request, stk_job *ended, stk_job *under_way) {
  stk_error *err = NULL;
  stk_result *result = NULL;
  stk_job *job = NULL;
  stk_counts *counts = NULL;
  stk_stats stats;
  bool done = false;
  float x[SLOW_ELEMENTS] = {0};
  /* Should a call hang, the child dies of it. */
  alarm(60);
  CHECK_STATUS(stk_model_predict(model, request, x, 1, &result, &err), STK_STATUS_FORKED, err);
  CHECK_STATUS(stk_model_certify(model, request, x, 1, NULL, &result, &err), STK_STATUS_FORKED, err);
  CHECK_STATUS(stk_model_sample(model, request, x, 0, 10, &counts, &err), STK_STATUS_FORKED, err);
  CHECK_STATUS(stk_model_submit_predict(model, request, x, 1, NULL, NULL, &job, &err), STK_STATUS_FORKED, err);
  CHECK_STATUS(stk_model_stats(model, &stats, sizeof stats, &err), STK_STATUS_FORKED, err);
  stk_job *const jobs[] = {ended, under_way};
  for (int i = 0; i < 2; ++i) {
    CHECK_STATUS(stk_job_wait(jobs[i], UINT64_MAX, &done, &err), STK_STATUS_FORKED, err);
    stk_job_cancel(jobs[i]);
    CHECK(stk_job_is_done(jobs[i]) && stk_job_samples_done(jobs[i]) == 0);
    CHECK_STATUS(stk_job_result(jobs[i], &result, &err), STK_STATUS_FORKED, err);
    stk_job_free(jobs[i]);
  }
  CHECK(result == NULL && job == NULL && counts == NULL);
  CHECK(stk_model_elements(model) == SLOW_ELEMENTS);
  stk_model_free(model);
  stk_request_free(request);
}

static void forks(void) {
  stk_error *err = NULL;
  stk_model *model = open_model(SLOW);
  stk_request *request = slow_request();
  stk_result *result = NULL;
  bool done = false;
  stk_job *ended = submit(model, request, 0);
  CHECK_OK(stk_job_wait(ended, UINT64_MAX, &done, &err), err);
  stk_job *under_way = submit(model, request, 1);
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    check_failures = 0;
    in_the_child(model, request, ended, under_way);
    _exit(check_failures == 0 ? 0 : 1);
  }
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  /* The parent has lost nothing. */
  CHECK(!stk_job_is_done(under_way));
  CHECK_OK(stk_job_result(ended, &result, &err), err);
  stk_result_free(result);
  stk_job_free(ended);
  stk_job_free(under_way);
  stk_request_free(request);
  stk_model_free(model);
}

static void wait_a_moment(long milliseconds) {
  const struct timespec moment = {.tv_sec = 0, .tv_nsec = milliseconds * 1000000};
  nanosleep(&moment, NULL);
}

/* The signals that a thread of this process blocks; all, where it has ended. */
static uint64_t blocked_by(const char *task) {
  char path[300], line[256];
  uint64_t mask = UINT64_MAX;
  snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
  FILE *file = fopen(path, "r");
  if (file == NULL) return mask;
  while (fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, "SigBlk:", 7) == 0) mask = strtoull(line + 7, NULL, 16);
  fclose(file);
  return mask;
}

/* Whether it blocks all signals but those of faults, and those that cannot be blocked. */
static int blocks_all(const char *task) {
  const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGKILL, SIGSTOP, 32, 33};
  uint64_t rest = 0, mask = UINT64_MAX;
  for (size_t i = 0; i < sizeof open / sizeof open[0]; ++i) rest |= (uint64_t)1 << (open[i] - 1);
  /* A new thread blocks even those until it runs. */
  for (int tries = 0; (mask = blocked_by(task)) & rest && mask != UINT64_MAX && tries < 10000; ++tries) wait_a_moment(1);
  return mask == ~rest || mask == UINT64_MAX;
}

/* The threads of this process, and how many of them block all signals. */
static void threads(int *all, int *blocking) {
  DIR *tasks = opendir("/proc/self/task");
  CHECK(tasks != NULL);
  *all = *blocking = 0;
  for (struct dirent *task; tasks != NULL && (task = readdir(tasks)) != NULL;) {
    if (task->d_name[0] == '.') continue;
    ++*all;
    *blocking += blocks_all(task->d_name);
  }
  closedir(tasks);
}

static volatile sig_atomic_t signalled;

static void on_signal(int signal) {
  (void)signal;
  signalled = 1;
}

static void leaves_signals_to_the_host(void) {
  int all = 0, blocking = 0, all_before = 0, blocking_before = 0;
  threads(&all_before, &blocking_before);
  stk_model *model = open_model(SLOW);
  stk_request *request = slow_request();
  stk_job *job = submit(model, request, 1);
  threads(&all, &blocking);
  CHECK(all > all_before + 1);
  CHECK(all - all_before == blocking - blocking_before);
  /* A signal that this thread blocks waits for it, and goes to no thread of the library. */
  sigset_t set, before;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  struct sigaction action, old;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, &old);
  sigprocmask(SIG_BLOCK, &set, &before);
  CHECK(!sigismember(&before, SIGTERM));
  kill(getpid(), SIGUSR1);
  wait_a_moment(20);
  CHECK(!signalled);
  int got = 0;
  CHECK(sigwait(&set, &got) == 0 && got == SIGUSR1);
  sigprocmask(SIG_SETMASK, &before, NULL);
  sigaction(SIGUSR1, &old, NULL);
  stk_job_free(job);
  stk_request_free(request);
  stk_model_free(model);
}

static void says_when_it_is_busy(void) {
  stk_error *err = NULL;
  stk_model *model = NULL;
  stk_model_options *options = NULL;
  stk_job *second = NULL;
  stk_result *result = NULL;
  float x[3 * SLOW_ELEMENTS] = {0};
  CHECK_OK(stk_model_options_new(&options, &err), err);
  CHECK_OK(stk_model_options_set_batch(options, 16, &err), err);
  CHECK_OK(stk_model_options_set_max_jobs(options, 2, &err), err);
  CHECK_OK(stk_model_options_set_max_input_bytes(options, 1u << 20, &err), err);
  CHECK_OK(stk_model_open(SLOW, options, &model, &err), err);
  stk_model_options_free(options);
  stk_request *request = slow_request();
  CHECK_INVALID(stk_model_predict(model, request, x, 3, &result, &err), "max_jobs", err);
  stk_job *first = submit(model, request, 1);
  CHECK_STATUS(stk_model_submit_predict(model, request, x, 2, NULL, NULL, &second, &err), STK_STATUS_BUSY, err);
  CHECK_STATUS(stk_model_predict(model, request, x, 2, &result, &err), STK_STATUS_BUSY, err);
  CHECK(second == NULL && result == NULL);
  stk_stats stats;
  CHECK_OK(stk_model_stats(model, &stats, sizeof stats, &err), err);
  CHECK(stats.struct_size == sizeof stats && stats.jobs_refused == 4 && stats.jobs_ended == 0);
  CHECK(stats.jobs_waiting + stats.jobs_running == 1 && stats.seconds > 0);
  stk_job_free(first);
  CHECK_OK(stk_model_predict(model, request, x, 2, &result, &err), err);
  stk_result_free(result);
  CHECK_OK(stk_model_stats(model, &stats, sizeof stats, &err), err);
  CHECK(stats.jobs_ended == 3 && stats.jobs_cancelled == 1 && stats.samples >= 2000 && stats.samples_waiting == 0);
  /* Two inputs, with two k each. */
  CHECK(stats.answers + stats.abstentions == 4);
  /* A shorter struct gets whole members, a longer one zeros. */
  struct {
    stk_stats known;
    uint64_t newer;
  } longer;
  memset(&longer, 1, sizeof longer);
  CHECK_OK(stk_model_stats(model, &longer.known, sizeof longer, &err), err);
  CHECK(longer.newer == 0 && longer.known.struct_size == sizeof stats);
  memset(&stats, 1, sizeof stats);
  CHECK_OK(stk_model_stats(model, &stats, 20, &err), err);
  CHECK(stats.struct_size == 16 && (uint32_t)stats.samples == 0 && stats.samples >> 32 == 0x01010101);
  CHECK_INVALID(stk_model_stats(model, &stats, 4, &err), "out_size", err);
  CHECK_INVALID(stk_model_stats(NULL, &stats, sizeof stats, &err), "model", err);
  CHECK_INVALID(stk_model_stats(model, NULL, sizeof stats, &err), "out", err);
  stk_request_free(request);
  stk_model_free(model);
}

void test_host(void) {
  forks();
  leaves_signals_to_the_host();
  says_when_it_is_busy();
}
