//! The state of matrix products between calls: their precision, and buffers, so that a product allocates nothing.

use super::packing::Run;
use crate::number::Number;

/// The precision that products of f32 are computed in. Products of f64 are always computed in f64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// f32.
    #[default]
    Full,
    /// On a device, both operands are rounded to tf32 (11 bits of f32's 24), and sums are f32. The CPU, which has no
    /// such instructions, computes in f32.
    Tf32,
    /// Both operands are rounded to bfloat16, and sums are f32. Products too small to gain from this stay in f32.
    Bf16,
}

/// How products are computed, and buffers for packed operands.
#[derive(Debug, Default)]
pub struct Panels<F> {
    /// The precision to compute in.
    pub precision: Precision,
    /// Panels of the right operand.
    pub(super) right: Vec<F>,
    /// Strips of the left operand's columns, or its rows rounded to bfloat16.
    pub(super) left: Vec<F>,
    /// Where the rows of the left operand start.
    pub(super) starts: Vec<usize>,
    /// The strips that the left operand's columns are packed into.
    pub(super) runs: Vec<Run>,
    #[cfg_attr(not(any(test, target_arch = "x86_64")), allow(dead_code, reason = "instructions of x86-64"))]
    pub(in crate::kernels) bf16: Scratch,
}

impl<F: Number> Panels<F> {
    /// Empty buffers, for products that are computed in `precision`.
    pub fn new(precision: Precision) -> Self {
        Self { precision, ..Self::default() }
    }
}

/// Buffers for operands that are packed as pairs of bfloat16.
#[derive(Debug, Default)]
#[cfg_attr(not(any(test, target_arch = "x86_64")), allow(dead_code, reason = "instructions of x86-64"))]
pub(in crate::kernels) struct Scratch {
    pub left: Vec<u16>,
    pub right: Vec<u16>,
    pub starts: Vec<usize>,
}
