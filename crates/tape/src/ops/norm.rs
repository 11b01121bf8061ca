//! The norm by the root mean square, and the activations that follow it.
//!
//! Source: DreamerV3 (`nets.py`), which has both after each of its layers.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::{Activation, activate, activation_gradient, add, vectorised};
use crate::parameters::Parameter;
use crate::plan::{self, Own, ParameterGradients, Planner, Slot, Traced};
use crate::tape::{Backward, Tape, Var};

/// Added to a group's mean square, so that a group of zeros stays one.
pub(crate) const EPSILON: f64 = 1e-4;

impl<F: Real> Tape<'_, F> {
    /// `x / sqrt(mean(x^2) + 1e-4) * scale`, the mean over each group of C numbers: x [N, G * C], scale `[C]`. A dense layer's row is
    /// one group, an image's row has one for each position.
    pub fn rms_norm(&mut self, x: Var, scale: Parameter) -> Var {
        let (rows, cols) = self.shape(x);
        let group = self.parameters.shape(scale)[0];
        assert!(cols.is_multiple_of(group), "rows of whole groups");
        let trainable = self.is_trainable(scale);
        self.push(Op::RmsNorm { x, scale, trainable }, rows, cols, x.gradient || trainable, |context, y| {
            let (x, scale) = (context.value(x), context.parameters.values(scale));
            vectorised(
                #[inline(always)]
                || {
                    several_groups(group, x, |first, inverses| {
                        for (at, inverse) in (first..).step_by(group).zip(inverses) {
                            let pieces = y[at..at + group].iter_mut().zip(&x[at..at + group]).zip(scale);
                            pieces.for_each(|((y, x), scale)| *y = *x * *inverse * *scale);
                        }
                    });
                },
            );
        })
    }

    /// `activation(x)`, where a layer cannot apply it to its own sums.
    pub fn activated(&mut self, x: Var, activation: Activation) -> Var {
        let (rows, cols) = self.shape(x);
        self.push(Op::Activated { x, activation }, rows, cols, x.gradient, |context, y| {
            y.copy_from_slice(context.value(x));
            activate(y, activation);
        })
    }

    /// `x * s(x)`, s the logistic function.
    pub fn silu(&mut self, x: Var) -> Var {
        let (rows, cols) = self.shape(x);
        self.push(Op::Silu { x }, rows, cols, x.gradient, |context, y| {
            let x = context.value(x);
            vectorised(
                #[inline(always)]
                || y.iter_mut().zip(x).for_each(|(y, x)| *y = *x * x.sigmoid()),
            );
        })
    }
}

/// Groups that are summed up side by side: a sum of one is a chain of additions, each of which waits for the one before.
const SIDE_BY_SIDE: usize = 8;

/// Calls `work` with where the first of several groups begins, and with one over the root of the mean square of each.
#[inline(always)]
fn several_groups<F: Real>(group: usize, x: &[F], mut work: impl FnMut(usize, &[F])) {
    let at_once = group * SIDE_BY_SIDE;
    let whole = x.len() / at_once * at_once;
    for first in (0..whole).step_by(at_once) {
        let sums = sums::<F, SIDE_BY_SIDE>(group, |at| x[first + at] * x[first + at]);
        work(first, &sums.map(|squares| inverse_root(squares, group)));
    }
    for first in (whole..x.len()).step_by(group) {
        let sums = sums::<F, 1>(group, |at| x[first + at] * x[first + at]);
        work(first, &sums.map(|squares| inverse_root(squares, group)));
    }
}

/// The sum of each of N groups, side by side, in the order of its terms.
#[inline(always)]
fn sums<F: Real, const N: usize>(group: usize, term: impl Fn(usize) -> F) -> [F; N] {
    let mut sums = [F::ZERO; N];
    for i in 0..group {
        for (index, sum) in sums.iter_mut().enumerate() {
            *sum += term(index * group + i);
        }
    }
    sums
}

/// One over the root of a group's mean square.
#[inline(always)]
fn inverse_root<F: Real>(squares: F, group: usize) -> F {
    F::ONE / (squares / F::of(group as f64) + F::of(EPSILON)).sqrt()
}

pub(super) fn rms_backward<F: Real>(back: &mut Backward<F>, x: Var, scale: Parameter, trainable: bool) {
    let group = back.context.parameters.shape(scale)[0];
    back.input(x, |context, gradient, target, accumulate| {
        let (x, scale) = (context.value(x), context.parameters.values(scale));
        vectorised(
            #[inline(always)]
            || {
                several_groups(group, x, |first, inverses| {
                    let term = |at: usize| x[first + at] * gradient[first + at] * scale[at % group];
                    let inner = match inverses.len() {
                        SIDE_BY_SIDE => sums::<F, SIDE_BY_SIDE>(group, term),
                        _ => [sums::<F, 1>(group, term)[0]; SIDE_BY_SIDE],
                    };
                    for ((at, inverse), inner) in (first..).step_by(group).zip(inverses).zip(inner) {
                        let along = *inverse * *inverse * inner / F::of(group as f64);
                        let (x, g, target) =
                            (&x[at..at + group], &gradient[at..at + group], &mut target[at..at + group]);
                        for i in 0..group {
                            put(&mut target[i], *inverse * (g[i] * scale[i] - x[i] * along), accumulate);
                        }
                    }
                });
            },
        );
    });
    back.parameter(scale, trainable, |context, gradient, target, accumulate| {
        if !accumulate {
            target.fill(F::ZERO);
        }
        let x = context.value(x);
        vectorised(
            #[inline(always)]
            || {
                several_groups(group, x, |first, inverses| {
                    for (at, inverse) in (first..).step_by(group).zip(inverses) {
                        let pieces = target.iter_mut().zip(&x[at..at + group]).zip(&gradient[at..at + group]);
                        pieces.for_each(|((target, x), g)| *target += *g * *x * *inverse);
                    }
                });
            },
        );
    });
}

pub(super) fn activated_backward<F: Real>(back: &mut Backward<F>, x: Var, activation: Activation) {
    let result = back.result();
    activation_gradient(back.gradient, result, activation);
    back.input(x, |_, gradient, target, accumulate| add(target, gradient, accumulate));
}

pub(super) fn silu_backward<F: Real>(back: &mut Backward<F>, x: Var) {
    back.input(x, |context, gradient, target, accumulate| {
        let x = context.value(x);
        vectorised(
            #[inline(always)]
            || {
                for ((target, x), g) in target.iter_mut().zip(x).zip(gradient) {
                    let logistic = x.sigmoid();
                    put(target, *g * logistic * (F::ONE + *x * (F::ONE - logistic)), accumulate);
                }
            },
        );
    });
}

/// Launches of the value of [`Op::Activated`].
pub(crate) fn plan_activated(planner: &mut Planner, traced: &Traced<'_>, x: Var, activation: Activation, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner.each(count, plan::kernels::Activated { y, x: traced.place(x), n: count, activation: activation.into() });
}

/// Launches of the value of [`Op::RmsNorm`].
pub(crate) fn plan_rms(planner: &mut Planner, traced: &Traced<'_>, x: Var, scale: Parameter, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    let (group, scale) = (traced.parameters.shape(scale)[0], traced.parameter(scale));
    planner.each(
        count / group,
        plan::kernels::RmsNorm { y, x: traced.place(x), scale, rows: count / group, columns: group, epsilon: EPSILON },
    );
}

/// Launches of the value of [`Op::Silu`].
pub(crate) fn plan_silu(planner: &mut Planner, traced: &Traced<'_>, x: Var, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner.each(count, plan::kernels::Silu { y, x: traced.place(x), n: count })
}

/// Launches of the gradients of [`Op::Activated`].
pub(crate) fn plan_activated_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    x: Var,
    activation: Activation,
    own: Own,
) {
    let Own { y, gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, x) {
        planner.each(
            count,
            plan::kernels::ActivatedGradient { out, gradient, y, n: count, activation: activation.into(), accumulate },
        );
    }
}

/// Launches of the gradients of [`Op::RmsNorm`].
pub(crate) fn plan_rms_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    x: Var,
    scale: Parameter,
    trainable: bool,
    own: Own,
    gradients: &mut ParameterGradients,
) {
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    let group = traced.parameters.shape(scale)[0];
    let (groups, from, weights) = (count / group, traced.place(x), traced.parameter(scale));
    if let Some((out, accumulate)) = gradients.slot(scale, trainable) {
        planner.with_scratch(count, |planner, parts| {
            planner.each(
                groups,
                plan::kernels::RmsNormParts {
                    out: parts,
                    gradient,
                    x: from,
                    rows: groups,
                    columns: group,
                    epsilon: EPSILON,
                },
            );
            planner.column_sums(out, parts, groups, group, accumulate);
        });
    }
    if let Some((out, accumulate)) = planner.input(traced, x) {
        planner.each(
            groups,
            plan::kernels::RmsNormGradient {
                out,
                gradient,
                x: from,
                scale: weights,
                rows: groups,
                columns: group,
                epsilon: EPSILON,
                accumulate,
            },
        );
    }
}

/// Launches of the gradients of [`Op::Silu`].
pub(crate) fn plan_silu_backward(planner: &mut Planner, traced: &mut Traced<'_>, x: Var, own: Own) {
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, x) {
        planner.each(count, plan::kernels::SiluGradient { out, gradient, x: traced.place(x), n: count, accumulate });
    }
}
