//! The norm by the root mean square, and the activations that follow it.
//!
//! Source: DreamerV3 (`nets.py`), which has both after each of its layers.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::{Activation, activate, activation_gradient, add};
use crate::parameters::Parameter;
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
            let scale = context.parameters.values(scale);
            for (y, x) in y.chunks_exact_mut(group).zip(context.value(x).chunks_exact(group)) {
                let inverse = inverse_root(x);
                for ((y, x), scale) in y.iter_mut().zip(x).zip(scale) {
                    *y = *x * inverse * *scale;
                }
            }
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
            for (y, x) in y.iter_mut().zip(context.value(x)) {
                *y = *x * x.sigmoid();
            }
        })
    }
}

/// One over the root of a group's mean square.
fn inverse_root<F: Real>(group: &[F]) -> F {
    let squares: F = group.iter().map(|x| *x * *x).sum();
    F::ONE / (squares / F::of(group.len() as f64) + F::of(EPSILON)).sqrt()
}

pub(super) fn rms_backward<F: Real>(back: &mut Backward<F>, x: Var, scale: Parameter, trainable: bool) {
    let group = back.context.parameters.shape(scale)[0];
    back.input(x, |context, gradient, target, accumulate| {
        let scale = context.parameters.values(scale);
        let groups = context.value(x).chunks_exact(group).zip(gradient.chunks_exact(group));
        for ((x, g), target) in groups.zip(target.chunks_exact_mut(group)) {
            let inverse = inverse_root(x);
            let inner: F = x.iter().zip(g).zip(scale).map(|((x, g), scale)| *x * *g * *scale).sum();
            let along = inverse * inverse * inner / F::of(group as f64);
            for (i, target) in target.iter_mut().enumerate() {
                put(target, inverse * (g[i] * scale[i] - x[i] * along), accumulate);
            }
        }
    });
    back.parameter(scale, trainable, |context, gradient, target, accumulate| {
        if !accumulate {
            target.fill(F::ZERO);
        }
        for (x, g) in context.value(x).chunks_exact(group).zip(gradient.chunks_exact(group)) {
            let inverse = inverse_root(x);
            for ((target, x), g) in target.iter_mut().zip(x).zip(g) {
                *target += *g * *x * inverse;
            }
        }
    });
}

pub(super) fn activated_backward<F: Real>(back: &mut Backward<F>, x: Var, activation: Activation) {
    let result = back.result();
    activation_gradient(back.gradient, result, activation);
    back.input(x, |_, gradient, target, accumulate| add(target, gradient, accumulate));
}

pub(super) fn silu_backward<F: Real>(back: &mut Backward<F>, x: Var) {
    back.input(x, |context, gradient, target, accumulate| {
        for ((target, x), g) in target.iter_mut().zip(context.value(x)).zip(gradient) {
            let logistic = x.sigmoid();
            put(target, *g * logistic * (F::ONE + *x * (F::ONE - logistic)), accumulate);
        }
    });
}
