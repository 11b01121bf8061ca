// A step of a recurrent unit by the blocks of a team: a block makes 16 rows of 32 units, instead of the 8 of a launch.
//
// A launch divides a unit of 200 numbers into 25 blocks for 16 rows. The 8 blocks of a team would take four rounds for
// them. So here, a block makes as many columns of each gate as of a small product, and a thread reads the weights of four
// neighbouring units at once. Which warp has which numbers of k, and the order in which sums are added, are those of
// `recurrent.cuh`, so results are the same in every bit.

#define TEAM_UNITS SMALL_COLUMNS

// The arguments of a step.
struct Unit {
    float *y, *gates, *from_h;
    const float *x, *h, *kernel, *recurrent, *bias;
    int rows, inputs, size;
};

// What two results of a thread are made of: biases and states, brought while the factors are on their way, and sums.
struct UnitEnds {
    float bias[6], state[2], sums[4][2];
};

INLINE int unit_row(GridPlace at, int i) { return at.x * SMALL_ROWS + thread / 32 + WARPS * i; }
INLINE int unit_number(GridPlace at) { return at.y * TEAM_UNITS + thread % 32; }

INLINE void bring_unit_ends(UnitEnds &ends, const Unit &of, GridPlace at) {
    const int unit = unit_number(at);
    ends = {};
    if (unit >= of.size) return;
    UNROLL for (int j = 0; j < 6; ++j) ends.bias[j] = of.bias[j * of.size + unit];
    UNROLL for (int i = 0; i < 2; ++i)
        if (unit_row(at, i) < of.rows) ends.state[i] = of.h[unit_row(at, i) * of.size + unit];
}

// One of the four sums of a unit, from those of all warps.
INLINE void add_warps(float *sums, const Staged &staged) {
    UNROLL for (int i = 0; i < 2; ++i) {
        sums[i] = 0.0f;
        UNROLL for (int warp = 0; warp < WARPS; ++warp) sums[i] += staged.at[warp][thread / 32 + WARPS * i][thread % 32];
    }
}

INLINE void finish_units(const Unit &of, const UnitEnds &ends, GridPlace at) {
    const int unit = unit_number(at);
    UNROLL for (int i = 0; i < 2; ++i) {
        const int row = unit_row(at, i);
        if (row >= of.rows || unit >= of.size) continue;
        Numbers<4> sums;
        UNROLL for (int j = 0; j < 4; ++j) sums.at[j] = ends.sums[j][i];
        finish_unit(of.y, of.gates, of.from_h, sums, ends.bias, ends.state[i], row, unit, of.size);
    }
}

// The weights of a gate.
INLINE Lines gate_weights(const float *weights, int gate, int size, int width) {
    return {weights + gate * size, size, 1, 3 * size, width, size % 4 == 0 && (word64)weights % 16 == 0};
}

// In f32: a thread has the sums of four rows of four units, and a warp takes four numbers of k at a time.

struct UnitSums {
    Numbers<4> at[4][4];
    UnitEnds ends;
};

// The candidate's sum is number CANDIDATE.
template <int CANDIDATE> INLINE void add_unit(UnitSums &own, const Lines &a, const float *weights, int size, GridPlace at) {
    const int row = at.x * SMALL_ROWS + 4 * (thread % 32 / 8), unit = at.y * TEAM_UNITS + 4 * (thread % 8);
    ROLLED for (int start = thread / 32 * 4; start < a.end; start += 4 * WARPS * FLOATS_AT_ONCE) {
        Piece<4> left[FLOATS_AT_ONCE], right[FLOATS_AT_ONCE][3];
        UNROLL for (int u = 0; u < FLOATS_AT_ONCE; ++u) {
            const int number = start + 4 * WARPS * u;
            bring_piece(left[u], a, row, number);
            UNROLL for (int j = 0; j < 3; ++j) bring_piece(right[u][j], gate_weights(weights, j, size, a.end), unit, number);
        }
        UNROLL for (int u = 0; u < FLOATS_AT_ONCE; ++u)
            UNROLL for (int d = 0; d < 4; ++d)
                UNROLL for (int i = 0; i < 4; ++i)
                    UNROLL for (int j = 0; j < 3; ++j)
                        UNROLL for (int l = 0; l < 4; ++l) {
                            float &sum = own.at[j < 2 ? j : CANDIDATE][i].at[l];
                            sum = fmaf(left[u].at[i][d], right[u][j].at[l][d], sum);
                        }
    }
}

INLINE void unit_of_floats(Staged &staged, const Unit &of, GridPlace at) {
    OWN(UnitSums, own);
    PHASE {
        UnitSums sums = {};
        bring_unit_ends(sums.ends, of, at);
        add_unit<2>(sums, cell_input(of.x, of.rows, of.inputs), of.kernel, of.size, at);
        add_unit<3>(sums, cell_input(of.h, of.rows, of.size), of.recurrent, of.size, at);
        MINE(own) = sums;
    }
    UNROLL for (int j = 0; j < 4; ++j) {
        PHASE {
            const int row = 4 * (thread % 32 / 8), unit = 4 * (thread % 8);
            UNROLL for (int i = 0; i < 4; ++i) *(Numbers<4> *)&staged.at[thread / 32][row + i][unit] = MINE(own).at[j][i];
        }
        PHASE { add_warps(MINE(own).ends.sums[j], staged); }
    }
    SAME_PHASE { finish_units(of, MINE(own).ends, at); }
}

// With the factors of both products rounded: a warp takes sixteen numbers of k at a time. Columns lie in instructions as
// those of small products, and instruction 4 * gate + j has the gate's.

template <int NUMBERS> struct UnitFragments {
    word32 a[INSTRUCTIONS(NUMBERS)][4], b[INSTRUCTIONS(NUMBERS)][12][2];
    Quad sums[16];
    UnitEnds ends;
};

template <int NUMBERS>
INLINE void bring_unit(UnitFragments<NUMBERS> &own, const Lines &left, const float *weights, int size, int start, GridPlace at) {
    const int group = thread % 32 / 4, within = thread % 4, warp = thread / 32;
    Piece<2> a[SIXTEENS_AT_ONCE];
    Piece<4> b[SIXTEENS_AT_ONCE][3];
    UNROLL for (int u = 0; u < SIXTEENS_AT_ONCE; ++u) {
        const int number = start + 16 * (WARPS * u + warp) + 4 * within;
        bring_piece(a[u], left, at.x * SMALL_ROWS + 2 * group, number);
        UNROLL for (int j = 0; j < 3; ++j)
            bring_piece(b[u][j], gate_weights(weights, j, size, left.end), at.y * TEAM_UNITS + 4 * group, number);
    }
    UNROLL for (int u = 0; u < SIXTEENS_AT_ONCE; ++u)
        UNROLL for (int w = 0; w < 4 / NUMBERS; ++w) {
            const int instruction = u * 2 / NUMBERS + w / 2, half = w % 2;
            UNROLL for (int l = 0; l < 2; ++l) own.a[instruction][2 * half + l] = word_of<NUMBERS>(&a[u].at[l][NUMBERS * w]);
            UNROLL for (int j = 0; j < 12; ++j)
                own.b[instruction][j][half] = word_of<NUMBERS>(&b[u][j / 4].at[j % 4][NUMBERS * w]);
        }
}

template <int NUMBERS, int CANDIDATE>
INLINE void add_unit_words(OWNED(own, UnitFragments<NUMBERS>), const Lines &a, const float *weights, int size, GridPlace at) {
    ROLLED for (int start = 0; start < a.end; start += 16 * WARPS * SIXTEENS_AT_ONCE) {
        SAME_PHASE { bring_unit<NUMBERS>(MINE(own), a, weights, size, start, at); }
        UNROLL for (int i = 0; i < INSTRUCTIONS(NUMBERS); ++i)
            UNROLL for (int j = 0; j < 12; ++j)
                MULTIPLY(NUMBERS, own, sums[4 * (j < 8 ? j / 4 : CANDIDATE) + j % 4], a[i], b[i][j]);
    }
}

template <int NUMBERS> INLINE void unit_of_words(Staged &staged, const Unit &of, GridPlace at) {
    OWN(UnitFragments<NUMBERS>, own);
    PHASE {
        UNROLL for (int j = 0; j < 16; ++j) MINE(own).sums[j] = {};
        bring_unit_ends(MINE(own).ends, of, at);
    }
    add_unit_words<NUMBERS, 2>(PASS(own), cell_input(of.x, of.rows, of.inputs), of.kernel, of.size, at);
    add_unit_words<NUMBERS, 3>(PASS(own), cell_input(of.h, of.rows, of.size), of.recurrent, of.size, at);
    UNROLL for (int j = 0; j < 4; ++j) {
        PHASE { stage_sums(staged, MINE(own).sums + 4 * j); }
        PHASE { add_warps(MINE(own).ends.sums[j], staged); }
    }
    SAME_PHASE { finish_units(of, MINE(own).ends, at); }
}
