//! The sum of the absolute values of a parameter's numbers: the L1 norm of its rows.

use super::Op;
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
