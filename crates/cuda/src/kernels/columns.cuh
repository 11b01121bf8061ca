// Columns of matrices standardised by their own statistics, the distance of a matrix from the identity, and losses
// whose weights are learned.

// The sum over a block's column of a term of its numbers' places i, in sums[0].
#define SUM_OF_COLUMN(sums, i, term)                                                                           \
    PHASE {                                                                                                    \
        double sum = 0.0;                                                                                      \
        for (long long i = (long long)thread * columns + column, end = (long long)rows * columns; i < end;     \
             i += (long long)BLOCK * columns)                                                                  \
            sum += term;                                                                                       \
        sums[thread] = sum;                                                                                    \
    }                                                                                                          \
    REDUCE(sums)

// y[rows, columns] = x less its column's mean, over its column's deviation. A block for each column.
extern "C" __global__ void standardised_columns(float *y, const float *x, int rows, int columns, float epsilon) {
    BEGIN;
    SHARED double sums[BLOCK];
    SHARED double mean[1];
    const int column = blockIdx.x;
    SUM_OF_COLUMN(sums, i, x[i])
    PHASE {
        if (thread == 0) mean[0] = sums[0] / rows;
    }
    SUM_OF_COLUMN(sums, i, (x[i] - mean[0]) * (x[i] - mean[0]))
    PHASE {
        const float divisor = (float)sqrt(sums[0] / (rows - 1)) + epsilon;
        for (long long row = thread; row < rows; row += BLOCK)
            y[row * columns + column] = (x[row * columns + column] - (float)mean[0]) / divisor;
    }
}

extern "C" __global__ void standardised_columns_gradient(float *out, const float *gradient, const float *x, int rows,
        int columns, float epsilon, int accumulate) {
    BEGIN;
    SHARED double sums[BLOCK];
    // Of the column: its mean, that of its gradient, and the gradient along it.
    SHARED double found[3];
    const int column = blockIdx.x;
    SUM_OF_COLUMN(sums, i, x[i])
    PHASE {
        if (thread == 0) found[0] = sums[0] / rows;
    }
    SUM_OF_COLUMN(sums, i, gradient[i])
    PHASE {
        if (thread == 0) found[1] = sums[0] / rows;
    }
    SUM_OF_COLUMN(sums, i, gradient[i] * (x[i] - found[0]))
    PHASE {
        if (thread == 0) found[2] = sums[0];
    }
    SUM_OF_COLUMN(sums, i, (x[i] - found[0]) * (x[i] - found[0]))
    PHASE {
        const float deviation = (float)sqrt(sums[0] / (rows - 1)), divisor = deviation + epsilon;
        const float slope = deviation > 0.0f ? (float)found[2] / (divisor * divisor * deviation * (rows - 1)) : 0.0f;
        for (long long row = thread; row < rows; row += BLOCK) {
            const long long i = row * columns + column;
            put(&out[i], (gradient[i] - (float)found[1]) / divisor - (x[i] - (float)found[0]) * slope, accumulate);
        }
    }
}

// y[n] = the weighted squared difference of each row of factor x[n, n] from that of the identity. A block for each row.
extern "C" __global__ void identity_distance(float *y, const float *x, int n, float factor, float diagonal, float others) {
    BEGIN;
    SHARED double sums[BLOCK];
    const long long row = blockIdx.x;
    PHASE {
        double sum = 0.0;
        for (int column = thread; column < n; column += BLOCK) {
            const double apart = (double)factor * x[row * n + column] - (column == row ? 1.0 : 0.0);
            sum += (column == row ? diagonal : others) * apart * apart;
        }
        sums[thread] = sum;
    }
    REDUCE(sums)
    PHASE {
        if (thread == 0) y[row] = (float)sums[0];
    }
}

extern "C" __global__ void identity_distance_gradient(float *out, const float *gradient, const float *x, int n,
        float factor, float diagonal, float others, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)n * n) {
            const long long row = i / n, column = i % n;
            const double apart = (double)factor * x[i] - (column == row ? 1.0 : 0.0);
            const double weight = column == row ? diagonal : others;
            put(&out[i], gradient[row] * (float)(2.0 * weight * factor * apart), accumulate);
        }
    }
}

// y = weight x / e^s + share ln(1 + e^s).
extern "C" __global__ void harmonised(float *y, const float *x, const float *s, int n, float weight, float share) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) y[i] = weight * expf(-s[0]) * x[i] + share * softplus(s[0]);
    }
}

extern "C" __global__ void harmonised_gradient(float *out, const float *gradient, const float *s, int n, float weight,
        int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) put(&out[i], weight * expf(-s[0]) * gradient[i], accumulate);
    }
}

// Each number's part of the gradient with respect to s.
extern "C" __global__ void harmonised_slopes(float *out, const float *gradient, const float *x, const float *s, int n,
        float weight, float share) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) out[i] = gradient[i] * (share * sigmoid(s[0]) - weight * expf(-s[0]) * x[i]);
    }
}
