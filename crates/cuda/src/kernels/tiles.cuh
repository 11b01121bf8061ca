// Tiles of factors, on their way from memory to the block that multiplies them.
//
// While a block multiplies one step's numbers, the loads of the next step's are under way, to registers of the threads.

// The lines of a tile, and the numbers of two steps.
template <int ROWS, int COLUMNS, int DEPTH> struct Places {
    Line a_lines[ROWS], b_lines[COLUMNS];
    Line a_numbers[2][DEPTH], b_numbers[2][DEPTH];
    alignas(16) float biases[COLUMNS];
    float scales[ROWS];
};

// The numbers of both factors that a thread brings in a step.
template <int ROWS, int COLUMNS, int DEPTH> struct Brought {
    float a[ROWS * DEPTH / BLOCK], b[COLUMNS * DEPTH / BLOCK];
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

// How many numbers are brought at once where they can be: each thread needs its share, of which there are two lines or
// numbers.
template <int SIDE, int DEPTH> INLINE int at_once(int width) {
    const int most = SIDE * DEPTH / BLOCK / 2;
    return width < most ? width : most;
}

template <int SIDE, int DEPTH, bool DEEP>
INLINE void bring(float *kept, const float *from, const Line *lines, const Line *numbers, int width) {
    if constexpr (SIDE * DEPTH / BLOCK >= 8) {
        if (width == 4) return bring_by<SIDE, DEPTH, DEEP, 4>(kept, from, lines, numbers);
    }
    if constexpr (SIDE * DEPTH / BLOCK >= 4) {
        if (width == 2) return bring_by<SIDE, DEPTH, DEEP, 2>(kept, from, lines, numbers);
    }
    bring_by<SIDE, DEPTH, DEEP, 1>(kept, from, lines, numbers);
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

// Two numbers as bfloat16 in a word, to the nearest, to even between two; NaN stays NaN. And one as tf32, to the
// nearest, away from zero between two.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
INLINE word32 pair(float first, float second) {
    word32 both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(second), "f"(first));
    return both;
}
INLINE word32 to_tf32(float x) {
    word32 word;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(word) : "f"(x));
    return word;
}
#else
INLINE word32 to_bf16(float x) {
    word32 bits;
    COPY_BITS(bits, x);
    if (x != x) return bits >> 16 | 0x40;
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
INLINE word32 pair(float first, float second) { return to_bf16(first) | to_bf16(second) << 16; }
INLINE word32 to_tf32(float x) {
    word32 bits;
    COPY_BITS(bits, x);
    return x != x ? bits | 0x400000 : (bits + 0x1000) & ~0x1fffu;
}
#endif

// A word of NUMBERS of k: two of bfloat16, or one of tf32.
template <int NUMBERS> INLINE word32 word_of(const float *numbers) {
    if constexpr (NUMBERS == 2) return pair(numbers[0], numbers[1]);
    else return to_tf32(numbers[0]);
}

// Words of numbers of k in shared memory at a time.
#define WORDS 16

// In shared memory: word w of line x. Each way, a warp reads and writes it without bank conflicts.
template <int SIDE, bool DEEP> INLINE int word_at(int x, int w) { return DEEP ? x * (WORDS + 4) + w : w * (SIDE + 8) + x; }

template <int SIDE, int NUMBERS, bool DEEP, int WIDTH> INLINE void put_words_by(word32 *tile, const float *kept) {
    typedef Share<SIDE, NUMBERS * WORDS, DEEP, WIDTH> Own;
    const int first = thread % Own::across * Own::chunk;
    UNROLL for (int j = 0; j < Own::count; ++j) {
        const int other = thread / Own::across + j * (BLOCK / Own::across);
        const float *of = kept + j * (DEEP ? Own::chunk : 2 * Own::chunk);
        if constexpr (DEEP) {
            Words<Own::chunk / NUMBERS> words;
            UNROLL for (int i = 0; i < Own::chunk / NUMBERS; ++i) words.at[i] = word_of<NUMBERS>(of + NUMBERS * i);
            *(Words<Own::chunk / NUMBERS> *)&tile[word_at<SIDE, DEEP>(other, first / NUMBERS)] = words;
        } else {
            // Two numbers of each line: one word, or two.
            UNROLL for (int w = 0; w < 2 / NUMBERS; ++w) {
                Words<WIDTH> words;
                UNROLL for (int i = 0; i < WIDTH; ++i) {
                    const float numbers[] = {of[w * WIDTH + i], of[WIDTH + i]};
                    words.at[i] = word_of<NUMBERS>(numbers);
                }
                *(Words<WIDTH> *)&tile[word_at<SIDE, DEEP>(first, 2 / NUMBERS * other + w)] = words;
            }
        }
    }
}

template <int SIDE, int NUMBERS, bool DEEP> INLINE void put_words(word32 *tile, const float *kept, int width) {
    if constexpr (SIDE * NUMBERS * WORDS / BLOCK >= 8) {
        if (width == 4) return put_words_by<SIDE, NUMBERS, DEEP, 4>(tile, kept);
    }
    if constexpr (SIDE * NUMBERS * WORDS / BLOCK >= 4) {
        if (width == 2) return put_words_by<SIDE, NUMBERS, DEEP, 2>(tile, kept);
    }
    put_words_by<SIDE, NUMBERS, DEEP, 1>(tile, kept);
}
