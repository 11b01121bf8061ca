//! A number type's vectors on one instruction set, so that a kernel is written once for both precisions.

use super::matmul::Product;
use crate::real::Real;
use pulp::{Arch, Simd, WithSimd};

/// Vectors of a number type.
pub(super) trait Lanes<S: Simd>: Real {
    /// One vector.
    type Vector: Copy;
    /// Numbers in a vector.
    const LANES: usize;
    fn splat(simd: S, x: Self) -> Self::Vector;
    fn mul_add(simd: S, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    fn plus(simd: S, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The sum of a vector's numbers.
    fn total(simd: S, a: Self::Vector) -> Self;
    /// The vectors of a slice, and what is left over.
    fn vectors(slice: &[Self]) -> (&[Self::Vector], &[Self]);
    fn vectors_mut(slice: &mut [Self]) -> (&mut [Self::Vector], &mut [Self]);
}

macro_rules! lanes {
    ($real:ty, $vector:ident, $lanes:ident, $splat:ident, $mul_add:ident, $add:ident, $sum:ident, $as:ident, $as_mut:ident) => {
        impl<S: Simd> Lanes<S> for $real {
            type Vector = S::$vector;
            const LANES: usize = S::$lanes;
            #[inline(always)]
            fn splat(simd: S, x: Self) -> Self::Vector {
                simd.$splat(x)
            }
            #[inline(always)]
            fn mul_add(simd: S, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
                simd.$mul_add(a, b, c)
            }
            #[inline(always)]
            fn plus(simd: S, a: Self::Vector, b: Self::Vector) -> Self::Vector {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn total(simd: S, a: Self::Vector) -> Self {
                simd.$sum(a)
            }
            #[inline(always)]
            fn vectors(slice: &[Self]) -> (&[Self::Vector], &[Self]) {
                S::$as(slice)
            }
            #[inline(always)]
            fn vectors_mut(slice: &mut [Self]) -> (&mut [Self::Vector], &mut [Self]) {
                S::$as_mut(slice)
            }
        }

        impl WithSimd for Product<'_, $real> {
            type Output = ();
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                self.compute(simd);
            }
        }

        impl Product<'_, $real> {
            pub(crate) fn dispatch(self) {
                Arch::new().dispatch(self);
            }
        }
    };
}

lanes!(f32, f32s, F32_LANES, splat_f32s, mul_add_f32s, add_f32s, reduce_sum_f32s, as_simd_f32s, as_mut_simd_f32s);
lanes!(f64, f64s, F64_LANES, splat_f64s, mul_add_f64s, add_f64s, reduce_sum_f64s, as_simd_f64s, as_mut_simd_f64s);
