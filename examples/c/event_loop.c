/* Jobs in an event loop: nothing waits but epoll. A job that has ended is put on a list by its callback, on whichever
 * thread that is, and an eventfd wakes the loop, which takes the result and frees the job. Linux. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <smoothtopk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What the loop knows of one question. */
struct question {
  int number;
  float image[64];
  stk_job *job; /* the callback sets it: submitting gives the same */
  struct question *next;
};

/* The questions whose jobs have ended, and the descriptor that says so, made before any thread of the library. */
static struct {
  pthread_mutex_t mutex;
  struct question *ended;
  int wake;
} loop = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* On a thread of the library's: it hands over, and does nothing else. The loop may have freed the job before this
 * returns; stk_job_free waits for that. */
static void on_done(void *user, stk_job *job) {
  struct question *question = user;
  const uint64_t one = 1;
  pthread_mutex_lock(&loop.mutex);
  question->job = job;
  question->next = loop.ended;
  loop.ended = question;
  pthread_mutex_unlock(&loop.mutex);
  if (write(loop.wake, &one, sizeof one) != (ssize_t)sizeof one) abort();
}

static void fail(const char *what, stk_error *err) {
  fprintf(stderr, "%s: %s\n", what, err != NULL ? stk_error_message(err) : strerror(errno));
  exit(1);
}

static void answer(struct question *question) {
  stk_error *err = NULL;
  stk_result *result = NULL;
  stk_summary answer;
  if (stk_job_result(question->job, &result, &err) != STK_STATUS_OK ||
      stk_result_summary(result, 0, 0, &answer, sizeof answer, &err) != STK_STATUS_OK) {
    printf("question %d: %s\n", question->number, stk_error_message(err));
  } else {
    printf("question %d: label %" PRId64 ", certified radius %.3f\n", question->number, answer.label, answer.radius);
  }
  stk_error_free(err);
  stk_result_free(result);
  stk_job_free(question->job);
}

int main(void) {
  enum { QUESTIONS = 8 };
  static struct question questions[QUESTIONS];
  loop.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  if (loop.wake < 0 || poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, loop.wake, &event) != 0) fail("epoll", NULL);

  stk_error *err = NULL;
  stk_model *model = NULL;
  stk_request *request = NULL;
  if (stk_model_open("demo/digits_mlp_sigma0.25.onnx", NULL, &model, &err) != STK_STATUS_OK ||
      stk_request_new("gaussian:0.25", &request, &err) != STK_STATUS_OK ||
      stk_request_set_n(request, 1000, &err) != STK_STATUS_OK)
    fail("smoothtopk", err);

  /* Questions come from sockets in a server; here all at once. Each has ten seconds. */
  for (int i = 0; i < QUESTIONS; ++i) {
    struct question *question = &questions[i];
    stk_job *job = NULL;
    question->number = i;
    for (int pixel = 0; pixel < 64; ++pixel) question->image[pixel] = (float)((pixel * (i + 3)) % 17) / 16;
    const stk_call call = {
        .struct_size = sizeof call,
        .task = STK_TASK_CERTIFY,
        .inputs = question->image,
        .count = 1,
        .deadline_ns = stk_clock_ns() + UINT64_C(10000000000),
        .done = on_done,
        .done_user = question,
    };
    if (stk_model_submit(model, request, &call, &job, &err) != STK_STATUS_OK) fail("submit", err);
  }
  stk_request_free(request);

  for (int left = QUESTIONS; left > 0;) {
    if (epoll_wait(poll, &event, 1, -1) < 0) {
      if (errno == EINTR) continue;
      fail("epoll_wait", NULL);
    }
    uint64_t times;
    if (read(loop.wake, &times, sizeof times) != (ssize_t)sizeof times) continue;
    pthread_mutex_lock(&loop.mutex);
    struct question *ended = loop.ended;
    loop.ended = NULL;
    pthread_mutex_unlock(&loop.mutex);
    while (ended != NULL) {
      struct question *next = ended->next;
      answer(ended);
      ended = next;
      --left;
    }
  }
  stk_model_free(model);
  close(poll);
  close(loop.wake);
  return 0;
}
