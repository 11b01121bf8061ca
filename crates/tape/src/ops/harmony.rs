//! A loss whose weight is learned: `weight * x / e^s + share * ln(1 + e^s)`, with s a parameter.
//!
//! Source: HarmonyDream (Ma et al., 2024).

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::parameters::Parameter;
use crate::plan::{self, Own, ParameterGradients, Planner, Slot, Total, Traced};
use crate::tape::{Backward, Tape, Var};

/// The constants of a loss whose weight is learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Harmony {
    /// The weight of the loss where s is 0.
    pub weight: f64,
    /// The share of ln(1 + e^s), which keeps s from growing.
    pub share: f64,
}

impl<F: Real> Tape<'_, F> {
    /// `weight * x / e^s + share * ln(1 + e^s)` for each number, with the parameter s `[1]`.
    pub fn harmonised(&mut self, x: Var, s: Parameter, harmony: Harmony) -> Var {
        let (rows, cols) = self.shape(x);
        let trainable = self.is_trainable(s);
        let op = Op::Harmonised { x, s, harmony, trainable };
        self.push(op, rows, cols, x.gradient || trainable, |context, y| {
            let s = context.parameters.values(s)[0];
            let (factor, constant) = (F::of(harmony.weight) * (-s).exp(), F::of(harmony.share) * s.softplus());
            for (y, x) in y.iter_mut().zip(context.value(x)) {
                *y = factor * *x + constant;
            }
        })
    }
}

pub(super) fn backward<F: Real>(back: &mut Backward<F>, x: Var, s: Parameter, harmony: Harmony, trainable: bool) {
    let Harmony { weight, share } = harmony;
    back.parameter(s, trainable, |context, gradient, target, accumulate| {
        let s = context.parameters.values(s)[0];
        let (factor, slope) = (F::of(weight) * (-s).exp(), F::of(share) * s.sigmoid());
        let pairs = gradient.iter().zip(context.value(x));
        let sum: f64 = pairs.map(|(&g, &x)| (g * (slope - factor * x)).to_f64()).sum();
        put(&mut target[0], F::of(sum), accumulate);
    });
    back.input(x, |context, gradient, target, accumulate| {
        let factor = F::of(weight) * (-context.parameters.values(s)[0]).exp();
        for (target, g) in target.iter_mut().zip(gradient) {
            put(target, factor * *g, accumulate);
        }
    });
}

/// Launches of the value of [`Op::Harmonised`].
pub(crate) fn plan(planner: &mut Planner, traced: &Traced<'_>, x: Var, s: Parameter, harmony: Harmony, own: Slot) {
    let Harmony { weight, share } = harmony;
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner.each(
        count,
        plan::kernels::Harmonised { y, x: traced.place(x), s: traced.parameter(s), n: count, weight, share },
    );
}

/// Launches of the gradients of [`Op::Harmonised`].
pub(crate) fn plan_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    x: Var,
    (s, trainable): (Parameter, bool),
    harmony: Harmony,
    own: Own,
    gradients: &mut ParameterGradients,
) {
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    let Harmony { weight, share } = harmony;
    let (from, own) = (traced.place(x), traced.parameter(s));
    if let Some((out, accumulate)) = gradients.slot(s, trainable) {
        planner.with_scratch(count + 1, |planner, slopes| {
            let sum = slopes.after(count);
            planner.each(
                count,
                plan::kernels::HarmonisedSlopes { out: slopes, gradient, x: from, s: own, n: count, weight, share },
            );
            planner.total(sum, slopes, [count, 1], Total::Numbers);
            planner.piece([out, sum], [1; 2], 1, 1, accumulate);
        });
    }
    if let Some((out, accumulate)) = planner.input(traced, x) {
        planner.each(count, plan::kernels::HarmonisedGradient { out, gradient, s: own, n: count, weight, accumulate });
    }
}
