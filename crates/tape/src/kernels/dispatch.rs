//! [`Real`]: which kernels run for which number type.
//!
//! The products of both types are compiled here, once, and not again in every crate that records operations. Not here:
//! arithmetic (`number.rs`), and which SIMD instruction set a kernel runs with (`simd.rs`).

use super::bf16;
use super::matmul::blocking::Product;
use crate::number::Number;

/// A number type that the tape has kernels for: `f32` or `f64`.
pub trait Real: Number {
    /// Computes a matrix product.
    #[doc(hidden)]
    fn run(product: Product<'_, Self>);

    /// Computes a matrix product of operands that are rounded to bfloat16. f64 does not support such products.
    #[doc(hidden)]
    fn run_bf16(product: Product<'_, Self>) {
        Self::run(product);
    }
}

impl Real for f64 {
    fn run(product: Product<'_, Self>) {
        product.dispatch();
    }
}

impl Real for f32 {
    fn run(product: Product<'_, Self>) {
        product.dispatch();
    }

    fn run_bf16(product: Product<'_, Self>) {
        bf16::product(product);
    }
}
