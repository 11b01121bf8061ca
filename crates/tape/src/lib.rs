//! Tensors, fused operations with their gradients, and the optimiser.
//!
//! Start with `tape.rs`: a [`Tape`] records operations (`ops`) on [`Parameters`] and computes their gradients in
//! reverse order. The inner loops are in [`kernels`]; [`plan`] turns a recording into launches for a device. This crate
//! does not depend on agents.

mod adam;
mod bfloat16;
pub mod initialise;
pub mod kernels;
mod laprop;
mod number;
mod ops;
mod optimiser;
pub mod parameters;
pub mod plan;
mod pool;
mod tape;

#[cfg(test)]
#[path = "../tests/simd/mod.rs"]
mod simd;

pub use kernels::bf16::is_fast as bf16_is_fast;
pub use kernels::dispatch::Real;
pub use kernels::doubling_convolution::Doubling;
pub use kernels::elementwise::Activation;
pub use kernels::matmul::Precision;
pub use kernels::simd::{SimdError, SimdInstructionSet};
pub use number::Number;
pub use ops::{
    Classes, GruWeights, Halving, Harmony, IdentityDistance, Replayed, Squash, bounded_mean_and_std,
    class_probabilities, follow, follow_percentiles, percentiles, range_divisor, sampled_class, squashed_log_density,
    two_hot_bins, within_bounds,
};
pub use optimiser::{Optimiser, Rule};
pub use parameters::{Gradients, Parameter, ParameterSet, Parameters};
pub use tape::{Tape, Var, Workspace};
