// A driver of GPUs that are none, as libcuda.so.1: what src/sampler/cuda/nvidia.rs calls, as CUDA 13 documents it, with
// the kernels on the processor. Streams are threads that do their work some time later, in order; what a call must not do
// (a thread without the context, memory that is not held, a handle that is gone) is an error, as there. What a test sets
// and asks is at the end.

#include "kernels.cpp"

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>

namespace {

enum Status {
    SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, INVALID_DEVICE = 101, INVALID_IMAGE = 200,
    INVALID_CONTEXT = 201, INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_READY = 600, ILLEGAL_ADDRESS = 700,
};

constexpr int DEVICES = 2;

// What an event waits for: all that its stream was given before it was recorded.
struct Point {
    std::mutex lock;
    std::condition_variable changed;
    bool done = false;

    void reach() {
        std::lock_guard<std::mutex> hold(lock);
        done = true;
        changed.notify_all();
    }
    void wait() {
        std::unique_lock<std::mutex> hold(lock);
        changed.wait(hold, [this] { return done; });
    }
};

struct Event {
    std::shared_ptr<Point> point;
};

std::mutex kernels_lock;

class Stream {
  public:
    Stream() : thread([this] { work(); }) {}
    ~Stream() {
        give(nullptr);
        thread.join();
    }
    void give(std::function<void()> task) {
        std::lock_guard<std::mutex> hold(lock);
        tasks.push_back(std::move(task));
        left++;
        changed.notify_all();
    }
    bool idle() {
        std::lock_guard<std::mutex> hold(lock);
        return left == 0;
    }
    void finish() {
        std::unique_lock<std::mutex> hold(lock);
        changed.wait(hold, [this] { return left == 0; });
    }

  private:
    void work() {
        std::minstd_rand random(7);
        while (true) {
            std::function<void()> task;
            {
                std::unique_lock<std::mutex> hold(lock);
                changed.wait(hold, [this] { return !tasks.empty(); });
                task = std::move(tasks.front());
                tasks.pop_front();
            }
            if (!task) return;
            // Late, now and then, so that what nothing orders comes in another order.
            if (random() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 150));
            task();
            std::lock_guard<std::mutex> hold(lock);
            left--;
            changed.notify_all();
        }
    }
    std::mutex lock;
    std::condition_variable changed;
    std::deque<std::function<void()>> tasks;
    size_t left = 0;
    std::thread thread;
};

struct Module {
    std::vector<std::unique_ptr<std::string>> functions;
};

struct Context {
    int device, held = 0;
    std::set<Stream *> streams;
    std::set<Event *> events;
    std::set<Module *> modules;
    std::map<uint64_t, size_t> memory, pinned;
};

std::mutex state_lock;
bool started = false;
int version = 13000;
Context contexts[DEVICES] = {{0}, {1}};
thread_local Context *now = nullptr;
size_t memory_limit = SIZE_MAX;
int sticky = SUCCESS;
// The call that fails, counted from 0, and how; never where negative.
long long until_failure = -1;
int failure = SUCCESS;

// What every call asks first. A sticky error is every later call's, too.
Status permitted(bool in_context) {
    if (sticky != SUCCESS) return (Status)sticky;
    if (!started) return NOT_INITIALIZED;
    if (until_failure >= 0 && until_failure-- == 0) {
        if (failure == ILLEGAL_ADDRESS) sticky = failure;
        return (Status)failure;
    }
    return !in_context || (now != nullptr && now->held > 0) ? SUCCESS : INVALID_CONTEXT;
}

// As `permitted`, for a call that gives something back: none is made to fail, and on a device that is lost it is gone
// all the same. The context whose it is.
template <class Held, class Key>
Status owner(Held Context::*held, Key key, Context *&of) {
    if (sticky == SUCCESS && (now == nullptr || now->held == 0)) return INVALID_CONTEXT;
    for (Context &context : contexts) {
        if ((context.*held).count(key) == 0) continue;
        of = &context;
        return sticky != SUCCESS || of == now ? SUCCESS : INVALID_CONTEXT;
    }
    return INVALID_HANDLE;
}

bool holds(const std::map<uint64_t, size_t> &memory, uint64_t at, size_t bytes) {
    auto after = memory.upper_bound(at);
    if (after == memory.begin()) return false;
    --after;
    return at + bytes <= after->first + after->second;
}

Status allocate(std::map<uint64_t, size_t> &memory, void **out, size_t bytes) {
    if (bytes == 0 || out == nullptr) return INVALID_VALUE;
    size_t held = 0;
    for (const auto &[at, size] : now->memory) held += size;
    if (&memory == &now->memory && (held > memory_limit || bytes > memory_limit - held)) return OUT_OF_MEMORY;
    *out = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (*out == nullptr) return OUT_OF_MEMORY;
    // Not zeros: nobody is promised any.
    std::memset(*out, 0xa5, bytes);
    memory[(uint64_t)*out] = bytes;
    return SUCCESS;
}

// What has been enqueued anywhere on the device may use the memory: freeing waits for it.
Status release(std::map<uint64_t, size_t> Context::*memory, void *at) {
    std::lock_guard<std::mutex> hold(state_lock);
    Context *context = nullptr;
    if (Status status = owner(memory, (uint64_t)at, context)) return status;
    for (Stream *stream : context->streams) stream->finish();
    (context->*memory).erase((uint64_t)at);
    std::free(at);
    return (Status)sticky;
}

Status enqueue(Stream *stream, std::function<void()> task) {
    if (now->streams.count(stream) == 0) return INVALID_HANDLE;
    stream->give(std::move(task));
    return SUCCESS;
}

}  // namespace

#define ENTER(in_context)                                \
    std::lock_guard<std::mutex> hold(state_lock);        \
    if (Status status = permitted(in_context)) return status

extern "C" {

int cuDriverGetVersion(int *out) { return *out = version, SUCCESS; }

int cuInit(unsigned flags) {
    std::lock_guard<std::mutex> hold(state_lock);
    started = true;
    return flags == 0 ? permitted(false) : INVALID_VALUE;
}

int cuGetErrorName(int status, const char **out) {
    static const std::map<int, const char *> names = {
        {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"}, {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE"},
        {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"}, {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE"},
        {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"}, {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS"},
    };
    auto name = names.find(status);
    *out = name == names.end() ? nullptr : name->second;
    return *out == nullptr ? INVALID_VALUE : SUCCESS;
}

int cuGetErrorString(int status, const char **out) { return cuGetErrorName(status, out); }

int cuDeviceGetCount(int *out) {
    ENTER(false);
    return *out = DEVICES, SUCCESS;
}

int cuDeviceGet(int *out, int ordinal) {
    ENTER(false);
    if (ordinal < 0 || ordinal >= DEVICES) return INVALID_DEVICE;
    return *out = ordinal, SUCCESS;
}

int cuDeviceGetName(char *out, int length, int device) {
    ENTER(false);
    std::snprintf(out, (size_t)length, "no GPU, number %d", device);
    return SUCCESS;
}

int cuDeviceGetAttribute(int *out, int attribute, int) {
    ENTER(false);
    // The compute capability, 9.0.
    if (attribute != 75 && attribute != 76) return INVALID_VALUE;
    return *out = attribute == 75 ? 9 : 0, SUCCESS;
}

int cuDevicePrimaryCtxRetain(Context **out, int device) {
    ENTER(false);
    if (device < 0 || device >= DEVICES) return INVALID_DEVICE;
    contexts[device].held++;
    return *out = &contexts[device], SUCCESS;
}

// A released context is given back even where the device is lost.
int cuDevicePrimaryCtxRelease_v2(int device) {
    std::lock_guard<std::mutex> hold(state_lock);
    if (device < 0 || device >= DEVICES) return INVALID_DEVICE;
    if (contexts[device].held == 0) return INVALID_CONTEXT;
    contexts[device].held--;
    return SUCCESS;
}

int cuCtxSetCurrent(Context *context) {
    ENTER(false);
    if (context != nullptr && context->held == 0) return INVALID_CONTEXT;
    return now = context, SUCCESS;
}

int cuCtxGetCurrent(Context **out) {
    ENTER(false);
    return *out = now, SUCCESS;
}

int cuThreadExchangeStreamCaptureMode(int *mode) {
    ENTER(true);
    if (*mode != 2) return INVALID_VALUE;
    return *mode = 0, SUCCESS;
}

int cuStreamCreate(Stream **out, unsigned flags) {
    ENTER(true);
    if (flags != 1) return INVALID_VALUE;
    now->streams.insert(*out = new Stream);
    return SUCCESS;
}

int cuStreamDestroy_v2(Stream *stream) {
    std::lock_guard<std::mutex> hold(state_lock);
    Context *context = nullptr;
    if (Status status = owner(&Context::streams, stream, context)) return status;
    context->streams.erase(stream);
    delete stream;
    return sticky;
}

int cuStreamSynchronize(Stream *stream) {
    {
        ENTER(true);
        // The default stream does everything at once here.
        if (stream == nullptr) return SUCCESS;
        if (now->streams.count(stream) == 0) return INVALID_HANDLE;
    }
    stream->finish();
    return SUCCESS;
}

int cuStreamQuery(Stream *stream) {
    ENTER(true);
    if (now->streams.count(stream) == 0) return INVALID_HANDLE;
    return stream->idle() ? SUCCESS : NOT_READY;
}

int cuStreamWaitEvent(Stream *stream, Event *event, unsigned flags) {
    ENTER(true);
    if (flags != 0) return INVALID_VALUE;
    if (now->events.count(event) == 0) return INVALID_HANDLE;
    auto point = event->point;
    return enqueue(stream, [point] { if (point) point->wait(); });
}

int cuEventCreate(Event **out, unsigned flags) {
    ENTER(true);
    // Waits asleep, takes no time.
    if (flags != 3) return INVALID_VALUE;
    now->events.insert(*out = new Event);
    return SUCCESS;
}

int cuEventDestroy_v2(Event *event) {
    std::lock_guard<std::mutex> hold(state_lock);
    Context *context = nullptr;
    if (Status status = owner(&Context::events, event, context)) return status;
    context->events.erase(event);
    delete event;
    return sticky;
}

int cuEventRecord(Event *event, Stream *stream) {
    ENTER(true);
    if (now->events.count(event) == 0) return INVALID_HANDLE;
    auto point = std::make_shared<Point>();
    Status status = enqueue(stream, [point] { point->reach(); });
    if (status == SUCCESS) event->point = point;
    return status;
}

int cuEventSynchronize(Event *event) {
    std::shared_ptr<Point> point;
    {
        ENTER(true);
        if (now->events.count(event) == 0) return INVALID_HANDLE;
        point = event->point;
    }
    if (point) point->wait();
    return SUCCESS;
}

int cuModuleLoadData(Module **out, const char *image) {
    ENTER(true);
    if (std::strstr(image, ".version") == nullptr || std::strstr(image, ".target sm_") == nullptr) return INVALID_IMAGE;
    *out = new Module;
    for (const Named &named : KERNELS) {
        if (std::strstr(image, (std::string(".visible .entry ") + named.name + "(").c_str()) == nullptr) continue;
        (*out)->functions.push_back(std::make_unique<std::string>(named.name));
    }
    now->modules.insert(*out);
    return SUCCESS;
}

int cuModuleUnload(Module *module) {
    std::lock_guard<std::mutex> hold(state_lock);
    Context *context = nullptr;
    if (Status status = owner(&Context::modules, module, context)) return status;
    context->modules.erase(module);
    delete module;
    return sticky;
}

int cuModuleGetFunction(const std::string **out, Module *module, const char *name) {
    ENTER(true);
    if (now->modules.count(module) == 0) return INVALID_HANDLE;
    for (const auto &function : module->functions) {
        if (*function == name) return *out = function.get(), SUCCESS;
    }
    return NOT_FOUND;
}

int cuMemAlloc_v2(uint64_t *out, size_t bytes) {
    ENTER(true);
    return allocate(now->memory, (void **)out, bytes);
}

int cuMemFree_v2(uint64_t at) { return release(&Context::memory, (void *)at); }

int cuMemHostAlloc(void **out, size_t bytes, unsigned flags) {
    ENTER(true);
    return flags == 0 ? allocate(now->pinned, out, bytes) : INVALID_VALUE;
}

int cuMemFreeHost(void *at) { return release(&Context::pinned, at); }

int cuMemsetD8_v2(uint64_t at, unsigned char value, size_t bytes) {
    ENTER(true);
    if (!holds(now->memory, at, bytes)) return INVALID_VALUE;
    std::memset((void *)at, value, bytes);
    return SUCCESS;
}

int cuMemsetD8Async(uint64_t at, unsigned char value, size_t bytes, Stream *stream) {
    ENTER(true);
    if (!holds(now->memory, at, bytes)) return INVALID_VALUE;
    return enqueue(stream, [=] { std::memset((void *)at, value, bytes); });
}

// Only memory that is pinned is copied later; other memory the driver would stage first.
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, Stream *stream) {
    ENTER(true);
    if (!holds(now->memory, to, bytes) || !holds(now->pinned, (uint64_t)from, bytes)) return INVALID_VALUE;
    return enqueue(stream, [=] { std::memcpy((void *)to, from, bytes); });
}

int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, Stream *stream) {
    ENTER(true);
    if (!holds(now->memory, from, bytes) || !holds(now->pinned, (uint64_t)to, bytes)) return INVALID_VALUE;
    return enqueue(stream, [=] { std::memcpy(to, (const void *)from, bytes); });
}

// Parameters are copied when the kernel is launched, as the driver copies them.
int cuLaunchKernel(const std::string *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                   unsigned block_y, unsigned block_z, unsigned shared, Stream *stream, void **arguments, void **extra) {
    ENTER(true);
    bool known = false;
    for (const Module *module : now->modules) {
        for (const auto &loaded : module->functions) known = known || loaded.get() == function;
    }
    if (!known) return INVALID_HANDLE;
    const bool fits = grid_x > 0 && grid_x < 1u << 31 && grid_y > 0 && grid_y < 1u << 16 && grid_z == 1 && block_x > 0 &&
                      block_y > 0 && block_z == 1 && (uint64_t)block_x * block_y <= 1024 && shared == 0 && extra == nullptr;
    if (!fits) return INVALID_VALUE;
    auto ready = prepare(function->c_str(), {grid_x, grid_y}, {block_x, block_y}, arguments);
    return enqueue(stream, [ready] {
        std::lock_guard<std::mutex> hold(kernels_lock);
        ready();
    });
}

// What tests set and ask.

void none_set_version(int of) { version = of; }

void none_set_memory(uint64_t bytes) { memory_limit = bytes; }

// The call after `calls` others fails so; none, where that is negative. All is well again with the devices.
void none_fail(long long calls, int with) {
    std::lock_guard<std::mutex> hold(state_lock);
    until_failure = calls;
    failure = with;
    sticky = SUCCESS;
}

// Whether a failure that was set has yet to come.
int none_may_fail() {
    std::lock_guard<std::mutex> hold(state_lock);
    return until_failure >= 0;
}

// Contexts, streams, events, modules and pieces of memory that are held.
uint64_t none_held() {
    std::lock_guard<std::mutex> hold(state_lock);
    uint64_t held = 0;
    for (const Context &context : contexts) {
        held += (uint64_t)context.held + context.streams.size() + context.events.size() + context.modules.size() +
                context.memory.size() + context.pinned.size();
    }
    return held;
}
}
