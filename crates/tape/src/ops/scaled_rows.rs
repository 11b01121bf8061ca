//! Rows times constants: where they are 0, the rows are forgotten.

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

pub(super) fn backward<F: Real>(back: &mut Backward<F>, x: Var, factor: Var) {
    let cols = back.cols;
    back.input(x, |context, gradient, target, accumulate| {
        let rows = gradient.chunks_exact(cols).zip(context.value(factor));
        for (target, (gradient, &factor)) in target.chunks_exact_mut(cols).zip(rows) {
            target.iter_mut().zip(gradient).for_each(|(target, &g)| put(target, factor * g, accumulate));
        }
    });
}
