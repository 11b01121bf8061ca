// The operations around matrix products: biases, activations, the recurrent unit, parts of matrices.

// gradient *= activation'(x), from the activation's value y.
extern "C" __global__ void activation_gradient(float *gradient, const float *y, int rows, int columns, int activation) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * columns) gradient[i] = before(gradient[i], y[i], activation);
    }
}

// y = activation(x).
extern "C" __global__ void activated(float *y, const float *x, int n, int activation) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) y[i] = activate(x[i], activation);
    }
}

// out (+)= gradient times the activation's slope, from its value y.
extern "C" __global__ void activated_gradient(float *out, const float *gradient, const float *y, int n, int activation,
        int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) put(&out[i], gradient[i] * slope(y[i], activation), accumulate);
    }
}

// y = max(x, least).
extern "C" __global__ void at_least(float *y, const float *x, int n, float least) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) y[i] = x[i] < least ? least : x[i];
    }
}

extern "C" __global__ void at_least_gradient(float *out, const float *gradient, const float *x, int n, float least,
        int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) put(&out[i], x[i] > least ? gradient[i] : 0.0f, accumulate);
    }
}

// out[rows, columns], every row out_width after the one before, (+)= scale * x, likewise.
extern "C" __global__ void piece(float *out, int out_width, const float *x, int x_width, int rows, int columns,
        float scale, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * columns) {
            const long long row = i / columns, column = i % columns;
            put(&out[row * out_width + column], scale * x[row * x_width + column], accumulate);
        }
    }
}

// out[rows, columns] = value.
extern "C" __global__ void fill(float *out, int rows, int columns, float value) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * columns) out[i] = value;
    }
}

// Each row of out[rows, columns] is `row`.
extern "C" __global__ void same_rows(float *out, const float *row, int rows, int columns) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * columns) out[i] = row[i % columns];
    }
}

// out[rows, columns] = the gradient before an activation whose value is y, if that of y is `row` in each row.
extern "C" __global__ void same_rows_before(float *out, const float *row, const float *y, int rows, int columns,
        int activation) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * columns) out[i] = before(row[i % columns], y[i], activation);
    }
}

// out[rows, columns] (+)= x times each row's factor.
extern "C" __global__ void scale_rows(float *out, const float *x, const float *factors, int rows, int columns,
        int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * columns) put(&out[i], factors[i / columns] * x[i], accumulate);
    }
}

// The recurrent unit from the products with its input and its state [rows, 3 size] (columns z, r, candidate): they become the
// gates, and the state's sums with their bias. y[rows, size] is the next state, h the present one, bias [2, 3 size].
extern "C" __global__ void recurrent(float *y, float *from_x, float *from_h, const float *bias, const float *h,
        int rows, int size) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * size) {
            const long long row = i / size, column = i % size;
            float *x = from_x + row * 3 * size + column, *past = from_h + row * 3 * size + column;
            const float *b = bias + column;
            for (int part = 0; part < 3; ++part) past[part * size] += b[(3 + part) * size];
            const float z = sigmoid(x[0] + b[0] + past[0]);
            const float r = sigmoid(x[size] + b[size] + past[size]);
            const float candidate = tanhf(x[2 * size] + b[2 * size] + r * past[2 * size]);
            x[0] = z;
            x[size] = r;
            x[2 * size] = candidate;
            y[i] = z * h[i] + (1.0f - z) * candidate;
        }
    }
}

// Gradients before the gates' functions, of both products, from that of the next state; and, with_past, the gradient that
// bypasses the gates to the present state: to_past (+)= gradient * z.
INLINE void recurrent_gradient_at(long long i, float *to_x, float *to_h, const float *gates, const float *from_h, const float *h,
        const float *gradient, int size, float *to_past, int with_past, int accumulate) {
    const long long at = i / size * 3 * size + i % size;
    const float z = gates[at], r = gates[at + size], candidate = gates[at + 2 * size], g = gradient[i];
    const float to_candidate = g * (1.0f - z) * (1.0f - candidate * candidate);
    const float to_z = g * (h[i] - candidate) * z * (1.0f - z);
    const float to_r = to_candidate * from_h[at + 2 * size] * r * (1.0f - r);
    to_x[at] = to_h[at] = to_z;
    to_x[at + size] = to_h[at + size] = to_r;
    to_x[at + 2 * size] = to_candidate;
    to_h[at + 2 * size] = to_candidate * r;
    if (with_past) put(&to_past[i], g * z, accumulate);
}

extern "C" __global__ void recurrent_gradient(float *to_x, float *to_h, const float *gates, const float *from_h,
        const float *h, const float *gradient, int rows, int size, float *to_past, int with_past, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * size)
            recurrent_gradient_at(i, to_x, to_h, gates, from_h, h, gradient, size, to_past, with_past, accumulate);
    }
}

// One over the root of a row's mean square.
INLINE float inverse_root_of(const float *x, int columns, float epsilon) {
    float squares = 0.0f;
    for (int i = 0; i < columns; ++i) squares += x[i] * x[i];
    return 1.0f / sqrtf(squares / columns + epsilon);
}

// y[rows, columns] = x over the root of each row's mean square, times scale[columns].
extern "C" __global__ void rms_norm(float *y, const float *x, const float *scale, int rows, int columns, float epsilon) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            const float *from = x + row * columns;
            const float inverse = inverse_root_of(from, columns, epsilon);
            for (int i = 0; i < columns; ++i) y[row * columns + i] = from[i] * inverse * scale[i];
        }
    }
}

// out[rows, columns] = the terms of the scale's gradient.
extern "C" __global__ void rms_norm_parts(float *out, const float *gradient, const float *x, int rows, int columns,
        float epsilon) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            const float *from = x + row * columns;
            const float inverse = inverse_root_of(from, columns, epsilon);
            for (int i = 0; i < columns; ++i) {
                out[row * columns + i] = gradient[row * columns + i] * from[i] * inverse;
            }
        }
    }
}

extern "C" __global__ void rms_norm_gradient(float *out, const float *gradient, const float *x, const float *scale,
        int rows, int columns, float epsilon, int accumulate) {
    BEGIN;
    PHASE {
        const long long row = NUMBER;
        if (row < rows) {
            const float *from = x + row * columns, *g = gradient + row * columns;
            const float inverse = inverse_root_of(from, columns, epsilon);
            float inner = 0.0f;
            for (int i = 0; i < columns; ++i) inner += from[i] * g[i] * scale[i];
            const float along = inverse * inverse * inner / columns;
            for (int i = 0; i < columns; ++i) {
                put(&out[row * columns + i], inverse * (g[i] * scale[i] - from[i] * along), accumulate);
            }
        }
    }
}

extern "C" __global__ void silu(float *y, const float *x, int n) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) y[i] = x[i] * sigmoid(x[i]);
    }
}

extern "C" __global__ void silu_gradient(float *out, const float *gradient, const float *x, int n, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) {
            const float logistic = sigmoid(x[i]);
            put(&out[i], gradient[i] * logistic * (1.0f + x[i] * (1.0f - logistic)), accumulate);
        }
    }
}

// y[rows, columns] = (x - mean[columns]) / deviation[columns].
extern "C" __global__ void standardise(float *y, const float *x, const float *mean, const float *deviation, int rows,
        int columns) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * columns) y[i] = (x[i] - mean[i % columns]) / deviation[i % columns];
    }
}

extern "C" __global__ void standardise_gradient(float *out, const float *gradient, const float *deviation, int rows,
        int columns, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)rows * columns) put(&out[i], gradient[i] / deviation[i % columns], accumulate);
    }
}

// out[n] += the sign of x times factor[0]; the sign of 0 is 0.
extern "C" __global__ void add_signs(float *out, const float *x, const float *factor, int n) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n) out[i] += x[i] > 0.0f ? factor[0] : x[i] < 0.0f ? -factor[0] : 0.0f;
    }
}

// y[count] = x times a number for each row of `cols`, or y += that.
extern "C" __global__ void scaled_rows(float *y, const float *x, const float *factor, int count, int cols, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < count) put(&y[i], factor[i / cols] * x[i], accumulate);
    }
}

extern "C" __global__ void difference(float *y, const float *left, const float *right, int count) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < count) y[i] = left[i] - right[i];
    }
}

extern "C" __global__ void scaled(float *y, const float *x, float factor, int count, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < count) put(&y[i], factor * x[i], accumulate);
    }
}
