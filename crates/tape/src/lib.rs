//! Numbers: tensors, fused operations with their gradients, the optimiser, random streams.
//!
//! Nothing here knows what an agent is.

pub mod random;
