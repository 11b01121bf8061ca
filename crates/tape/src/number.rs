//! [`Number`], the arithmetic that the tape computes with: `f32` for training, `f64` for checking the mathematics.
//!
//! The transcendental functions of `f32` are polynomials without branches, so that the compiler vectorises loops over
//! them; those of `f64` are the standard library's. Not here: loops over numbers (`kernels`), and which kernels run for
//! which number (`kernels/dispatch.rs`).

use crate::bfloat16;
use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A floating-point number: `f32` or `f64`.
pub trait Number:
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
    /// The nearest bfloat16 (ties to even), as an f32. An f64 stays as it is: products of f64 are never rounded.
    #[inline(always)]
    fn to_bfloat16(self) -> Self {
        self
    }

    /// e^x.
    #[inline(always)]
    fn exp(self) -> Self {
        self.exp_m1() + Self::ONE
    }

    /// e^x, exact in relation to its size: for numbers that are tiny and count nevertheless, where [`Number::exp`] is exact in
    /// relation to 1.
    fn exp_relative(self) -> Self;

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

impl Number for f64 {
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
    fn exp_relative(self) -> Self {
        self.exp()
    }
    #[inline(always)]
    fn ln_1p_unit(self) -> Self {
        self.ln_1p()
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
}

impl Number for f32 {
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

    /// 2^n (e^r - 1) + (2^n - 1), which keeps full precision where n = 0.
    #[inline(always)]
    fn exp_m1(self) -> Self {
        let (scale, power) = scale_and_power(self);
        scale * power + (scale - 1.0)
    }
    #[inline(always)]
    fn exp_relative(self) -> Self {
        let (scale, power) = scale_and_power(self);
        scale * power + scale
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
    #[inline(always)]
    fn to_bfloat16(self) -> Self {
        bfloat16::widen(bfloat16::nearest(self))
    }
}

/// 2^n and e^r - 1 of x = n ln 2 + r with |r| <= ln 2 / 2: the Taylor series to the seventh power.
#[inline(always)]
fn scale_and_power(x: f32) -> (f32, f32) {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves the nearest whole number in the low bits
    let x = x.at_least(-87.0).at_most(88.0);
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
    (scale, power)
}

#[cfg(test)]
mod tests {
    use super::Number;
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
                close(Number::exp_m1(x), wide.exp_m1(), 4e-7, 1e-38)?;
                close(Number::exp(x), wide.exp(), 4e-7, 1e-7)?;
                close(Number::exp_relative(x), wide.exp(), 4e-7, 1e-38)?;
                close(Number::tanh(x), wide.tanh(), 5e-7, 1e-38)?;
                close(Number::sigmoid(x), 1.0 / (1.0 + (-wide).exp()), 5e-7, 1e-37)?;
                close(Number::softplus(x), wide.max(0.0) + (-wide.abs()).exp().ln_1p(), 5e-7, 1e-7)?;
            }
        }
    }

    #[test]
    fn nan_stays_nan() {
        for f in [Number::exp_m1, Number::exp, Number::exp_relative, Number::tanh, Number::sigmoid, Number::softplus] {
            assert!(f(f32::NAN).is_nan());
        }
    }

    #[test]
    fn infinities_saturate() {
        assert_eq!(Number::tanh(f32::INFINITY), 1.0);
        assert_eq!(Number::tanh(f32::NEG_INFINITY), -1.0);
        assert_eq!(Number::exp_m1(f32::NEG_INFINITY), -1.0);
        assert!(Number::sigmoid(f32::INFINITY) == 1.0);
    }
}
