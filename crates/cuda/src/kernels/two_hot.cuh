// Predictions of one number as a distribution over bins. A block has a row.

// The largest of a row's logits, and the sum of the exponentials of what each is above it: largest[0] and totals[0].
#define TWO_HOT_TOTAL(logits, count)                                                                                   \
    SHARED float largest[BLOCK];                                                                                       \
    SHARED float totals[BLOCK];                                                                                        \
    PHASE {                                                                                                            \
        float most = (logits)[0];                                                                                      \
        for (int i = thread; i < count; i += BLOCK) most = fmaxf(most, (logits)[i]);                                   \
        largest[thread] = most;                                                                                        \
    }                                                                                                                  \
    for (int half = BLOCK / 2; half > 0; half /= 2) {                                                                  \
        PHASE {                                                                                                        \
            if (thread < half) largest[thread] = fmaxf(largest[thread], largest[thread + half]);                       \
        }                                                                                                              \
    }                                                                                                                  \
    PHASE {                                                                                                            \
        float total = 0.0f;                                                                                            \
        for (int i = thread; i < count; i += BLOCK) total += expf((logits)[i] - largest[0]);                           \
        totals[thread] = total;                                                                                        \
    }                                                                                                                  \
    for (int half = BLOCK / 2; half > 0; half /= 2) {                                                                  \
        PHASE {                                                                                                        \
            if (thread < half) totals[thread] += totals[thread + half];                                                \
        }                                                                                                              \
    }

// y[row] = the mean over the bins, in pairs, so that equal logits give exactly zero.
extern "C" __global__ void two_hot_mean(float *y, const float *logits, const float *bins, int count) {
    BEGIN;
    const float *const row = logits + (long long)blockIdx.x * count;
    TWO_HOT_TOTAL(row, count)
    SHARED float sums[BLOCK];
    PHASE {
        float sum = 0.0f;
        for (int i = thread; i < count / 2; i += BLOCK) {
            const int mirror = count - 1 - i;
            sum += expf(row[i] - largest[0]) / totals[0] * bins[i] + expf(row[mirror] - largest[0]) / totals[0] * bins[mirror];
        }
        sums[thread] = sum;
    }
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        PHASE {
            if (thread < half) sums[thread] += sums[thread + half];
        }
    }
    PHASE {
        const int middle = count / 2;
        const float odd = count % 2 ? expf(row[middle] - largest[0]) / totals[0] * bins[middle] : 0.0f;
        if (thread == 0) y[blockIdx.x] = sums[0] + odd;
    }
}

extern "C" __global__ void two_hot_mean_gradient(float *out, const float *gradient, const float *logits, const float *bins,
        const float *means, int count, int accumulate) {
    BEGIN;
    const float *const row = logits + (long long)blockIdx.x * count;
    TWO_HOT_TOTAL(row, count)
    PHASE {
        for (int i = thread; i < count; i += BLOCK) {
            const float probability = expf(row[i] - largest[0]) / totals[0];
            const float g = gradient[blockIdx.x] * probability * (bins[i] - means[blockIdx.x]);
            put(&out[(long long)blockIdx.x * count + i], g, accumulate);
        }
    }
}

struct Neighbours {
    int below, above;
    float below_weight, above_weight;
};

// The two bins next to a target; one twice, if the target is on it or beyond the outermost.
INLINE Neighbours neighbours_of(float target, const float *bins, int count) {
    int reached = 0;
    for (int i = 0; i < count; ++i) reached += bins[i] <= target;
    Neighbours result;
    result.below = reached > 0 ? reached - 1 : 0;
    result.above = reached < count - 1 ? reached : count - 1;
    if (result.below == result.above) {
        // NaN for a target that is infinite or no number.
        result.below_weight = result.above_weight = 0.5f + 0.0f * target;
        return result;
    }
    const float to_below = fabsf(bins[result.below] - target), to_above = fabsf(bins[result.above] - target);
    result.below_weight = to_above / (to_below + to_above);
    result.above_weight = to_below / (to_below + to_above);
    return result;
}

// y[row] = the log-probability of a target that is divided between the bins next to it.
extern "C" __global__ void two_hot_density(float *y, const float *logits, const float *bins, const float *targets,
        int count) {
    BEGIN;
    const float *const row = logits + (long long)blockIdx.x * count;
    TWO_HOT_TOTAL(row, count)
    PHASE {
        if (thread == 0) {
            const Neighbours near = neighbours_of(targets[blockIdx.x], bins, count);
            y[blockIdx.x] = near.below_weight * (row[near.below] - largest[0])
                + near.above_weight * (row[near.above] - largest[0]) - logf(totals[0]);
        }
    }
}

extern "C" __global__ void two_hot_density_gradient(float *out, const float *gradient, const float *logits,
        const float *bins, const float *targets, int count, int accumulate) {
    BEGIN;
    const float *const row = logits + (long long)blockIdx.x * count;
    TWO_HOT_TOTAL(row, count)
    PHASE {
        const Neighbours near = neighbours_of(targets[blockIdx.x], bins, count);
        for (int i = thread; i < count; i += BLOCK) {
            float weight = -(expf(row[i] - largest[0]) / totals[0]);
            if (i == near.below) weight += near.below_weight;
            if (i == near.above) weight += near.above_weight;
            put(&out[(long long)blockIdx.x * count + i], gradient[blockIdx.x] * weight, accumulate);
        }
    }
}
