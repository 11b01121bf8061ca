// Sums of the parts of products, of the rows of a matrix, and of patches of images.

// out[n] = activation(the sum of `count` vectors of n numbers, one after the other, + out if accumulate, + plus +
// bias). A block has NUMBERS_AT_ONCE neighbouring numbers, and its warps share the vectors.
#define NUMBERS_AT_ONCE 32
extern "C" __global__ void sum_parts(float *out, const float *parts, int n, int count, int accumulate, int columns,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation) {
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
            float sum = accumulate ? out[i] : 0.0f;
            for (int other = thread; other < BLOCK; other += NUMBERS_AT_ONCE) sum += sums[other];
            out[i] = finish(Finish{plus, bias, with_plus, with_bias, activation}, sum, i, with_bias ? i % columns : 0);
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

// out[y, columns] (+)= sums over rows y * part.. of x[rows, columns]: several to be added by sum_columns, or one. Of
// fewer columns than threads, each has several.
extern "C" __global__ void column_sums(float *out, const float *x, int rows, int columns, int part, int accumulate) {
    BEGIN;
    SHARED float sums[BLOCK];
    const int width = columns < BLOCK ? columns : BLOCK, lines = BLOCK / width;
    const long long from = (long long)blockIdx.y * part, to = from + part < rows ? from + part : rows;
    PHASE {
        const int line = thread / width;
        const long long column = (long long)blockIdx.x * BLOCK + thread % width;
        float sum = 0.0f;
        if (line < lines && column < columns)
            for (long long row = from + line; row < to; row += lines) sum += x[row * columns + column];
        sums[thread] = sum;
    }
    PHASE {
        const long long column = (long long)blockIdx.x * BLOCK + thread;
        if (thread < width && column < columns) {
            float sum = 0.0f;
            for (int line = 0; line < lines; ++line) sum += sums[line * width + thread];
            put(&out[(long long)blockIdx.y * columns + column], sum, accumulate);
        }
    }
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
