// The gates of DreamerV3's recurrent cell, whose sums [rows, 3 size] come in blocks of `width`: the resets of a block, then its
// candidates, then its updates.

INLINE float block_update(const float *sums, int width) { return sigmoid(sums[2 * width] - 1.0f); }

// y[rows, size] = the next states.
extern "C" __global__ void block_gates(float *y, const float *sums, const float *past, int count, int width) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < count) {
            const float *own = sums + i / width * 3 * width + i % width;
            const float update = block_update(own, width), candidate = tanhf(sigmoid(own[0]) * own[width]);
            y[i] = update * candidate + (1.0f - update) * past[i];
        }
    }
}

extern "C" __global__ void block_gates_gradient(float *out, const float *gradient, const float *sums, const float *past,
        int count, int width, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < count) {
            const long long at = i / width * 3 * width + i % width;
            const float *own = sums + at;
            const float reset = sigmoid(own[0]), update = block_update(own, width), g = gradient[i];
            const float candidate = tanhf(reset * own[width]), inner = g * update * (1.0f - candidate * candidate);
            put(&out[at], inner * own[width] * reset * (1.0f - reset), accumulate);
            put(&out[at + width], inner * reset, accumulate);
            put(&out[at + 2 * width], g * (candidate - past[i]) * update * (1.0f - update), accumulate);
        }
    }
}

extern "C" __global__ void block_gates_past(float *out, const float *gradient, const float *sums, int count, int width,
        int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < count) {
            const float *own = sums + i / width * 3 * width + i % width;
            put(&out[i], gradient[i] * (1.0f - block_update(own, width)), accumulate);
        }
    }
}
