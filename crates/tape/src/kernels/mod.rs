//! The inner loops: functions of sizes and slices, one thread each.
//!
//! Here: matrix products, image patches, elementwise loops, and which vectors they run with (`vectors.rs`). Not here: gradients (see `ops`), threads (a worker
//! runs a whole shard; no kernel ever starts or waits for another thread).

pub(crate) mod columns;
pub mod deconvolve;
pub mod elementwise;
mod lanes;
mod left;
pub mod matmul;
mod packing;
pub mod patches;
pub mod peak;
pub(crate) mod product;
pub mod rounded;
mod tiles;
pub(crate) mod transpose;
pub mod vectors;
