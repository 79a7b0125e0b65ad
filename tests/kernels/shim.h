// What kernels.cu takes from CUDA, for a C++17 compiler on the processor: the same source, one operation for each
// intrinsic.
//
// A block's threads are fibers that run in turn, from one barrier (or shuffle) to the next. Compile with
// -ffp-contract=off: every operation must round as it is written.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#define __device__
#define __global__
#define __grid_constant__
#define __shared__ static
#define __noinline__

struct Dim3 { unsigned x, y; };
static Dim3 gridDim, blockDim, blockIdx, threadIdx;

namespace fibers {

struct Fiber {
    ucontext_t start;
    jmp_buf place;
    std::vector<char> stack;
    Dim3 index;
    bool started, done;
};
static std::vector<Fiber> all;
static jmp_buf scheduler;
static size_t current;
static std::function<void()> body;
static std::vector<uint64_t> exchange;

static void enter() {
    body();
    all[current].done = true;
    _longjmp(scheduler, 1);
}

// Back to the scheduler. Jumps, not swapcontext: that costs two system calls.
static void yield() {
    const size_t own = current;
    if (_setjmp(all[own].place) == 0) _longjmp(scheduler, 1);
    threadIdx = all[own].index;
}

static void resume() {
    if (_setjmp(scheduler) != 0) return;
    Fiber &fiber = all[current];
    threadIdx = fiber.index;
    if (fiber.started) _longjmp(fiber.place, 1);
    fiber.started = true;
    setcontext(&fiber.start);
}

static void run_block() {
    const size_t threads = (size_t)blockDim.x * blockDim.y;
    if (all.size() < threads) all.resize(threads);
    exchange.assign(threads, 0);
    for (size_t i = 0; i < threads; i++) {
        Fiber &fiber = all[i];
        fiber.stack.resize(1 << 16);
        fiber.index = {(unsigned)(i % blockDim.x), (unsigned)(i / blockDim.x)};
        fiber.started = fiber.done = false;
        getcontext(&fiber.start);
        fiber.start.uc_stack.ss_sp = fiber.stack.data();
        fiber.start.uc_stack.ss_size = fiber.stack.size();
        fiber.start.uc_link = nullptr;
        makecontext(&fiber.start, enter, 0);
    }
    for (volatile bool left = true; left;) {
        left = false;
        for (current = 0; current < threads; current++) {
            if (all[current].done) continue;
            resume();
            left = true;
        }
    }
}

// For kernels without barriers.
static void run_block_in_turn() {
    for (threadIdx.y = 0; threadIdx.y < blockDim.y; threadIdx.y++) {
        for (threadIdx.x = 0; threadIdx.x < blockDim.x; threadIdx.x++) body();
    }
}

}  // namespace fibers

static inline void __syncthreads() { fibers::yield(); }

template <class T>
static T __shfl_xor_sync(unsigned, T value, int mask) {
    static_assert(sizeof(T) <= 8, "a word");
    const size_t own = fibers::current;
    std::memcpy(&fibers::exchange[own], &value, sizeof value);
    fibers::yield();
    std::memcpy(&value, &fibers::exchange[own ^ (size_t)mask], sizeof value);
    fibers::yield();
    return value;
}

static inline unsigned atomicAdd(unsigned *at, unsigned value) {
    const unsigned old = *at;
    *at += value;
    return old;
}

static inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __fadd_rn(float a, float b) { return a + b; }
static inline float __fsub_rn(float a, float b) { return a - b; }
static inline float __fdiv_rn(float a, float b) { return a / b; }
static inline float __fsqrt_rn(float a) { return std::sqrt(a); }
static inline float __int2float_rn(int a) { return (float)a; }
static inline float __double2float_rn(double a) { return (float)a; }
static inline unsigned __float_as_uint(float a) { unsigned bits; std::memcpy(&bits, &a, 4); return bits; }
static inline float __uint_as_float(unsigned a) { float value; std::memcpy(&value, &a, 4); return value; }
static inline long long __double_as_longlong(double a) { long long bits; std::memcpy(&bits, &a, 8); return bits; }
