// Products of so few numbers that tiles of 64 x 64 would leave most of a device idle.
//
// A block makes 16 x 32 numbers of c, and its warps share k: each has the sums of its part, which are added at the end,
// in the order of the warps. A thread brings numbers from memory straight to the registers that multiply them. So
// nothing waits at barriers, and as many loads are under way as registers allow: with k up to 256 on tensor cores, all of them.
//
// Which number of k a thread has does not change a sum, as long as both factors agree; nor do the places of columns and
// rows in an instruction of tensor cores. They are chosen so that a thread has four neighbouring numbers of k and four
// neighbouring columns, which it can read at once whichever way a matrix lies.

#define SMALL_ROWS 16
#define SMALL_COLUMNS 32
#define WARPS (BLOCK / 32)

// A factor: lines of numbers of k, at line * line_step + number * step. `wide` if those of a piece can be read at once.
struct Lines {
    const float *from;
    int lines, line_step, step, end;
    bool wide;
};

// Four numbers of k of each of some lines; zeros where there are none.
template <int LINES> struct Piece {
    float at[LINES][4];
};

template <int LINES> INLINE void bring_piece(Piece<LINES> &kept, const Lines &x, int line, int number) {
    kept = {};
    if (x.wide && x.step == 1) {
        UNROLL for (int l = 0; l < LINES; ++l)
            if (line + l < x.lines && number < x.end) {
                const Numbers<4> read = *(const Numbers<4> *)(x.from + ((line + l) * x.line_step + number));
                UNROLL for (int i = 0; i < 4; ++i) kept.at[l][i] = read.at[i];
            }
    } else if (x.wide) {
        UNROLL for (int i = 0; i < 4; ++i)
            if (line < x.lines && number + i < x.end) {
                const Numbers<LINES> read = *(const Numbers<LINES> *)(x.from + (line + (number + i) * x.step));
                UNROLL for (int l = 0; l < LINES; ++l) kept.at[l][i] = read.at[l];
            }
    } else {
        UNROLL for (int l = 0; l < LINES; ++l)
            UNROLL for (int i = 0; i < 4; ++i)
                if (line + l < x.lines && number + i < x.end)
                    kept.at[l][i] = x.from[(line + l) * x.line_step + (number + i) * x.step];
    }
}

// A place in a grid of blocks.
struct GridPlace {
    int x, y, z;
};
INLINE GridPlace own_place() { return {(int)blockIdx.x, (int)blockIdx.y, (int)blockIdx.z}; }

// A product of matrices, and the block's place in it.
struct SmallProduct {
    Lines a, b;
    int row, column, from, to;
};

// ROWS of a are brought at once, if they lie across.
template <int ROWS> INLINE SmallProduct small_product_of(const Factors &f, int part, GridPlace at) {
    const int from = at.z * part, to = from + part < f.k ? from + part : f.k;
    const Lines a = {f.a, f.m, f.a_row, f.a_column, to, a_can(f, a_lies_deep(f) ? 4 : ROWS)};
    const Lines b = {f.b, f.n, f.b_column, f.b_row, to, b_can(f, 4)};
    return {a, b, at.x * SMALL_ROWS, at.y * SMALL_COLUMNS, from, to};
}

// The sums of every warp.
struct Staged {
    alignas(16) float at[WARPS][SMALL_ROWS][SMALL_COLUMNS + 4];
};

// What is added to the two results that a thread finishes, brought while the factors are on their way.
struct Ends {
    float earlier[2], plus[2], scales[2], bias;
};

INLINE int small_row(const SmallProduct &p, int i) { return p.row + thread / 32 + WARPS * i; }
INLINE int small_column(const SmallProduct &p) { return p.column + thread % 32; }

INLINE void bring_ends(Ends &ends, const SmallProduct &p, const float *c, int accumulate, const Finish &end) {
    const int column = small_column(p);
    ends = {};
    if (column >= p.b.lines) return;
    if (end.with_bias) ends.bias = end.bias[column];
    UNROLL for (int i = 0; i < 2; ++i) {
        const int row = small_row(p, i), at = row * p.b.lines + column;
        if (row >= p.a.lines) continue;
        if (accumulate) ends.earlier[i] = c[at];
        if (end.with_plus) ends.plus[i] = end.plus[at];
        ends.scales[i] = end.with_scales ? end.scales[row] : 1.0f;
    }
}

INLINE void finish_small(float *c, const Staged &staged, const SmallProduct &p, const Ends &ends, const Finish &end) {
    const int column = small_column(p);
    UNROLL for (int i = 0; i < 2; ++i) {
        const int row = small_row(p, i);
        if (row >= p.a.lines || column >= p.b.lines) continue;
        float sum = 0.0f;
        UNROLL for (int warp = 0; warp < WARPS; ++warp) sum += staged.at[warp][row - p.row][column - p.column];
        c[row * p.b.lines + column] = follow_sum(sum * ends.scales[i] + ends.bias + ends.earlier[i], ends.plus[i], end.activation);
    }
}

// In f32: a thread has 4 x 4 sums, and a warp takes four numbers of k at a time.

#define FLOATS_AT_ONCE 2

struct SmallSums {
    float at[4][4];
    Ends ends;
};

INLINE void product_small_floats(Staged &staged, float *c, const Factors &f, int part, int accumulate, const Finish &end, GridPlace at) {
    OWN(SmallSums, own);
    const SmallProduct p = small_product_of<4>(f, part, at);
    c += (long long)at.z * f.m * f.n;
    PHASE {
        const int y = 4 * (thread % 32 / 8), x = 4 * (thread % 8), warp = thread / 32;
        SmallSums sums = {};
        bring_ends(sums.ends, p, c, accumulate, end);
        ROLLED for (int start = p.from + 4 * warp; start < p.to; start += 4 * WARPS * FLOATS_AT_ONCE) {
            Piece<4> a[FLOATS_AT_ONCE], b[FLOATS_AT_ONCE];
            UNROLL for (int u = 0; u < FLOATS_AT_ONCE; ++u) {
                bring_piece(a[u], p.a, p.row + y, start + 4 * WARPS * u);
                bring_piece(b[u], p.b, p.column + x, start + 4 * WARPS * u);
            }
            UNROLL for (int u = 0; u < FLOATS_AT_ONCE; ++u)
                UNROLL for (int d = 0; d < 4; ++d)
                    UNROLL for (int i = 0; i < 4; ++i)
                        UNROLL for (int j = 0; j < 4; ++j) sums.at[i][j] = fmaf(a[u].at[i][d], b[u].at[j][d], sums.at[i][j]);
        }
        UNROLL for (int i = 0; i < 4; ++i) {
            Numbers<4> four;
            UNROLL for (int j = 0; j < 4; ++j) four.at[j] = sums.at[i][j];
            *(Numbers<4> *)&staged.at[warp][y + i][x] = four;
        }
        MINE(own) = sums;
    }
    PHASE { finish_small(c, staged, p, MINE(own).ends, end); }
}

// With both factors rounded: a warp takes sixteen numbers of k at a time, in one instruction of bfloat16, two NUMBERS to a
// word, or in two of tf32. Row `group` of an instruction is row 2 * group of the tile, and row 8 + group the one after
// it; column s of instruction j is column 4 * s + j.

#define SIXTEENS_AT_ONCE 2
#define INSTRUCTIONS(NUMBERS) (SIXTEENS_AT_ONCE * 2 / (NUMBERS))

template <int NUMBERS> struct SmallFragments {
    word32 a[INSTRUCTIONS(NUMBERS)][4], b[INSTRUCTIONS(NUMBERS)][4][2];
    Quad sums[4];
    Ends ends;
};

template <int NUMBERS> INLINE void bring_words(SmallFragments<NUMBERS> &own, const SmallProduct &p, int start) {
    const int group = thread % 32 / 4, within = thread % 4, warp = thread / 32;
    Piece<2> a[SIXTEENS_AT_ONCE];
    Piece<4> b[SIXTEENS_AT_ONCE];
    UNROLL for (int u = 0; u < SIXTEENS_AT_ONCE; ++u) {
        const int number = start + 16 * (WARPS * u + warp) + 4 * within;
        bring_piece(a[u], p.a, p.row + 2 * group, number);
        bring_piece(b[u], p.b, p.column + 4 * group, number);
    }
    UNROLL for (int u = 0; u < SIXTEENS_AT_ONCE; ++u)
        UNROLL for (int w = 0; w < 4 / NUMBERS; ++w) {
            const int instruction = u * 2 / NUMBERS + w / 2, half = w % 2;
            UNROLL for (int l = 0; l < 2; ++l) own.a[instruction][2 * half + l] = word_of<NUMBERS>(&a[u].at[l][NUMBERS * w]);
            UNROLL for (int j = 0; j < 4; ++j) own.b[instruction][j][half] = word_of<NUMBERS>(&b[u].at[j][NUMBERS * w]);
        }
}

INLINE void stage_sums(Staged &staged, const Quad *sums) {
    const int group = thread % 32 / 4, within = thread % 4, warp = thread / 32;
    UNROLL for (int q = 0; q < 4; ++q) {
        Numbers<4> four;
        UNROLL for (int j = 0; j < 4; ++j) four.at[j] = sums[j].at[q];
        *(Numbers<4> *)&staged.at[warp][2 * group + q / 2][8 * within + 4 * (q % 2)] = four;
    }
}

template <int NUMBERS>
INLINE void product_small_words(Staged &staged, float *c, const Factors &f, int part, int accumulate, const Finish &end, GridPlace at) {
    OWN(SmallFragments<NUMBERS>, own);
    const SmallProduct p = small_product_of<2>(f, part, at);
    c += (long long)at.z * f.m * f.n;
    PHASE {
        UNROLL for (int j = 0; j < 4; ++j) MINE(own).sums[j] = {};
        bring_ends(MINE(own).ends, p, c, accumulate, end);
    }
    ROLLED for (int start = p.from; start < p.to; start += 16 * WARPS * SIXTEENS_AT_ONCE) {
        SAME_PHASE { bring_words<NUMBERS>(MINE(own), p, start); }
        UNROLL for (int i = 0; i < INSTRUCTIONS(NUMBERS); ++i)
            UNROLL for (int j = 0; j < 4; ++j) MULTIPLY(NUMBERS, own, sums[j], a[i], b[i][j]);
    }
    SAME_PHASE { stage_sums(staged, MINE(own).sums); }
    PHASE { finish_small(c, staged, p, MINE(own).ends, end); }
}

// The factors are matrices: the arguments of images are not read. Nor are those of column sums, which these kernels do
// not make.
extern "C" __global__ void __launch_bounds__(256, 2) product_small(float *c, const float *a, const float *b, int m, int n, int k,
        int a_row, int a_column, int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation, const float *scales, int with_scales,
        float *sums, int with_sums) {
    BEGIN;
    (void)side, (void)channels, (void)size, (void)stride, (void)sums, (void)with_sums;
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, 0, 0, 0, 0};
    SHARED Staged staged;
    product_small_floats(staged, c, factors, part, accumulate, Finish{plus, bias, scales, nullptr, with_plus, with_bias, activation, with_scales, 0}, own_place());
}

extern "C" __global__ void __launch_bounds__(256, 2) product_small_bf16(float *c, const float *a, const float *b, int m, int n, int k,
        int a_row, int a_column, int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation, const float *scales, int with_scales,
        float *sums, int with_sums) {
    BEGIN;
    (void)side, (void)channels, (void)size, (void)stride, (void)sums, (void)with_sums;
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, 0, 0, 0, 0};
    SHARED Staged staged;
    product_small_words<2>(staged, c, factors, part, accumulate, Finish{plus, bias, scales, nullptr, with_plus, with_bias, activation, with_scales, 0}, own_place());
}

extern "C" __global__ void __launch_bounds__(256, 2) product_small_tf32(float *c, const float *a, const float *b, int m, int n, int k,
        int a_row, int a_column, int b_row, int b_column, int side, int channels, int size, int stride, int part, int accumulate,
        const float *plus, int with_plus, const float *bias, int with_bias, int activation, const float *scales, int with_scales,
        float *sums, int with_sums) {
    BEGIN;
    (void)side, (void)channels, (void)size, (void)stride, (void)sums, (void)with_sums;
    const Factors factors = {a, b, m, n, k, a_row, a_column, b_row, b_column, 0, 0, 0, 0};
    SHARED Staged staged;
    product_small_words<1>(staged, c, factors, part, accumulate, Finish{plus, bias, scales, nullptr, with_plus, with_bias, activation, with_scales, 0}, own_place());
}
