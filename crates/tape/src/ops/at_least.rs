//! The larger of a value's numbers and a constant: what lies below the constant has no gradient.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::plan::{self, Own, Planner, Slot, Traced};
use crate::tape::{Backward, Tape, Var};

impl<F: Real> Tape<'_, F> {
    /// `max(x, least)` for each number. The gradient of a number that does not exceed `least` is 0: free nats for each row.
    pub fn at_least(&mut self, x: Var, least: f64) -> Var {
        let (rows, cols) = self.shape(x);
        self.push(Op::AtLeast { x, least }, rows, cols, x.gradient, |context, y| {
            for (y, x) in y.iter_mut().zip(context.value(x)) {
                *y = x.at_least(F::of(least));
            }
        })
    }
}

pub(super) fn at_least_backward<F: Real>(back: &mut Backward<F>, x: Var, least: f64) {
    let least = F::of(least);
    back.input(x, |context, gradient, target, accumulate| {
        for ((target, x), g) in target.iter_mut().zip(context.value(x)).zip(gradient) {
            put(target, if *x > least { *g } else { F::ZERO }, accumulate);
        }
    });
}

/// Launches of the value of [`Op::AtLeast`].
pub(crate) fn plan_at_least(planner: &mut Planner, traced: &Traced<'_>, x: Var, least: f64, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner.each(count, plan::kernels::AtLeast { y, x: traced.place(x), n: count, least })
}

/// Launches of the gradients of [`Op::AtLeast`].
pub(crate) fn plan_at_least_backward(planner: &mut Planner, traced: &mut Traced<'_>, x: Var, least: f64, own: Own) {
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, x) {
        planner.each(
            count,
            plan::kernels::AtLeastGradient { out, gradient, x: traced.place(x), n: count, least, accumulate },
        );
    }
}
