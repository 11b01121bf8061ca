//! The norm of rows by their root mean square, and SiLU, which usually follows it.
//!
//! Source: DreamerV3 (`nets.py`), which has both after each of its layers.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::parameters::Parameter;
use crate::tape::{Backward, Tape, Var};

/// Added to a row's mean square, so that a row of zeros stays one.
pub(crate) const EPSILON: f64 = 1e-4;

impl<F: Real> Tape<'_, F> {
    /// `x / sqrt(mean(x^2) + 1e-4) * scale`, the mean over each row: x [N, C], scale `[C]`.
    pub fn rms_norm(&mut self, x: Var, scale: Parameter) -> Var {
        let (rows, cols) = self.shape(x);
        let trainable = self.is_trainable(scale);
        self.push(Op::RmsNorm { x, scale, trainable }, rows, cols, x.gradient || trainable, |context, y| {
            let scale = context.parameters.values(scale);
            for (y, x) in y.chunks_exact_mut(cols).zip(context.value(x).chunks_exact(cols)) {
                let inverse = inverse_root(x);
                for ((y, x), scale) in y.iter_mut().zip(x).zip(scale) {
                    *y = *x * inverse * *scale;
                }
            }
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

/// One over the root of a row's mean square.
fn inverse_root<F: Real>(row: &[F]) -> F {
    let squares: F = row.iter().map(|x| *x * *x).sum();
    F::ONE / (squares / F::of(row.len() as f64) + F::of(EPSILON)).sqrt()
}

pub(super) fn rms_backward<F: Real>(back: &mut Backward<F>, x: Var, scale: Parameter, trainable: bool) {
    let cols = back.cols;
    back.input(x, |context, gradient, target, accumulate| {
        let scale = context.parameters.values(scale);
        let rows = context.value(x).chunks_exact(cols).zip(gradient.chunks_exact(cols));
        for ((x, g), target) in rows.zip(target.chunks_exact_mut(cols)) {
            let inverse = inverse_root(x);
            let inner: F = x.iter().zip(g).zip(scale).map(|((x, g), scale)| *x * *g * *scale).sum();
            let along = inverse * inverse * inner / F::of(cols as f64);
            for (i, target) in target.iter_mut().enumerate() {
                put(target, inverse * (g[i] * scale[i] - x[i] * along), accumulate);
            }
        }
    });
    back.parameter(scale, trainable, |context, gradient, target, accumulate| {
        if !accumulate {
            target.fill(F::ZERO);
        }
        for (x, g) in context.value(x).chunks_exact(cols).zip(gradient.chunks_exact(cols)) {
            let inverse = inverse_root(x);
            for ((target, x), g) in target.iter_mut().zip(x).zip(g) {
                *target += *g * *x * inverse;
            }
        }
    });
}

pub(super) fn silu_backward<F: Real>(back: &mut Backward<F>, x: Var) {
    back.input(x, |context, gradient, target, accumulate| {
        for ((target, x), g) in target.iter_mut().zip(context.value(x)).zip(gradient) {
            let logistic = x.sigmoid();
            put(target, *g * logistic * (F::ONE + *x * (F::ONE - logistic)), accumulate);
        }
    });
}
