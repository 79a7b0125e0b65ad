// The device's half of a batch: noisy rows into the model's input, and labels of its output into counts.
//
// The one source of the kernels: scripts/make_ptx.py compiles it to kernels.ptx (committed), NVRTC may compile it at
// run time, and tests/kernels/shim.h lets a C++ compiler build it for the processor, where tests compare its bits with
// src/noise and src/model/labels.rs. Nothing is included, so that NVRTC needs no headers.
//
// Every floating-point operation is exact or one IEEE 754 operation rounded to nearest, written out as such and in the
// order of src/noise/normal.rs and src/noise/kernel.rs: that is why the bits are theirs. Compile with contraction and
// flushing off.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#define NO_LABEL 0xffffffffu

// Rows of one job inside a batch; `Segment` of batch.rs has the same layout.
struct Segment {
    const float *x;   // the job's input, on the grid
    u32 *counts;      // one for each class
    u64 sample;       // of the first row; the others follow
    u32 key[2];       // of the job's noise
    u32 purpose;
    u32 first_row;    // in the batch
    float scale;      // sigma / step
    float step;       // of the grid
};

#define MAX_SEGMENTS 32

// By value in the launch: no copy to the device, no memory that a later batch could overwrite too early.
struct Batch {
    Segment segments[MAX_SEGMENTS];
    u32 used;         // segments, ascending by first_row, the first at row 0
    u32 rows;
    u32 elements;     // of a row
    u32 channels;     // entries of mean and std; 0: rows go into the model as they are
    u32 run;          // elements that share a channel before the next begins
    const float *mean;
    const float *std;
};

static __device__ const Segment &segment_of(const Batch &batch, u32 row) {
    u32 low = 0, high = batch.used;
    while (high - low > 1) {
        const u32 middle = (low + high) / 2;
        if (batch.segments[middle].first_row <= row) low = middle; else high = middle;
    }
    return batch.segments[low];
}

// ---- Philox4x32-10 (src/noise/philox.rs) ----

struct Words { u32 w[4]; };

static __device__ Words philox(u32 c0, u32 c1, u32 c2, u32 c3, u32 k0, u32 k1) {
#pragma unroll
    for (int round = 0; round < 10; round++) {
        const u64 p0 = (u64)0xD2511F53u * c0, p1 = (u64)0xCD9E8D57u * c2;
        const u32 n0 = (u32)(p1 >> 32) ^ c1 ^ k0, n2 = (u32)(p0 >> 32) ^ c3 ^ k1;
        c0 = n0; c1 = (u32)p1; c2 = n2; c3 = (u32)p0;
        k0 += 0x9E3779B9u; k1 += 0xBB67AE85u;
    }
    return Words{{c0, c1, c2, c3}};
}

// ---- Box-Muller (src/noise/normal.rs) ----

#define REFINE 0x80000000u
#define REFINE_LOW (1u << 20)
#define REFINE_HIGH (1u << 11)

// The radius of a word as `centred` or refined: sqrt(2 k ln 2 + t Q(t)).
static __device__ float radius(float a) {
    float t, k;
    if (a > 0.0f) {
        const u32 bits = __float_as_uint(a);
        t = __fsub_rn(1.0f, __uint_as_float((bits & 0x007fffffu) | 0x3f000000u));
        k = (float)(158 - (int)(bits >> 23));
    } else {
        t = __fmul_rn(a, -2.3283064365386963e-10f);
        k = 0.0f;
    }
    float sum = 2.82859206199646f;
    sum = __fmaf_rn(sum, t, -3.2781131267547607f);
    sum = __fmaf_rn(sum, t, 2.4165029525756836f);
    sum = __fmaf_rn(sum, t, -0.3614821434020996f);
    sum = __fmaf_rn(sum, t, 0.5272734761238098f);
    sum = __fmaf_rn(sum, t, 0.48738059401512146f);
    sum = __fmaf_rn(sum, t, 0.6672631502151489f);
    sum = __fmaf_rn(sum, t, 0.9999904632568359f);
    sum = __fmaf_rn(sum, t, 2.0f);
    return __fsqrt_rn(__fmaf_rn(k, 1.3862943649291992f, __fmul_rn(t, sum)));
}

// w + (x + 1/2) / 2^32 with further bits x. One word in 4,096 needs it: kept out of line.
static __device__ __noinline__ float refined(u32 word, u32 index, u32 block, u32 low, u32 high, const Segment &segment) {
    const Words further = philox(block, low, high, segment.purpose | REFINE, segment.key[0], segment.key[1]);
    const double fraction = ((double)further.w[index] + 0.5) / 4294967296.0;
    return __double2float_rn((double)(int)word + fraction);
}

// w + 1/2, refined where 32 bits are coarser than f32.
static __device__ float centred(u32 word, u32 index, u32 block, u32 low, u32 high, const Segment &segment) {
    if (word + REFINE_HIGH < REFINE_LOW + REFINE_HIGH) return refined(word, index, block, low, high, segment);
    return __fadd_rn(__int2float_rn((int)word), 0.5f);
}

// The integer nearest to a b itself, not to its f32, which has few bits below the point where the product is large.
static __device__ float nearest_to_product(float a, float b) {
    const float high = __fmul_rn(a, b);
    const float low = __fmaf_rn(a, b, -high);
    const float near = rintf(high);
    // What is left of `high` is exact, at most a half.
    return __fadd_rn(near, rintf(__fadd_rn(__fsub_rn(high, near), low)));
}

// (r cos, r sin) of the angle of a word, rounded to integers.
static __device__ void rotate(float r, u32 word, float &first, float &second) {
    const float v = __fmaf_rn(__int2float_rn((int)(word << 2)), 2.3283064365386963e-10f, 4.6566128730773926e-10f);
    const float y = __fmul_rn(v, v);
    float sin = -0.004685971420258284f;
    sin = __fmaf_rn(sin, y, 0.07971252501010895f);
    sin = __fmaf_rn(sin, y, -0.645966649055481f);
    sin = __fmaf_rn(sin, y, 1.5707963705062866f);
    float cos = 0.0008944863802753389f;
    cos = __fmaf_rn(cos, y, -0.020855596289038658f);
    cos = __fmaf_rn(cos, y, 0.25366854667663574f);
    cos = __fmaf_rn(cos, y, -1.2337005138397217f);
    cos = __fmaf_rn(cos, y, 1.0f);
    sin = __fmul_rn(v, sin);
    cos = __uint_as_float(__float_as_uint(cos) ^ (word & 0x80000000u));
    const float a = nearest_to_product(r, cos), b = nearest_to_product(r, sin);
    const bool swap = (word & 0x40000000u) != 0;
    first = swap ? b : a;
    second = swap ? a : b;
}

// ---- Casts (src/model/preprocess.rs): to nearest, ties to even ----

struct F16 { u16 bits; };
struct BF16 { u16 bits; };

static __device__ void put(float value, float &out) { out = value; }
static __device__ void put(float value, double &out) { out = (double)value; }
static __device__ void put(float value, u8 &out) {
    const float rounded = rintf(value);
    // Written so that NaN gives 0.
    out = rounded >= 255.0f ? 255 : rounded > 0.0f ? (u8)rounded : 0;
}
static __device__ void put(float value, BF16 &out) {
    const u32 bits = __float_as_uint(value);
    const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    out.bits = (u16)(nan ? (bits >> 16) | 0x40u : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
static __device__ void put(float value, F16 &out) {
    const u32 bits = __float_as_uint(value), sign = (bits >> 16) & 0x8000u, size = bits & 0x7fffffffu;
    u32 half;
    if (size > 0x7f800000u) {
        half = 0x7e00u | ((size >> 13) & 0x3ffu);
    } else if (size >= 0x47800000u) {
        half = 0x7c00u;
    } else if (size >= 0x38800000u) {
        // A carry out of the fraction goes into the exponent, and from the largest finite value to infinity.
        half = (size - 0x38000000u + 0xfffu + ((size >> 13) & 1u)) >> 13;
    } else {
        // Subnormal: adding 1/2 leaves units of 2^-24, rounded.
        half = __float_as_uint(__fadd_rn(__uint_as_float(size), 0.5f)) - 0x3f000000u;
    }
    out.bits = (u16)(sign | half);
}

// ---- Noisy rows ----

// A thread makes the four elements of one Philox block, 64 g + p, + 16, + 32, + 48, of rows that lie gridDim.y blocks
// apart: neighbouring threads write neighbouring elements.
template <class T>
static __device__ void fill(const Batch &batch, T *out) {
    const u32 block = blockIdx.x * blockDim.x + threadIdx.x;
    const u32 first = (block >> 4) * 64 + (block & 15u);
    if (first >= batch.elements) return;
    for (u32 row = blockIdx.y * blockDim.y + threadIdx.y; row < batch.rows; row += gridDim.y * blockDim.y) {
        const Segment &segment = segment_of(batch, row);
        const u64 sample = segment.sample + (row - segment.first_row);
        const u32 low = (u32)sample, high = (u32)(sample >> 32);
        const Words words = philox(block, low, high, segment.purpose, segment.key[0], segment.key[1]);
        const float r0 = radius(centred(words.w[0], 0, block, low, high, segment));
        const float r1 = radius(centred(words.w[2], 2, block, low, high, segment));
        float z[4];
        rotate(__fmul_rn(r0, segment.scale), words.w[1], z[0], z[1]);
        rotate(__fmul_rn(r1, segment.scale), words.w[3], z[2], z[3]);
        T *const to = out + (u64)row * batch.elements;
#pragma unroll
        for (u32 part = 0; part < 4; part++) {
            const u32 element = first + 16 * part;
            if (element >= batch.elements) break;
            float value = __fmaf_rn(z[part], segment.step, segment.x[element]);
            if (batch.channels != 0) {
                const u32 channel = element / batch.run % batch.channels;
                value = __fdiv_rn(__fsub_rn(value, batch.mean[channel]), batch.std[channel]);
            }
            put(value, to[element]);
        }
    }
}

extern "C" __global__ void fill_float32(const __grid_constant__ Batch batch, float *out) { fill(batch, out); }
extern "C" __global__ void fill_float64(const __grid_constant__ Batch batch, double *out) { fill(batch, out); }
extern "C" __global__ void fill_float16(const __grid_constant__ Batch batch, F16 *out) { fill(batch, out); }
extern "C" __global__ void fill_bfloat16(const __grid_constant__ Batch batch, BF16 *out) { fill(batch, out); }
extern "C" __global__ void fill_uint8(const __grid_constant__ Batch batch, u8 *out) { fill(batch, out); }

// ---- Labels (src/model/labels.rs) ----

static __device__ float wide(float score) { return score; }
static __device__ double wide(double score) { return score; }
static __device__ float wide(BF16 score) { return __uint_as_float((u32)score.bits << 16); }
static __device__ float wide(F16 score) {
    const u32 size = score.bits & 0x7fffu;
    // Exact, subnormals included: the exponent's bias moves from 15 to 127.
    const u32 bits = size < 0x7c00u ? __float_as_uint(__fmul_rn(__uint_as_float(size << 13), 5.192296858534828e33f))
                                    : 0x7f800000u | (size & 0x3ffu) << 13;
    return __uint_as_float(bits | (u32)(score.bits & 0x8000u) << 16);
}

static __device__ bool is_finite(float value) { return (__float_as_uint(value) & 0x7f800000u) != 0x7f800000u; }
static __device__ bool is_finite(double value) {
    return ((u64)__double_as_longlong(value) & 0x7ff0000000000000ull) != 0x7ff0000000000000ull;
}

// The highest of some of a row's scores, the lowest index among equals; `numbers` tells whether none was NaN. A score of
// -inf is below all others.
template <class V>
struct Best {
    V value;
    u32 label;
    u32 numbers;

    __device__ void see(V score, u32 index) {
        numbers &= score == score ? 1u : 0u;
        if (score > value || (score == value && index < label)) {
            value = score;
            label = index;
        }
    }

    __device__ void join(V other_value, u32 other_label, u32 other_numbers) {
        see(other_value, other_label);
        numbers &= other_numbers;
    }
};

#define WARP 32
#define BLOCK 256
#define WARPS (BLOCK / WARP)
#define FEW_CLASSES 2048

// Adds labels to their jobs' counts. Where there are few classes, those of the block's first segment are gathered in shared
// memory first: rows mostly agree, and thousands of additions to one address would take turns.
struct Tally {
    u32 *gathered;
    const Segment *first;
    u32 classes;

    __device__ void begin(const Batch &batch, u32 row, u32 *shared, u32 of_classes) {
        classes = of_classes;
        gathered = classes <= FEW_CLASSES ? shared : 0;
        first = &segment_of(batch, row);
        if (gathered) {
            for (u32 label = threadIdx.x; label < classes; label += blockDim.x) gathered[label] = 0;
        }
        __syncthreads();
    }

    __device__ void add(const Batch &batch, u32 row, u32 label) {
        // What lies outside the classes, NO_LABEL with it, counts for none.
        if (label >= classes) return;
        const Segment *const segment = &segment_of(batch, row);
        atomicAdd(gathered && segment == first ? &gathered[label] : &segment->counts[label], 1u);
    }

    __device__ void end() {
        __syncthreads();
        if (!gathered) return;
        for (u32 label = threadIdx.x; label < classes; label += blockDim.x) {
            if (gathered[label] != 0) atomicAdd(&first->counts[label], gathered[label]);
        }
    }
};

// Rows are dealt to blocks in runs of `rows_each`. With few classes a warp takes a row, with many the whole block does.
template <class S>
static __device__ void top(const Batch &batch, const S *scores, u32 classes, u32 rows_each) {
    typedef decltype(wide(S())) V;
    __shared__ u32 gathered[FEW_CLASSES];
    __shared__ Best<V> of_warp[WARPS];
    const u32 begin = blockIdx.x * rows_each;
    if (begin >= batch.rows) return;
    const u32 end = batch.rows - begin < rows_each ? batch.rows : begin + rows_each;
    const u32 warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    const bool whole_block = classes > FEW_CLASSES;
    const u32 stride = whole_block ? BLOCK : WARP, start = whole_block ? threadIdx.x : lane;
    Tally tally;
    tally.begin(batch, begin, gathered, classes);
    for (u32 row = whole_block ? begin : begin + warp; row < end; row += whole_block ? 1 : WARPS) {
        const S *const of_row = scores + (u64)row * classes;
        Best<V> best = {V(__uint_as_float(0xff800000u)), NO_LABEL, 1u};
        for (u32 label = start; label < classes; label += stride) best.see(wide(of_row[label]), label);
#pragma unroll
        for (int offset = WARP / 2; offset > 0; offset /= 2) {
            const V value = __shfl_xor_sync(0xffffffffu, best.value, offset);
            const u32 label = __shfl_xor_sync(0xffffffffu, best.label, offset);
            const u32 numbers = __shfl_xor_sync(0xffffffffu, best.numbers, offset);
            best.join(value, label, numbers);
        }
        if (whole_block) {
            if (lane == 0) of_warp[warp] = best;
            __syncthreads();
            if (threadIdx.x == 0) {
                for (u32 other = 1; other < WARPS; other++) {
                    best.join(of_warp[other].value, of_warp[other].label, of_warp[other].numbers);
                }
            }
            // The next row must not overwrite what thread 0 still reads.
            __syncthreads();
        }
        const bool has_label = best.numbers && is_finite(best.value);
        if (whole_block ? threadIdx.x == 0 : lane == 0) tally.add(batch, row, has_label ? best.label : NO_LABEL);
    }
    tally.end();
}

extern "C" __global__ void top_float32(const __grid_constant__ Batch batch, const float *scores, u32 classes, u32 rows_each) {
    top(batch, scores, classes, rows_each);
}
extern "C" __global__ void top_float64(const __grid_constant__ Batch batch, const double *scores, u32 classes, u32 rows_each) {
    top(batch, scores, classes, rows_each);
}
extern "C" __global__ void top_float16(const __grid_constant__ Batch batch, const F16 *scores, u32 classes, u32 rows_each) {
    top(batch, scores, classes, rows_each);
}
extern "C" __global__ void top_bfloat16(const __grid_constant__ Batch batch, const BF16 *scores, u32 classes, u32 rows_each) {
    top(batch, scores, classes, rows_each);
}

// One value for each row: a thread takes a row.
template <class Label>
static __device__ void each(const Batch &batch, u32 classes, u32 rows_each, Label label_of) {
    __shared__ u32 gathered[FEW_CLASSES];
    const u32 begin = blockIdx.x * rows_each;
    if (begin >= batch.rows) return;
    const u32 end = batch.rows - begin < rows_each ? batch.rows : begin + rows_each;
    Tally tally;
    tally.begin(batch, begin, gathered, classes);
    for (u32 row = begin + threadIdx.x; row < end; row += BLOCK) tally.add(batch, row, label_of(row));
    tally.end();
}

template <class S>
struct Above {
    const S *scores;
    double threshold;
    __device__ u32 operator()(u32 row) const {
        const double score = (double)wide(scores[row]);
        return is_finite(score) ? (score > threshold ? 1u : 0u) : NO_LABEL;
    }
};

template <class I>
struct Given {
    const I *labels;
    u32 classes;
    __device__ u32 operator()(u32 row) const {
        const i64 label = (i64)labels[row];
        return label >= 0 && label < (i64)classes ? (u32)label : NO_LABEL;
    }
};

#define ABOVE(name, type)                                                                                                       \
    extern "C" __global__ void name(const __grid_constant__ Batch batch, const type *scores, double threshold, u32 classes,     \
                                    u32 rows_each) {                                                                            \
        each(batch, classes, rows_each, Above<type>{scores, threshold});                                                        \
    }
ABOVE(above_float32, float)
ABOVE(above_float64, double)
ABOVE(above_float16, F16)
ABOVE(above_bfloat16, BF16)

extern "C" __global__ void given_int32(const __grid_constant__ Batch batch, const int *labels, u32 classes, u32 rows_each) {
    each(batch, classes, rows_each, Given<int>{labels, classes});
}
extern "C" __global__ void given_int64(const __grid_constant__ Batch batch, const i64 *labels, u32 classes, u32 rows_each) {
    each(batch, classes, rows_each, Given<i64>{labels, classes});
}
