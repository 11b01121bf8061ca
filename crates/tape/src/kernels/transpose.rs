#![allow(unsafe_code)]
//! Transposes: the columns of a matrix as rows, for a product's right operand. With AVX-512, 16 x 16 numbers at a time are
//! transposed in registers.
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
    #[cfg(target_arch = "x86_64")]
    if simd::has_avx512() {
        // SAFETY: the CPU has AVX-512, or it could not have been chosen.
        unsafe { blocks(from, apart, columns, deep, to, stride) };
        return;
    }
    plain(from, apart, columns, deep, to, stride);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn blocks(from: &[f32], apart: usize, columns: usize, deep: usize, to: &mut [f32], stride: usize) {
    const SIDE: usize = 16;
    if columns == 0 || deep == 0 {
        return;
    }
    assert!((columns - 1) * apart + deep <= from.len(), "the columns to transpose");
    assert!((deep - 1) * stride + columns <= to.len() && columns <= stride, "a buffer for the transpose");
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
