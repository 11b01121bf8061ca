// How kernels are written here, so that one source runs on a device and, block by block, on a processor, where it is tested.
//
// A kernel is a sequence of phases. Within a phase every thread of the block runs on its own; before a phase all of them have
// ended the one before. THREADS are the same for every kernel. What a thread keeps between phases is OWN.
//
// On a processor (EMULATED is defined) a phase is a loop over the block's threads, and a kernel is called once a block.

#define BLOCK 256

typedef unsigned int word32;
typedef unsigned long long word64;

#ifdef EMULATED

#include <cmath>
#include <cstddef>
struct Index { int x, y, z; };
static Index blockIdx;
static int thread;
#define SHARED
#define PHASE for (thread = 0; thread < BLOCK; ++thread)
#define OWN(type, name) type name##_of_all[BLOCK]
#define MINE(name) name##_of_all[thread]
#define INLINE static inline

#else

#define thread ((int)threadIdx.x)
#define SHARED __shared__
#define PHASE __syncthreads();
#define OWN(type, name) type name
#define MINE(name) name
#define INLINE static __device__ __forceinline__

#endif

// The thread's number in the grid's first direction.
#define NUMBER ((long long)blockIdx.x * BLOCK + thread)

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
INLINE void put(float *target, float x, int accumulate) { *target = accumulate ? *target + x : x; }
