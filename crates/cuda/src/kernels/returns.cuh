// Lambda-returns of imagined rollouts and of replayed sequences, and their weights; a thread a rollout or sequence.
// Step t of rollout i is number t * rollouts + i.

// returns[steps - 1, rollouts] from rewards, values and discounts [steps, rollouts].
extern "C" __global__ void lambda_returns(float *y, const float *reward, const float *value, const float *discount,
        int steps, int rollouts, float lambda) {
    BEGIN;
    PHASE {
        const long long rollout = NUMBER;
        if (rollout < rollouts) {
            float next = value[(long long)(steps - 1) * rollouts + rollout];
            for (int step = steps - 2; step >= 0; --step) {
                const long long i = (long long)step * rollouts + rollout;
                next = reward[i] + discount[i] * ((1.0f - lambda) * value[i + rollouts] + lambda * next);
                y[i] = next;
            }
        }
    }
}

// The gradient of each return also reaches the returns before it.
extern "C" __global__ void returns_gradient(float *gradient, const float *discount, int steps, int rollouts,
        float lambda) {
    BEGIN;
    PHASE {
        const long long rollout = NUMBER;
        if (rollout < rollouts)
            for (int step = 1; step < steps - 1; ++step) {
                const long long i = (long long)step * rollouts + rollout;
                gradient[i] += gradient[i - rollouts] * discount[i - rollouts] * lambda;
            }
    }
}

// out[steps, rollouts] += the gradient of the values that returns read.
extern "C" __global__ void returns_of_value(float *out, const float *gradient, const float *discount, int steps,
        int rollouts, float lambda) {
    BEGIN;
    PHASE {
        const long long i = NUMBER, count = (long long)(steps - 1) * rollouts;
        if (i < count) {
            const float share = i + rollouts < count ? 1.0f - lambda : 1.0f;
            out[i + rollouts] += gradient[i] * discount[i] * share;
        }
    }
}

// out[steps, rollouts] += the gradient of the discounts, y being the returns.
extern "C" __global__ void returns_of_discount(float *out, const float *gradient, const float *y, const float *value,
        int steps, int rollouts, float lambda) {
    BEGIN;
    PHASE {
        const long long i = NUMBER, count = (long long)(steps - 1) * rollouts, after = i + rollouts;
        if (i < count) {
            const float next = after < count ? y[after] : value[after];
            out[i] += gradient[i] * ((1.0f - lambda) * value[after] + lambda * next);
        }
    }
}

// y[steps - 1, sequences] from rewards, discounts and bootstraps [steps, sequences], which are those of the states that
// follow. `kept` is 0 where an episode begins; it is read only if `resets`.
extern "C" __global__ void replay_returns(float *y, const float *reward, const float *discount, const float *bootstrap,
        const float *kept, int resets, int steps, int sequences, float lambda) {
    BEGIN;
    PHASE {
        const long long sequence = NUMBER;
        if (sequence < sequences) {
            float next = 0.0f;
            for (int step = steps - 2; step >= 0; --step) {
                const long long i = (long long)step * sequences + sequence, after = i + sequences, beyond = after + sequences;
                const bool goes_on = step + 2 < steps && (!resets || kept[beyond] != 0.0f);
                const float rest = goes_on ? (1.0f - lambda) * bootstrap[after] + lambda * next : bootstrap[after];
                next = reward[after] + discount[after] * rest;
                y[i] = next;
            }
        }
    }
}

// y[steps - 1, rollouts]: the product of the discounts before a step, or with `including_own` of those up to it.
extern "C" __global__ void discount_weights(float *y, const float *discount, int steps, int rollouts,
        int including_own) {
    BEGIN;
    PHASE {
        const long long rollout = NUMBER;
        if (rollout < rollouts) {
            float weight = 1.0f;
            for (int step = 0; step < steps - 1; ++step) {
                const long long i = (long long)step * rollouts + rollout;
                if (including_own) weight *= discount[i];
                y[i] = weight;
                if (!including_own) weight *= discount[i];
            }
        }
    }
}

// out[0] = the sum of x * weight over n numbers; one block.
extern "C" __global__ void weighted_sum(float *out, const float *x, const float *weight, int n) {
    BEGIN;
    SHARED double sums[BLOCK];
    PHASE {
        double sum = 0.0;
        for (long long i = thread; i < n; i += BLOCK) sum += (double)x[i] * weight[i];
        sums[thread] = sum;
    }
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        PHASE {
            if (thread < half) sums[thread] += sums[thread + half];
        }
    }
    PHASE {
        if (thread == 0) out[0] = (float)sums[0];
    }
}
