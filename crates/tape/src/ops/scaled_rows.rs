//! Rows times constants: where they are 0, the rows are forgotten. And differences.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::plan::{self, Own, Planner, Slot, Traced};
use crate::tape::{Backward, Tape, Var};

impl<F: Real> Tape<'_, F> {
    /// Row n of x [N, C] times number n of the constant factor [N, 1].
    ///
    /// # Panics
    /// If the factor has a gradient: it would be lost.
    pub fn scaled_rows(&mut self, x: Var, factor: Var) -> Var {
        let (rows, cols) = self.shape(x);
        assert!(!factor.gradient && self.shape(factor) == (rows, 1), "a constant for each row");
        self.push(Op::ScaledRows { x, factor }, rows, cols, x.gradient, |context, y| {
            let rows = context.value(x).chunks_exact(cols).zip(context.value(factor));
            for (y, (x, &factor)) in y.chunks_exact_mut(cols).zip(rows) {
                y.iter_mut().zip(x).for_each(|(y, &x)| *y = factor * x);
            }
        })
    }
}

impl<F: Real> Tape<'_, F> {
    /// left - right, two of the same shape.
    pub fn difference(&mut self, left: Var, right: Var) -> Var {
        let (rows, cols) = self.shape(left);
        assert_eq!(self.shape(right), (rows, cols), "two of the same shape");
        self.push(Op::Difference { left, right }, rows, cols, left.gradient || right.gradient, |context, y| {
            let pairs = context.value(left).iter().zip(context.value(right));
            y.iter_mut().zip(pairs).for_each(|(y, (left, right))| *y = *left - *right);
        })
    }
}

pub(super) fn difference_backward<F: Real>(back: &mut Backward<F>, left: Var, right: Var) {
    for (var, sign) in [(left, F::ONE), (right, -F::ONE)] {
        back.input(var, |_, gradient, target, accumulate| {
            target.iter_mut().zip(gradient).for_each(|(target, &g)| put(target, sign * g, accumulate));
        });
    }
}

pub(super) fn backward<F: Real>(back: &mut Backward<F>, x: Var, factor: Var) {
    let cols = back.cols;
    back.input(x, |context, gradient, target, accumulate| {
        let rows = gradient.chunks_exact(cols).zip(context.value(factor));
        for (target, (gradient, &factor)) in target.chunks_exact_mut(cols).zip(rows) {
            target.iter_mut().zip(gradient).for_each(|(target, &g)| put(target, factor * g, accumulate));
        }
    });
}

/// Launches of the value of [`Op::ScaledRows`].
pub(crate) fn plan(planner: &mut Planner, traced: &Traced<'_>, x: Var, factor: Var, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner.each(
        count,
        plan::kernels::ScaledRows {
            y,
            x: traced.place(x),
            factor: traced.place(factor),
            count,
            cols,
            accumulate: false,
        },
    );
}

/// Launches of the value of [`Op::Difference`].
pub(crate) fn plan_difference(planner: &mut Planner, traced: &Traced<'_>, left: Var, right: Var, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner.each(count, plan::kernels::Difference { y, left: traced.place(left), right: traced.place(right), count })
}

/// Launches of the gradients of [`Op::ScaledRows`].
pub(crate) fn plan_backward(planner: &mut Planner, traced: &mut Traced<'_>, x: Var, factor: Var, own: Own) {
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, x) {
        planner.each(
            count,
            plan::kernels::ScaledRows { y: out, x: gradient, factor: traced.place(factor), count, cols, accumulate },
        );
    }
}

/// Launches of the gradients of [`Op::Difference`].
pub(crate) fn plan_difference_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    left: Var,
    right: Var,
    own: Own,
) {
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    for (var, factor) in [(left, 1.0), (right, -1.0)] {
        if let Some((out, accumulate)) = planner.input(traced, var) {
            planner.each(count, plan::kernels::Scaled { y: out, x: gradient, factor, count, accumulate });
        }
    }
}
