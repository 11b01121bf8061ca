//! Log-densities of predictions, and the logistic function.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::{interleaved_sum, vectorised};
use crate::plan::{self, Own, Planner, Slot, Traced};
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

/// Launches of the value of [`Op::NormalDensity`].
pub(crate) fn plan_normal(
    planner: &mut Planner,
    traced: &Traced<'_>,
    mean: Var,
    target: Var,
    precision: f64,
    constant: f64,
    own: Slot,
) {
    let Slot { y, rows, .. } = own;
    let cols = traced.shape(mean).1;
    planner.launch(
        [rows, 1, 1],
        plan::kernels::NormalDensity {
            y,
            mean: traced.place(mean),
            target: traced.place(target),
            columns: cols,
            precision,
            constant,
        },
    );
}

/// Launches of the value of [`Op::BernoulliDensity`].
pub(crate) fn plan_bernoulli(planner: &mut Planner, traced: &Traced<'_>, logit: Var, target: Var, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner.each(
        count,
        plan::kernels::BernoulliDensity { y, logit: traced.place(logit), target: traced.place(target), n: count },
    );
}

/// Launches of the value of [`Op::Sigmoid`].
pub(crate) fn plan_sigmoid(planner: &mut Planner, traced: &Traced<'_>, x: Var, shift: f64, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner.each(count, plan::kernels::Logistic { y, x: traced.place(x), n: count, shift })
}

/// Launches of the gradients of [`Op::NormalDensity`].
pub(crate) fn plan_normal_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    mean: Var,
    target: Var,
    precision: f64,
    own: Own,
) {
    let Own { gradient, rows, .. } = own;
    if let Some((out, accumulate)) = planner.input(traced, mean) {
        let cols = traced.shape(mean).1;
        let [mean, target] = [mean, target].map(|var| traced.place(var));
        planner.each(
            rows * cols,
            plan::kernels::NormalDensityGradient {
                out,
                gradient,
                mean,
                target,
                rows,
                columns: cols,
                precision,
                accumulate,
            },
        );
    }
}

/// Launches of the gradients of [`Op::BernoulliDensity`].
pub(crate) fn plan_bernoulli_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    logit: Var,
    target: Var,
    own: Own,
) {
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, logit) {
        let [logit, target] = [logit, target].map(|var| traced.place(var));
        planner.each(
            count,
            plan::kernels::BernoulliDensityGradient { out, gradient, logit, target, n: count, accumulate },
        );
    }
}

/// Launches of the gradients of [`Op::Sigmoid`].
pub(crate) fn plan_sigmoid_backward(planner: &mut Planner, traced: &mut Traced<'_>, x: Var, shift: f64, own: Own) {
    let Own { y, gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, x) {
        planner.each(count, plan::kernels::LogisticGradient { out, gradient, y, n: count, shift, accumulate });
    }
}
