// Products of matrices, and patches of images as matrices.
//
// c = activation(op(a) op(b) + plus + bias), where op(a) is [m, k] and op(b) [k, n]. An element of a factor lies at a
// place that depends on its row plus one that depends on its column: i * row + j * column, or, if `side` is not 0, the
// same for patches of `size` x `size`, `stride` apart, of images [side, side, channels]: a row a patch; a_row = 1 takes
// the transpose.
//
// A block makes a tile of c. Blocks with different z take different parts of k, `part` long; then c has a matrix for
// each, for sum_parts to add, which finishes the layer.

struct Factors {
    const float *a, *b;
    int m, n, k, a_row, a_column, b_row, b_column, side, channels, size, stride;
};

struct Finish {
    const float *plus, *bias;
    int with_plus, with_bias, activation;
};

// The operation after the sum at place i, in a column.
INLINE float finish(const Finish &finish, float sum, long long i, int column) {
    if (finish.with_plus) sum += finish.plus[i];
    if (finish.with_bias) sum += finish.bias[column];
    return activate(sum, finish.activation);
}

// Where a patch begins in its images.
INLINE long long patch_at(const Factors &f, int patch) {
    const int across = (f.side - f.size) / f.stride + 1;
    const int px = patch % across, py = patch / across % across;
    const long long image = patch / across / across;
    return ((image * f.side + py * f.stride) * f.side + px * f.stride) * f.channels;
}

// Where a number of a patch is, from its beginning.
INLINE long long within_patch(const Factors &f, int number) {
    const int line = f.size * f.channels;
    return (long long)(number / line) * f.side * f.channels + number % line;
}

// The part of an element's place that comes from its row in op(a), and that from its column.
INLINE long long a_along(const Factors &f, int i) {
    if (f.side) return f.a_row ? within_patch(f, i) : patch_at(f, i);
    return (long long)i * f.a_row;
}
INLINE long long a_deep(const Factors &f, int j) {
    if (f.side) return f.a_row ? patch_at(f, j) : within_patch(f, j);
    return (long long)j * f.a_column;
}

// Numbers of k that are at hand at a time.
#define DEPTH 16

// The part of a thread in a tile of SIDE x SIDE: pieces of 4 x 4, 64 apart.
template <int SIDE> struct Sums {
    float at[SIDE / 16][SIDE / 16];
};

// The place of a thread's i-th row, or column, in a tile.
INLINE int spread(int place, int i) { return i / 4 * 64 + 4 * place + i % 4; }

template <int SIDE>
INLINE void product(float *c, const Factors &f, int part, int accumulate, const Finish &end) {
    SHARED ALIGNED float left[DEPTH][SIDE + 4];
    SHARED ALIGNED float right[DEPTH][SIDE + 4];
    SHARED long long along[SIDE];
    SHARED long long deep[DEPTH];
    OWN(Sums<SIDE>, sums);
    const int row = blockIdx.x * SIDE, column = blockIdx.y * SIDE;
    const int from = blockIdx.z * part;
    const int to = from + part < f.k ? from + part : f.k;
    const bool a_lies_deep = f.side ? !f.a_row : f.a_column == 1, b_lies_along = f.b_column == 1;
    PHASE {
        UNROLL for (int i = 0; i < SIDE / 16; ++i)
            UNROLL for (int j = 0; j < SIDE / 16; ++j) MINE(sums).at[i][j] = 0.0f;
        if (thread < SIDE && row + thread < f.m) along[thread] = a_along(f, row + thread);
        if (thread < DEPTH && from + thread < to) deep[thread] = a_deep(f, from + thread);
    }
    for (int start = from; start < to; start += DEPTH) {
        PHASE {
            // Neighbouring threads read neighbouring numbers, whichever way a matrix lies.
            for (int i = thread; i < SIDE * DEPTH; i += BLOCK) {
                const int d = a_lies_deep ? i % DEPTH : i / SIDE, x = a_lies_deep ? i / DEPTH : i % SIDE;
                left[d][x] = row + x < f.m && start + d < to ? f.a[along[x] + deep[d]] : 0.0f;
            }
            for (int i = thread; i < SIDE * DEPTH; i += BLOCK) {
                const int d = b_lies_along ? i / SIDE : i % DEPTH, x = b_lies_along ? i % SIDE : i / DEPTH;
                const bool inside = column + x < f.n && start + d < to;
                right[d][x] = inside ? f.b[(long long)(start + d) * f.b_row + (long long)(column + x) * f.b_column] : 0.0f;
            }
        }
        PHASE {
            const int y = thread / 16, x = thread % 16;
            for (int d = 0; d < DEPTH; ++d) {
                Four l[SIDE / 64], r[SIDE / 64];
                UNROLL for (int i = 0; i < SIDE / 64; ++i) {
                    l[i] = *(const Four *)&left[d][64 * i + 4 * y];
                    r[i] = *(const Four *)&right[d][64 * i + 4 * x];
                }
                UNROLL for (int i = 0; i < SIDE / 16; ++i)
                    UNROLL for (int j = 0; j < SIDE / 16; ++j)
                        MINE(sums).at[i][j] += l[i / 4].at[i % 4] * r[j / 4].at[j % 4];
            }
            if (thread < DEPTH && start + DEPTH + thread < to) deep[thread] = a_deep(f, start + DEPTH + thread);
        }
    }
    PHASE {
        float *out = c + (long long)blockIdx.z * f.m * f.n;
        UNROLL for (int i = 0; i < SIDE / 16; ++i)
            UNROLL for (int j = 0; j < SIDE / 16; ++j) {
                const int y = row + spread(thread / 16, i), x = column + spread(thread % 16, j);
                if (y < f.m && x < f.n) {
                    const long long at = (long long)y * f.n + x;
                    const float sum = MINE(sums).at[i][j] + (accumulate ? out[at] : 0.0f);
                    out[at] = finish(end, sum, at, x);
                }
            }
    }
}

// The same with both factors rounded to bfloat16, on tensor cores: mma.m16n8k16, with sums in f32.

// Numbers of k in shared memory at a time, two per word.
#define PAIRS 16

INLINE word32 to_bf16(float x) {
    word32 bits;
    COPY_BITS(bits, x);
    // To the nearest, to even between two; NaN stays NaN.
    if (x != x) return bits >> 16 | 0x40;
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
INLINE word32 pair(float first, float second) { return to_bf16(first) | to_bf16(second) << 16; }

// The warps of a block make 4 x 2 tiles of SIDE / 4 x SIDE / 2.
template <int SIDE> struct Fragments {
    word32 a[SIDE / 64][4];
    word32 b[SIDE / 16][2];
    Quad sums[SIDE / 64][SIDE / 16];
};

template <int SIDE>
INLINE void product_bf16(float *c, const Factors &f, int part, int accumulate, const Finish &end) {
    // Rows of words without bank conflicts.
    SHARED word32 left[SIDE][PAIRS + 4];
    SHARED word32 right[PAIRS][SIDE + 8];
    SHARED long long along[SIDE];
    SHARED long long deep[2 * PAIRS];
    OWN(Fragments<SIDE>, fragments);
    const int row = blockIdx.x * SIDE, column = blockIdx.y * SIDE;
    const int from = blockIdx.z * part;
    const int to = from + part < f.k ? from + part : f.k;
    const bool a_lies_deep = f.side ? !f.a_row : f.a_column == 1, b_lies_along = f.b_column == 1;
    PHASE {
        UNROLL for (int i = 0; i < SIDE / 64; ++i)
            UNROLL for (int j = 0; j < SIDE / 16; ++j)
                UNROLL for (int q = 0; q < 4; ++q) MINE(fragments).sums[i][j].at[q] = 0.0f;
        if (thread < SIDE && row + thread < f.m) along[thread] = a_along(f, row + thread);
        if (thread < 2 * PAIRS && from + thread < to) deep[thread] = a_deep(f, from + thread);
    }
    for (int start = from; start < to; start += 2 * PAIRS) {
        PHASE {
            for (int i = thread; i < SIDE * PAIRS; i += BLOCK) {
                const int p = a_lies_deep ? i % PAIRS : i / SIDE, x = a_lies_deep ? i / PAIRS : i % SIDE;
                const bool first = row + x < f.m && start + 2 * p < to, second = first && start + 2 * p + 1 < to;
                left[x][p] = pair(first ? f.a[along[x] + deep[2 * p]] : 0.0f, second ? f.a[along[x] + deep[2 * p + 1]] : 0.0f);
            }
            for (int i = thread; i < SIDE * PAIRS; i += BLOCK) {
                const int p = b_lies_along ? i / SIDE : i % PAIRS, x = b_lies_along ? i % SIDE : i / PAIRS;
                const bool first = column + x < f.n && start + 2 * p < to, second = first && start + 2 * p + 1 < to;
                const float *at = f.b + (long long)(start + 2 * p) * f.b_row + (long long)(column + x) * f.b_column;
                right[p][x] = pair(first ? at[0] : 0.0f, second ? at[f.b_row] : 0.0f);
            }
        }
        // Eight pairs at a time; a thread's words are where mma.m16n8k16 has them.
        for (int eight = 0; eight < PAIRS; eight += 8) {
            PHASE {
                const int lane = thread % 32, warp = thread / 32, group = lane / 4, within = lane % 4;
                const int start_row = warp / 2 * (SIDE / 4), start_column = warp % 2 * (SIDE / 2);
                UNROLL for (int i = 0; i < SIDE / 64; ++i)
                    UNROLL for (int q = 0; q < 4; ++q)
                        MINE(fragments).a[i][q] = left[start_row + 16 * i + group + q % 2 * 8][eight + within + q / 2 * 4];
                UNROLL for (int j = 0; j < SIDE / 16; ++j)
                    UNROLL for (int q = 0; q < 2; ++q)
                        MINE(fragments).b[j][q] = right[eight + within + q * 4][start_column + 8 * j + group];
            }
            UNROLL for (int i = 0; i < SIDE / 64; ++i)
                UNROLL for (int j = 0; j < SIDE / 16; ++j) MULTIPLY(fragments, sums[i][j], a[i], b[j]);
        }
        PHASE {
            const int next = start + 2 * PAIRS + thread;
            if (thread < 2 * PAIRS && next < to) deep[thread] = a_deep(f, next);
        }
    }
    PHASE {
        const int lane = thread % 32, warp = thread / 32, group = lane / 4, within = lane % 4;
        const int first_row = row + warp / 2 * (SIDE / 4) + group, first_column = column + warp % 2 * (SIDE / 2) + 2 * within;
        float *out = c + (long long)blockIdx.z * f.m * f.n;
        UNROLL for (int i = 0; i < SIDE / 64; ++i)
            UNROLL for (int j = 0; j < SIDE / 16; ++j)
                UNROLL for (int q = 0; q < 4; ++q) {
                    const int y = first_row + 16 * i + q / 2 * 8, x = first_column + 8 * j + q % 2;
                    if (y < f.m && x < f.n) {
                        const long long at = (long long)y * f.n + x;
                        const float sum = MINE(fragments).sums[i][j].at[q] + (accumulate ? out[at] : 0.0f);
                        out[at] = finish(end, sum, at, x);
                    }
                }
    }
}

extern "C" __global__ void product_64(float *c, const float *a, const float *b, int m, int n, int k, int a_row, int a_column,
        int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate, const float *plus,
        int with_plus, const float *bias, int with_bias, int activation) {
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, side, channels, size, stride};
    product<64>(c, factors, part, accumulate, Finish{plus, bias, with_plus, with_bias, activation});
}

extern "C" __global__ void product_128(float *c, const float *a, const float *b, int m, int n, int k, int a_row, int a_column,
        int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate, const float *plus,
        int with_plus, const float *bias, int with_bias, int activation) {
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, side, channels, size, stride};
    product<128>(c, factors, part, accumulate, Finish{plus, bias, with_plus, with_bias, activation});
}

extern "C" __global__ void product_64_bf16(float *c, const float *a, const float *b, int m, int n, int k, int a_row, int a_column,
        int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate, const float *plus,
        int with_plus, const float *bias, int with_bias, int activation) {
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, side, channels, size, stride};
    product_bf16<64>(c, factors, part, accumulate, Finish{plus, bias, with_plus, with_bias, activation});
}

extern "C" __global__ void product_128_bf16(float *c, const float *a, const float *b, int m, int n, int k, int a_row,
        int a_column, int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation) {
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, side, channels, size, stride};
    product_bf16<128>(c, factors, part, accumulate, Finish{plus, bias, with_plus, with_bias, activation});
}

// out[n] = activation(the sum of `count` vectors of n numbers, one after the other, + out if accumulate, + plus +
// bias).
extern "C" __global__ void sum_parts(float *out, const float *parts, int n, int count, int accumulate, int columns,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation) {
    PHASE {
        const long long i = NUMBER;
        if (i < n) {
            float sum = accumulate ? out[i] : 0.0f;
            for (int part = 0; part < count; ++part) sum += parts[(long long)part * n + i];
            out[i] = finish(Finish{plus, bias, with_plus, with_bias, activation}, sum, i, with_bias ? i % columns : 0);
        }
    }
}

// out[y, columns] (+)= sums over rows y * part.. of x[rows, columns]: several to be added by sum_parts, or one. Of
// fewer columns than threads, each has several.
extern "C" __global__ void column_sums(float *out, const float *x, int rows, int columns, int part, int accumulate) {
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
