// The parts of a gradient step besides its networks: random numbers, images, metrics, the optimiser.

INLINE word32 turned(word32 x, int by) { return x << by | x >> (32 - by); }

INLINE void quarter(word32 *x, int a, int b, int c, int d) {
    x[a] += x[b]; x[d] = turned(x[d] ^ x[a], 16);
    x[c] += x[d]; x[b] = turned(x[b] ^ x[c], 12);
    x[a] += x[b]; x[d] = turned(x[d] ^ x[a], 8);
    x[c] += x[d]; x[b] = turned(x[b] ^ x[c], 7);
}

// A standard Gumbel draw from a uniform one in [0, 1). The bounds keep both logarithms finite.
INLINE float gumbel_of(double u) { return (float)-log(fmax(-log(fmax(u, 1e-300)), 1e-300)); }

// Draws of a training step, the same that a processor draws: shard y of the batch has stream (updates << 16) + y + 1 of
// ChaCha8 (Bernstein, 2008), and draws normal numbers of the posterior [length, n, stoch], of actions [horizon *
// length, n, actions], of the prior [horizon * length, n, stoch], two at a time (Box and Muller, 1958), and uniform
// ones of starting states [rollouts]. They are put where the whole batch's lie, which has `batch` sequences where a
// shard has n = at most `shard`. A thread makes four pairs, which is a block of ChaCha. With `gumbel`, those of actions
// are standard Gumbel draws, with `gumbel_states` those of posterior and prior. With `rollouts` of a shard above 0, actions and prior are [horizon, rollouts] of a shard
// instead, and [horizon, all] of the batch, of which the last shard has the rest. With 0, no starting states are drawn.
// state: 8 words of key, then the number of updates, low word first.
extern "C" __global__ void draw_noise(float *posterior, float *action, float *prior, float *start, const float *state,
        int batch, int shard, int length, int horizon, int stoch, int actions, int gumbel, int gumbel_states, int rollouts,
        int all) {
    BEGIN;
    PHASE {
        const int first = blockIdx.y * shard;
        const int n = batch - first < shard ? batch - first : shard;
        const int first_rollout = blockIdx.y * rollouts;
        const int own = all - first_rollout < rollouts ? all - first_rollout : rollouts;
        const word32 *words = (const word32 *)state;
        const word64 updates = words[8] | (word64)words[9] << 32;
        const word64 stream = (updates << 16) + blockIdx.y + 1, counter = NUMBER;
        float *const targets[4] = {posterior, action, prior, start};
        const int sizes[4] = {stoch, actions, stoch, 1}, steps = rollouts > 0 ? horizon : horizon * length;
        const int outer[4] = {length, steps, steps, 1};
        // Of each part: the sequences or rollouts of the shard, how many there are before it, and how many of the
        // batch.
        const int many = rollouts > 0 ? own : n, before = rollouts > 0 ? first_rollout : first;
        const int wide[4] = {n, many, many, rollouts > 0 ? own : 0}, offset[4] = {first, before, before, before};
        const int total = rollouts > 0 ? all : batch, totals[4] = {batch, total, total, total};
        long long pair = 4 * NUMBER;
        int part = 0;
        long long numbers = 0;
        for (; part < 4; ++part) {
            numbers = (long long)outer[part] * wide[part] * sizes[part];
            if (pair < (numbers + 1) / 2) break;
            pair -= (numbers + 1) / 2;
        }
        if (part < 4) {
            word32 start_words[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}, x[16];
            for (int i = 0; i < 8; ++i) start_words[4 + i] = words[i];
            start_words[12] = (word32)counter, start_words[13] = (word32)(counter >> 32);
            start_words[14] = (word32)stream, start_words[15] = (word32)(stream >> 32);
            for (int i = 0; i < 16; ++i) x[i] = start_words[i];
            for (int round = 0; round < 4; ++round) {
                for (int i = 0; i < 4; ++i) quarter(x, i, 4 + i, 8 + i, 12 + i);
                for (int i = 0; i < 4; ++i) quarter(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
            }
            for (int i = 0; i < 16; ++i) x[i] += start_words[i];
            for (int i = 0; i < 4 && part < 4; ++i) {
                const word64 one = x[4 * i] | (word64)x[4 * i + 1] << 32;
                const word64 two = x[4 * i + 2] | (word64)x[4 * i + 3] << 32;
                const double u = (double)(one >> 11) * (1.0 / 9007199254740992.0);
                const double v = (double)(two >> 11) * (1.0 / 9007199254740992.0);
                float draws[2];
                if (part == 3) {
                    draws[0] = (float)u;
                    draws[1] = (float)v;
                } else if (part == 1 ? gumbel : gumbel_states) {
                    draws[0] = gumbel_of(u);
                    draws[1] = gumbel_of(v);
                } else {
                    const double radius = sqrt(-2.0 * log(1.0 - u)), angle = 6.283185307179586476925 * v;
                    draws[0] = (float)(radius * cos(angle));
                    draws[1] = (float)(radius * sin(angle));
                }
                for (int j = 0; j < 2; ++j) {
                    const long long number = 2 * pair + j;
                    if (number < numbers) {
                        const int size = sizes[part], column = number % size, sequence = number / size % wide[part];
                        const long long step = number / size / wide[part];
                        targets[part][(step * totals[part] + offset[part] + sequence) * size + column] = draws[j];
                    }
                }
                if (++pair == (numbers + 1) / 2) {
                    pair = 0;
                    ++part;
                    if (part < 4) numbers = (long long)outer[part] * wide[part] * sizes[part];
                }
            }
        }
    }
}

// out[all, columns] = the rows of x[length * batch, columns] from which rollouts start: each shard of at most `shard`
// sequences has `rollouts`, the last one the rest. A shard's transitions, step by step, are divided into as many runs
// of neighbours; draws[all] choose one of each.
extern "C" __global__ void choose_starts(float *out, const float *x, const float *draws, int columns, int batch, int shard,
        int length, int rollouts, int all) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)all * columns) {
            const int rollout = i / columns, index = rollout / rollouts, within = rollout - index * rollouts;
            const int first = index * shard, n = batch - first < shard ? batch - first : shard;
            const int rest = all - index * rollouts, own = rest < rollouts ? rest : rollouts;
            const long long transitions = (long long)n * length;
            const long long from = within * transitions / own, size = (within + 1) * transitions / own - from;
            long long chosen = (long long)(draws[rollout] * (float)size);
            if (chosen > size - 1) chosen = size - 1;
            const long long state = from + chosen, row = state / n * batch + first + state % n;
            out[i] = x[row * columns + i % columns];
        }
    }
}

// out[length, batch, size] = bytes[batch, length, size] / 255 - 0.5.
extern "C" __global__ void normalise_images(float *out, const float *images, int batch, int length, int size) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)batch * length * size) {
            const long long row = i / size, step = row / batch, sequence = row % batch;
            const unsigned char byte = ((const unsigned char *)images)[(sequence * length + step) * size + i % size];
            out[i] = byte * (1.0f / 255.0f) - 0.5f;
        }
    }
}

// A thread's part of the sum over numbers first.. of: x (kind 0), x * x (kind 1), log(x) of the second half of rows of
// `columns` (kind 2), |x| (kind 3). Its numbers are BLOCK apart.
INLINE double part_of_total(const float *x, long long first, long long end, int columns, int kind) {
    double sum = 0.0;
    for (long long i = first + thread; i < end; i += BLOCK) {
        if (kind == 0) sum += x[i];
        if (kind == 1) sum += (double)x[i] * x[i];
        if (kind == 2 && i % columns >= columns / 2) sum += logf(x[i]);
        if (kind == 3) sum += fabsf(x[i]);
    }
    return sum;
}

// out[0] = scale times that sum over all numbers of x[rows, columns]. One block.
extern "C" __global__ void total(float *out, const float *x, int rows, int columns, int kind, float scale) {
    BEGIN;
    SHARED double sums[BLOCK];
    PHASE { sums[thread] = part_of_total(x, 0, (long long)rows * columns, columns, kind); }
    REDUCE(sums)
    PHASE {
        if (thread == 0) out[0] = (float)(scale * sums[0]);
    }
}

// The same of many numbers: parts, in 64 bits, of `part` numbers each. A block for each part.
extern "C" __global__ void total_parts(float *parts, const float *x, int rows, int columns, int kind, int part) {
    BEGIN;
    SHARED double sums[BLOCK];
    PHASE {
        const long long all = (long long)rows * columns, first = (long long)blockIdx.x * part;
        sums[thread] = part_of_total(x, first, first + part < all ? first + part : all, columns, kind);
    }
    REDUCE(sums)
    PHASE {
        if (thread == 0) ((double *)parts)[blockIdx.x] = sums[0];
    }
}

// out[0] = scale times the sum of n parts. One block.
extern "C" __global__ void total_of_parts(float *out, const float *parts, int n, float scale) {
    BEGIN;
    SHARED double sums[BLOCK];
    PHASE {
        double sum = 0.0;
        for (int i = thread; i < n; i += BLOCK) sum += ((const double *)parts)[i];
        sums[thread] = sum;
    }
    REDUCE(sums)
    PHASE {
        if (thread == 0) out[0] = (float)(scale * sums[0]);
    }
}

// out[rows] = scale if `mean` exceeds `least`, else 0: the divergence's gradient, which free nats switch off.
extern "C" __global__ void seed_beyond(float *out, const float *mean, int rows, float least, float scale) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < rows) out[i] = mean[0] > least ? scale : 0.0f;
    }
}

// out[rows] = scale unless `mean` exceeds `least`, else 0: the gradient of what takes the divergence's place.
extern "C" __global__ void seed_within(float *out, const float *mean, int rows, float least, float scale) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < rows) out[i] = mean[0] > least ? 0.0f : scale;
    }
}

// parts[x] = sums of squares, 16384 numbers a block, in 64 bits: the squares of possible norms exceed the range of 32.
extern "C" __global__ void square_parts(float *parts, const float *x, int n) {
    BEGIN;
    SHARED double sums[BLOCK];
    PHASE {
        double sum = 0.0;
        for (int j = thread; j < 16384; j += BLOCK) {
            const long long i = (long long)blockIdx.x * 16384 + j;
            if (i < n) sum += (double)x[i] * x[i];
        }
        sums[thread] = sum;
    }
    REDUCE(sums)
    PHASE {
        if (thread == 0) ((double *)parts)[blockIdx.x] = sums[0];
    }
}

// norm[0] = the root of the parts' sum. One block.
extern "C" __global__ void root_of_sum(float *norm, const float *parts, int n) {
    BEGIN;
    PHASE {
        if (thread == 0) {
            double sum = 0.0;
            for (int i = 0; i < n; ++i) sum += ((const double *)parts)[i];
            norm[0] = (float)sqrt(sum);
        }
    }
}

// go[0] = 1 if all n values are finite, else 0. One block.
extern "C" __global__ void all_finite(float *go, const float *values, int n) {
    BEGIN;
    PHASE {
        if (thread == 0) {
            int finite = 1;
            for (int i = 0; i < n; ++i) finite = finite && values[i] - values[i] == 0.0f;
            go[0] = (float)finite;
        }
    }
}

// Begins an optimiser's step if go[0], and if `others`, the steps of another optimiser, are at least `warmup`: state is
// the count of steps (a whole number's bits), then the rate, the gradient's scale, and whether to go. One block.
extern "C" __global__ void begin_adam(float *state, const float *go, const float *others, int warmup, const float *norm,
        float rate, float clip) {
    BEGIN;
    PHASE {
        if (thread == 0) {
            word32 *steps = (word32 *)state;
            const int goes = go[0] != 0.0f && *(const word32 *)others >= (word32)warmup;
            if (goes) {
                *steps += 1;
                const double t = *steps;
                state[1] = (float)(rate * sqrt(1.0 - pow(0.999, t)) / (1.0 - pow(0.9, t)));
                state[2] = (float)(clip * fmin(1.0 / norm[0], 1.0 / clip));
            }
            state[3] = (float)goes;
        }
    }
}

// Begins a step of LaProp, as begin_adam: state is the count of steps, then the rate and the correction of squares, and
// whether to go. The rate rises from 0 in the first of `rising` steps. One block.
extern "C" __global__ void begin_laprop(float *state, const float *go, const float *others, int warmup, float rate,
        int rising) {
    BEGIN;
    PHASE {
        if (thread == 0) {
            word32 *steps = (word32 *)state;
            const int goes = go[0] != 0.0f && *(const word32 *)others >= (word32)warmup;
            if (goes) {
                const double before = *steps, t = before + 1.0;
                *steps += 1;
                const double risen = rising > 0 ? fmin(before / rising, 1.0) : 1.0;
                state[1] = (float)(rate * risen / (1.0 - pow(0.9, t)));
                state[2] = (float)(1.0 / (1.0 - pow(0.999, t)));
            }
            state[3] = (float)goes;
        }
    }
}

// factor[0] = what clips a parameter's gradient to `ratio` times the parameter's norm, which counts as at least 0.001.
// One block.
extern "C" __global__ void clip_by_own_norm(float *factor, const float *values, const float *gradient, int n, float ratio) {
    BEGIN;
    SHARED double own[BLOCK];
    SHARED double sums[BLOCK];
    PHASE {
        double of_values = 0.0, of_gradient = 0.0;
        for (int i = thread; i < n; i += BLOCK) {
            of_values += (double)values[i] * values[i];
            of_gradient += (double)gradient[i] * gradient[i];
        }
        own[thread] = of_values;
        sums[thread] = of_gradient;
    }
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        PHASE {
            if (thread < half) {
                own[thread] += own[thread + half];
                sums[thread] += sums[thread + half];
            }
        }
    }
    PHASE {
        if (thread == 0) factor[0] = (float)(1.0 / fmax(1.0, sqrt(sums[0]) / (ratio * fmax(1e-3, sqrt(own[0])))));
    }
}

// LaProp, with the values that begin_laprop and clip_by_own_norm wrote.
extern "C" __global__ void laprop(float *values, const float *gradient, float *first, float *second, const float *state,
        const float *factor, int n) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n && state[3] != 0.0f) {
            const float g = gradient[i] * factor[0];
            second[i] = 0.999f * second[i] + (float)(1.0 - 0.999) * g * g;
            first[i] = 0.9f * first[i] + (float)(1.0 - 0.9) * (g / (sqrtf(second[i] * state[2]) + 1e-20f));
            values[i] -= state[1] * first[i];
        }
    }
}

// Adam as Keras computes it, with the values that begin_adam wrote to `state`.
extern "C" __global__ void adam(float *values, const float *gradient, float *first, float *second, const float *state,
        int n) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < n && state[3] != 0.0f) {
            const float g = gradient[i] * state[2];
            first[i] = 0.9f * first[i] + (float)(1.0 - 0.9) * g;
            second[i] = 0.999f * second[i] + (float)(1.0 - 0.999) * g * g;
            values[i] -= state[1] * first[i] / (sqrtf(second[i]) + 1e-7f);
        }
    }
}

// Counts the update in draw_noise's state. One block.
extern "C" __global__ void count_update(float *state) {
    BEGIN;
    PHASE {
        if (thread == 0) {
            word32 *words = (word32 *)state + 8;
            words[0] += 1;
            if (words[0] == 0) words[1] += 1;
        }
    }
}
