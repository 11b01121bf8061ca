// Chains of small launches as one kernel: the steps of a scan, each of which waits for the last.
//
// The matrices of a chain have the same few rows, and a row of a result depends on the same row of other results alone. So a team of
// blocks takes SMALL_ROWS rows through all steps of the chain, and no team waits for another. The blocks of a team share
// the work of a step, and wait for each other after it: they are a cluster, which devices of compute capability 9.0 and
// newer run at the same time, and synchronise. Results are those of the launches, in every bit.
//
// A step is a launch whose arguments lie in memory: its kernel's number, and then its arguments in order, a word each. The
// place of a number is counted from the beginning of memory. `tape::plan::chain` writes them.

#define STEP_WORDS 32

struct Step {
    word32 at[STEP_WORDS];
};

INLINE int whole_of(const Step &step, int argument) { return (int)step.at[1 + argument]; }
INLINE float real_of(const Step &step, int argument) { return float_of_bits(step.at[1 + argument]); }
INLINE float *place_of(const Step &step, int argument, float *memory) { return memory + step.at[1 + argument]; }

template <int NUMBERS>
INLINE void product_step(Staged &staged, const Step &s, float *memory) {
    const Factors factors = {place_of(s, 1, memory), place_of(s, 2, memory), whole_of(s, 3), whole_of(s, 4), whole_of(s, 5),
            whole_of(s, 6), whole_of(s, 7), whole_of(s, 8), whole_of(s, 9), 0, 0, 0, 0};
    const Finish end = {place_of(s, 16, memory), place_of(s, 18, memory), place_of(s, 21, memory), nullptr, whole_of(s, 17),
            whole_of(s, 19), whole_of(s, 20), whole_of(s, 22), 0};
    float *const c = place_of(s, 0, memory);
    const int part = whole_of(s, 14), accumulate = whole_of(s, 15);
    ROLLED for (int y = MEMBER; y * SMALL_COLUMNS < factors.n; y += TEAM) {
        const GridPlace at = {OWN_TEAM, y, 0};
        if constexpr (NUMBERS == 0) product_small_floats(staged, c, factors, part, accumulate, end, at);
        else product_small_words<NUMBERS>(staged, c, factors, part, accumulate, end, at);
    }
}

// The numbers i of the team's rows, of `size` numbers each, that the thread takes.
#define EACH_OF_TEAM(i, rows, size)                                                                            \
    for (int i = OWN_TEAM * SMALL_ROWS * (size) + MEMBER * BLOCK + thread,                                     \
             end = (OWN_TEAM + 1) * SMALL_ROWS < (rows) ? (OWN_TEAM + 1) * SMALL_ROWS * (size) : (rows) * (size); \
         i < end; i += TEAM * BLOCK)

INLINE void sample_step(const Step &s, float *memory) {
    const int rows = whole_of(s, 2), columns = whole_of(s, 3);
    PHASE {
        EACH_OF_TEAM(i, rows, columns / 2)
            gaussian_sample_at(i, place_of(s, 0, memory), place_of(s, 1, memory), columns, real_of(s, 4), place_of(s, 5, memory),
                    place_of(s, 6, memory));
    }
}

INLINE void sample_gradient_step(const Step &s, float *memory) {
    const int rows = whole_of(s, 6), columns = whole_of(s, 7);
    PHASE {
        EACH_OF_TEAM(i, rows, columns / 2)
            gaussian_sample_gradient_at(i, place_of(s, 0, memory), place_of(s, 1, memory), whole_of(s, 2), place_of(s, 3, memory),
                    place_of(s, 4, memory), place_of(s, 5, memory), columns, whole_of(s, 8));
    }
}

INLINE void recurrent_gradient_step(const Step &s, float *memory) {
    const int rows = whole_of(s, 6), size = whole_of(s, 7);
    PHASE {
        EACH_OF_TEAM(i, rows, size)
            recurrent_gradient_at(i, place_of(s, 0, memory), place_of(s, 1, memory), place_of(s, 2, memory), place_of(s, 3, memory),
                    place_of(s, 4, memory), place_of(s, 5, memory), size, place_of(s, 8, memory), whole_of(s, 9), whole_of(s, 10));
    }
}

template <int NUMBERS> INLINE void unit_step(Staged &staged, const Step &s, float *memory) {
    const Unit unit = {place_of(s, 0, memory), place_of(s, 1, memory), place_of(s, 2, memory), place_of(s, 3, memory),
            place_of(s, 4, memory), place_of(s, 5, memory), place_of(s, 6, memory), place_of(s, 7, memory), whole_of(s, 8),
            whole_of(s, 9), whole_of(s, 10)};
    ROLLED for (int y = MEMBER; y * TEAM_UNITS < unit.size; y += TEAM) {
        const GridPlace at = {OWN_TEAM, y, 0};
        if constexpr (NUMBERS == 0) unit_of_floats(staged, unit, at);
        else unit_of_words<NUMBERS>(staged, unit, at);
    }
}

template <int NUMBERS> INLINE void run_chain(Staged &staged, Step &step, float *memory, const float *steps, int count) {
    OWN(word32, next);
    const word32 *const words = (const word32 *)steps;
    ONCE_FOR_A_TEAM;
    PHASE {
        if (thread < STEP_WORDS) MINE(next) = words[thread];
    }
    ROLLED for (int number = 0; number < count; ++number) {
        PHASE {
            if (thread < STEP_WORDS) step.at[thread] = MINE(next);
        }
        // It is on its way while this step is computed.
        PHASE {
            if (thread < STEP_WORDS && number + 1 < count) MINE(next) = words[(number + 1) * STEP_WORDS + thread];
        }
        EACH_MEMBER {
            switch (step.at[0]) {
            case 0: product_step<NUMBERS>(staged, step, memory); break;
            case 1: sample_step(step, memory); break;
            case 2: sample_gradient_step(step, memory); break;
            case 3: recurrent_gradient_step(step, memory); break;
            default: unit_step<NUMBERS>(staged, step, memory);
            }
        }
        AWAIT_TEAM;
    }
}

extern "C" __global__ void IN_TEAMS __launch_bounds__(256, 1) chain(float *memory, const float *steps, int count) {
    BEGIN;
    SHARED Staged staged;
    SHARED Step step;
    run_chain<0>(staged, step, memory, steps, count);
}

extern "C" __global__ void IN_TEAMS __launch_bounds__(256, 1) chain_bf16(float *memory, const float *steps, int count) {
    BEGIN;
    SHARED Staged staged;
    SHARED Step step;
    run_chain<2>(staged, step, memory, steps, count);
}

extern "C" __global__ void IN_TEAMS __launch_bounds__(256, 1) chain_tf32(float *memory, const float *steps, int count) {
    BEGIN;
    SHARED Staged staged;
    SHARED Step step;
    run_chain<1>(staged, step, memory, steps, count);
}
