//! Numbers: tensors, fused operations with their gradients, and the optimiser.
//!
//! First file to read: `tape.rs`. Nothing here knows what an agent is.

pub mod adam;
pub mod initialise;
pub mod kernels;
mod ops;
pub mod parameters;
pub mod plan;
mod pool;
pub mod real;
mod tape;

#[cfg(test)]
#[path = "../tests/vectors/mod.rs"]
mod vectors;

pub use adam::Adam;
pub use kernels::elementwise::Activation;
pub use kernels::matmul::Precision;
pub use kernels::rounded::is_fast as rounded_is_fast;
pub use kernels::vectors::{Vectors, VectorsError};
pub use ops::{GruWeights, Squash, squashed_log_density};
pub use parameters::{Gradients, Parameter, ParameterSet, Parameters};
pub use real::Real;
pub use tape::{Memory, Tape, Var};
