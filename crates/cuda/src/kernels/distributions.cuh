// Distributions: normal ones [rows, 2 size] of means, then standard deviations; densities; the squashed normal of
// actions.

// Means as they are, standard deviations softplus(raw) + least.
extern "C" __global__ void gaussian(float *y, const float *raw, int rows, int columns, float least) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * columns) y[i] = i % columns < columns / 2 ? raw[i] : softplus(raw[i]) + least;
    }
}

extern "C" __global__ void gaussian_gradient(float *out, const float *gradient, const float *raw, int rows, int columns,
        int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * columns)
            put(&out[i], i % columns < columns / 2 ? gradient[i] : gradient[i] * sigmoid(raw[i]), accumulate);
    }
}

// y[rows, size] = mean + std * noise.
extern "C" __global__ void sample(float *y, const float *normal, const float *noise, int rows, int size) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * size) {
            const long long at = i / size * 2 * size + i % size;
            y[i] = normal[at] + normal[at + size] * noise[i];
        }
    }
}

// Both at once: the standard deviations of `raw`, and a sample.
INLINE void gaussian_sample_at(long long i, float *normal, const float *raw, int columns, float least, float *y, const float *noise) {
    const int size = columns / 2;
    const long long at = i / size * columns + i % size;
    const float mean = raw[at], deviation = softplus(raw[at + size]) + least;
    normal[at] = mean;
    normal[at + size] = deviation;
    y[i] = mean + deviation * noise[i];
}

extern "C" __global__ void gaussian_sample(float *normal, const float *raw, int rows, int columns, float least, float *y,
        const float *noise) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * (columns / 2)) gaussian_sample_at(i, normal, raw, columns, least, y, noise);
    }
}

// The gradient of `raw` from that of the distribution, if there is one, and that of a sample.
INLINE void gaussian_sample_gradient_at(long long i, float *out, const float *gradient, int with_gradient, const float *of_sample,
        const float *noise, const float *raw, int columns, int accumulate) {
    const int size = columns / 2;
    const long long at = i / size * columns + i % size;
    float mean = of_sample[i], deviation = of_sample[i] * noise[i];
    if (with_gradient) {
        mean += gradient[at];
        deviation += gradient[at + size];
    }
    put(&out[at], mean, accumulate);
    put(&out[at + size], deviation * sigmoid(raw[at + size]), accumulate);
}

extern "C" __global__ void gaussian_sample_gradient(float *out, const float *gradient, int with_gradient, const float *of_sample,
        const float *noise, const float *raw, int rows, int columns, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * (columns / 2))
            gaussian_sample_gradient_at(i, out, gradient, with_gradient, of_sample, noise, raw, columns, accumulate);
    }
}

extern "C" __global__ void sample_gradient(float *out, const float *gradient, const float *noise, int rows, int size,
        int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * size) {
            const long long at = i / size * 2 * size + i % size;
            put(&out[at], gradient[i], accumulate);
            put(&out[at + size], gradient[i] * noise[i], accumulate);
        }
    }
}

// y[rows] = KL(q || p), summed over size.
extern "C" __global__ void divergence(float *y, const float *q, const float *p, int rows, int size) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            const float *qs = q + row * 2 * size, *ps = p + row * 2 * size;
            float sum = 0.0f;
            for (int i = 0; i < size; ++i) {
                const float q_std = qs[size + i], p_std = ps[size + i], apart = qs[i] - ps[i];
                const float ratio = (q_std * q_std + apart * apart) / (p_std * p_std);
                sum += logf(p_std / q_std) + 0.5f * (ratio - 1.0f);
            }
            y[row] = sum;
        }
    }
}

extern "C" __global__ void divergence_of_first(float *out, const float *gradient, const float *q, const float *p,
        int rows, int size, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * size) {
            const long long at = i / size * 2 * size + i % size;
            const float g = gradient[i / size], precision = 1.0f / (p[at + size] * p[at + size]);
            put(&out[at], g * (q[at] - p[at]) * precision, accumulate);
            put(&out[at + size], g * (q[at + size] * precision - 1.0f / q[at + size]), accumulate);
        }
    }
}

extern "C" __global__ void divergence_of_second(float *out, const float *gradient, const float *q, const float *p,
        int rows, int size, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * size) {
            const long long at = i / size * 2 * size + i % size;
            const float g = gradient[i / size], q_std = q[at + size], p_std = p[at + size], apart = q[at] - p[at];
            const float precision = 1.0f / (p_std * p_std);
            put(&out[at], -g * apart * precision, accumulate);
            put(&out[at + size], g * (1.0f - (q_std * q_std + apart * apart) * precision) / p_std, accumulate);
        }
    }
}

// y[rows] = log N(target; mean, 1) summed over columns: a block a row.
extern "C" __global__ void normal_density(float *y, const float *mean, const float *target, int columns,
        float precision, float constant) {
    BEGIN;
    SHARED float sums[BLOCK];
    const long long row = blockIdx.x;
    PHASE {
        float sum = 0.0f;
        for (int i = thread; i < columns; i += BLOCK) {
            const float apart = target[row * columns + i] - mean[row * columns + i];
            sum += apart * apart;
        }
        sums[thread] = sum;
    }
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        PHASE {
            if (thread < half) sums[thread] += sums[thread + half];
        }
    }
    PHASE {
        if (thread == 0) y[row] = -0.5f * precision * sums[0] + constant;
    }
}

extern "C" __global__ void normal_density_gradient(float *out, const float *gradient, const float *mean,
        const float *target, int rows, int columns, float precision, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * columns)
            put(&out[i], gradient[i / columns] * precision * (target[i] - mean[i]), accumulate);
    }
}

extern "C" __global__ void bernoulli_density(float *y, const float *logit, const float *target, int n) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) y[i] = target[i] * logit[i] - softplus(logit[i]);
    }
}

extern "C" __global__ void bernoulli_density_gradient(float *out, const float *gradient, const float *logit,
        const float *target, int n, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) put(&out[i], gradient[i] * (target[i] - sigmoid(logit[i])), accumulate);
    }
}

extern "C" __global__ void logistic(float *y, const float *x, int n, float shift) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) y[i] = sigmoid(x[i]) + shift;
    }
}

extern "C" __global__ void logistic_gradient(float *out, const float *gradient, const float *y, int n, float shift,
        int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) {
            const float logistic = y[i] - shift;
            put(&out[i], gradient[i] * logistic * (1.0f - logistic), accumulate);
        }
    }
}

// Mean and standard deviation before squashing: see Squash in the planner's crate.
#define LEAST_STD 1e-4f
INLINE float squash_mean(float raw, float bound) { return bound * tanhf(raw / bound); }
INLINE float squash_mean_slope(float raw, float bound) {
    const float bent = tanhf(raw / bound);
    return 1.0f - bent * bent;
}

// y[rows, size] = tanh(mean + std * noise), raw[rows, 2 size].
extern "C" __global__ void squashed_sample(float *y, const float *raw, const float *noise, int rows, int size,
        float bound, float initial) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * size) {
            const long long at = i / size * 2 * size + i % size;
            const float std = softplus(raw[at + size] + initial) + LEAST_STD;
            y[i] = tanhf(squash_mean(raw[at], bound) + std * noise[i]);
        }
    }
}

extern "C" __global__ void squashed_sample_gradient(float *out, const float *gradient, const float *y, const float *raw,
        const float *noise, int rows, int size, float bound, float initial, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * size) {
            const long long at = i / size * 2 * size + i % size;
            const float before = gradient[i] * (1.0f - y[i] * y[i]);
            put(&out[at], before * squash_mean_slope(raw[at], bound), accumulate);
            put(&out[at + size], before * noise[i] * sigmoid(raw[at + size] + initial), accumulate);
        }
    }
}

// y[rows] = minus the log-density of the squashed sample.
extern "C" __global__ void squashed_entropy(float *y, const float *raw, const float *noise, int rows, int size,
        float bound, float initial) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            float sum = 0.0f;
            for (int i = 0; i < size; ++i) {
                const float mean = squash_mean(raw[row * 2 * size + i], bound);
                const float std = softplus(raw[row * 2 * size + size + i] + initial) + LEAST_STD;
                const float e = noise[row * size + i], before = mean + std * e;
                const float normal = -0.5f * e * e - logf(std) - 0.91893853320467274178f;
                sum -= normal - 2.0f * (0.69314718055994530942f - before - softplus(-2.0f * before));
            }
            y[row] = sum;
        }
    }
}

extern "C" __global__ void squashed_entropy_gradient(float *out, const float *gradient, const float *raw,
        const float *noise, int rows, int size, float bound, float initial, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * size) {
            const long long at = i / size * 2 * size + i % size;
            const float mean = squash_mean(raw[at], bound), std = softplus(raw[at + size] + initial) + LEAST_STD;
            const float inward = -2.0f * tanhf(mean + std * noise[i]), g = gradient[i / size];
            put(&out[at], g * inward * squash_mean_slope(raw[at], bound), accumulate);
            put(&out[at + size], g * (1.0f / std + inward * noise[i]) * sigmoid(raw[at + size] + initial), accumulate);
        }
    }
}

// y[rows] = the log-density of squashed samples that are constants: minus the entropy's sample.
extern "C" __global__ void squashed_log_density(float *y, const float *raw, const float *noise, int rows, int size,
        float bound, float initial) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            float sum = 0.0f;
            for (int i = 0; i < size; ++i) {
                const float mean = squash_mean(raw[row * 2 * size + i], bound);
                const float std = softplus(raw[row * 2 * size + size + i] + initial) + LEAST_STD;
                const float e = noise[row * size + i], before = mean + std * e;
                sum -= 0.5f * e * e + logf(std) + 0.9189385332046727f;
                sum -= 2.0f * (0.6931471805599453f - before - softplus(-2.0f * before));
            }
            y[row] = sum;
        }
    }
}

extern "C" __global__ void squashed_log_density_gradient(float *out, const float *gradient, const float *raw,
        const float *noise, int rows, int size, float bound, float initial, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * size) {
            const long long at = i / size * 2 * size + i % size;
            const float std = softplus(raw[at + size] + initial) + LEAST_STD, e = noise[i];
            const float g = gradient[i / size] / std;
            put(&out[at], g * e * squash_mean_slope(raw[at], bound), accumulate);
            put(&out[at + size], g * (e * e - 1.0f) * sigmoid(raw[at + size] + initial), accumulate);
        }
    }
}
