// The bounded normal distribution of actions.

INLINE float bounded_std(float raw) { return 0.9f * sigmoid(raw + 2.0f) + 0.1f; }

INLINE float bounded_std_slope(float raw) {
    const float logistic = sigmoid(raw + 2.0f);
    return 0.9f * logistic * (1.0f - logistic);
}

// y[rows, size] = tanh(m) + std * noise, cut off at -1 and 1; raw[rows, 2 size] = m, raw standard deviations.
extern "C" __global__ void bounded_sample(float *y, const float *raw, const float *noise, int rows, int size) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * size) {
            const long long at = i / size * 2 * size + i % size;
            const float x = tanhf(raw[at]) + bounded_std(raw[at + size]) * noise[i];
            y[i] = x / fmaxf(1.0f, fabsf(x));
        }
    }
}

// The divisor that cuts off has no gradient.
extern "C" __global__ void bounded_sample_gradient(float *out, const float *gradient, const float *raw,
        const float *noise, int rows, int size, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * size) {
            const long long at = i / size * 2 * size + i % size;
            const float mean = tanhf(raw[at]), x = mean + bounded_std(raw[at + size]) * noise[i];
            const float g = gradient[i] / fmaxf(1.0f, fabsf(x));
            put(&out[at], g * (1.0f - mean * mean), accumulate);
            put(&out[at + size], g * noise[i] * bounded_std_slope(raw[at + size]), accumulate);
        }
    }
}

// y[rows] = the entropy of the normal distribution that is not cut off.
extern "C" __global__ void bounded_entropy(float *y, const float *raw, int rows, int size) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            float sum = 0.0f;
            for (int i = 0; i < size; ++i) sum += logf(bounded_std(raw[row * 2 * size + size + i])) + 1.4189385332046727f;
            y[row] = sum;
        }
    }
}

extern "C" __global__ void bounded_entropy_gradient(float *out, const float *gradient, const float *raw, int rows,
        int size, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * size) {
            const long long at = i / size * 2 * size + i % size;
            const float raw_std = raw[at + size];
            put(&out[at], 0.0f, accumulate);
            put(&out[at + size], gradient[i / size] * bounded_std_slope(raw_std) / bounded_std(raw_std), accumulate);
        }
    }
}

// y[rows] = the log-density of samples that are constants, under the normal distribution that is not cut off.
extern "C" __global__ void bounded_log_density(float *y, const float *raw, const float *noise, int rows, int size) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            float sum = 0.0f;
            for (int i = 0; i < size; ++i) {
                const float e = noise[row * size + i];
                sum -= 0.5f * e * e + logf(bounded_std(raw[row * 2 * size + size + i])) + 0.9189385332046727f;
            }
            y[row] = sum;
        }
    }
}

extern "C" __global__ void bounded_log_density_gradient(float *out, const float *gradient, const float *raw,
        const float *noise, int rows, int size, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * size) {
            const long long at = i / size * 2 * size + i % size;
            const float mean = tanhf(raw[at]), raw_std = raw[at + size], e = noise[i];
            const float g = gradient[i / size] / bounded_std(raw_std);
            put(&out[at], g * e * (1.0f - mean * mean), accumulate);
            put(&out[at + size], g * (e * e - 1.0f) * bounded_std_slope(raw_std), accumulate);
        }
    }
}
