// The device's kernels on the processor, as a shared library with one launcher: what the driver's cuLaunchKernel is to
// a GPU.

#include <tuple>

#include "shim.h"

#include "../../src/sampler/cuda/kernels.cu"

namespace {

template <class T>
T argument(void **arguments, int index) {
    T value;
    std::memcpy(&value, arguments[index], sizeof value);
    return value;
}

// A call with its arguments, which are copied.
using Call = std::function<void()>;

template <class... Parameters, size_t... I>
Call call(void (*kernel)(Parameters...), void **arguments, std::index_sequence<I...>) {
    return [kernel, held = std::make_tuple(argument<std::remove_const_t<Parameters>>(arguments, I)...)] {
        std::apply(kernel, held);
    };
}

template <class... Parameters>
std::function<Call(void **)> kernel(void (*function)(Parameters...)) {
    return [=](void **arguments) { return call(function, arguments, std::index_sequence_for<Parameters...>()); };
}

struct Named {
    const char *name;
    std::function<Call(void **)> with;
};

const Named KERNELS[] = {
    {"fill_float32", kernel(fill_float32)},   {"fill_float64", kernel(fill_float64)},   {"fill_float16", kernel(fill_float16)},
    {"fill_bfloat16", kernel(fill_bfloat16)}, {"fill_uint8", kernel(fill_uint8)},       {"top_float32", kernel(top_float32)},
    {"top_float64", kernel(top_float64)},     {"top_float16", kernel(top_float16)},     {"top_bfloat16", kernel(top_bfloat16)},
    {"above_float32", kernel(above_float32)}, {"above_float64", kernel(above_float64)}, {"above_float16", kernel(above_float16)},
    {"above_bfloat16", kernel(above_bfloat16)}, {"given_int32", kernel(given_int32)},   {"given_int64", kernel(given_int64)},
};

// A launch, to be run whenever; nothing, where there is no such kernel. Not thread-safe: one launch runs at a time.
Call prepare(const char *name, Dim3 grid, Dim3 block, void **arguments) {
    for (const Named &named : KERNELS) {
        if (std::strcmp(named.name, name) != 0) continue;
        return [in_turn = std::strncmp(name, "fill_", 5) == 0, grid, block, ready = named.with(arguments)] {
            gridDim = grid;
            blockDim = block;
            fibers::body = ready;
            for (blockIdx.y = 0; blockIdx.y < gridDim.y; blockIdx.y++) {
                for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++) {
                    if (in_turn) fibers::run_block_in_turn(); else fibers::run_block();
                }
            }
        };
    }
    return nullptr;
}

}  // namespace

// 0 when there is such a kernel and it ran.
extern "C" int launch(const char *name, const unsigned grid[2], const unsigned block[2], void **arguments) {
    const Call ready = prepare(name, {grid[0], grid[1]}, {block[0], block[1]}, arguments);
    if (!ready) return 1;
    ready();
    return 0;
}

extern "C" unsigned long long size_of_batch() { return sizeof(Batch); }
