// Products of matrices, and of patches of images as matrices.
//
// A block makes a tile of c, ROWS x COLUMNS numbers, or SIDE x SIDE. Blocks with different z take different parts of k, `part` long; then
// c has a matrix for each, for sum_parts to add, which finishes the layer.
//
// A step takes DEPTH numbers of k. There are two buffers in shared memory: a step reads one, and fills the other for
// the next step. So one barrier a step is enough: behind it, the one buffer is full, and nobody reads the other any
// more.

// A product and the block's place in it.
struct Product {
    Factors factors;
    int row, column, from, to, a_width, b_width;
};

template <int ROWS, int COLUMNS, int DEPTH> INLINE Product product_of(const Factors &f, int part) {
    const int from = blockIdx.z * part, to = from + part < f.k ? from + part : f.k;
    const int a = at_once<ROWS, DEPTH>(a_width(f)), b = at_once<COLUMNS, DEPTH>(b_width(f));
    return {f, (int)blockIdx.x * ROWS, (int)blockIdx.y * COLUMNS, from, to, a, b};
}

// The places of the tile's lines, and of the numbers of the first two steps.
template <int ROWS, int COLUMNS, int DEPTH> INLINE void find_places(Places<ROWS, COLUMNS, DEPTH> &places, const Product &p) {
    if (thread < ROWS) places.a_lines[thread] = a_line(p.factors, p.row + thread);
    if (thread >= BLOCK - COLUMNS) places.b_lines[thread - (BLOCK - COLUMNS)] = b_line(p.factors, p.column + thread - (BLOCK - COLUMNS));
    if (thread < 2 * DEPTH) places.a_numbers[thread / DEPTH][thread % DEPTH] = a_number(p.factors, p.from + thread, p.to);
    if (thread >= BLOCK - 2 * DEPTH) {
        const int number = thread - (BLOCK - 2 * DEPTH);
        places.b_numbers[number / DEPTH][number % DEPTH] = b_number(p.factors, p.from + number, p.to);
    }
}

// The places of the numbers of the step after the next one.
template <int ROWS, int COLUMNS, int DEPTH> INLINE void find_numbers(Places<ROWS, COLUMNS, DEPTH> &places, const Product &p, int start, int buffer) {
    const int first = start + 2 * DEPTH;
    if (first >= p.to) return;
    if (thread < DEPTH) places.a_numbers[buffer][thread] = a_number(p.factors, first + thread, p.to);
    if (thread >= BLOCK - DEPTH) {
        const int number = thread - (BLOCK - DEPTH);
        places.b_numbers[buffer][number] = b_number(p.factors, first + number, p.to);
    }
}

// The places of the result take those of the factors' lines.
template <int ROWS, int COLUMNS, int DEPTH> INLINE void find_results(Places<ROWS, COLUMNS, DEPTH> &places, const Product &p, const Finish &end) {
    if (thread < ROWS) {
        const int row = p.row + thread;
        places.a_lines[thread] = c_row(p.factors, row);
        places.scales[thread] = end.with_scales && row < p.factors.m ? end.scales[row] : 1.0f;
    }
    if (thread >= BLOCK - COLUMNS) {
        const int number = thread - (BLOCK - COLUMNS), column = p.column + number;
        places.b_lines[number] = c_column(p.factors, column);
        const int of = is_window(p.factors) ? column % p.factors.channels : column;
        places.biases[number] = end.with_bias && column < p.factors.n ? end.bias[of] : 0.0f;
    }
}

// Where a result is between the threads that computed it and those that write it: 64 rows of it at a time, so that a
// warp writes neighbouring numbers.
template <int COLUMNS> INLINE int staged_at(int row, int column) { return row * (COLUMNS + 4) + column; }

// What a thread has written to its columns of a tile, of which it has up to four.
struct Totals {
    float at[4];
};

// Writes 64 rows of a tile, WIDTH neighbouring numbers at once: for each of the tile's groups of rows, part `step` of
// it, `group` rows.
template <int ROWS, int COLUMNS, int DEPTH, int WIDTH>
INLINE void put_rows_by(float *c, const float *staged, const Places<ROWS, COLUMNS, DEPTH> &places, int step, int group, int accumulate,
        const Finish &end, Totals &totals) {
    typedef Numbers<WIDTH> Some;
    const int across = COLUMNS / WIDTH, x = thread % across * WIDTH;
    const Line column = places.b_lines[x];
    const Some bias = *(const Some *)&places.biases[x];
    UNROLL_BY(2) for (int i = thread / across; i < 64; i += BLOCK / across) {
        const int line = i / group * (ROWS / 64 * group) + step * group + i % group;
        const Line row = places.a_lines[line];
        if (row.on & column.on) {
            const int at = row.at + column.at;
            Some sums = *(const Some *)&staged[staged_at<COLUMNS>(i, x)], earlier = {}, plus = {};
            if (accumulate) earlier = *(const Some *)&c[at];
            if (end.with_plus) plus = *(const Some *)&end.plus[at];
            const float scale = places.scales[line];
            UNROLL for (int q = 0; q < WIDTH; ++q) {
                sums.at[q] = follow_sum(sums.at[q] * scale + bias.at[q] + earlier.at[q], plus.at[q], end.activation);
                totals.at[q] += sums.at[q];
            }
            *(Some *)&c[at] = sums;
        }
    }
}

template <int ROWS, int COLUMNS, int DEPTH>
INLINE void put_rows(float *c, const float *staged, const Places<ROWS, COLUMNS, DEPTH> &places, int step, int group, const Factors &f,
        int accumulate, const Finish &end, Totals &totals) {
    if (c_can(f, c, end.plus, 4)) put_rows_by<ROWS, COLUMNS, DEPTH, 4>(c, staged, places, step, group, accumulate, end, totals);
    else put_rows_by<ROWS, COLUMNS, DEPTH, 1>(c, staged, places, step, group, accumulate, end, totals);
}

// The sums of a tile's columns, once all of its rows are written: the threads of a column add theirs, in order.
template <int COLUMNS> INLINE void put_sums(OWNED(totals, Totals), float *staged, const float *c, const Product &p, const Finish &end) {
    if (!end.with_sums) return;
    const int width = c_can(p.factors, c, end.plus, 4) ? 4 : 1, across = COLUMNS / width;
    PHASE {
        for (int q = 0; q < width; ++q) staged[staged_at<COLUMNS>(thread / across, thread % across * width + q)] = MINE(totals).at[q];
    }
    PHASE {
        const int column = p.column + thread;
        if (thread < COLUMNS && column < p.factors.n) {
            float sum = 0.0f;
            for (int other = 0; other < BLOCK / across; ++other) sum += staged[staged_at<COLUMNS>(other, thread)];
            end.sums[blockIdx.x * p.factors.n + column] = sum;
        }
    }
}

// In f32.

// Numbers of k in a step: more in small tiles, where all threads have to bring something.
#define FLOAT_DEPTH(SIDE) (2048 / (SIDE))

template <int SIDE> struct FloatTiles {
    Places<SIDE, SIDE, FLOAT_DEPTH(SIDE)> places;
    union {
        struct {
            alignas(16) float left[2][FLOAT_DEPTH(SIDE) * (SIDE + 4)], right[2][FLOAT_DEPTH(SIDE) * (SIDE + 4)];
        };
        float staged[64 * (SIDE + 4)];
    };
};

// The part of a thread in a tile: pieces of 4 x 4, 64 apart.
template <int SIDE> struct Sums {
    float at[SIDE / 16][SIDE / 16];
};

template <int SIDE> INLINE void add_floats_of_step(Sums<SIDE> &sums, const float *left, const float *right) {
    const int y = thread / 16, x = thread % 16;
    for (int d = 0; d < FLOAT_DEPTH(SIDE); ++d) {
        Numbers<4> l[SIDE / 64], r[SIDE / 64];
        UNROLL for (int i = 0; i < SIDE / 64; ++i) {
            l[i] = *(const Numbers<4> *)&left[float_at<SIDE>(64 * i + 4 * y, d)];
            r[i] = *(const Numbers<4> *)&right[float_at<SIDE>(64 * i + 4 * x, d)];
        }
        UNROLL for (int i = 0; i < SIDE / 16; ++i)
            UNROLL for (int j = 0; j < SIDE / 16; ++j) sums.at[i][j] += l[i / 4].at[i % 4] * r[j / 4].at[j % 4];
    }
}

template <int SIDE, bool A_DEEP, bool B_DEEP>
INLINE void add_floats(OWNED(sums, Sums<SIDE>), FloatTiles<SIDE> &tiles, const Product &p) {
    const int DEPTH = FLOAT_DEPTH(SIDE);
    typedef Brought<SIDE, SIDE, DEPTH> Next;
    OWN(Next, next);
    Places<SIDE, SIDE, DEPTH> &places = tiles.places;
    // Before the first step, nothing is there to be multiplied.
    int buffer = 1;
    ROLLED for (int start = p.from - DEPTH; start < p.to; start += DEPTH, buffer ^= 1) {
        const bool more = start + DEPTH < p.to;
        PHASE {
            if (more) {
                bring<SIDE, DEPTH, A_DEEP>(MINE(next).a, p.factors.a, places.a_lines, places.a_numbers[buffer ^ 1], p.a_width);
                bring<SIDE, DEPTH, B_DEEP>(MINE(next).b, p.factors.b, places.b_lines, places.b_numbers[buffer ^ 1], p.b_width);
            }
            if (start >= p.from) {
                find_numbers(places, p, start, buffer);
                add_floats_of_step<SIDE>(MINE(sums), tiles.left[buffer], tiles.right[buffer]);
            }
            if (more) {
                put_floats<SIDE, DEPTH, A_DEEP>(tiles.left[buffer ^ 1], MINE(next).a, p.a_width);
                put_floats<SIDE, DEPTH, B_DEEP>(tiles.right[buffer ^ 1], MINE(next).b, p.b_width);
            }
        }
    }
}

template <int SIDE>
INLINE void product(FloatTiles<SIDE> &tiles, float *c, const Factors &f, int part, int accumulate, const Finish &end) {
    OWN(Sums<SIDE>, sums);
    const Product p = product_of<SIDE, SIDE, FLOAT_DEPTH(SIDE)>(f, part);
    PHASE {
        UNROLL for (int i = 0; i < SIDE / 16; ++i)
            UNROLL for (int j = 0; j < SIDE / 16; ++j) MINE(sums).at[i][j] = 0.0f;
        find_places(tiles.places, p);
    }
    if (a_lies_deep(f)) {
        if (b_lies_deep(f)) add_floats<SIDE, true, true>(PASS(sums), tiles, p);
        else add_floats<SIDE, true, false>(PASS(sums), tiles, p);
    } else {
        if (b_lies_deep(f)) add_floats<SIDE, false, true>(PASS(sums), tiles, p);
        else add_floats<SIDE, false, false>(PASS(sums), tiles, p);
    }
    OWN(Totals, totals);
    PHASE {
        find_results(tiles.places, p, end);
        MINE(totals) = {};
    }
    UNROLL for (int step = 0; step < SIDE / 64; ++step) {
        PHASE {
            UNROLL for (int i = 0; i < 4; ++i)
                UNROLL for (int j = 0; j < SIDE / 64; ++j) {
                    Numbers<4> four;
                    UNROLL for (int q = 0; q < 4; ++q) four.at[q] = MINE(sums).at[4 * step + i][4 * j + q];
                    *(Numbers<4> *)&tiles.staged[staged_at<SIDE>(4 * (thread / 16) + i, 64 * j + 4 * (thread % 16))] = four;
                }
        }
        PHASE { put_rows(c + (long long)blockIdx.z * f.m * f.n, tiles.staged, tiles.places, step, 64, f, accumulate, end, MINE(totals)); }
    }
    put_sums<SIDE>(PASS(totals), tiles.staged, c, p, end);
}

// With both factors rounded, on tensor cores, with sums in f32: to bfloat16, two NUMBERS of k to a word, or to tf32, one
// to a word. Both instructions have words in the same places.

template <int ROWS, int COLUMNS, int NUMBERS> struct WordTiles {
    Places<ROWS, COLUMNS, NUMBERS * WORDS> places;
    union {
        struct {
            alignas(16) word32 left[2][ROWS * (WORDS + 4)], right[2][COLUMNS * (WORDS + 4)];
        };
        float staged[64 * (COLUMNS + 4)];
    };
};

// The warps of a block make 4 x 2 tiles of ROWS / 4 x COLUMNS / 2.
template <int ROWS, int COLUMNS> struct Fragments {
    word32 a[ROWS / 64][4];
    word32 b[COLUMNS / 16][2];
    Quad sums[ROWS / 64][COLUMNS / 16];
};

// A thread's place in a warp's instruction, and the warp's in the tile.
struct Lane {
    int group, within, row, column;
};
template <int ROWS, int COLUMNS> INLINE Lane lane_of() {
    const int lane = thread % 32, warp = thread / 32;
    return {lane / 4, lane % 4, warp / 2 * (ROWS / 4), warp % 2 * (COLUMNS / 2)};
}

// A thread's part of eight words, where the instruction has them.
template <int ROWS, int COLUMNS, bool A_DEEP, bool B_DEEP>
INLINE void read_fragments(Fragments<ROWS, COLUMNS> &own, const word32 *left, const word32 *right, int eight) {
    const Lane at = lane_of<ROWS, COLUMNS>();
    UNROLL for (int i = 0; i < ROWS / 64; ++i)
        UNROLL for (int q = 0; q < 4; ++q)
            own.a[i][q] = left[word_at<ROWS, A_DEEP>(at.row + 16 * i + at.group + q % 2 * 8, eight + at.within + q / 2 * 4)];
    UNROLL for (int j = 0; j < COLUMNS / 16; ++j)
        UNROLL for (int q = 0; q < 2; ++q)
            own.b[j][q] = right[word_at<COLUMNS, B_DEEP>(at.column + 8 * j + at.group, eight + at.within + q * 4)];
}

template <int ROWS, int COLUMNS, int NUMBERS, bool A_DEEP, bool B_DEEP>
INLINE void add_words(OWNED(fragments, Fragments<ROWS, COLUMNS>), WordTiles<ROWS, COLUMNS, NUMBERS> &tiles, const Product &p) {
    const int DEPTH = NUMBERS * WORDS;
    typedef Brought<ROWS, COLUMNS, DEPTH> Next;
    OWN(Next, next);
    Places<ROWS, COLUMNS, DEPTH> &places = tiles.places;
    // Before the first step, nothing is there to be multiplied.
    int buffer = 1;
    ROLLED for (int start = p.from - DEPTH; start < p.to; start += DEPTH, buffer ^= 1) {
        const bool more = start + DEPTH < p.to;
        PHASE {
            if (more) {
                bring<ROWS, DEPTH, A_DEEP>(MINE(next).a, p.factors.a, places.a_lines, places.a_numbers[buffer ^ 1], p.a_width);
                bring<COLUMNS, DEPTH, B_DEEP>(MINE(next).b, p.factors.b, places.b_lines, places.b_numbers[buffer ^ 1], p.b_width);
            }
        }
        if (start >= p.from) {
            SAME_PHASE { find_numbers(places, p, start, buffer); }
            UNROLL for (int eight = 0; eight < WORDS; eight += 8) {
                SAME_PHASE { read_fragments<ROWS, COLUMNS, A_DEEP, B_DEEP>(MINE(fragments), tiles.left[buffer], tiles.right[buffer], eight); }
                UNROLL for (int i = 0; i < ROWS / 64; ++i)
                    UNROLL for (int j = 0; j < COLUMNS / 16; ++j) MULTIPLY(NUMBERS, fragments, sums[i][j], a[i], b[j]);
            }
        }
        SAME_PHASE {
            if (more) {
                put_words<ROWS, NUMBERS, A_DEEP>(tiles.left[buffer ^ 1], MINE(next).a, p.a_width);
                put_words<COLUMNS, NUMBERS, B_DEEP>(tiles.right[buffer ^ 1], MINE(next).b, p.b_width);
            }
        }
    }
}

template <int ROWS, int COLUMNS, int NUMBERS>
INLINE void product_rounded(WordTiles<ROWS, COLUMNS, NUMBERS> &tiles, float *c, const Factors &f, int part, int accumulate, const Finish &end) {
    typedef Fragments<ROWS, COLUMNS> All;
    OWN(All, fragments);
    const Product p = product_of<ROWS, COLUMNS, NUMBERS * WORDS>(f, part);
    PHASE {
        UNROLL for (int i = 0; i < ROWS / 64; ++i)
            UNROLL for (int j = 0; j < COLUMNS / 16; ++j)
                UNROLL for (int q = 0; q < 4; ++q) MINE(fragments).sums[i][j].at[q] = 0.0f;
        find_places(tiles.places, p);
    }
    if (a_lies_deep(f)) {
        if (b_lies_deep(f)) add_words<ROWS, COLUMNS, NUMBERS, true, true>(PASS(fragments), tiles, p);
        else add_words<ROWS, COLUMNS, NUMBERS, true, false>(PASS(fragments), tiles, p);
    } else {
        if (b_lies_deep(f)) add_words<ROWS, COLUMNS, NUMBERS, false, true>(PASS(fragments), tiles, p);
        else add_words<ROWS, COLUMNS, NUMBERS, false, false>(PASS(fragments), tiles, p);
    }
    OWN(Totals, totals);
    PHASE {
        find_results(tiles.places, p, end);
        MINE(totals) = {};
    }
    UNROLL for (int step = 0; step < ROWS / 64; ++step) {
        PHASE {
            const Lane at = lane_of<ROWS, COLUMNS>();
            const int row = at.row / (ROWS / 64) + at.group, column = at.column + 2 * at.within;
            UNROLL for (int j = 0; j < COLUMNS / 16; ++j)
                UNROLL for (int q = 0; q < 4; ++q)
                    tiles.staged[staged_at<COLUMNS>(row + q / 2 * 8, column + 8 * j + q % 2)] = MINE(fragments).sums[step][j].at[q];
        }
        PHASE { put_rows(c + (long long)blockIdx.z * f.m * f.n, tiles.staged, tiles.places, step, 16, f, accumulate, end, MINE(totals)); }
    }
    put_sums<COLUMNS>(PASS(totals), tiles.staged, c, p, end);
}

// Large tiles that a multiprocessor holds at once. Before capability 9.0 the compiler spills registers to make room for
// two.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
#define LARGE_BLOCKS 1
#else
#define LARGE_BLOCKS 2
#endif

extern "C" __global__ void __launch_bounds__(256, 3) product_64(float *c, const float *a, const float *b, int m, int n, int k,
        int a_row, int a_column, int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation, const float *scales, int with_scales,
        float *sums, int with_sums) {
    BEGIN;
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, side, channels, size, stride};
    SHARED FloatTiles<64> tiles;
    product<64>(tiles, c, factors, part, accumulate, Finish{plus, bias, scales, sums, with_plus, with_bias, activation, with_scales, with_sums});
}

extern "C" __global__ void __launch_bounds__(256, 2) product_128(float *c, const float *a, const float *b, int m, int n, int k,
        int a_row, int a_column, int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation, const float *scales, int with_scales,
        float *sums, int with_sums) {
    BEGIN;
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, side, channels, size, stride};
    SHARED FloatTiles<128> tiles;
    product<128>(tiles, c, factors, part, accumulate, Finish{plus, bias, scales, sums, with_plus, with_bias, activation, with_scales, with_sums});
}

extern "C" __global__ void __launch_bounds__(256, 3) product_64_bf16(float *c, const float *a, const float *b, int m, int n, int k,
        int a_row, int a_column, int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation, const float *scales, int with_scales,
        float *sums, int with_sums) {
    BEGIN;
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, side, channels, size, stride};
    SHARED WordTiles<64, 64, 2> tiles;
    product_rounded<64, 64, 2>(tiles, c, factors, part, accumulate, Finish{plus, bias, scales, sums, with_plus, with_bias, activation, with_scales, with_sums});
}

// For results of few columns.
extern "C" __global__ void __launch_bounds__(256, 3) product_narrow_bf16(float *c, const float *a, const float *b, int m, int n, int k,
        int a_row, int a_column, int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation, const float *scales, int with_scales,
        float *sums, int with_sums) {
    BEGIN;
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, side, channels, size, stride};
    SHARED WordTiles<128, 32, 2> tiles;
    product_rounded<128, 32, 2>(tiles, c, factors, part, accumulate, Finish{plus, bias, scales, sums, with_plus, with_bias, activation, with_scales, with_sums});
}

extern "C" __global__ void __launch_bounds__(256, LARGE_BLOCKS) product_128_bf16(float *c, const float *a, const float *b, int m, int n, int k,
        int a_row, int a_column, int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation, const float *scales, int with_scales,
        float *sums, int with_sums) {
    BEGIN;
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, side, channels, size, stride};
    SHARED WordTiles<128, 128, 2> tiles;
    product_rounded<128, 128, 2>(tiles, c, factors, part, accumulate, Finish{plus, bias, scales, sums, with_plus, with_bias, activation, with_scales, with_sums});
}

extern "C" __global__ void __launch_bounds__(256, 3) product_64_tf32(float *c, const float *a, const float *b, int m, int n, int k,
        int a_row, int a_column, int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation, const float *scales, int with_scales,
        float *sums, int with_sums) {
    BEGIN;
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, side, channels, size, stride};
    SHARED WordTiles<64, 64, 1> tiles;
    product_rounded<64, 64, 1>(tiles, c, factors, part, accumulate, Finish{plus, bias, scales, sums, with_plus, with_bias, activation, with_scales, with_sums});
}

// For results of few columns.
extern "C" __global__ void __launch_bounds__(256, 3) product_narrow_tf32(float *c, const float *a, const float *b, int m, int n, int k,
        int a_row, int a_column, int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation, const float *scales, int with_scales,
        float *sums, int with_sums) {
    BEGIN;
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, side, channels, size, stride};
    SHARED WordTiles<128, 32, 1> tiles;
    product_rounded<128, 32, 1>(tiles, c, factors, part, accumulate, Finish{plus, bias, scales, sums, with_plus, with_bias, activation, with_scales, with_sums});
}

extern "C" __global__ void __launch_bounds__(256, LARGE_BLOCKS) product_128_tf32(float *c, const float *a, const float *b, int m, int n, int k,
        int a_row, int a_column, int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation, const float *scales, int with_scales,
        float *sums, int with_sums) {
    BEGIN;
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, side, channels, size, stride};
    SHARED WordTiles<128, 128, 1> tiles;
    product_rounded<128, 128, 1>(tiles, c, factors, part, accumulate, Finish{plus, bias, scales, sums, with_plus, with_bias, activation, with_scales, with_sums});
}
