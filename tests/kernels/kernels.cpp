// The device's kernels on the processor, as a shared library with one launcher: what the driver's cuLaunchKernel is to
// a GPU.

#include "shim.h"

#include "../../src/sampler/cuda/kernels.cu"

namespace {

template <class T>
T argument(void **arguments, int index) {
    T value;
    std::memcpy(&value, arguments[index], sizeof value);
    return value;
}

template <class... Parameters, size_t... I>
void call(void (*kernel)(Parameters...), void **arguments, std::index_sequence<I...>) {
    kernel(argument<std::remove_const_t<Parameters>>(arguments, I)...);
}

template <class... Parameters>
std::function<void(void **)> kernel(void (*function)(Parameters...)) {
    return [=](void **arguments) { call(function, arguments, std::index_sequence_for<Parameters...>()); };
}

struct Named {
    const char *name;
    std::function<void(void **)> run;
};

const Named KERNELS[] = {
    {"fill_float32", kernel(fill_float32)},   {"fill_float64", kernel(fill_float64)},   {"fill_float16", kernel(fill_float16)},
    {"fill_bfloat16", kernel(fill_bfloat16)}, {"fill_uint8", kernel(fill_uint8)},       {"top_float32", kernel(top_float32)},
    {"top_float64", kernel(top_float64)},     {"top_float16", kernel(top_float16)},     {"top_bfloat16", kernel(top_bfloat16)},
    {"above_float32", kernel(above_float32)}, {"above_float64", kernel(above_float64)}, {"above_float16", kernel(above_float16)},
    {"above_bfloat16", kernel(above_bfloat16)}, {"given_int32", kernel(given_int32)},   {"given_int64", kernel(given_int64)},
};

}  // namespace

// 0 when there is such a kernel and it ran. Not thread-safe: one launch at a time.
extern "C" int launch(const char *name, const unsigned grid[2], const unsigned block[2], void **arguments) {
    for (const Named &named : KERNELS) {
        if (std::strcmp(named.name, name) != 0) continue;
        gridDim = {grid[0], grid[1]};
        blockDim = {block[0], block[1]};
        fibers::body = [&] { named.run(arguments); };
        for (blockIdx.y = 0; blockIdx.y < gridDim.y; blockIdx.y++) {
            for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++) {
                if (std::strncmp(name, "fill_", 5) == 0) fibers::run_block_in_turn(); else fibers::run_block();
            }
        }
        return 0;
    }
    return 1;
}

extern "C" unsigned long long size_of_batch() { return sizeof(Batch); }
