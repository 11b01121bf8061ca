//! A number type's SIMD vectors, so that a kernel is written once for both types and all instruction sets.

use crate::kernels::{simd as instructions, transpose};
use crate::number::Number;
use pulp::Simd;

/// A number type that has SIMD vectors.
pub trait Lanes: Number {
    /// One vector of an instruction set.
    type Vector<S: Simd>: Copy;
    /// How many numbers a vector holds.
    fn lanes<S: Simd>() -> usize;
    /// A vector whose numbers are all `x`.
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;
    /// a b + c, rounded once where that is one instruction, else twice.
    fn mul_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
    /// a + b.
    fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// A slice shorter than a vector, filled up with zeros.
    fn load_part<S: Simd>(simd: S, from: &[Self]) -> Self::Vector<S>;
    /// Stores as many numbers of a vector as the slice is long.
    fn store_part<S: Simd>(simd: S, to: &mut [Self], a: Self::Vector<S>);
    /// The sum of a vector's numbers.
    fn total<S: Simd>(simd: S, a: Self::Vector<S>) -> Self;
    /// The whole vectors of a slice, and the numbers that are left over.
    fn vectors<S: Simd>(slice: &[Self]) -> (&[Self::Vector<S>], &[Self]);
    /// The whole vectors of a slice, and the numbers that are left over, to be changed.
    fn vectors_mut<S: Simd>(slice: &mut [Self]) -> (&mut [Self::Vector<S>], &mut [Self]);
    /// Writes a transpose: `to[d * stride + c] = from[c * apart + d]` for `deep` numbers of each of `columns` columns.
    fn transpose(from: &[Self], apart: usize, columns: usize, deep: usize, to: &mut [Self], stride: usize);
}

macro_rules! lanes {
    ($real:ty, $vector:ident, $lanes:ident, $splat:ident, $mul_add:ident, $mul:ident, $add:ident, $sum:ident, $as:ident,
     $as_mut:ident, $load:ident, $store:ident, $transpose:path) => {
        impl Lanes for $real {
            type Vector<S: Simd> = S::$vector;
            #[inline(always)]
            fn lanes<S: Simd>() -> usize {
                S::$lanes
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S> {
                simd.$splat(x)
            }
            #[inline(always)]
            fn mul_add<S: Simd>(
                simd: S,
                a: Self::Vector<S>,
                b: Self::Vector<S>,
                c: Self::Vector<S>,
            ) -> Self::Vector<S> {
                if instructions::is_fused::<S>() { simd.$mul_add(a, b, c) } else { simd.$add(simd.$mul(a, b), c) }
            }
            #[inline(always)]
            fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn load_part<S: Simd>(simd: S, from: &[Self]) -> Self::Vector<S> {
                simd.$load(from)
            }
            #[inline(always)]
            fn store_part<S: Simd>(simd: S, to: &mut [Self], a: Self::Vector<S>) {
                simd.$store(to, a);
            }
            #[inline(always)]
            fn total<S: Simd>(simd: S, a: Self::Vector<S>) -> Self {
                simd.$sum(a)
            }
            #[inline(always)]
            fn vectors<S: Simd>(slice: &[Self]) -> (&[Self::Vector<S>], &[Self]) {
                S::$as(slice)
            }
            #[inline(always)]
            fn vectors_mut<S: Simd>(slice: &mut [Self]) -> (&mut [Self::Vector<S>], &mut [Self]) {
                S::$as_mut(slice)
            }
            fn transpose(from: &[Self], apart: usize, columns: usize, deep: usize, to: &mut [Self], stride: usize) {
                $transpose(from, apart, columns, deep, to, stride);
            }
        }
    };
}

lanes!(
    f32,
    f32s,
    F32_LANES,
    splat_f32s,
    mul_add_f32s,
    mul_f32s,
    add_f32s,
    reduce_sum_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    partial_load_f32s,
    partial_store_f32s,
    transpose::f32
);
lanes!(
    f64,
    f64s,
    F64_LANES,
    splat_f64s,
    mul_add_f64s,
    mul_f64s,
    add_f64s,
    reduce_sum_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    partial_load_f64s,
    partial_store_f64s,
    transpose::plain
);
