// How kernels are written here, so that one source runs on a GPU and, block by block, on the CPU, where it is tested.
//
// A kernel is a sequence of phases. Within a phase every thread of the block runs on its own; before a phase all of
// them have ended the one before. THREADS are the same for every kernel. Values that a thread keeps between phases are
// OWN. SAME_PHASE continues a phase behind something that a warp does as a whole: there is no barrier, so a thread must
// not touch shared memory that others have written, or have yet to read, since the phase began.
//
// Every kernel starts with BEGIN, before it reads or writes memory. On devices where launches may overlap, the blocks of
// a kernel can start before the kernel before it has ended; there, BEGIN waits until it has, and its results are
// visible. Then it lets the kernel after it start. Kernels without BEGIN are never overlapped (`signatures.rs`).
//
// On the CPU (EMULATED is defined), a phase is a loop over the block's threads, and a kernel is called once a block.
//
// The blocks of a kernel that is IN_TEAMS come in teams of TEAM, which run at the same time: with AWAIT_TEAM, a block waits
// for all of its team, and then sees what they have written to memory. What the members do between two such waits is
// EACH_MEMBER. On the CPU, this is a loop over the team's blocks, and the first block that is called does it for all:
// the kernel begins with ONCE_FOR_A_TEAM, and what lies outside of EACH_MEMBER is the same for all members. Devices
// before compute capability 9.0 have no teams, and never run these kernels.

#define BLOCK 256
#define TEAM 8
#define OWN_TEAM ((int)blockIdx.x / TEAM)
#define MEMBER ((int)blockIdx.x % TEAM)

typedef unsigned int word32;
typedef unsigned long long word64;

// Four sums of a thread in a product of tensor cores.
struct Quad {
    float at[4];
};

#ifdef EMULATED

#include <cmath>
#include <cstddef>
#include <cstring>
struct Index { int x, y, z; };
// Where the numbers of the block and the thread lie, and shared memory: one place, or one for each thread of the program.
#ifndef PLACED
#define PLACED static
#endif
PLACED Index blockIdx;
// The threads of a phase, in either order: the results of a kernel must not depend on it.
PLACED int thread, first_thread = 0, last_thread = BLOCK, next_thread = 1;
#define BEGIN
#define IN_TEAMS
#define ONCE_FOR_A_TEAM                                                                                        \
    if (MEMBER != 0) return;                                                                                   \
    const int first_block = blockIdx.x
// In either order, like the threads.
#define EACH_MEMBER                                                                                            \
    for (int member = next_thread > 0 ? 0 : TEAM - 1;                                                          \
         member >= 0 && member < TEAM && (blockIdx.x = first_block + member, true); member += next_thread)
#define AWAIT_TEAM
#define SHARED PLACED
#define UNROLL
#define UNROLL_BY(count)
#define PHASE for (thread = first_thread; thread != last_thread; thread += next_thread)
#define SAME_PHASE PHASE
#define ROLLED
#define OWN(type, name) type name##_of_all[BLOCK]
#define OWNED(name, ...) __VA_ARGS__ *name##_of_all
#define PASS(name) name##_of_all
#define MINE(name) name##_of_all[thread]
#define __launch_bounds__(...)
#define INLINE static inline
#define COPY_BITS(to, from) std::memcpy(&to, &from, sizeof to)

INLINE float float_of_bits(word32 bits) {
    float x;
    COPY_BITS(x, bits);
    return x;
}

INLINE float of_half_word(word32 word, int upper) {
    return float_of_bits(upper ? word & 0xffff0000u : word << 16);
}

template <int NUMBERS> INLINE float of_word(word32 word, int number) {
    return NUMBERS == 1 ? float_of_bits(word) : of_half_word(word, number);
}

// mma.m16n8k16 of bfloat16, two NUMBERS of k to a word, or mma.m16n8k8 of tf32, one to a word; with the numbers in the
// lanes that the PTX ISA defines: a is 16 x 8 words, b is 8 words x 8.
template <int NUMBERS, class Sums, class A, class B> static void multiply_warp(Sums sums, A a, B b) {
    float left[16][8 * NUMBERS], right[8 * NUMBERS][8];
    for (int lane = 0; lane < 32; ++lane) {
        const int group = lane / 4, within = lane % 4;
        for (int q = 0; q < 4; ++q)
            for (int n = 0; n < NUMBERS; ++n)
                left[group + q % 2 * 8][(within + q / 2 * 4) * NUMBERS + n] = of_word<NUMBERS>(a(lane)[q], n);
        for (int q = 0; q < 2; ++q)
            for (int n = 0; n < NUMBERS; ++n) right[(within + q * 4) * NUMBERS + n][group] = of_word<NUMBERS>(b(lane)[q], n);
    }
    for (int lane = 0; lane < 32; ++lane)
        for (int q = 0; q < 4; ++q) {
            const int row = lane / 4 + q / 2 * 8, column = lane % 4 * 2 + q % 2;
            for (int k = 0; k < 8 * NUMBERS; ++k) sums(lane).at[q] += left[row][k] * right[k][column];
        }
}
#define MULTIPLY(numbers, own, sums, a, b)                                                                     \
    for (int first = 0; first < BLOCK; first += 32)                                                            \
    multiply_warp<numbers>([&](int lane) -> Quad & { return own##_of_all[first + lane].sums; },                \
                           [&](int lane) { return own##_of_all[first + lane].a; },                             \
                           [&](int lane) { return own##_of_all[first + lane].b; })

#else

#define thread ((int)threadIdx.x)
#if __CUDA_ARCH__ >= 900
#define BEGIN asm volatile("griddepcontrol.wait; griddepcontrol.launch_dependents;" ::: "memory")
#define IN_TEAMS __cluster_dims__(TEAM, 1, 1)
#define AWAIT_TEAM asm volatile("barrier.cluster.arrive.release; barrier.cluster.wait.acquire;" ::: "memory")
#else
#define BEGIN
#define IN_TEAMS
#define AWAIT_TEAM asm volatile("trap;")
#endif
#define ONCE_FOR_A_TEAM
#define EACH_MEMBER
#define SHARED __shared__
#define UNROLL _Pragma("unroll")
#define PRAGMA(text) _Pragma(#text)
#define UNROLL_BY(count) PRAGMA(unroll count)
#define PHASE __syncthreads();
#define SAME_PHASE
#define ROLLED _Pragma("unroll 1")
#define OWN(type, name) type name
#define OWNED(name, ...) __VA_ARGS__ &name
#define PASS(name) name
#define MINE(name) name
#define INLINE static __device__ __forceinline__
#define COPY_BITS(to, from) to = __float_as_uint(from)

INLINE float float_of_bits(word32 bits) { return __uint_as_float(bits); }

// mma.m16n8k16 of bfloat16, two NUMBERS of k to a word, or mma.m16n8k8 of tf32, one to a word.
template <int NUMBERS> INLINE void multiply_warp(Quad &sums, const word32 *a, const word32 *b) {
#if __CUDA_ARCH__ >= 800
#define MULTIPLY_AS(shape)                                                                                     \
    asm("mma.sync.aligned." shape " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"           \
        : "+f"(sums.at[0]), "+f"(sums.at[1]), "+f"(sums.at[2]), "+f"(sums.at[3])                               \
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
    if (NUMBERS == 2) MULTIPLY_AS("m16n8k16.row.col.f32.bf16.bf16.f32");
    else MULTIPLY_AS("m16n8k8.row.col.f32.tf32.tf32.f32");
#else
    // Devices before 8.0 do not have these instructions and never run these kernels.
    asm volatile("trap;");
#endif
}
#define MULTIPLY(numbers, own, sums, a, b) multiply_warp<numbers>(own.sums, own.a, own.b)

#endif

// The thread's number in the grid's first direction.
#define NUMBER ((long long)blockIdx.x * BLOCK + thread)

// The sum of what all threads have put into `sums`, in sums[0].
#define REDUCE(sums)                                                                                           \
    for (int half = BLOCK / 2; half > 0; half /= 2) {                                                          \
        PHASE {                                                                                                \
            if (thread < half) sums[thread] += sums[thread + half];                                            \
        }                                                                                                      \
    }

INLINE float softplus(float x) { return fmaxf(x, 0.0f) + log1pf(expf(-fabsf(x))); }
INLINE float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
// Numbers of Activation in the planner.
INLINE float activate(float x, int activation) {
    if (activation == 1) return x > 0.0f ? x : (x != x ? x : 0.0f);
    if (activation == 2) return x > 0.0f ? x : expm1f(x);
    return x;
}
// The activation's slope, from its value y.
INLINE float slope(float y, int activation) {
    if (activation == 1) return y > 0.0f ? 1.0f : 0.0f;
    if (activation == 2) return fminf(y, 0.0f) + 1.0f;
    return 1.0f;
}
// The gradient before an activation, from that of its value y.
INLINE float before(float gradient, float y, int activation) {
    if (activation == 1) return y > 0.0f ? gradient : 0.0f;
    return gradient * slope(y, activation);
}
// What follows a sum: an activation of it and what is added, or, from this number on, the gradient before an activation
// whose value is there instead.
#define BEFORE 4
INLINE float follow_sum(float sum, float plus, int activation) {
    return activation < BEFORE ? activate(sum + plus, activation) : before(sum, plus, activation - BEFORE);
}
INLINE void put(float *target, float x, int accumulate) { *target = accumulate ? *target + x : x; }
