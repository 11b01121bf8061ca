//! Elementwise loops, compiled for every SIMD instruction set.
//!
//! Bound by: memory, except for ELU, which computes an exponential for every number.

use super::simd;
use crate::number::Number;

/// The function that a layer applies to its sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// max(x, 0).
    Relu,
    /// x where positive, else e^x - 1.
    Elu,
}

/// Compiles `work` for all SIMD instruction sets, and runs it with the chosen one.
#[inline(always)]
pub(crate) fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    simd::dispatch(work)
}

/// y = activation(y + bias), row by row; y [rows, bias.len()].
pub fn bias_activate<F: Number>(y: &mut [F], bias: &[F], activation: Activation) {
    vectorised(
        #[inline(always)]
        || match activation {
            Activation::None => by_row(y, bias, |x| x),
            Activation::Relu => by_row(y, bias, |x| x.at_least(F::ZERO)),
            Activation::Elu => by_row(y, bias, elu),
        },
    );
}

#[inline(always)]
fn by_row<F: Number>(y: &mut [F], bias: &[F], f: impl Fn(F) -> F) {
    for row in y.chunks_exact_mut(bias.len()) {
        for (y, &b) in row.iter_mut().zip(bias) {
            *y = f(*y + b);
        }
    }
}

/// y = activation(y).
pub fn activate<F: Number>(y: &mut [F], activation: Activation) {
    vectorised(
        #[inline(always)]
        || match activation {
            Activation::None => {}
            Activation::Relu => y.iter_mut().for_each(|y| *y = y.at_least(F::ZERO)),
            Activation::Elu => y.iter_mut().for_each(|y| *y = elu(*y)),
        },
    );
}

#[inline(always)]
fn elu<F: Number>(x: F) -> F {
    let negative = x.at_most(F::ZERO).exp_m1();
    if x > F::ZERO { x } else { negative }
}

/// gradient *= activation'(x), from the activation's own value y.
pub fn activation_gradient<F: Number>(gradient: &mut [F], y: &[F], activation: Activation) {
    vectorised(
        #[inline(always)]
        || match activation {
            Activation::None => {}
            Activation::Relu => {
                for (g, &y) in gradient.iter_mut().zip(y) {
                    *g = if y > F::ZERO { *g } else { F::ZERO };
                }
            }
            Activation::Elu => {
                for (g, &y) in gradient.iter_mut().zip(y) {
                    *g *= y.at_most(F::ZERO) + F::ONE;
                }
            }
        },
    );
}

/// out = byte * scale + shift.
pub fn scale_bytes<F: Number>(out: &mut [F], bytes: &[u8], scale: F, shift: F) {
    vectorised(
        #[inline(always)]
        || {
            for (out, &byte) in out.iter_mut().zip(bytes) {
                *out = F::of(f64::from(byte)) * scale + shift;
            }
        },
    );
}

/// out = x, or out += x if `accumulate`.
pub fn add<F: Number>(out: &mut [F], x: &[F], accumulate: bool) {
    if !accumulate {
        out.copy_from_slice(x);
        return;
    }
    vectorised(
        #[inline(always)]
        || {
            for (out, &x) in out.iter_mut().zip(x) {
                *out += x;
            }
        },
    );
}

/// The sum of f(x) over a slice, in sixteen interleaved partial sums: a fixed order, for every instruction set.
#[inline(always)]
pub(crate) fn interleaved_sum<F: Number>(n: usize, f: impl Fn(usize) -> F) -> F {
    let mut sums = [F::ZERO; 16];
    let whole = n / 16 * 16;
    for start in (0..whole).step_by(16) {
        for lane in 0..16 {
            sums[lane] += f(start + lane);
        }
    }
    for i in whole..n {
        sums[i - whole] += f(i);
    }
    sums.into_iter().sum()
}
