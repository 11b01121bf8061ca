//! A core's peak: a loop of nothing but multiply-adds, with which every other speed is compared.
//!
//! Bound by: the multiply-add units, by design.

use super::matmul::lanes::Lanes;
use super::simd;
use pulp::{Simd, WithSimd};

/// Independent sums: more than the units' latency times their number.
const CHAINS: usize = 12;

struct MultiplyAdds {
    rounds: usize,
}

impl WithSimd for MultiplyAdds {
    type Output = (f64, f32);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> (f64, f32) {
        let (a, b) = (simd.splat_f32s(std::hint::black_box(0.5)), simd.splat_f32s(std::hint::black_box(1.0)));
        let mut sums = [a; CHAINS];
        for _ in 0..self.rounds {
            for sum in &mut sums {
                *sum = <f32 as Lanes>::mul_add(simd, a, *sum, b);
            }
        }
        let sum = sums.into_iter().fold(a, |x, y| simd.add_f32s(x, y));
        ((2 * CHAINS * S::F32_LANES * self.rounds) as f64, simd.reduce_sum_f32s(sum))
    }
}

/// Runs multiply-adds in f32 from registers. Returns the number of floating-point operations (two for each), and a result
/// that depends on them all.
pub fn multiply_adds(rounds: usize) -> (f64, f32) {
    simd::dispatch(MultiplyAdds { rounds })
}
