//! The sum of the absolute values of a parameter's numbers: the L1 norm of its rows.

use super::Op;
use crate::plan::{self, Own, ParameterGradients, Planner, Slot, Total, Traced};

use crate::kernels::dispatch::Real;
use crate::parameters::Parameter;
use crate::tape::{Backward, Tape};
use std::ops::Range;

/// Some numbers of a parameter, whose absolute values are added up.
#[derive(Clone, Debug)]
pub(crate) struct AbsoluteSum {
    pub parameter: Parameter,
    pub numbers: Range<usize>,
    pub trainable: bool,
}

impl<F: Real> Tape<'_, F> {
    /// The sum of the absolute values of a parameter's `numbers`, `copies` times: [copies, 1]. Each copy has its own gradient, so
    /// that the sum can be a term of a loss that is a mean over as many items. The gradient of |0| is 0.
    pub fn absolute_sum(&mut self, parameter: Parameter, numbers: Range<usize>, copies: usize) -> crate::Var {
        let trainable = self.is_trainable(parameter);
        let sum = AbsoluteSum { parameter, numbers: numbers.clone(), trainable };
        self.push(Op::AbsoluteSum(sum), copies, 1, trainable, |context, y| {
            y.fill(context.parameters.values(parameter)[numbers].iter().map(|x| x.abs()).sum());
        })
    }
}

impl AbsoluteSum {
    pub(super) fn backward<F: Real>(&self, back: &mut Backward<F>) {
        back.parameter(self.parameter, self.trainable, |context, gradient, target, accumulate| {
            if !accumulate {
                target.fill(F::ZERO);
            }
            let factor: F = gradient.iter().copied().sum();
            let values = &context.parameters.values(self.parameter)[self.numbers.clone()];
            for (target, value) in target[self.numbers.clone()].iter_mut().zip(values) {
                if *value > F::ZERO {
                    *target += factor;
                } else if *value < F::ZERO {
                    *target -= factor;
                }
            }
        });
    }
}

impl AbsoluteSum {
    /// Launches of its value.
    pub(crate) fn plan(&self, planner: &mut Planner, traced: &Traced<'_>, own: Slot) {
        let Slot { y, rows, .. } = own;
        let from = traced.parameter(self.parameter).after(self.numbers.start);
        planner.with_scratch(1, |planner, sum| {
            planner.total(sum, from, [self.numbers.len(), 1], Total::Absolutes);
            planner.each(rows, plan::kernels::SameRows { out: y, row: sum, rows, columns: 1 });
        });
    }

    /// Launches of its gradients.
    pub(crate) fn plan_backward(
        &self,
        planner: &mut Planner,
        traced: &Traced<'_>,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let Self { parameter, numbers, trainable } = self;
        let Some((out, accumulate)) = gradients.slot(*parameter, *trainable) else { return };
        if !accumulate {
            planner.fill(out, traced.parameters.place(*parameter).len(), 0.0);
        }
        let from = traced.parameter(*parameter).after(numbers.start);
        planner.with_scratch(1, |planner, factor| {
            planner.total(factor, own.gradient, [own.rows, 1], Total::Numbers);
            let out = out.after(numbers.start);
            let kernel = plan::kernels::AddSigns { out, x: from, factor, n: numbers.len() };
            planner.each(numbers.len(), kernel);
        });
    }
}
