//! Subtracting a mean and dividing by a deviation, both of which are parameters that are never trained.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::parameters::Parameter;
use crate::plan::{self, Own, Planner, Slot, Traced};
use crate::tape::{Backward, Tape, Var};

impl<F: Real> Tape<'_, F> {
    /// `(x - mean) / deviation` for x [N, C], with the C numbers of mean and deviation from `first` on. No gradient reaches them.
    pub fn standardise(&mut self, x: Var, mean: Parameter, deviation: Parameter, first: usize) -> Var {
        let (rows, cols) = self.shape(x);
        self.push(Op::Standardise { x, mean, deviation, first }, rows, cols, x.gradient, |context, y| {
            let of = |parameter| &context.parameters.values(parameter)[first..first + cols];
            let (mean, deviation) = (of(mean), of(deviation));
            for (y, x) in y.chunks_exact_mut(cols).zip(context.value(x).chunks_exact(cols)) {
                for (index, y) in y.iter_mut().enumerate() {
                    *y = (x[index] - mean[index]) / deviation[index];
                }
            }
        })
    }
}

pub(super) fn standardise_backward<F: Real>(back: &mut Backward<F>, x: Var, deviation: Parameter, first: usize) {
    let cols = back.cols;
    back.input(x, |context, gradient, target, accumulate| {
        let deviation = &context.parameters.values(deviation)[first..first + cols];
        for (target, gradient) in target.chunks_exact_mut(cols).zip(gradient.chunks_exact(cols)) {
            for (index, target) in target.iter_mut().enumerate() {
                put(target, gradient[index] / deviation[index], accumulate);
            }
        }
    });
}

/// Launches of the value of [`Op::Standardise`].
pub(crate) fn plan_standardise(
    planner: &mut Planner,
    traced: &Traced<'_>,
    x: Var,
    mean: Parameter,
    deviation: Parameter,
    first: usize,
    own: Slot,
) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    let [mean, deviation] = [mean, deviation].map(|one| traced.parameter(one).after(first));
    planner.each(count, plan::kernels::Standardise { y, x: traced.place(x), mean, deviation, rows, columns: cols });
}

/// Launches of the gradients of [`Op::Standardise`].
pub(crate) fn plan_standardise_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    x: Var,
    deviation: Parameter,
    first: usize,
    own: Own,
) {
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, x) {
        let deviation = traced.parameter(deviation).after(first);
        planner.each(
            count,
            plan::kernels::StandardiseGradient { out, gradient, deviation, rows, columns: cols, accumulate },
        );
    }
}
