// Categorical distributions. A row of `size` logits is one distribution; a value with several distributions side by side is
// given as so many rows more.

// The classes of a distribution: the softmax of its logits, and probabilities of which `unimix` is shared equally.
struct Classes {
    float largest, total, kept, share;
};

INLINE Classes classes_of(const float *logits, int size, float unimix) {
    Classes row = {logits[0], 0.0f, 1.0f - unimix, unimix / size};
    for (int i = 1; i < size; ++i) row.largest = fmaxf(row.largest, logits[i]);
    for (int i = 0; i < size; ++i) row.total += expf(logits[i] - row.largest);
    return row;
}

INLINE float softmax_of(const Classes &row, float logit) { return expf(logit - row.largest) / row.total; }

INLINE float probability_of(const Classes &row, float logit) { return row.kept * softmax_of(row, logit) + row.share; }

// The class with the largest sum of log-probability and Gumbel draw, the first of equal ones.
INLINE int sampled_class(const Classes &classes, const float *logits, const float *gumbel, int size) {
    int best = 0;
    float most = logf(probability_of(classes, logits[0])) + gumbel[0];
    for (int i = 1; i < size; ++i) {
        const float score = logf(probability_of(classes, logits[i])) + gumbel[i];
        if (score > most) {
            most = score;
            best = i;
        }
    }
    return best;
}

// y[rows, size] = one-hot samples: the class with the largest sum of log-probability and Gumbel draw.
extern "C" __global__ void one_hot_sample(float *y, const float *logits, const float *gumbel, int rows, int size,
        float unimix) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            const float *x = logits + row * size;
            const int best = sampled_class(classes_of(x, size, unimix), x, gumbel + row * size, size);
            for (int i = 0; i < size; ++i) y[row * size + i] = i == best ? 1.0f : 0.0f;
        }
    }
}

// The gradient of the probabilities, straight through the sample.
extern "C" __global__ void one_hot_sample_gradient(float *out, const float *gradient, const float *logits, int rows,
        int size, float unimix, int accumulate) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            const float *x = logits + row * size, *g = gradient + row * size;
            const Classes classes = classes_of(x, size, unimix);
            float mean = 0.0f;
            for (int i = 0; i < size; ++i) mean += g[i] * softmax_of(classes, x[i]);
            for (int i = 0; i < size; ++i) {
                put(&out[row * size + i], classes.kept * softmax_of(classes, x[i]) * (g[i] - mean), accumulate);
            }
        }
    }
}

// y[rows] = the entropy of each row's classes.
extern "C" __global__ void categorical_entropy(float *y, const float *logits, int rows, int size, float unimix) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            const float *x = logits + row * size;
            const Classes classes = classes_of(x, size, unimix);
            float sum = 0.0f;
            for (int i = 0; i < size; ++i) {
                const float p = probability_of(classes, x[i]);
                sum -= p * logf(p);
            }
            y[row] = sum;
        }
    }
}

extern "C" __global__ void categorical_entropy_gradient(float *out, const float *gradient, const float *logits, int rows,
        int size, float unimix, int accumulate) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            const float *x = logits + row * size;
            const Classes classes = classes_of(x, size, unimix);
            float mean = 0.0f;
            for (int i = 0; i < size; ++i) {
                mean -= (logf(probability_of(classes, x[i])) + 1.0f) * softmax_of(classes, x[i]);
            }
            for (int i = 0; i < size; ++i) {
                const float derivative = -(logf(probability_of(classes, x[i])) + 1.0f) - mean;
                put(&out[row * size + i], gradient[row] * classes.kept * softmax_of(classes, x[i]) * derivative, accumulate);
            }
        }
    }
}

// y[rows] = KL(first || second), summed over the `groups` distributions of a row.
extern "C" __global__ void categorical_divergence(float *y, const float *first, const float *second, int rows, int groups,
        int size, float unimix) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            float sum = 0.0f;
            for (int group = 0; group < groups; ++group) {
                const float *q = first + (row * groups + group) * size, *p = second + (row * groups + group) * size;
                const Classes own = classes_of(q, size, unimix), other = classes_of(p, size, unimix);
                for (int i = 0; i < size; ++i) {
                    const float chance = probability_of(own, q[i]);
                    sum += chance * (logf(chance) - logf(probability_of(other, p[i])));
                }
            }
            y[row] = sum;
        }
    }
}

extern "C" __global__ void categorical_divergence_of_first(float *out, const float *gradient, const float *first,
        const float *second, int rows, int groups, int size, float unimix, int accumulate) {
    BEGIN;
    PHASE {
        const long long at = NUMBER;
        if (at < (long long)rows * groups) {
            const float *q = first + at * size, *p = second + at * size;
            const float g = gradient[at / groups];
            const Classes own = classes_of(q, size, unimix), other = classes_of(p, size, unimix);
            float mean = 0.0f;
            for (int i = 0; i < size; ++i) {
                const float slope = logf(probability_of(own, q[i])) - logf(probability_of(other, p[i])) + 1.0f;
                mean += slope * softmax_of(own, q[i]);
            }
            for (int i = 0; i < size; ++i) {
                const float slope = logf(probability_of(own, q[i])) - logf(probability_of(other, p[i])) + 1.0f;
                put(&out[at * size + i], g * own.kept * softmax_of(own, q[i]) * (slope - mean), accumulate);
            }
        }
    }
}

extern "C" __global__ void categorical_divergence_of_second(float *out, const float *gradient, const float *first,
        const float *second, int rows, int groups, int size, float unimix, int accumulate) {
    BEGIN;
    PHASE {
        const long long at = NUMBER;
        if (at < (long long)rows * groups) {
            const float *q = first + at * size, *p = second + at * size;
            const float g = gradient[at / groups];
            const Classes other = classes_of(q, size, unimix), own = classes_of(p, size, unimix);
            float mean = 0.0f;
            for (int i = 0; i < size; ++i) {
                mean -= probability_of(other, q[i]) / probability_of(own, p[i]) * softmax_of(own, p[i]);
            }
            for (int i = 0; i < size; ++i) {
                const float slope = -probability_of(other, q[i]) / probability_of(own, p[i]);
                put(&out[at * size + i], g * own.kept * softmax_of(own, p[i]) * (slope - mean), accumulate);
            }
        }
    }
}

// y[rows] = the log-probability of the class that each row samples, as a constant.
extern "C" __global__ void one_hot_log_density(float *y, const float *logits, const float *gumbel, int rows, int size,
        float unimix) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            const float *x = logits + row * size;
            const Classes classes = classes_of(x, size, unimix);
            y[row] = logf(probability_of(classes, x[sampled_class(classes, x, gumbel + row * size, size)]));
        }
    }
}

extern "C" __global__ void one_hot_log_density_gradient(float *out, const float *gradient, const float *logits,
        const float *gumbel, int rows, int size, float unimix, int accumulate) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            const float *x = logits + row * size;
            const Classes classes = classes_of(x, size, unimix);
            const int sampled = sampled_class(classes, x, gumbel + row * size, size);
            const float slope = gradient[row] / probability_of(classes, x[sampled]);
            const float mean = slope * softmax_of(classes, x[sampled]);
            for (int i = 0; i < size; ++i) {
                const float own = (i == sampled ? slope : 0.0f) - mean;
                put(&out[row * size + i], classes.kept * softmax_of(classes, x[i]) * own, accumulate);
            }
        }
    }
}
