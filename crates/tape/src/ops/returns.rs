//! Lambda-returns over imagined or replayed steps, their weights, and weighted sums.
//!
//! Values over H steps of N rollouts are [H * N, 1], step by step.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::plan::{self, Own, Planner, Slot, Traced};
use crate::tape::{Backward, Tape, Var};

#[derive(Clone, Debug)]
pub(crate) struct Returns {
    pub reward: Var,
    pub value: Var,
    pub discount: Var,
    pub lambda: f64,
    pub rollouts: usize,
}

/// What lambda-returns of replayed sequences are computed from: see [`Tape::replay_returns`].
#[derive(Clone, Copy, Debug)]
pub struct Replayed {
    /// Rewards [L * N, 1].
    pub reward: Var,
    /// Discounts [L * N, 1]: 0 at a terminal state.
    pub discount: Var,
    /// The return that each state is worth [L * N, 1].
    pub bootstrap: Var,
    /// 0 where an episode begins, else 1 [L * N, 1].
    pub kept: Option<Var>,
    /// Lambda.
    pub lambda: f64,
    /// N.
    pub sequences: usize,
}

impl<F: Real> Tape<'_, F> {
    /// Lambda-returns of the first H - 1 steps, bootstrapped with the last value:
    /// `R_t = r_t + d_t * ((1 - lambda) * v_(t+1) + lambda * R_(t+1))`, `R_(H-1) = v_(H-1)`.
    /// Values [H * N, 1] give [(H - 1) * N, 1]; rewards and discounts have as many rows, or none for the last step.
    ///
    /// With r and d of the states in turn, these are Dreamer V1's returns; with those of the states that follow,
    /// DreamerV3's.
    pub fn lambda_returns(&mut self, reward: Var, value: Var, discount: Var, lambda: f64, rollouts: usize) -> Var {
        let steps = self.rows(value) / rollouts;
        let gradient = reward.gradient || value.gradient || discount.gradient;
        let returns = Returns { reward, value, discount, lambda, rollouts };
        self.push(Op::Returns(returns), (steps - 1) * rollouts, 1, gradient, |context, y| {
            let (r, v, d) = (context.value(reward), context.value(value), context.value(discount));
            let lambda = F::of(lambda);
            for i in (0..y.len()).rev() {
                let after = i + rollouts;
                let next = if after < y.len() { y[after] } else { v[after] };
                y[i] = r[i] + d[i] * ((F::ONE - lambda) * v[after] + lambda * next);
            }
        })
    }

    /// Lambda-returns of the first L - 1 steps of N replayed sequences, constants:
    /// `R_t = r_(t+1) + d_(t+1) * b_(t+1)` if an episode ends with step t + 1, and else
    /// `r_(t+1) + d_(t+1) * ((1 - lambda) * b_(t+1) + lambda * R_(t+1))`; `R_(L-1) = b_(L-1)`.
    ///
    /// Rewards, discounts and bootstraps b are [L * N, 1]. `kept` [L * N, 1] is 0 where an episode begins, else 1;
    /// without it, no episode begins after the first step.
    ///
    /// Source: DreamerV3 (`agent.py`, `lambda_return`).
    pub fn replay_returns(&mut self, replayed: Replayed) -> Var {
        let Replayed { reward, discount, bootstrap, kept, lambda, sequences } = replayed;
        let rows = self.rows(reward) - sequences;
        let lambda = F::of(lambda);
        self.push(Op::ReplayReturns(replayed), rows, 1, false, |context, y| {
            let [r, d, b] = [reward, discount, bootstrap].map(|var| context.value(var));
            for i in (0..rows).rev() {
                let after = i + sequences;
                let beyond = after + sequences;
                // The last step's return is its bootstrap, whether an episode ends there or not.
                let goes_on = beyond < r.len() && kept.is_none_or(|kept| context.value(kept)[beyond] != F::ZERO);
                let next = if goes_on { (F::ONE - lambda) * b[after] + lambda * y[after] } else { b[after] };
                y[i] = r[after] + d[after] * next;
            }
        })
    }

    /// The weight of each of the first H - 1 steps: the product of the discounts before it, 1 for the first; or with
    /// `including_own`, of those up to its own. A constant. discount [H * N, 1] gives [(H - 1) * N, 1].
    pub fn discount_weights(&mut self, discount: Var, rollouts: usize, including_own: bool) -> Var {
        let rows = self.rows(discount) - rollouts;
        self.push(Op::Weights { discount, rollouts, including_own }, rows, 1, false, |context, y| {
            let d = context.value(discount);
            for i in 0..y.len() {
                y[i] = match (i < rollouts, including_own) {
                    (true, false) => F::ONE,
                    (true, true) => d[i],
                    (false, false) => y[i - rollouts] * d[i - rollouts],
                    (false, true) => y[i - rollouts] * d[i],
                };
            }
        })
    }

    /// The sum of x * weight over all rows: two [N, 1] give [1, 1]. The weight is a constant.
    pub fn weighted_sum(&mut self, x: Var, weight: Var) -> Var {
        self.push(Op::WeightedSum { x, weight }, 1, 1, x.gradient, |context, y| {
            let pairs = context.value(x).iter().zip(context.value(weight));
            y[0] = F::of(pairs.map(|(&x, &w)| (x * w).to_f64()).sum());
        })
    }
}

impl Returns {
    pub(super) fn backward<F: Real>(&self, back: &mut Backward<F>) {
        let &Returns { reward, value, discount, lambda, rollouts } = self;
        let lambda = F::of(lambda);
        let count = back.rows;
        // Each return's gradient also reaches the returns before it.
        let d = &back.context.values[discount.index()];
        for i in rollouts..count {
            let earlier = back.gradient[i - rollouts] * d[i - rollouts] * lambda;
            back.gradient[i] += earlier;
        }
        let y = back.result();
        back.part(reward, |_, gradient, target| {
            target.iter_mut().zip(gradient).for_each(|(t, &g)| *t += g);
        });
        back.part(value, |context, gradient, target| {
            let d = context.value(discount);
            for i in 0..count {
                let share = if i + rollouts < count { F::ONE - lambda } else { F::ONE };
                target[i + rollouts] += gradient[i] * d[i] * share;
            }
        });
        back.part(discount, |context, gradient, target| {
            let v = context.value(value);
            for i in 0..count {
                let after = i + rollouts;
                let next = if after < count { y[after] } else { v[after] };
                target[i] += gradient[i] * ((F::ONE - lambda) * v[after] + lambda * next);
            }
        });
    }
}

pub(super) fn weighted_sum_backward<F: Real>(back: &mut Backward<F>, x: Var, weight: Var) {
    back.input(x, |context, gradient, target, accumulate| {
        for (target, &w) in target.iter_mut().zip(context.value(weight)) {
            put(target, gradient[0] * w, accumulate);
        }
    });
}

/// Launches of the value of [`Op::Weights`].
pub(crate) fn plan_weights(
    planner: &mut Planner,
    traced: &Traced<'_>,
    discount: Var,
    rollouts: usize,
    including_own: bool,
    own: Slot,
) {
    let Slot { y, rows, .. } = own;
    planner.each(
        rollouts,
        plan::kernels::DiscountWeights {
            y,
            discount: traced.place(discount),
            steps: rows / rollouts + 1,
            rollouts,
            including_own,
        },
    );
}

/// Launches of the value of [`Op::WeightedSum`].
pub(crate) fn plan_weighted_sum(planner: &mut Planner, traced: &Traced<'_>, x: Var, weight: Var, own: Slot) {
    let Slot { y, .. } = own;
    planner.launch(
        [1; 3],
        plan::kernels::WeightedSum { out: y, x: traced.place(x), weight: traced.place(weight), n: traced.shape(x).0 },
    );
}

/// Launches of the gradients of [`Op::WeightedSum`].
pub(crate) fn plan_weighted_sum_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    x: Var,
    weight: Var,
    own: Own,
) {
    let Own { gradient, .. } = own;
    if let Some((out, accumulate)) = planner.input(traced, x) {
        let rows = traced.shape(x).0;
        planner.with_scratch(rows, |planner, same| {
            planner.each(rows, plan::kernels::SameRows { out: same, row: gradient, rows, columns: 1 });
            planner.each(
                rows,
                plan::kernels::ScaleRows { out, x: traced.place(weight), factors: same, rows, columns: 1, accumulate },
            );
        });
    }
}

impl Returns {
    /// Launches of their value.
    pub(crate) fn plan(&self, planner: &mut Planner, traced: &Traced<'_>, own: Slot) {
        let (&Self { reward, value, discount, lambda, rollouts }, Slot { y, rows, .. }) = (self, own);
        let ([reward, value, discount], steps) =
            ([reward, value, discount].map(|var| traced.place(var)), rows / rollouts + 1);
        let kernel = plan::kernels::LambdaReturns { y, reward, value, discount, steps, rollouts, lambda };
        planner.each(rollouts, kernel);
    }

    /// Launches of their gradients.
    pub(crate) fn plan_backward(&self, planner: &mut Planner, traced: &mut Traced<'_>, own: Own) {
        let &Self { reward, value, discount, lambda, rollouts } = self;
        let Own { y, gradient, rows: count, .. } = own;
        let steps = count / rollouts + 1;
        let [of_value, of_discount] = [value, discount].map(|var| traced.place(var));
        let kernel = plan::kernels::ReturnsGradient { gradient, discount: of_discount, steps, rollouts, lambda };
        planner.each(rollouts, kernel);
        if let Some(out) = planner.part(traced, reward) {
            planner.piece([out, gradient], [1; 2], count, 1, true);
        }
        if let Some(out) = planner.part(traced, value) {
            let discount = of_discount;
            let kernel = plan::kernels::ReturnsOfValue { out, gradient, discount, steps, rollouts, lambda };
            planner.each(count, kernel);
        }
        if let Some(out) = planner.part(traced, discount) {
            let value = of_value;
            let kernel = plan::kernels::ReturnsOfDiscount { out, gradient, y, value, steps, rollouts, lambda };
            planner.each(count, kernel);
        }
    }
}

impl Replayed {
    /// Launches of their value. They have no gradients.
    pub(crate) fn plan(&self, planner: &mut Planner, traced: &Traced<'_>, own: Slot) {
        let &Self { reward, discount, bootstrap, kept, lambda, sequences } = self;
        let Slot { y, rows, .. } = own;
        let [reward, discount, bootstrap] = [reward, discount, bootstrap].map(|var| traced.place(var));
        // Without beginnings of episodes, any place will do: it is not read.
        let (resets, kept) = (kept.is_some(), kept.map_or(reward, |var| traced.place(var)));
        let steps = rows / sequences + 1;
        let kernel =
            plan::kernels::ReplayReturns { y, reward, discount, bootstrap, kept, resets, steps, sequences, lambda };
        planner.each(sequences, kernel);
    }
}
