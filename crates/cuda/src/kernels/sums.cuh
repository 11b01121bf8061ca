// Sums of the parts of products, of the rows of a matrix, and of patches of images.

// out[n] = activation(the sum of `count` vectors of n numbers, one after the other, times the row's scale, + out if
// accumulate, + plus + bias). A block has NUMBERS_AT_ONCE neighbouring numbers, and its warps share the vectors.
#define NUMBERS_AT_ONCE 32
extern "C" __global__ void sum_parts(float *out, const float *parts, int n, int count, int accumulate, int columns,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation, const float *scales, int with_scales) {
    BEGIN;
    SHARED float sums[BLOCK];
    const long long first = (long long)blockIdx.x * NUMBERS_AT_ONCE;
    PHASE {
        const long long i = first + thread % NUMBERS_AT_ONCE;
        float sum = 0.0f;
        if (i < n) {
            UNROLL_BY(8) for (int part = thread / NUMBERS_AT_ONCE; part < count; part += BLOCK / NUMBERS_AT_ONCE)
                sum += parts[(long long)part * n + i];
        }
        sums[thread] = sum;
    }
    PHASE {
        const long long i = first + thread;
        if (thread < NUMBERS_AT_ONCE && i < n) {
            float sum = accumulate && !with_scales ? out[i] : 0.0f;
            for (int other = thread; other < BLOCK; other += NUMBERS_AT_ONCE) sum += sums[other];
            if (with_scales) sum = sum * scales[i / columns] + (accumulate ? out[i] : 0.0f);
            if (with_bias) sum += bias[i % columns];
            out[i] = follow_sum(sum, with_plus ? plus[i] : 0.0f, activation);
        }
    }
}

// out[n] (+)= the sums of `count` rows of n numbers: a block has a few neighbouring columns, and its threads share the rows.
#define COLUMNS_AT_ONCE 8
extern "C" __global__ void sum_columns(float *out, const float *x, int n, int count, int accumulate) {
    BEGIN;
    SHARED float sums[BLOCK];
    const int first = blockIdx.x * COLUMNS_AT_ONCE;
    PHASE {
        const int column = first + thread % COLUMNS_AT_ONCE;
        float sum = 0.0f;
        if (column < n) {
            UNROLL_BY(8) for (int row = thread / COLUMNS_AT_ONCE; row < count; row += BLOCK / COLUMNS_AT_ONCE)
                sum += x[(long long)row * n + column];
        }
        sums[thread] = sum;
    }
    for (int half = BLOCK / 2; half >= COLUMNS_AT_ONCE; half /= 2) {
        PHASE {
            if (thread < half) sums[thread] += sums[thread + half];
        }
    }
    PHASE {
        if (thread < COLUMNS_AT_ONCE && first + thread < n) put(&out[first + thread], sums[thread], accumulate);
    }
}

// The threads of a block that sums the rows of one part: neighbours have neighbouring columns. Of fewer columns than
// threads, each has several, a line each.
struct RowPart {
    int width, lines, line;
    long long column, from, to;
};
INLINE RowPart row_part(int rows, int columns, int part) {
    const int width = columns < BLOCK ? columns : BLOCK;
    const long long from = (long long)blockIdx.y * part, to = from + part < rows ? from + part : rows;
    const int line = thread / width, lines = BLOCK / width;
    const long long column = (long long)blockIdx.x * BLOCK + thread % width;
    return {width, lines, line, column, from, line < lines && column < columns ? to : 0};
}

// out[y, columns] (+)= the sums of all lines of part y.
INLINE void put_column_sum(float *out, const float *sums, int columns, int accumulate) {
    const int width = columns < BLOCK ? columns : BLOCK;
    const long long column = (long long)blockIdx.x * BLOCK + thread;
    if (thread >= width || column >= columns) return;
    float sum = 0.0f;
    for (int line = 0; line < BLOCK / width; ++line) sum += sums[line * width + thread];
    put(&out[(long long)blockIdx.y * columns + column], sum, accumulate);
}

// out[y, columns] (+)= sums over rows y * part.. of x[rows, columns]: several to be added by sum_columns, or one.
extern "C" __global__ void column_sums(float *out, const float *x, int rows, int columns, int part, int accumulate) {
    BEGIN;
    SHARED float sums[BLOCK];
    PHASE {
        const RowPart own = row_part(rows, columns, part);
        float sum = 0.0f;
        for (long long row = own.from + own.line; row < own.to; row += own.lines) sum += x[row * columns + own.column];
        sums[thread] = sum;
    }
    PHASE { put_column_sum(out, sums, columns, accumulate); }
}

// out[rows, columns] = x times each row's factor; and parts[y, columns] = the sums of rows y * part.. of that, for
// sum_columns to add.
extern "C" __global__ void scale_and_sum_rows(float *out, float *parts, const float *x, const float *factors, int rows,
        int columns, int part) {
    BEGIN;
    SHARED float sums[BLOCK];
    PHASE {
        const RowPart own = row_part(rows, columns, part);
        float sum = 0.0f;
        UNROLL_BY(4) for (long long row = own.from + own.line; row < own.to; row += own.lines) {
            const float scaled = factors[row] * x[row * columns + own.column];
            out[row * columns + own.column] = scaled;
            sum += scaled;
        }
        sums[thread] = sum;
    }
    PHASE { put_column_sum(parts, sums, columns, 0); }
}

// The images whose patches these are, each number the sum of all that were read from it: x = activation((x +) the
// adjoint of taking patches + bias).
extern "C" __global__ void overlay(float *x, const float *from, int images, int side, int channels, int size, int stride,
        int accumulate, const float *bias, int with_bias, int activation) {
    BEGIN;
    PHASE {
        const int across = (side - size) / stride + 1, width = size * size * channels;
        const long long i = NUMBER;
        if (i < (long long)images * side * side * channels) {
            const int channel = i % channels, ix = i / channels % side, iy = i / channels / side % side;
            const long long image = i / channels / side / side;
            float sum = accumulate ? x[i] : 0.0f;
            for (int dy = iy % stride; dy < size && dy <= iy; dy += stride) {
                const int py = (iy - dy) / stride;
                for (int dx = ix % stride; dx < size && dx <= ix; dx += stride) {
                    const int px = (ix - dx) / stride;
                    if (py < across && px < across)
                        sum += from[((image * across + py) * across + px) * width + (dy * size + dx) * channels + channel];
                }
            }
            if (with_bias) sum += bias[channel];
            x[i] = activate(sum, activation);
        }
    }
}
