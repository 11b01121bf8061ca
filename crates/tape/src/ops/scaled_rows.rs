//! Rows times constants: where they are 0, the rows are forgotten. And differences.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
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
