//! A number type's vectors on one instruction set, so that a kernel is written once for both precisions.

use super::product::Product;
use super::tiles::{self, Columns, Rows, Scattered};
use super::vectors;
use crate::real::Real;
use pulp::{Simd, WithSimd};

/// Vectors of a number type.
pub(super) trait Lanes<S: Simd>: Real {
    /// One vector.
    type Vector: Copy;
    /// Numbers in a vector.
    const LANES: usize;
    fn splat(simd: S, x: Self) -> Self::Vector;
    /// a b + c, rounded once where that is one instruction, else twice.
    fn mul_add(simd: S, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    fn plus(simd: S, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// A slice shorter than a vector, and zeros.
    fn load_part(simd: S, from: &[Self]) -> Self::Vector;
    /// As many numbers of a vector as the slice is long.
    fn store_part(simd: S, to: &mut [Self], a: Self::Vector);
    /// The sum of a vector's numbers.
    fn total(simd: S, a: Self::Vector) -> Self;
    /// [`tiles::rows`] as a function for these vectors.
    fn rows<const T: usize, const W: usize>(simd: S, tile: Rows<Self>);
    /// [`tiles::columns`] as a function for these vectors.
    fn columns<const T: usize, const W: usize>(simd: S, tile: Columns<Self>);
    /// [`tiles::scattered`] as a function for these vectors.
    fn scattered<const T: usize, const W: usize>(simd: S, tile: Scattered<Self>);
    /// The vectors of a slice, and what is left over.
    fn vectors(slice: &[Self]) -> (&[Self::Vector], &[Self]);
    fn vectors_mut(slice: &mut [Self]) -> (&mut [Self::Vector], &mut [Self]);
}

/// A tile of T rows by W vectors.
struct Tile<K, const T: usize, const W: usize>(K);

macro_rules! lanes {
    ($real:ty, $vector:ident, $lanes:ident, $splat:ident, $mul_add:ident, $mul:ident, $add:ident, $sum:ident, $as:ident, $as_mut:ident, $load:ident,
     $store:ident) => {
        impl<S: Simd> Lanes<S> for $real {
            type Vector = S::$vector;
            const LANES: usize = S::$lanes;
            #[inline(always)]
            fn splat(simd: S, x: Self) -> Self::Vector {
                simd.$splat(x)
            }
            #[inline(always)]
            /// a b + c, rounded once where that is one instruction, else twice.
            fn mul_add(simd: S, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
                if vectors::is_fused::<S>() { simd.$mul_add(a, b, c) } else { simd.$add(simd.$mul(a, b), c) }
            }
            #[inline(always)]
            fn plus(simd: S, a: Self::Vector, b: Self::Vector) -> Self::Vector {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn load_part(simd: S, from: &[Self]) -> Self::Vector {
                simd.$load(from)
            }
            #[inline(always)]
            fn store_part(simd: S, to: &mut [Self], a: Self::Vector) {
                simd.$store(to, a);
            }
            #[inline(always)]
            fn total(simd: S, a: Self::Vector) -> Self {
                simd.$sum(a)
            }
            #[inline(never)]
            fn rows<const T: usize, const W: usize>(simd: S, tile: Rows<Self>) {
                simd.vectorize(Tile::<_, T, W>(tile));
            }
            #[inline(never)]
            fn columns<const T: usize, const W: usize>(simd: S, tile: Columns<Self>) {
                simd.vectorize(Tile::<_, T, W>(tile));
            }
            #[inline(never)]
            fn scattered<const T: usize, const W: usize>(simd: S, tile: Scattered<Self>) {
                simd.vectorize(Tile::<_, T, W>(tile));
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

        impl<const T: usize, const W: usize> WithSimd for Tile<Rows<'_, $real>, T, W> {
            type Output = ();
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                tiles::rows::<S, $real, T, W>(simd, self.0);
            }
        }

        impl<const T: usize, const W: usize> WithSimd for Tile<Columns<'_, $real>, T, W> {
            type Output = ();
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                tiles::columns::<S, $real, T, W>(simd, self.0);
            }
        }

        impl<const T: usize, const W: usize> WithSimd for Tile<Scattered<'_, $real>, T, W> {
            type Output = ();
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                tiles::scattered::<S, $real, T, W>(simd, self.0);
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
                vectors::dispatch(self);
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
    partial_store_f32s
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
    partial_store_f64s
);
