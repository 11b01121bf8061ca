// A step of a recurrent unit for few rows: both products and the gates in one launch, in the way of small products.
//
// A block makes 16 rows of 8 units. Each has four sums: of the gates z and r, over the input and the state; and of the
// candidate, over the input, and over the state. So a tile has 32 columns, column 4 * unit + sum.

#define CELL_UNITS 8

// A factor of a row-major matrix, and 3 * size columns of weights.
INLINE Lines cell_input(const float *x, int rows, int width) {
    return {x, rows, width, 1, width, width % 4 == 0 && (word64)x % 16 == 0};
}
INLINE Lines cell_weights(const float *weights, int size, int width) { return {weights, 3 * size, 1, 3 * size, width, false}; }

// The gates and the state of a unit, from its sums, biases and state before. The gates are kept for the gradient, and the
// candidate's sum over the state with its bias. Where a product is added, it is not rounded by itself: so the result does
// not depend on what a compiler joins.
INLINE void finish_unit(float *y, float *gates, float *from_h, const Numbers<4> &sums, const float *bias, float state, int row,
        int unit, int size) {
    const int at = row * 3 * size + unit;
    const float past = sums.at[3] + bias[5];
    const float z = sigmoid(sums.at[0] + bias[0] + bias[3]), r = sigmoid(sums.at[1] + bias[1] + bias[4]);
    const float candidate = tanhf(fmaf(r, past, sums.at[2] + bias[2]));
    gates[at] = z;
    gates[at + size] = r;
    gates[at + 2 * size] = candidate;
    from_h[at + 2 * size] = past;
    y[row * size + unit] = fmaf(z, state, (1.0f - z) * candidate);
}

// The same from the sums of all warps.
INLINE void finish_cell(float *y, float *gates, float *from_h, const Staged &staged, const float *bias, const float *h, int rows,
        int size) {
    const int i = thread / CELL_UNITS, row = blockIdx.x * SMALL_ROWS + i;
    const int within = thread % CELL_UNITS, unit = blockIdx.y * CELL_UNITS + within;
    if (i >= SMALL_ROWS || row >= rows || unit >= size) return;
    Numbers<4> sums = {};
    UNROLL for (int warp = 0; warp < WARPS; ++warp)
        UNROLL for (int j = 0; j < 4; ++j) sums.at[j] += staged.at[warp][i][4 * within + j];
    float of_unit[6];
    UNROLL for (int j = 0; j < 6; ++j) of_unit[j] = bias[j * size + unit];
    finish_unit(y, gates, from_h, sums, of_unit, h[row * size + unit], row, unit, size);
}

// In f32: a thread has four rows of a unit, and a warp takes four numbers of k at a time.

INLINE void add_cell(Numbers<4> *sums, const Lines &a, const Lines &b, int size, int candidate) {
    const int row = blockIdx.x * SMALL_ROWS + 4 * (thread % 32 / CELL_UNITS), unit = blockIdx.y * CELL_UNITS + thread % CELL_UNITS;
    ROLLED for (int start = thread / 32 * 4; start < a.end; start += 4 * WARPS) {
        Piece<4> left;
        Piece<1> right[3];
        bring_piece(left, a, row, start);
        UNROLL for (int j = 0; j < 3; ++j) bring_piece(right[j], b, j * size + unit, start);
        UNROLL for (int d = 0; d < 4; ++d)
            UNROLL for (int i = 0; i < 4; ++i)
                UNROLL for (int j = 0; j < 3; ++j) {
                    float &sum = sums[i].at[j < 2 ? j : candidate];
                    sum = fmaf(left.at[i][d], right[j].at[0][d], sum);
                }
    }
}

extern "C" __global__ void __launch_bounds__(256, 2) recurrent_cell(float *y, float *gates, float *from_h, const float *x,
        const float *h, const float *kernel, const float *recurrent, const float *bias, int rows, int inputs, int size) {
    BEGIN;
    SHARED Staged staged;
    PHASE {
        Numbers<4> sums[4] = {};
        add_cell(sums, cell_input(x, rows, inputs), cell_weights(kernel, size, inputs), size, 2);
        add_cell(sums, cell_input(h, rows, size), cell_weights(recurrent, size, size), size, 3);
        const int row = 4 * (thread % 32 / CELL_UNITS), unit = thread % CELL_UNITS;
        UNROLL for (int i = 0; i < 4; ++i) *(Numbers<4> *)&staged.at[thread / 32][row + i][4 * unit] = sums[i];
    }
    PHASE { finish_cell(y, gates, from_h, staged, bias, h, rows, size); }
}

// With the factors of both products rounded: a warp takes sixteen numbers of k at a time.

template <int NUMBERS> struct CellFragments {
    word32 a[INSTRUCTIONS(NUMBERS)][4], b[INSTRUCTIONS(NUMBERS)][3][2];
    Quad sums[4];
};

template <int NUMBERS>
INLINE void bring_cell(CellFragments<NUMBERS> &own, const Lines &left, const Lines &right, int size, int start) {
    const int group = thread % 32 / 4, within = thread % 4, warp = thread / 32;
    Piece<2> a[SIXTEENS_AT_ONCE];
    Piece<1> b[SIXTEENS_AT_ONCE][3];
    UNROLL for (int u = 0; u < SIXTEENS_AT_ONCE; ++u) {
        const int number = start + 16 * (WARPS * u + warp) + 4 * within;
        bring_piece(a[u], left, blockIdx.x * SMALL_ROWS + 2 * group, number);
        UNROLL for (int j = 0; j < 3; ++j) bring_piece(b[u][j], right, j * size + blockIdx.y * CELL_UNITS + group, number);
    }
    UNROLL for (int u = 0; u < SIXTEENS_AT_ONCE; ++u)
        UNROLL for (int w = 0; w < 4 / NUMBERS; ++w) {
            const int instruction = u * 2 / NUMBERS + w / 2, half = w % 2;
            UNROLL for (int l = 0; l < 2; ++l) own.a[instruction][2 * half + l] = word_of<NUMBERS>(&a[u].at[l][NUMBERS * w]);
            UNROLL for (int j = 0; j < 3; ++j) own.b[instruction][j][half] = word_of<NUMBERS>(&b[u][j].at[0][NUMBERS * w]);
        }
}

// The candidate's sum is number CANDIDATE.
template <int NUMBERS, int CANDIDATE>
INLINE void add_cell_words(OWNED(own, CellFragments<NUMBERS>), const Lines &a, const Lines &b, int size) {
    ROLLED for (int start = 0; start < a.end; start += 16 * WARPS * SIXTEENS_AT_ONCE) {
        SAME_PHASE { bring_cell<NUMBERS>(MINE(own), a, b, size, start); }
        UNROLL for (int i = 0; i < INSTRUCTIONS(NUMBERS); ++i)
            UNROLL for (int j = 0; j < 3; ++j) MULTIPLY(NUMBERS, own, sums[j < 2 ? j : CANDIDATE], a[i], b[i][j]);
    }
}

template <int NUMBERS>
INLINE void cell_of_words(Staged &staged, float *y, float *gates, float *from_h, const float *x, const float *h, const float *kernel,
        const float *recurrent, const float *bias, int rows, int inputs, int size) {
    OWN(CellFragments<NUMBERS>, own);
    PHASE {
        UNROLL for (int j = 0; j < 4; ++j) MINE(own).sums[j] = {};
    }
    add_cell_words<NUMBERS, 2>(PASS(own), cell_input(x, rows, inputs), cell_weights(kernel, size, inputs), size);
    add_cell_words<NUMBERS, 3>(PASS(own), cell_input(h, rows, size), cell_weights(recurrent, size, size), size);
    SAME_PHASE { stage_sums(staged, MINE(own).sums); }
    PHASE { finish_cell(y, gates, from_h, staged, bias, h, rows, size); }
}

extern "C" __global__ void __launch_bounds__(256, 2) recurrent_cell_bf16(float *y, float *gates, float *from_h, const float *x,
        const float *h, const float *kernel, const float *recurrent, const float *bias, int rows, int inputs, int size) {
    BEGIN;
    SHARED Staged staged;
    cell_of_words<2>(staged, y, gates, from_h, x, h, kernel, recurrent, bias, rows, inputs, size);
}

extern "C" __global__ void __launch_bounds__(256, 2) recurrent_cell_tf32(float *y, float *gates, float *from_h, const float *x,
        const float *h, const float *kernel, const float *recurrent, const float *bias, int rows, int inputs, int size) {
    BEGIN;
    SHARED Staged staged;
    cell_of_words<1>(staged, y, gates, from_h, x, h, kernel, recurrent, bias, rows, inputs, size);
}
