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
        let constant = -0.5 * std::f64::consts::TAU.ln() * self.cols(mean) as f64;
        self.density(mean, target, 1.0, constant)
    }

    /// Minus the sum of the squared errors over the columns: two [N, C] give [N, 1]. It is the log-density of normal
    /// distributions with variance 1/2, without its constant. The target is a constant.
    pub fn negative_squared_error(&mut self, mean: Var, target: Var) -> Var {
        self.density(mean, target, 2.0, 0.0)
    }

    fn density(&mut self, mean: Var, target: Var, precision: f64, constant: f64) -> Var {
        let (rows, cols) = self.shape(mean);
        let op = Op::NormalDensity { mean, target, precision, constant };
        let (scale, constant) = (F::of(-0.5 * precision), F::of(constant));
        self.push(op, rows, 1, mean.gradient, |context, y| {
            let (mean, target) = (context.value(mean), context.value(target));
            for ((y, m), t) in y.iter_mut().zip(mean.chunks_exact(cols)).zip(target.chunks_exact(cols)) {
                let squares = vectorised(
                    #[inline(always)]
                    || interleaved_sum(cols, |i| (t[i] - m[i]) * (t[i] - m[i])),
                );
                *y = scale * squares + constant;
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
        self.shifted_sigmoid(x, 0.0)
    }

    /// 1 / (1 + e^-x) + shift.
    pub fn shifted_sigmoid(&mut self, x: Var, shift: f64) -> Var {
        let (rows, cols) = self.shape(x);
        self.push(Op::Sigmoid { x, shift }, rows, cols, x.gradient, |context, y| {
            let (x, shift) = (context.value(x), F::of(shift));
            vectorised(
                #[inline(always)]
                || y.iter_mut().zip(x).for_each(|(y, &x)| *y = x.sigmoid() + shift),
            );
        })
    }
}

pub(super) fn normal_backward<F: Real>(back: &mut Backward<F>, mean: Var, target: Var, precision: f64) {
    let (cols, precision) = (back.shape(mean).1, F::of(precision));
    back.input(mean, |context, gradient, out, accumulate| {
        let (mean, target) = (context.value(mean), context.value(target));
        vectorised(
            #[inline(always)]
            || {
                for (row, &g) in gradient.iter().enumerate() {
                    let g = g * precision;
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

pub(super) fn sigmoid_backward<F: Real>(back: &mut Backward<F>, x: Var, shift: f64) {
    let (y, shift) = (back.result(), F::of(shift));
    back.input(x, |_, gradient, out, accumulate| {
        vectorised(
            #[inline(always)]
            || {
                for ((out, &y), &g) in out.iter_mut().zip(y).zip(gradient) {
                    let y = y - shift;
                    put(out, g * y * (F::ONE - y), accumulate);
                }
            },
        );
    });
}
