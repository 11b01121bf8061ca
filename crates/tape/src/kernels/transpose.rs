#![allow(unsafe_code)]
//! Transposes: the columns of a matrix as rows, for a product's right operand. Squares as wide as a SIMD vector are transposed
//! in registers: 16 x 16 numbers at a time with AVX-512, and 8 x 8 with AVX2.
//!
//! Bound by: memory.

#[cfg(target_arch = "x86_64")]
use super::simd;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// `to[d * stride + c] = from[c * apart + d]` for c < `columns`, d < `deep`.
pub(crate) fn plain<F: Copy>(from: &[F], apart: usize, columns: usize, deep: usize, to: &mut [F], stride: usize) {
    if deep == 0 {
        return;
    }
    for c in 0..columns {
        let column = &from[c * apart..c * apart + deep];
        for (to, &x) in to[c..].iter_mut().step_by(stride).zip(column) {
            *to = x;
        }
    }
}

/// The same for f32.
pub(crate) fn f32(from: &[f32], apart: usize, columns: usize, deep: usize, to: &mut [f32], stride: usize) {
    match simd::SimdInstructionSet::current() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the CPU has AVX-512, or it could not have been chosen.
        simd::SimdInstructionSet::Avx512 => unsafe { squares_of_16(from, apart, columns, deep, to, stride) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the CPU has AVX2, or it could not have been chosen.
        simd::SimdInstructionSet::Avx2 => unsafe { squares_of_8(from, apart, columns, deep, to, stride) },
        _ => plain(from, apart, columns, deep, to, stride),
    }
}

/// # Panics
/// If a number to read or to write lies outside its slice: a bug in the calling product.
#[cfg(target_arch = "x86_64")]
fn check(from: &[f32], apart: usize, columns: usize, deep: usize, to: &[f32], stride: usize) {
    assert!((columns - 1) * apart + deep <= from.len(), "the columns to transpose");
    assert!((deep - 1) * stride + columns <= to.len() && columns <= stride, "a buffer for the transpose");
}

/// Masked loads and stores take many cycles on CPUs without AVX-512, so numbers outside whole squares are copied one by one.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn squares_of_8(from: &[f32], apart: usize, columns: usize, deep: usize, to: &mut [f32], stride: usize) {
    const SIDE: usize = 8;
    if columns == 0 || deep == 0 {
        return;
    }
    check(from, apart, columns, deep, to, stride);
    let (whole_columns, whole_deep) = (columns / SIDE * SIDE, deep / SIDE * SIDE);
    for c in (0..whole_columns).step_by(SIDE) {
        for d in (0..whole_deep).step_by(SIDE) {
            let rows = std::array::from_fn(|i| {
                // SAFETY: the assertions bound every place that is read.
                unsafe { _mm256_loadu_ps(from.as_ptr().add((c + i) * apart + d)) }
            });
            for (i, row) in transposed_8(rows).into_iter().enumerate() {
                // SAFETY: the assertions bound every place that is written.
                unsafe { _mm256_storeu_ps(to.as_mut_ptr().add((d + i) * stride + c), row) };
            }
        }
    }
    if whole_deep < deep {
        plain(&from[whole_deep..], apart, whole_columns, deep - whole_deep, &mut to[whole_deep * stride..], stride);
    }
    if whole_columns < columns {
        plain(&from[whole_columns * apart..], apart, columns - whole_columns, deep, &mut to[whole_columns..], stride);
    }
}

/// An 8 x 8 matrix with rows and columns exchanged.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn transposed_8(r: [__m256; 8]) -> [__m256; 8] {
    // a[2i], a[2i + 1]: the lower and the upper two columns of each half, of rows 2i and 2i + 1.
    let mut a = r;
    for i in 0..4 {
        a[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
        a[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
    }
    // b[4q + c]: column c of each half, of rows 4q..4q + 4.
    let mut b = a;
    for q in 0..2 {
        b[4 * q] = _mm256_shuffle_ps::<0x44>(a[4 * q], a[4 * q + 2]);
        b[4 * q + 1] = _mm256_shuffle_ps::<0xee>(a[4 * q], a[4 * q + 2]);
        b[4 * q + 2] = _mm256_shuffle_ps::<0x44>(a[4 * q + 1], a[4 * q + 3]);
        b[4 * q + 3] = _mm256_shuffle_ps::<0xee>(a[4 * q + 1], a[4 * q + 3]);
    }
    let mut out = r;
    for c in 0..4 {
        out[c] = _mm256_permute2f128_ps::<0x20>(b[c], b[4 + c]);
        out[4 + c] = _mm256_permute2f128_ps::<0x31>(b[c], b[4 + c]);
    }
    out
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn squares_of_16(from: &[f32], apart: usize, columns: usize, deep: usize, to: &mut [f32], stride: usize) {
    const SIDE: usize = 16;
    if columns == 0 || deep == 0 {
        return;
    }
    check(from, apart, columns, deep, to, stride);
    let mask = |count: usize| ((1u32 << count.min(SIDE)) - 1) as __mmask16;
    for c in (0..columns).step_by(SIDE) {
        let across = SIDE.min(columns - c);
        for d in (0..deep).step_by(SIDE) {
            let down = SIDE.min(deep - d);
            let mut rows = [_mm512_setzero_si512(); SIDE];
            for (i, row) in rows.iter_mut().enumerate().take(across) {
                // SAFETY: the assertions bound every place that is read.
                *row = unsafe { _mm512_maskz_loadu_epi32(mask(down), from.as_ptr().add((c + i) * apart + d).cast()) };
            }
            for (i, row) in transposed(rows).iter().enumerate().take(down) {
                // SAFETY: the assertions bound every place that is written.
                unsafe {
                    _mm512_mask_storeu_epi32(to.as_mut_ptr().add((d + i) * stride + c).cast(), mask(across), *row)
                };
            }
        }
    }
}

/// A 16 x 16 matrix of 32-bit numbers with rows and columns exchanged.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn transposed(r: [__m512i; 16]) -> [__m512i; 16] {
    // SAFETY: the caller's CPU has AVX-512: only functions that are compiled for it call this one.
    unsafe {
        let mut a = r;
        for i in 0..8 {
            a[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
            a[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
        }
        // a[4q], a[4q+1]: columns 0-1 and 2-3 (of each quarter) of rows 4q, 4q+1; a[4q+2], a[4q+3]: of rows 4q+2, 4q+3.
        let mut b = a;
        for q in 0..4 {
            b[4 * q] = _mm512_unpacklo_epi64(a[4 * q], a[4 * q + 2]);
            b[4 * q + 1] = _mm512_unpackhi_epi64(a[4 * q], a[4 * q + 2]);
            b[4 * q + 2] = _mm512_unpacklo_epi64(a[4 * q + 1], a[4 * q + 3]);
            b[4 * q + 3] = _mm512_unpackhi_epi64(a[4 * q + 1], a[4 * q + 3]);
        }
        // b[4q + c]: column c of every quarter, of rows 4q..4q+4. Quarters are exchanged with row groups.
        let mut out = r;
        for c in 0..4 {
            let even = _mm512_shuffle_i32x4::<0x88>(b[c], b[4 + c]);
            let odd = _mm512_shuffle_i32x4::<0xdd>(b[c], b[4 + c]);
            let even_high = _mm512_shuffle_i32x4::<0x88>(b[8 + c], b[12 + c]);
            let odd_high = _mm512_shuffle_i32x4::<0xdd>(b[8 + c], b[12 + c]);
            out[c] = _mm512_shuffle_i32x4::<0x88>(even, even_high);
            out[8 + c] = _mm512_shuffle_i32x4::<0xdd>(even, even_high);
            out[4 + c] = _mm512_shuffle_i32x4::<0x88>(odd, odd_high);
            out[12 + c] = _mm512_shuffle_i32x4::<0xdd>(odd, odd_high);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_plain_transpose(columns in 0usize..40, deep in 0usize..50, apart in 0usize..9, beyond in 0usize..9) {
            let (apart, stride) = (deep + apart, columns + beyond);
            let from: Vec<f32> = (0..columns * apart).map(|i| if i % 7 == 3 { f32::NAN } else { i as f32 }).collect();
            let mut expected = vec![-1.0; deep * stride];
            let mut ours = expected.clone();
            plain(&from, apart, columns, deep, &mut expected, stride);
            f32(&from, apart, columns, deep, &mut ours, stride);
            let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&ours), bits(&expected));
        }
    }
}
