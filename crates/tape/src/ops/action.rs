//! The actor's distribution: a normal squashed by tanh.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::vectorised;
use crate::plan::{self, Own, Planner, Slot, Traced};
use crate::tape::{Backward, Tape, Var};

/// Smallest standard deviation.
pub const MIN_STD: f64 = 1e-4;

/// How the actor's raw outputs m, s become a normal before squashing: mean = c tanh(m / c), std = softplus(s + ln(e^d - 1)) +
/// 1e-4.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Squash {
    pub(crate) mean_scale: f64,
    pub(crate) raw_initial_std: f64,
}

impl Squash {
    /// `mean_scale`, c: the bound of the mean. Where tanh of it is nearly one, an actor can reach places where tanh passes
    /// no gradient. `initial_std`, d: the standard deviation that a raw output of zero stands for.
    pub fn new(mean_scale: f64, initial_std: f64) -> Self {
        Self { mean_scale, raw_initial_std: initial_std.exp_m1().ln() }
    }

    /// Mean and standard deviation before squashing, from the actor's raw outputs.
    #[inline(always)]
    pub fn mean_and_std<F: Real>(self, raw_mean: F, raw_std: F) -> (F, F) {
        let scale = F::of(self.mean_scale);
        (scale * (raw_mean / scale).tanh(), (raw_std + F::of(self.raw_initial_std)).softplus() + F::of(MIN_STD))
    }

    /// The slopes of mean and standard deviation.
    #[inline(always)]
    fn slopes<F: Real>(self, raw_mean: F, raw_std: F) -> (F, F) {
        let bent = (raw_mean / F::of(self.mean_scale)).tanh();
        (F::ONE - bent * bent, (raw_std + F::of(self.raw_initial_std)).sigmoid())
    }
}

/// Log-density of the action tanh(mean + std * noise), one element of it: that of the normal, less the logarithm of tanh's
/// slope.
#[inline(always)]
pub fn squashed_log_density<F: Real>(mean: F, std: F, noise: F) -> F {
    let half_log_tau = F::of(0.5 * std::f64::consts::TAU.ln());
    let log_two = F::of(std::f64::consts::LN_2);
    let two = F::of(2.0);
    let before = mean + std * noise;
    let normal = -F::of(0.5) * noise * noise - std.ln() - half_log_tau;
    normal - two * (log_two - before - (-two * before).softplus())
}

impl<F: Real> Tape<'_, F> {
    /// tanh(mean + std * noise), with mean and std as in [`Squash`]: raw [N, 2A] = m, s; noise [N, A]; result [N, A].
    pub fn squashed_sample(&mut self, raw: Var, noise: Var, squash: Squash) -> Var {
        let (rows, size) = self.shape(noise);
        self.push(Op::Squash { raw, noise, squash }, rows, size, raw.gradient, |context, y| {
            let (raw, noise) = (context.value(raw), context.value(noise));
            vectorised(
                #[inline(always)]
                || {
                    for ((y, x), e) in
                        y.chunks_exact_mut(size).zip(raw.chunks_exact(2 * size)).zip(noise.chunks_exact(size))
                    {
                        for i in 0..size {
                            let (mean, std) = squash.mean_and_std(x[i], x[size + i]);
                            y[i] = (mean + std * e[i]).tanh();
                        }
                    }
                },
            );
        })
    }

    /// Minus the log-density of a squashed sample, summed over the action's elements: a sample of the policy's entropy, whose
    /// gradient flows through the sample too. raw and noise as in [`Tape::squashed_sample`]; result [N, 1].
    pub fn squashed_entropy(&mut self, raw: Var, noise: Var, squash: Squash) -> Var {
        let (rows, size) = self.shape(noise);
        self.push(Op::SquashedEntropy { raw, noise, squash }, rows, 1, raw.gradient, |context, y| {
            let (raw, noise) = (context.value(raw), context.value(noise));
            vectorised(
                #[inline(always)]
                || {
                    for ((y, x), e) in y.iter_mut().zip(raw.chunks_exact(2 * size)).zip(noise.chunks_exact(size)) {
                        *y = F::ZERO;
                        for i in 0..size {
                            let (mean, std) = squash.mean_and_std(x[i], x[size + i]);
                            *y -= squashed_log_density(mean, std, e[i]);
                        }
                    }
                },
            );
        })
    }
}

impl<F: Real> Tape<'_, F> {
    /// The log-density of a squashed sample that is a constant, summed over the action's elements: raw and noise as in
    /// [`Tape::squashed_sample`]; result [N, 1].
    pub fn squashed_log_density(&mut self, raw: Var, noise: Var, squash: Squash) -> Var {
        let (rows, size) = self.shape(noise);
        self.push(Op::SquashedLogDensity { raw, noise, squash }, rows, 1, raw.gradient, |context, y| {
            let (raw, noise) = (context.value(raw), context.value(noise));
            for ((y, x), e) in y.iter_mut().zip(raw.chunks_exact(2 * size)).zip(noise.chunks_exact(size)) {
                *y = F::ZERO;
                for i in 0..size {
                    let (mean, std) = squash.mean_and_std(x[i], x[size + i]);
                    *y += squashed_log_density(mean, std, e[i]);
                }
            }
        })
    }
}

pub(super) fn squashed_log_density_backward<F: Real>(back: &mut Backward<F>, raw: Var, noise: Var, squash: Squash) {
    let size = back.shape(noise).1;
    back.input(raw, |context, gradient, target, accumulate| {
        let (raw, noise) = (context.value(raw), context.value(noise));
        for (row, &g) in gradient.iter().enumerate() {
            for i in 0..size {
                let (one, two) = (row * size + i, 2 * row * size + i);
                let (_, std) = squash.mean_and_std(raw[two], raw[two + size]);
                let slopes = squash.slopes(raw[two], raw[two + size]);
                let e = noise[one];
                put(&mut target[two], g * e / std * slopes.0, accumulate);
                put(&mut target[two + size], g * (e * e - F::ONE) / std * slopes.1, accumulate);
            }
        }
    });
}

pub(super) fn squash_backward<F: Real>(back: &mut Backward<F>, raw: Var, noise: Var, squash: Squash) {
    let size = back.cols;
    let y = back.result();
    back.input(raw, |context, gradient, target, accumulate| {
        let (raw, noise) = (context.value(raw), context.value(noise));
        vectorised(
            #[inline(always)]
            || {
                for row in 0..gradient.len() / size {
                    for i in 0..size {
                        let (one, two) = (row * size + i, 2 * row * size + i);
                        let before = gradient[one] * (F::ONE - y[one] * y[one]);
                        let slopes = squash.slopes(raw[two], raw[two + size]);
                        put(&mut target[two], before * slopes.0, accumulate);
                        put(&mut target[two + size], before * noise[one] * slopes.1, accumulate);
                    }
                }
            },
        );
    });
}

pub(super) fn squashed_entropy_backward<F: Real>(back: &mut Backward<F>, raw: Var, noise: Var, squash: Squash) {
    let size = back.shape(noise).1;
    back.input(raw, |context, gradient, target, accumulate| {
        let (raw, noise) = (context.value(raw), context.value(noise));
        vectorised(
            #[inline(always)]
            || {
                for (row, &g) in gradient.iter().enumerate() {
                    for i in 0..size {
                        let (one, two) = (row * size + i, 2 * row * size + i);
                        let (mean, std) = squash.mean_and_std(raw[two], raw[two + size]);
                        let slopes = squash.slopes(raw[two], raw[two + size]);
                        let inward = -F::of(2.0) * (mean + std * noise[one]).tanh();
                        put(&mut target[two], g * inward * slopes.0, accumulate);
                        put(&mut target[two + size], g * (F::ONE / std + inward * noise[one]) * slopes.1, accumulate);
                    }
                }
            },
        );
    });
}

/// Launches of the value of [`Op::Squash`].
pub(crate) fn plan_squash(planner: &mut Planner, traced: &Traced<'_>, raw: Var, noise: Var, squash: Squash, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    let [bound, initial] = [squash.mean_scale, squash.raw_initial_std];
    planner.each(
        count,
        plan::kernels::SquashedSample {
            y,
            raw: traced.place(raw),
            noise: traced.place(noise),
            rows,
            size: cols,
            bound,
            initial,
        },
    );
}

/// Launches of the value of [`Op::SquashedEntropy`].
pub(crate) fn plan_squashed_entropy(
    planner: &mut Planner,
    traced: &Traced<'_>,
    raw: Var,
    noise: Var,
    squash: Squash,
    own: Slot,
) {
    let Slot { y, rows, .. } = own;
    let (size, [bound, initial]) = (traced.shape(noise).1, [squash.mean_scale, squash.raw_initial_std]);
    planner.each(
        rows,
        plan::kernels::SquashedEntropy {
            y,
            raw: traced.place(raw),
            noise: traced.place(noise),
            rows,
            size,
            bound,
            initial,
        },
    );
}

/// Launches of the value of [`Op::SquashedLogDensity`].
pub(crate) fn plan_squashed_log_density(
    planner: &mut Planner,
    traced: &Traced<'_>,
    raw: Var,
    noise: Var,
    squash: Squash,
    own: Slot,
) {
    let Slot { y, rows, .. } = own;
    let (size, [bound, initial]) = (traced.shape(noise).1, [squash.mean_scale, squash.raw_initial_std]);
    planner.each(
        rows,
        plan::kernels::SquashedLogDensity {
            y,
            raw: traced.place(raw),
            noise: traced.place(noise),
            rows,
            size,
            bound,
            initial,
        },
    );
}

/// Launches of the gradients of [`Op::Squash`].
pub(crate) fn plan_squash_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    raw: Var,
    noise: Var,
    squash: Squash,
    own: Own,
) {
    let Own { y, gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, raw) {
        let [raw, noise] = [raw, noise].map(|var| traced.place(var));
        let [bound, initial] = [squash.mean_scale, squash.raw_initial_std];
        planner.each(
            count,
            plan::kernels::SquashedSampleGradient {
                out,
                gradient,
                y,
                raw,
                noise,
                rows,
                size: cols,
                bound,
                initial,
                accumulate,
            },
        );
    }
}

/// Launches of the gradients of [`Op::SquashedEntropy`].
pub(crate) fn plan_squashed_entropy_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    raw: Var,
    noise: Var,
    squash: Squash,
    own: Own,
) {
    let Own { gradient, rows, .. } = own;
    let size = traced.shape(noise).1;
    if let Some((out, accumulate)) = planner.input(traced, raw) {
        let [raw, noise] = [raw, noise].map(|var| traced.place(var));
        let [bound, initial] = [squash.mean_scale, squash.raw_initial_std];
        planner.each(
            rows * size,
            plan::kernels::SquashedEntropyGradient {
                out,
                gradient,
                raw,
                noise,
                rows,
                size,
                bound,
                initial,
                accumulate,
            },
        );
    }
}

/// Launches of the gradients of [`Op::SquashedLogDensity`].
pub(crate) fn plan_squashed_log_density_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    raw: Var,
    noise: Var,
    squash: Squash,
    own: Own,
) {
    let Own { gradient, rows, .. } = own;
    let size = traced.shape(noise).1;
    if let Some((out, accumulate)) = planner.input(traced, raw) {
        let [raw, noise] = [raw, noise].map(|var| traced.place(var));
        let [bound, initial] = [squash.mean_scale, squash.raw_initial_std];
        planner.each(
            rows * size,
            plan::kernels::SquashedLogDensityGradient {
                out,
                gradient,
                raw,
                noise,
                rows,
                size,
                bound,
                initial,
                accumulate,
            },
        );
    }
}
