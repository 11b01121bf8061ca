// Tiles of factors, on their way from memory to the block that multiplies them.
//
// While a block multiplies one step's numbers, the loads of the next step's are under way, to registers of the threads.

// The lines of a tile, and the numbers of two steps.
template <int SIDE, int DEPTH> struct Places {
    Line a_lines[SIDE], b_lines[SIDE];
    Line a_numbers[2][DEPTH], b_numbers[2][DEPTH];
    alignas(16) float biases[SIDE];
};

// The numbers of both factors that a thread brings in a step.
template <int SIDE, int DEPTH> struct Brought {
    float a[SIDE * DEPTH / BLOCK], b[SIDE * DEPTH / BLOCK];
};

template <int WIDTH> struct alignas(4 * WIDTH) Numbers {
    float at[WIDTH];
};
template <int WIDTH> struct alignas(4 * WIDTH) Words {
    word32 at[WIDTH];
};

template <int WIDTH> INLINE void fetch(float *kept, const float *from, const Line &line, const Line &number) {
    Numbers<WIDTH> read = {};
    if (line.on & number.on) read = *(const Numbers<WIDTH> *)(from + (line.at + number.at));
    UNROLL for (int i = 0; i < WIDTH; ++i) kept[i] = read.at[i];
}

// The part of a tile that a thread brings: `chunk` numbers of a line, or two numbers of each of `chunk` lines.
// Neighbouring threads have neighbouring places in memory.
template <int SIDE, int DEPTH, bool DEEP, int WIDTH> struct Share {
    static const int chunk = DEEP && WIDTH == 1 ? 2 : WIDTH;
    static const int across = DEEP ? DEPTH / chunk : SIDE / chunk;
    static const int count = SIDE * DEPTH / BLOCK / (DEEP ? chunk : 2 * chunk);
};

template <int SIDE, int DEPTH, bool DEEP, int WIDTH>
INLINE void bring_by(float *kept, const float *from, const Line *lines, const Line *numbers) {
    typedef Share<SIDE, DEPTH, DEEP, WIDTH> Own;
    const int first = thread % Own::across * Own::chunk;
    if (DEEP) {
        const Line number = numbers[first], next = numbers[first + 1];
        UNROLL for (int j = 0; j < Own::count; ++j) {
            const Line line = lines[thread / Own::across + j * (BLOCK / Own::across)];
            fetch<WIDTH>(kept + j * Own::chunk, from, line, number);
            if (WIDTH == 1) fetch<1>(kept + j * Own::chunk + 1, from, line, next);
        }
    } else {
        const Line line = lines[first];
        UNROLL for (int j = 0; j < Own::count; ++j) {
            const Line *pair = numbers + 2 * (thread / Own::across + j * (BLOCK / Own::across));
            UNROLL for (int half = 0; half < 2; ++half)
                fetch<WIDTH>(kept + (2 * j + half) * WIDTH, from, line, pair[half]);
        }
    }
}

template <int SIDE, int DEPTH, bool DEEP>
INLINE void bring(float *kept, const float *from, const Line *lines, const Line *numbers, int width) {
    if (width == 4) bring_by<SIDE, DEPTH, DEEP, 4>(kept, from, lines, numbers);
    else if (width == 2) bring_by<SIDE, DEPTH, DEEP, 2>(kept, from, lines, numbers);
    else bring_by<SIDE, DEPTH, DEEP, 1>(kept, from, lines, numbers);
}

// In shared memory, f32: number d of line x.
template <int SIDE> INLINE int float_at(int x, int d) { return d * (SIDE + 4) + x; }

template <int SIDE, int DEPTH, bool DEEP, int WIDTH> INLINE void put_floats_by(float *tile, const float *kept) {
    typedef Share<SIDE, DEPTH, DEEP, WIDTH> Own;
    const int first = thread % Own::across * Own::chunk;
    UNROLL for (int j = 0; j < Own::count; ++j) {
        const int other = thread / Own::across + j * (BLOCK / Own::across);
        if (DEEP) {
            UNROLL for (int i = 0; i < Own::chunk; ++i) tile[float_at<SIDE>(other, first + i)] = kept[j * Own::chunk + i];
        } else {
            UNROLL for (int half = 0; half < 2; ++half) {
                Numbers<WIDTH> numbers;
                UNROLL for (int i = 0; i < WIDTH; ++i) numbers.at[i] = kept[(2 * j + half) * WIDTH + i];
                *(Numbers<WIDTH> *)&tile[float_at<SIDE>(first, 2 * other + half)] = numbers;
            }
        }
    }
}

template <int SIDE, int DEPTH, bool DEEP> INLINE void put_floats(float *tile, const float *kept, int width) {
    if (width == 4) put_floats_by<SIDE, DEPTH, DEEP, 4>(tile, kept);
    else if (width == 2) put_floats_by<SIDE, DEPTH, DEEP, 2>(tile, kept);
    else put_floats_by<SIDE, DEPTH, DEEP, 1>(tile, kept);
}

// Two numbers as bfloat16 in a word, to the nearest, to even between two; NaN stays NaN.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
INLINE word32 pair(float first, float second) {
    word32 both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(second), "f"(first));
    return both;
}
#else
INLINE word32 to_bf16(float x) {
    word32 bits;
    COPY_BITS(bits, x);
    if (x != x) return bits >> 16 | 0x40;
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
INLINE word32 pair(float first, float second) { return to_bf16(first) | to_bf16(second) << 16; }
#endif

// Pairs of numbers of k in shared memory at a time.
#define PAIRS 16

// In shared memory, bf16: pair p of line x. Each way, a warp reads and writes it without bank conflicts.
template <int SIDE, bool DEEP> INLINE int pair_at(int x, int p) { return DEEP ? x * (PAIRS + 4) + p : p * (SIDE + 8) + x; }

template <int SIDE, bool DEEP, int WIDTH> INLINE void put_pairs_by(word32 *tile, const float *kept) {
    typedef Share<SIDE, 2 * PAIRS, DEEP, WIDTH> Own;
    const int first = thread % Own::across * Own::chunk;
    UNROLL for (int j = 0; j < Own::count; ++j) {
        const int other = thread / Own::across + j * (BLOCK / Own::across);
        const float *of = kept + j * (DEEP ? Own::chunk : 2 * Own::chunk);
        if (DEEP) {
            Words<Own::chunk / (DEEP ? 2 : 1)> words;
            UNROLL for (int i = 0; i < Own::chunk / 2; ++i) words.at[i] = pair(of[2 * i], of[2 * i + 1]);
            *(Words<Own::chunk / (DEEP ? 2 : 1)> *)&tile[pair_at<SIDE, DEEP>(other, first / 2)] = words;
        } else {
            Words<WIDTH> words;
            UNROLL for (int i = 0; i < WIDTH; ++i) words.at[i] = pair(of[i], of[WIDTH + i]);
            *(Words<WIDTH> *)&tile[pair_at<SIDE, DEEP>(first, other)] = words;
        }
    }
}

template <int SIDE, bool DEEP> INLINE void put_pairs(word32 *tile, const float *kept, int width) {
    if (width == 4) put_pairs_by<SIDE, DEEP, 4>(tile, kept);
    else if (width == 2) put_pairs_by<SIDE, DEEP, 2>(tile, kept);
    else put_pairs_by<SIDE, DEEP, 1>(tile, kept);
}
