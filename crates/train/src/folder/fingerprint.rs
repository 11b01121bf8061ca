//! A fingerprint of the arithmetic that a run is computed with.
//!
//! Simulator, renderer, random numbers and optimisers call the platform's mathematical functions (libm), whose last bits differ
//! between versions of that library, and between CPUs with and without fused multiply-adds within one version. Here: a hash of
//! their results on a fixed spread of arguments. Not here: the SIMD instruction set of the kernels, which is recorded by name.

use sha2::{Digest, Sha256};
use std::hint::black_box;
use tape::Number;

/// Arguments of each function: enough to meet some whose result is rounded differently. (With 2048 numbers of few digits, glibc
/// 2.36 without FMA differs in four functions only.)
const ARGUMENTS: u32 = 8192;

/// Digits of the fingerprint.
const DIGITS: usize = 16;

/// The fingerprint of the arithmetic of this process: 16 hexadecimal digits.
pub(crate) fn fingerprint() -> String {
    let mut hasher = Sha256::new();
    for index in 0..ARGUMENTS {
        // `black_box`: a compiler that knows an argument would use its own arithmetic, at build time.
        let unit = black_box(argument(index));
        let wide = black_box(40.0 * unit - 20.0);
        for result in f64_results(unit, wide) {
            hasher.update(result.to_le_bytes());
        }
        for result in f32_results(black_box(unit as f32), black_box(wide as f32)) {
            hasher.update(result.to_le_bytes());
        }
    }
    let digest = hasher.finalize();
    digest.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// A number in (0, 1) with all its digits: multiples of the golden ratio, which are spread evenly.
fn argument(index: u32) -> f64 {
    ((f64::from(index) + 1.0) * 0.618_033_988_749_894_9).fract()
}

/// The functions of libm in double precision that Rust's standard library and Bullet's C++ call, with arguments in (0,
/// 1) and (-20, 20).
fn f64_results(unit: f64, wide: f64) -> [f64; 19] {
    let (sine, cosine) = wide.sin_cos();
    [
        wide.sin(),
        wide.cos(),
        sine,
        cosine,
        wide.tan(),
        unit.asin(),
        unit.acos(),
        wide.atan2(unit),
        wide.tanh(),
        wide.exp(),
        wide.exp_m1(),
        unit.ln(),
        unit.ln_1p(),
        unit.powf(wide),
        unit.sqrt(),
        wide.hypot(unit),
        wide % unit,
        sum_of_products(unit, wide, |sum, a, b| sum + a * b),
        sum_of_products(unit, wide, |sum, a, b| a.mul_add(b, sum)),
    ]
}

/// The same in single precision, and the functions of `tape` that stand for some of them in kernels.
fn f32_results(unit: f32, wide: f32) -> [f32; 20] {
    [
        wide.sin(),
        wide.cos(),
        wide.tan(),
        unit.acos(),
        wide.atan2(unit),
        f32::tanh(wide),
        f32::exp(wide),
        f32::exp_m1(wide),
        f32::ln(unit),
        unit.powf(wide),
        f32::sqrt(unit),
        wide.hypot(unit),
        wide % unit,
        Number::tanh(wide),
        Number::exp(wide),
        Number::exp_m1(wide),
        unit.ln_1p_unit(),
        wide.softplus(),
        sum_of_products(unit, wide, |sum, a, b| sum + a * b),
        sum_of_products(unit, wide, |sum, a, b| a.mul_add(b, sum)),
    ]
}

/// A sum of a few products, as `add` adds one: a compiler that fuses them, or a CPU that does not, gives another.
fn sum_of_products<F: Number>(unit: F, wide: F, add: impl Fn(F, F, F) -> F) -> F {
    (1..8).fold(F::ZERO, |sum, step| add(sum, wide - F::of(f64::from(step)), unit + F::of(0.1 * f64::from(step))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_has_one_fingerprint() {
        let found = fingerprint();
        assert_eq!(found.len(), DIGITS);
        assert!(found.bytes().all(|byte| byte.is_ascii_hexdigit()), "{found}");
        assert!((0..3).all(|_| fingerprint() == found));
        assert_eq!(std::thread::spawn(fingerprint).join().unwrap(), found);
    }

    #[test]
    fn fused_and_unfused_sums_differ_somewhere() {
        let differs = |index: u32| {
            let unit = argument(index);
            let wide = 40.0 * unit - 20.0;
            sum_of_products(unit, wide, |sum, a, b| sum + a * b)
                != sum_of_products(unit, wide, |sum, a, b| a.mul_add(b, sum))
        };
        assert!((0..ARGUMENTS).any(differs));
    }
}
