//! The numbers the tape computes with: [`Real`], which is `f32` for training and `f64` for proofs.
//!
//! Here: arithmetic and the transcendental functions. In `f32` they are polynomials without branches, so that loops over
//! them become vector code; in `f64` they are the standard library's. Not here: loops (see [`crate::kernels`]).

use crate::kernels::product::Product;
use crate::kernels::{rounded, transpose};
use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A floating-point number: `f32` or `f64`.
pub trait Real:
    Copy
    + Debug
    + Display
    + Default
    + PartialOrd
    + PartialEq
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// The nearest number to a constant of the algorithm.
    fn of(x: f64) -> Self;
    /// The same number in double precision.
    fn to_f64(self) -> f64;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// e^x - 1, exact near zero.
    fn exp_m1(self) -> Self;
    /// ln(1 + x) for x in [0, 1].
    fn ln_1p_unit(self) -> Self;
    /// Whether the number is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Runs a matrix product with the vectors that were chosen.
    #[doc(hidden)]
    fn run(product: Product<'_, Self>);
    /// The nearest bfloat16, ties to even, in f32; f64 stays as it is.
    #[doc(hidden)]
    fn to_bfloat16(self) -> Self {
        self
    }
    /// Writes a transpose: `to[d * stride + c] = from[c * apart + d]` for `deep` numbers of each of `columns` columns.
    #[doc(hidden)]
    fn transpose(from: &[Self], apart: usize, columns: usize, deep: usize, to: &mut [Self], stride: usize) {
        transpose::plain(from, apart, columns, deep, to, stride);
    }
    /// Runs a matrix product of numbers rounded to bfloat16, if this type has such products.
    #[doc(hidden)]
    fn run_rounded(product: Product<'_, Self>) {
        Self::run(product);
    }

    /// e^x.
    #[inline(always)]
    fn exp(self) -> Self {
        self.exp_m1() + Self::ONE
    }

    /// Absolute value.
    #[inline(always)]
    fn abs(self) -> Self {
        if self < Self::ZERO { -self } else { self }
    }

    /// The larger of two numbers; NaN if `self` is NaN.
    #[inline(always)]
    fn at_least(self, low: Self) -> Self {
        if self < low { low } else { self }
    }

    /// The smaller of two numbers; NaN if `self` is NaN.
    #[inline(always)]
    fn at_most(self, high: Self) -> Self {
        if self > high { high } else { self }
    }

    /// Hyperbolic tangent.
    #[inline(always)]
    fn tanh(self) -> Self {
        let t = (-(self.abs() + self.abs())).exp_m1();
        let magnitude = -t / (t + Self::of(2.0));
        if self < Self::ZERO { -magnitude } else { magnitude }
    }

    /// 1 / (1 + e^-x).
    #[inline(always)]
    fn sigmoid(self) -> Self {
        Self::ONE / (Self::ONE + (-self).exp())
    }

    /// ln(1 + e^x).
    #[inline(always)]
    fn softplus(self) -> Self {
        self.at_least(Self::ZERO) + (-self.abs()).exp().ln_1p_unit()
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.ln()
    }
    #[inline(always)]
    fn exp_m1(self) -> Self {
        self.exp_m1()
    }
    #[inline(always)]
    fn ln_1p_unit(self) -> Self {
        self.ln_1p()
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    fn run(product: Product<'_, Self>) {
        product.dispatch();
    }
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    #[inline(always)]
    fn of(x: f64) -> Self {
        x as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.ln()
    }

    /// x = n ln 2 + r with |r| <= ln 2 / 2; the Taylor series of e^r - 1 to the seventh power; then
    /// 2^n (e^r - 1) + (2^n - 1), which keeps full precision where n = 0.
    #[inline(always)]
    fn exp_m1(self) -> Self {
        const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves the nearest whole number in the low bits
        let x = self.at_least(-87.0).at_most(88.0);
        let shifted = x * std::f32::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        let r = (x - n * 0.693_359_4) + n * 2.121_944_4e-4; // ln 2 = 0.693359375 - 2.12194440e-4
        let mut series = r * (1.0 / 5040.0) + 1.0 / 720.0;
        series = series * r + 1.0 / 120.0;
        series = series * r + 1.0 / 24.0;
        series = series * r + 1.0 / 6.0;
        series = series * r + 0.5;
        let power = series * r * r + r;
        let scale = f32::from_bits(shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23);
        scale * power + (scale - 1.0)
    }

    /// ln(1 + u) = 2 artanh(s) with s = u / (2 + u) <= 1/3.
    #[inline(always)]
    fn ln_1p_unit(self) -> Self {
        let s = self / (2.0 + self);
        let square = s * s;
        let mut series = square * (1.0 / 15.0) + 1.0 / 13.0;
        series = series * square + 1.0 / 11.0;
        series = series * square + 1.0 / 9.0;
        series = series * square + 1.0 / 7.0;
        series = series * square + 1.0 / 5.0;
        series = series * square + 1.0 / 3.0;
        2.0 * (series * square * s + s)
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    fn run(product: Product<'_, Self>) {
        product.dispatch();
    }
    #[inline(always)]
    fn to_bfloat16(self) -> Self {
        rounded::widen(rounded::nearest(self))
    }
    fn transpose(from: &[Self], apart: usize, columns: usize, deep: usize, to: &mut [Self], stride: usize) {
        transpose::f32(from, apart, columns, deep, to, stride);
    }
    fn run_rounded(product: Product<'_, Self>) {
        rounded::product(product);
    }
}

#[cfg(test)]
mod tests {
    use super::Real;
    use proptest::prelude::*;

    fn close(fast: f32, exact: f64, relative: f64, absolute: f64) -> Result<(), TestCaseError> {
        let error = (f64::from(fast) - exact).abs();
        prop_assert!(error <= relative * exact.abs() + absolute, "{fast} is not {exact}");
        Ok(())
    }

    proptest! {
        #[test]
        fn functions_in_f32_are_those_of_f64(x in -80.0f32..80.0, small in -1.0f32..1.0) {
            for x in [x, small, small * 1e-3] {
                let wide = f64::from(x);
                close(Real::exp_m1(x), wide.exp_m1(), 4e-7, 1e-38)?;
                close(Real::exp(x), wide.exp(), 4e-7, 1e-7)?;
                close(Real::tanh(x), wide.tanh(), 5e-7, 1e-38)?;
                close(Real::sigmoid(x), 1.0 / (1.0 + (-wide).exp()), 5e-7, 1e-37)?;
                close(Real::softplus(x), wide.max(0.0) + (-wide.abs()).exp().ln_1p(), 5e-7, 1e-7)?;
            }
        }
    }

    #[test]
    fn nan_stays_nan() {
        for f in [Real::exp_m1, Real::exp, Real::tanh, Real::sigmoid, Real::softplus] {
            assert!(f(f32::NAN).is_nan());
        }
    }

    #[test]
    fn infinities_saturate() {
        assert_eq!(Real::tanh(f32::INFINITY), 1.0);
        assert_eq!(Real::tanh(f32::NEG_INFINITY), -1.0);
        assert_eq!(Real::exp_m1(f32::NEG_INFINITY), -1.0);
        assert!(Real::sigmoid(f32::INFINITY) == 1.0);
    }
}
