//! The actor's other distribution: a normal whose mean and standard deviation are bounded, and whose samples are cut off at the
//! bounds of actions. Its mode and its entropy have formulas.
//!
//! Source: DreamerV3 (`heads.py`, `bounded_normal`).

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::vectorised;
use crate::plan::{self, Own, Planner, Slot, Traced};
use crate::tape::{Backward, Tape, Var};

/// The smallest and the largest standard deviation.
const STDS: [f64; 2] = [0.1, 1.0];
/// Added to the raw standard deviation, so that a network that starts near zero starts near the largest.
const SHIFT: f64 = 2.0;

/// Mean and standard deviation from the actor's raw outputs: `tanh(m)`, and `0.9 s(r + 2) + 0.1`, s the logistic function.
#[inline(always)]
pub fn bounded_mean_and_std<F: Real>(raw_mean: F, raw_std: F) -> (F, F) {
    let range = F::of(STDS[1] - STDS[0]);
    (raw_mean.tanh(), range * (raw_std + F::of(SHIFT)).sigmoid() + F::of(STDS[0]))
}

/// A number cut off at -1 and 1.
#[inline(always)]
pub fn within_bounds<F: Real>(x: F) -> F {
    x / F::ONE.at_least(x.abs())
}

impl<F: Real> Tape<'_, F> {
    /// Samples `x = mean + std * noise`, cut off at -1 and 1 as `x / max(1, |x|)`, whose divisor has no gradient: raw [N, 2A] = m, r
    /// ([`bounded_mean_and_std`]); noise [N, A]; result [N, A].
    pub fn bounded_sample(&mut self, raw: Var, noise: Var) -> Var {
        let (rows, size) = self.shape(noise);
        self.push(Op::BoundedSample { raw, noise }, rows, size, raw.gradient, |context, y| {
            let (raw, noise) = (context.value(raw), context.value(noise));
            vectorised(
                #[inline(always)]
                || {
                    let rows = raw.chunks_exact(2 * size).zip(noise.chunks_exact(size));
                    for (y, (x, e)) in y.chunks_exact_mut(size).zip(rows) {
                        for i in 0..size {
                            let (mean, std) = bounded_mean_and_std(x[i], x[size + i]);
                            y[i] = within_bounds(mean + std * e[i]);
                        }
                    }
                },
            );
        })
    }

    /// The entropy of the normal distribution, which is not cut off, summed over the action's elements: raw [N, 2A] gives [N, 1].
    pub fn bounded_entropy(&mut self, raw: Var) -> Var {
        let (rows, cols) = self.shape(raw);
        let size = cols / 2;
        let constant = F::of(0.5 * (1.0 + std::f64::consts::TAU.ln()));
        self.push(Op::BoundedEntropy { raw }, rows, 1, raw.gradient, |context, y| {
            let raw = context.value(raw);
            vectorised(
                #[inline(always)]
                || {
                    for (y, x) in y.iter_mut().zip(raw.chunks_exact(2 * size)) {
                        *y = (0..size).map(|i| bounded_mean_and_std(x[i], x[size + i]).1.ln() + constant).sum();
                    }
                },
            );
        })
    }
}

impl<F: Real> Tape<'_, F> {
    /// The log-density under the normal distribution, which is not cut off, of a sample that is a constant, summed over the action's
    /// elements: raw and noise as in [`Tape::bounded_sample`]; result [N, 1].
    pub fn bounded_log_density(&mut self, raw: Var, noise: Var) -> Var {
        let (rows, size) = self.shape(noise);
        let half_log_tau = F::of(0.5 * std::f64::consts::TAU.ln());
        self.push(Op::BoundedLogDensity { raw, noise }, rows, 1, raw.gradient, |context, y| {
            let (raw, noise) = (context.value(raw), context.value(noise));
            for ((y, x), e) in y.iter_mut().zip(raw.chunks_exact(2 * size)).zip(noise.chunks_exact(size)) {
                let of = |i: usize| {
                    let std = bounded_mean_and_std(x[i], x[size + i]).1;
                    -F::of(0.5) * e[i] * e[i] - std.ln() - half_log_tau
                };
                *y = (0..size).map(of).sum();
            }
        })
    }
}

pub(super) fn log_density_backward<F: Real>(back: &mut Backward<F>, raw: Var, noise: Var) {
    let size = back.shape(noise).1;
    back.input(raw, |context, gradient, target, accumulate| {
        let (raw, noise) = (context.value(raw), context.value(noise));
        for (row, &g) in gradient.iter().enumerate() {
            for i in 0..size {
                let (one, two) = (row * size + i, 2 * row * size + i);
                let (mean, std) = bounded_mean_and_std(raw[two], raw[two + size]);
                let e = noise[one];
                put(&mut target[two], g * e / std * (F::ONE - mean * mean), accumulate);
                let to_std = g * (e * e - F::ONE) / std;
                put(&mut target[two + size], to_std * std_slope(raw[two + size]), accumulate);
            }
        }
    });
}

/// The slope of the standard deviation.
#[inline(always)]
fn std_slope<F: Real>(raw_std: F) -> F {
    let logistic = (raw_std + F::of(SHIFT)).sigmoid();
    F::of(STDS[1] - STDS[0]) * logistic * (F::ONE - logistic)
}

pub(super) fn sample_backward<F: Real>(back: &mut Backward<F>, raw: Var, noise: Var) {
    let size = back.cols;
    back.input(raw, |context, gradient, target, accumulate| {
        let (raw, noise) = (context.value(raw), context.value(noise));
        vectorised(
            #[inline(always)]
            || {
                for row in 0..gradient.len() / size {
                    for i in 0..size {
                        let (one, two) = (row * size + i, 2 * row * size + i);
                        let (mean, std) = bounded_mean_and_std(raw[two], raw[two + size]);
                        let sample = mean + std * noise[one];
                        let inner = gradient[one] / F::ONE.at_least(sample.abs());
                        put(&mut target[two], inner * (F::ONE - mean * mean), accumulate);
                        put(&mut target[two + size], inner * noise[one] * std_slope(raw[two + size]), accumulate);
                    }
                }
            },
        );
    });
}

pub(super) fn entropy_backward<F: Real>(back: &mut Backward<F>, raw: Var) {
    let size = back.shape(raw).1 / 2;
    back.input(raw, |context, gradient, target, accumulate| {
        let raw = context.value(raw);
        vectorised(
            #[inline(always)]
            || {
                for (row, &g) in gradient.iter().enumerate() {
                    for i in 0..size {
                        let two = 2 * row * size + i;
                        let (_, std) = bounded_mean_and_std(raw[two], raw[two + size]);
                        put(&mut target[two], F::ZERO, accumulate);
                        put(&mut target[two + size], g * std_slope(raw[two + size]) / std, accumulate);
                    }
                }
            },
        );
    });
}

/// Launches of the value of [`Op::BoundedSample`].
pub(crate) fn plan_sample(planner: &mut Planner, traced: &Traced<'_>, raw: Var, noise: Var, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner.each(
        count,
        plan::kernels::BoundedSample { y, raw: traced.place(raw), noise: traced.place(noise), rows, size: cols },
    );
}

/// Launches of the value of [`Op::BoundedLogDensity`].
pub(crate) fn plan_log_density(planner: &mut Planner, traced: &Traced<'_>, raw: Var, noise: Var, own: Slot) {
    let Slot { y, rows, .. } = own;
    let size = traced.shape(noise).1;
    planner.each(
        rows,
        plan::kernels::BoundedLogDensity { y, raw: traced.place(raw), noise: traced.place(noise), rows, size },
    );
}

/// Launches of the value of [`Op::BoundedEntropy`].
pub(crate) fn plan_entropy(planner: &mut Planner, traced: &Traced<'_>, raw: Var, own: Slot) {
    let Slot { y, rows, .. } = own;
    let size = traced.shape(raw).1 / 2;
    planner.each(rows, plan::kernels::BoundedEntropy { y, raw: traced.place(raw), rows, size });
}

/// Launches of the gradients of [`Op::BoundedSample`].
pub(crate) fn plan_sample_backward(planner: &mut Planner, traced: &mut Traced<'_>, raw: Var, noise: Var, own: Own) {
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, raw) {
        let [raw, noise] = [raw, noise].map(|var| traced.place(var));
        planner.each(
            count,
            plan::kernels::BoundedSampleGradient { out, gradient, raw, noise, rows, size: cols, accumulate },
        );
    }
}

/// Launches of the gradients of [`Op::BoundedLogDensity`].
pub(crate) fn plan_log_density_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    raw: Var,
    noise: Var,
    own: Own,
) {
    let Own { gradient, rows, .. } = own;
    let size = traced.shape(noise).1;
    if let Some((out, accumulate)) = planner.input(traced, raw) {
        let [raw, noise] = [raw, noise].map(|var| traced.place(var));
        planner.each(
            rows * size,
            plan::kernels::BoundedLogDensityGradient { out, gradient, raw, noise, rows, size, accumulate },
        );
    }
}

/// Launches of the gradients of [`Op::BoundedEntropy`].
pub(crate) fn plan_entropy_backward(planner: &mut Planner, traced: &mut Traced<'_>, raw: Var, own: Own) {
    let Own { gradient, rows, .. } = own;
    let size = traced.shape(raw).1 / 2;
    if let Some((out, accumulate)) = planner.input(traced, raw) {
        planner.each(
            rows * size,
            plan::kernels::BoundedEntropyGradient { out, gradient, raw: traced.place(raw), rows, size, accumulate },
        );
    }
}
