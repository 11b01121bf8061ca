//! Log-densities of predictions, and the logistic function.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::{interleaved_sum, vectorised};
use crate::tape::{Backward, Tape, Var};

impl<F: Real> Tape<'_, F> {
    /// log N(target; mean, 1) summed over the columns, the constant included: two [N, C] give [N, 1]. The target is a
    /// constant.
    pub fn normal_log_density(&mut self, mean: Var, target: Var) -> Var {
        let (rows, cols) = self.shape(mean);
        let constant = F::of(-0.5 * std::f64::consts::TAU.ln() * cols as f64);
        self.push(Op::NormalDensity { mean, target }, rows, 1, mean.gradient, |context, y| {
            let (mean, target) = (context.value(mean), context.value(target));
            for ((y, m), t) in y.iter_mut().zip(mean.chunks_exact(cols)).zip(target.chunks_exact(cols)) {
                let squares = vectorised(
                    #[inline(always)]
                    || interleaved_sum(cols, |i| (t[i] - m[i]) * (t[i] - m[i])),
                );
                *y = F::of(-0.5) * squares + constant;
            }
        })
    }

    /// target * log s(logit) + (1 - target) * log(1 - s(logit)), s the logistic function: two [N, 1] give [N, 1]. The
    /// target is a constant in [0, 1].
    pub fn bernoulli_log_density(&mut self, logit: Var, target: Var) -> Var {
        let (rows, cols) = self.shape(logit);
        self.push(Op::BernoulliDensity { logit, target }, rows, cols, logit.gradient, |context, y| {
            let (logit, target) = (context.value(logit), context.value(target));
            for ((y, &l), &t) in y.iter_mut().zip(logit).zip(target) {
                *y = t * l - l.softplus();
            }
        })
    }

    /// 1 / (1 + e^-x).
    pub fn sigmoid(&mut self, x: Var) -> Var {
        let (rows, cols) = self.shape(x);
        self.push(Op::Sigmoid { x }, rows, cols, x.gradient, |context, y| {
            for (y, &x) in y.iter_mut().zip(context.value(x)) {
                *y = x.sigmoid();
            }
        })
    }
}

pub(super) fn normal_backward<F: Real>(back: &mut Backward<F>, mean: Var, target: Var) {
    let cols = back.shape(mean).1;
    back.input(mean, |context, gradient, out, accumulate| {
        let (mean, target) = (context.value(mean), context.value(target));
        vectorised(
            #[inline(always)]
            || {
                for (row, &g) in gradient.iter().enumerate() {
                    let at = row * cols..(row + 1) * cols;
                    let (mean, target) = (&mean[at.clone()], &target[at.clone()]);
                    for ((out, &m), &t) in out[at].iter_mut().zip(mean).zip(target) {
                        put(out, g * (t - m), accumulate);
                    }
                }
            },
        );
    });
}

pub(super) fn bernoulli_backward<F: Real>(back: &mut Backward<F>, logit: Var, target: Var) {
    back.input(logit, |context, gradient, out, accumulate| {
        let (logit, target) = (context.value(logit), context.value(target));
        for i in 0..out.len() {
            put(&mut out[i], gradient[i] * (target[i] - logit[i].sigmoid()), accumulate);
        }
    });
}

pub(super) fn sigmoid_backward<F: Real>(back: &mut Backward<F>, x: Var) {
    let y = back.result();
    back.input(x, |_, gradient, out, accumulate| {
        for i in 0..out.len() {
            put(&mut out[i], gradient[i] * y[i] * (F::ONE - y[i]), accumulate);
        }
    });
}
