#![allow(unsafe_code)]
//! Tiles of bfloat16 pairs with AVX-512's instructions. Every function here is inlined into `product`, which declares
//! the CPU's features.
//!
//! Bound by: the units that multiply pairs with W = 2; with W = 1 by loads.

use super::{DEPTH, Engine, LANES, Product, WIDE, drive};
use crate::kernels::simd;
use crate::kernels::transpose::transposed;
use std::arch::x86_64::*;
use std::sync::LazyLock;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
pub(super) fn product(product: Product<f32>) {
    drive(Avx512, product);
}

/// Whether the instructions may be used: AVX-512 was chosen, and this CPU also has the instructions for bfloat16.
pub(super) fn is_there() -> bool {
    simd::has_avx512() && is_x86_feature_detected!("avx512bf16")
}

/// Whether this CPU is one of Intel's.
pub(super) fn is_intel() -> bool {
    static INTEL: LazyLock<bool> = LazyLock::new(|| {
        let maker = __cpuid(0);
        [maker.ebx, maker.edx, maker.ecx].map(u32::to_le_bytes).as_flattened() == b"GenuineIntel"
    });
    *INTEL
}

/// The instructions. A value exists only inside `product`.
#[derive(Clone, Copy)]
struct Avx512;

#[inline(always)]
fn mask(count: usize) -> __mmask16 {
    ((1u32 << count) - 1) as __mmask16
}

/// The first numbers of a slice, at most sixteen, and zeros.
#[inline(always)]
fn load(from: &[f32]) -> __m512 {
    // SAFETY: the mask admits no more numbers than the slice has; the CPU has AVX-512 (see `product`).
    unsafe { _mm512_maskz_loadu_ps(mask(from.len().min(LANES)), from.as_ptr()) }
}

impl Engine for Avx512 {
    #[inline(always)]
    fn round(self, from: &[f32], to: &mut [u16]) {
        assert_eq!(from.len(), to.len());
        let (mut from, mut to) = (from, to);
        while from.len() >= 2 * LANES {
            // SAFETY: 32 numbers are left on both sides; the CPU has these instructions (see `product`).
            unsafe {
                let (low, high) = (_mm512_loadu_ps(from.as_ptr()), _mm512_loadu_ps(from[LANES..].as_ptr()));
                let bf16: __m512i = std::mem::transmute(_mm512_cvtne2ps_pbh(high, low));
                _mm512_storeu_si512(to.as_mut_ptr().cast(), bf16);
            }
            from = &from[2 * LANES..];
            to = &mut to[2 * LANES..];
        }
        while !from.is_empty() {
            let count = from.len().min(LANES);
            // SAFETY: the mask admits no more numbers than are left; the CPU has these instructions.
            unsafe {
                let bf16: __m256i = std::mem::transmute(_mm512_cvtneps_pbh(load(from)));
                _mm256_mask_storeu_epi16(to.as_mut_ptr().cast(), mask(count), bf16);
            }
            from = &from[count..];
            to = &mut to[count..];
        }
    }

    #[inline(always)]
    fn interleave(self, even: &[f32], odd: Option<&[f32]>, to: &mut [u16]) {
        let to: &mut [u16; 2 * LANES] = to.try_into().expect("pairs of a vector");
        // SAFETY: the CPU has these instructions (see `product`); `to` is large enough for the vector.
        unsafe {
            let odd = match odd {
                Some(odd) => load(odd),
                None => _mm512_setzero_ps(),
            };
            let both: __m512i = std::mem::transmute(_mm512_cvtne2ps_pbh(odd, load(even)));
            // Number i of the even row goes to 2 i, that of the odd row, 16 further on, to 2 i + 1.
            let order = _mm512_or_si512(
                _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                _mm512_slli_epi32::<16>(_mm512_set_epi32(
                    31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,
                )),
            );
            _mm512_storeu_si512(to.as_mut_ptr().cast(), _mm512_permutexvar_epi16(order, both));
        }
    }

    #[inline(always)]
    fn transpose(self, from: &[f32], apart: usize, columns: usize, deep: usize, to: &mut [u16]) {
        for first in (0..deep).step_by(2 * LANES) {
            let deep = (deep - first).min(2 * LANES);
            // SAFETY: the CPU has these instructions (see `product`).
            let mut rows = [unsafe { _mm512_setzero_si512() }; LANES];
            for (column, row) in rows.iter_mut().enumerate().take(columns) {
                let numbers = &from[column * apart + first..column * apart + first + deep];
                let (low, high) = numbers.split_at(deep.min(LANES));
                // SAFETY: as above.
                *row = unsafe { std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(load(high), load(low))) };
            }
            let pairs = transposed(rows);
            for (pair, vector) in pairs.iter().enumerate().take(deep.div_ceil(2)) {
                let to = &mut to[(first / 2 + pair) * 2 * WIDE..][..2 * LANES];
                // SAFETY: `to` is large enough for the vector; the CPU has AVX-512.
                unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), *vector) };
            }
        }
    }

    #[inline(always)]
    fn tile<const T: usize, const W: usize>(
        self,
        pairs: usize,
        left: &[u16],
        step: (usize, usize),
        right: &[u16],
        out: &mut [f32],
        stride: usize,
        wide: usize,
        accumulate: bool,
    ) {
        assert!(pairs > 0 && pairs <= DEPTH / 2);
        assert!(2 * ((T - 1) * step.0 + (pairs - 1) * step.1) + 2 <= left.len());
        assert!((pairs - 1) * 2 * WIDE + W * 2 * LANES <= right.len());
        assert!((T - 1) * stride + wide <= out.len() && wide <= W * LANES && wide > (W - 1) * LANES);
        let (left, right, out) = (left.as_ptr(), right.as_ptr(), out.as_mut_ptr());
        // SAFETY: the assertions bound every place that is read or written; the CPU has these instructions.
        unsafe {
            let mut sums = [[_mm512_setzero_ps(); W]; T];
            for pair in 0..pairs {
                let mut b = [_mm512_setzero_si512(); W];
                for (w, b) in b.iter_mut().enumerate() {
                    *b = _mm512_loadu_si512(right.add((pair * WIDE + w * LANES) * 2).cast());
                }
                for i in 0..T {
                    let a = left.add(2 * (i * step.0 + pair * step.1)).cast::<i32>().read_unaligned();
                    let a: __m512bh = std::mem::transmute(_mm512_set1_epi32(a));
                    for w in 0..W {
                        sums[i][w] = _mm512_dpbf16_ps(sums[i][w], a, std::mem::transmute::<__m512i, __m512bh>(b[w]));
                    }
                }
            }
            for i in 0..T {
                for w in 0..W {
                    let to = out.add(i * stride + w * LANES);
                    let mask = mask((wide - w * LANES).min(LANES));
                    let mut sum = sums[i][w];
                    if accumulate {
                        sum = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, to), sum);
                    }
                    _mm512_mask_storeu_ps(to, mask, sum);
                }
            }
        }
    }
}
