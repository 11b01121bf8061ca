//! The actor's distribution: a normal squashed by tanh.

use super::Op;
use super::gaussian::put;
use crate::kernels::elementwise::vectorised;
use crate::real::Real;
use crate::tape::{Backward, Tape, Var};

/// Bound of the mean before squashing.
pub const MEAN_SCALE: f64 = 5.0;
/// Standard deviation that a raw output of zero stands for.
pub const INITIAL_STD: f64 = 5.0;
/// Smallest standard deviation.
pub const MIN_STD: f64 = 1e-4;

/// softplus's inverse of [`INITIAL_STD`].
fn raw_initial_std<F: Real>() -> F {
    F::of((INITIAL_STD.exp() - 1.0).ln())
}

/// Mean and standard deviation before squashing, from the actor's raw outputs.
#[inline(always)]
pub fn action_moments<F: Real>(raw_mean: F, raw_std: F) -> (F, F) {
    let scale = F::of(MEAN_SCALE);
    (scale * (raw_mean / scale).tanh(), (raw_std + raw_initial_std()).softplus() + F::of(MIN_STD))
}

impl<F: Real> Tape<'_, F> {
    /// tanh(mean + std * noise) with mean = 5 tanh(m / 5) and std = softplus(s + ln(e^5 - 1)) + 1e-4:
    /// raw [N, 2A] = m, s; noise [N, A]; result [N, A].
    pub fn squashed_sample(&mut self, raw: Var, noise: Var) -> Var {
        let (rows, size) = self.shape(noise);
        self.push(Op::Squash { raw, noise }, rows, size, raw.gradient, |context, y| {
            let (raw, noise) = (context.value(raw), context.value(noise));
            vectorised(
                #[inline(always)]
                || {
                    for ((y, x), e) in
                        y.chunks_exact_mut(size).zip(raw.chunks_exact(2 * size)).zip(noise.chunks_exact(size))
                    {
                        for i in 0..size {
                            let (mean, std) = action_moments(x[i], x[size + i]);
                            y[i] = (mean + std * e[i]).tanh();
                        }
                    }
                },
            );
        })
    }
}

pub(super) fn squash_backward<F: Real>(back: &mut Backward<F>, raw: Var, noise: Var) {
    let size = back.cols;
    let y = back.result();
    back.input(raw, |context, gradient, target, accumulate| {
        let (raw, noise) = (context.value(raw), context.value(noise));
        vectorised(
            #[inline(always)]
            || {
                for row in 0..gradient.len() / size {
                    for i in 0..size {
                        let (one, two) = (row * size + i, 2 * row * size + i);
                        let before = gradient[one] * (F::ONE - y[one] * y[one]);
                        let bent = (raw[two] / F::of(MEAN_SCALE)).tanh();
                        put(&mut target[two], before * (F::ONE - bent * bent), accumulate);
                        let slope = (raw[two + size] + raw_initial_std()).sigmoid();
                        put(&mut target[two + size], before * noise[one] * slope, accumulate);
                    }
                }
            },
        );
    });
}
