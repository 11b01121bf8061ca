//! Diagonal normal distributions, held as [N, 2S]: means, then standard deviations.

use super::Op;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::vectorised;
use crate::plan::{self, Own, Planner, Slot, Traced};
use crate::tape::{Backward, Tape, Var};

impl<F: Real> Tape<'_, F> {
    /// Means as they are, standard deviations as softplus(raw) + min_std: raw [N, 2S].
    pub fn gaussian(&mut self, raw: Var, min_std: f64) -> Var {
        let (rows, cols) = self.shape(raw);
        let least = F::of(min_std);
        self.push(Op::Gaussian { raw, min_std }, rows, cols, raw.gradient, |context, y| {
            let x = context.value(raw);
            let size = cols / 2;
            vectorised(
                #[inline(always)]
                || {
                    for (y, x) in y.chunks_exact_mut(cols).zip(x.chunks_exact(cols)) {
                        y[..size].copy_from_slice(&x[..size]);
                        for (y, &x) in y[size..].iter_mut().zip(&x[size..]) {
                            *y = x.softplus() + least;
                        }
                    }
                },
            );
        })
    }

    /// mean + std * noise: gaussian [N, 2S], noise [N, S] of standard normal draws (the reparameterised sample).
    pub fn sample(&mut self, gaussian: Var, noise: Var) -> Var {
        let (rows, size) = self.shape(noise);
        self.push(Op::Sample { gaussian, noise }, rows, size, gaussian.gradient, |context, y| {
            let (gaussian, noise) = (context.value(gaussian), context.value(noise));
            for ((y, g), e) in
                y.chunks_exact_mut(size).zip(gaussian.chunks_exact(2 * size)).zip(noise.chunks_exact(size))
            {
                for i in 0..size {
                    y[i] = g[i] + g[size + i] * e[i];
                }
            }
        })
    }

    /// KL(posterior || prior), summed over S: two [N, 2S] give [N, 1].
    pub fn divergence(&mut self, posterior: Var, prior: Var) -> Var {
        let (rows, cols) = self.shape(posterior);
        let gradient = posterior.gradient || prior.gradient;
        self.push(Op::Divergence { posterior, prior }, rows, 1, gradient, |context, y| {
            let size = cols / 2;
            let (posterior, prior) = (context.value(posterior), context.value(prior));
            for ((y, q), p) in y.iter_mut().zip(posterior.chunks_exact(cols)).zip(prior.chunks_exact(cols)) {
                *y = (0..size)
                    .map(|i| {
                        let (q_std, p_std, apart) = (q[size + i], p[size + i], q[i] - p[i]);
                        let ratio = (q_std * q_std + apart * apart) / (p_std * p_std);
                        (p_std / q_std).ln() + F::of(0.5) * (ratio - F::ONE)
                    })
                    .sum();
            }
        })
    }
}

pub(super) fn gaussian_backward<F: Real>(back: &mut Backward<F>, raw: Var) {
    let cols = back.cols;
    let size = cols / 2;
    back.input(raw, |context, gradient, target, accumulate| {
        let x = context.value(raw);
        vectorised(
            #[inline(always)]
            || {
                for ((t, g), x) in
                    target.chunks_exact_mut(cols).zip(gradient.chunks_exact(cols)).zip(x.chunks_exact(cols))
                {
                    for i in 0..size {
                        put(&mut t[i], g[i], accumulate);
                    }
                    for i in size..cols {
                        put(&mut t[i], g[i] * x[i].sigmoid(), accumulate);
                    }
                }
            },
        );
    });
}

pub(super) fn sample_backward<F: Real>(back: &mut Backward<F>, gaussian: Var, noise: Var) {
    let size = back.cols;
    back.input(gaussian, |context, gradient, target, accumulate| {
        let noise = context.value(noise);
        for ((t, g), e) in
            target.chunks_exact_mut(2 * size).zip(gradient.chunks_exact(size)).zip(noise.chunks_exact(size))
        {
            for i in 0..size {
                put(&mut t[i], g[i], accumulate);
                put(&mut t[size + i], g[i] * e[i], accumulate);
            }
        }
    });
}

pub(super) fn divergence_backward<F: Real>(back: &mut Backward<F>, posterior: Var, prior: Var) {
    let cols = back.shape(posterior).1;
    let size = cols / 2;
    back.input(posterior, |context, gradient, target, accumulate| {
        let (posterior, prior) = (context.value(posterior), context.value(prior));
        for (row, &g) in gradient.iter().enumerate() {
            let at = row * cols;
            for i in at..at + size {
                let (q_std, p_std, apart) = (posterior[i + size], prior[i + size], posterior[i] - prior[i]);
                let precision = F::ONE / (p_std * p_std);
                put(&mut target[i], g * apart * precision, accumulate);
                put(&mut target[i + size], g * (q_std * precision - F::ONE / q_std), accumulate);
            }
        }
    });
    back.input(prior, |context, gradient, target, accumulate| {
        let (posterior, prior) = (context.value(posterior), context.value(prior));
        for (row, &g) in gradient.iter().enumerate() {
            let at = row * cols;
            for i in at..at + size {
                let (q_std, p_std, apart) = (posterior[i + size], prior[i + size], posterior[i] - prior[i]);
                let precision = F::ONE / (p_std * p_std);
                put(&mut target[i], -g * apart * precision, accumulate);
                let ratio = (q_std * q_std + apart * apart) * precision;
                put(&mut target[i + size], g * (F::ONE - ratio) / p_std, accumulate);
            }
        }
    });
}

#[inline(always)]
pub(super) fn put<F: Real>(target: &mut F, x: F, accumulate: bool) {
    *target = if accumulate { *target + x } else { x };
}

/// Launches of the value of [`Op::Gaussian`].
pub(crate) fn plan_gaussian(planner: &mut Planner, traced: &Traced<'_>, raw: Var, min_std: f64, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner.each(count, plan::kernels::Gaussian { y, raw: traced.place(raw), rows, columns: cols, least: min_std });
}

/// Launches of the value of [`Op::Sample`].
pub(crate) fn plan_sample(planner: &mut Planner, traced: &Traced<'_>, gaussian: Var, noise: Var, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    match planner.take_last(|last: &plan::kernels::Gaussian| last.y == traced.place(gaussian)) {
        Some(plan::kernels::Gaussian { y: normal, raw, rows, columns, least }) => {
            let kernel =
                plan::kernels::GaussianSample { normal, raw, rows, columns, least, y, noise: traced.place(noise) };
            planner.each(count, kernel);
        }
        None => planner.each(
            count,
            plan::kernels::Sample { y, normal: traced.place(gaussian), noise: traced.place(noise), rows, size: cols },
        ),
    }
}

/// Launches of the value of [`Op::Divergence`].
pub(crate) fn plan_divergence(planner: &mut Planner, traced: &Traced<'_>, posterior: Var, prior: Var, own: Slot) {
    let Slot { y, rows, .. } = own;
    let size = traced.shape(posterior).1 / 2;
    planner.each(rows, plan::kernels::Divergence { y, q: traced.place(posterior), p: traced.place(prior), rows, size });
}

/// Launches of the gradients of [`Op::Gaussian`].
pub(crate) fn plan_gaussian_backward(planner: &mut Planner, traced: &mut Traced<'_>, raw: Var, own: Own) {
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, raw) {
        let of_it = |sampled: &plan::kernels::SampleGradient| sampled.out == gradient;
        if let Some(sampled) = planner.take_last(of_it) {
            // What a sample adds to this gradient is not needed anywhere else.
            let plan::kernels::SampleGradient { gradient: of_sample, noise, accumulate: adds, .. } = sampled;
            let raw = traced.place(raw);
            planner.each(
                count,
                plan::kernels::GaussianSampleGradient {
                    out,
                    gradient,
                    with_gradient: adds,
                    of_sample,
                    noise,
                    raw,
                    rows,
                    columns: cols,
                    accumulate,
                },
            );
            return;
        }
        planner.each(
            count,
            plan::kernels::GaussianGradient { out, gradient, raw: traced.place(raw), rows, columns: cols, accumulate },
        );
    }
}

/// Launches of the gradients of [`Op::Sample`].
pub(crate) fn plan_sample_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    gaussian: Var,
    noise: Var,
    own: Own,
) {
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, gaussian) {
        planner.each(
            count,
            plan::kernels::SampleGradient { out, gradient, noise: traced.place(noise), rows, size: cols, accumulate },
        );
    }
}

/// Launches of the gradients of [`Op::Divergence`].
pub(crate) fn plan_divergence_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    posterior: Var,
    prior: Var,
    own: Own,
) {
    let Own { gradient, rows, .. } = own;
    let size = traced.shape(posterior).1 / 2;
    let [q, p] = [posterior, prior].map(|var| traced.place(var));
    if let Some((out, accumulate)) = planner.input(traced, posterior) {
        planner.each(rows * size, plan::kernels::DivergenceOfFirst { out, gradient, q, p, rows, size, accumulate });
    }
    if let Some((out, accumulate)) = planner.input(traced, prior) {
        planner.each(rows * size, plan::kernels::DivergenceOfSecond { out, gradient, q, p, rows, size, accumulate });
    }
}
