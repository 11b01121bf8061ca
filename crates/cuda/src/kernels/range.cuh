// Numbers that follow others, and the range of returns: division by it, and how it follows the returns of a step.

INLINE float range_divisor(const float *range) { return fmaxf(range[1] - range[0], 1.0f); }

// y = x / max(1, high - low).
extern "C" __global__ void divide_by_range(float *y, const float *x, const float *range, int n) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) y[i] = x[i] / range_divisor(range);
    }
}

extern "C" __global__ void divide_by_range_gradient(float *out, const float *gradient, const float *range, int n,
        int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) put(&out[i], gradient[i] / range_divisor(range), accumulate);
    }
}

// y moves towards x by a share of the way, if go[0].
extern "C" __global__ void follow(float *y, const float *go, const float *x, int n, float share) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n && go[0] != 0.0f) y[i] = (1.0f - share) * y[i] + share * x[i];
    }
}

// A number's bits in an order that is that of the numbers.
INLINE word32 ordered(float x) {
    word32 bits;
    COPY_BITS(bits, x);
    return bits >> 31 ? ~bits : bits | 0x80000000u;
}

INLINE float from_ordered(word32 key) {
    const word32 bits = key >> 31 ? key & 0x7fffffffu : ~key;
    return float_of_bits(bits);
}

// Moves range = (low, high) towards two percentiles of n numbers if go[0]: each lies between the numbers of rank
// `below` and the next, by the fraction `beyond`. The numbers of these ranks are found bit by bit. One block.
extern "C" __global__ void follow_percentiles(float *range, const float *go, const float *x, int n, int low_below,
        float low_beyond, int high_below, float high_beyond, float rate) {
    BEGIN;
    SHARED int counts[4][BLOCK];
    SHARED word32 found[4];
    const int last = n - 1;
    const int ranks[4] = {low_below, low_below < last ? low_below + 1 : last, high_below,
                          high_below < last ? high_below + 1 : last};
    PHASE {
        if (thread < 4) found[thread] = 0;
    }
    for (int bit = 31; bit >= 0; --bit) {
        PHASE {
            int below[4] = {0, 0, 0, 0};
            for (int i = thread; i < n; i += BLOCK) {
                const word32 key = ordered(x[i]);
                UNROLL for (int k = 0; k < 4; ++k) below[k] += key < (found[k] | 1u << bit);
            }
            UNROLL for (int k = 0; k < 4; ++k) counts[k][thread] = below[k];
        }
        for (int half = BLOCK / 2; half > 0; half /= 2) {
            PHASE {
                if (thread < half)
                    for (int k = 0; k < 4; ++k) counts[k][thread] += counts[k][thread + half];
            }
        }
        PHASE {
            if (thread == 0)
                for (int k = 0; k < 4; ++k) found[k] |= counts[k][0] <= ranks[k] ? 1u << bit : 0u;
        }
    }
    PHASE {
        if (thread == 0 && go[0] != 0.0f) {
            const float low = from_ordered(found[0]), next_low = from_ordered(found[1]);
            const float high = from_ordered(found[2]), next_high = from_ordered(found[3]);
            range[0] = (1.0f - rate) * range[0] + rate * (low + (next_low - low) * low_beyond);
            range[1] = (1.0f - rate) * range[1] + rate * (high + (next_high - high) * high_beyond);
        }
    }
}
