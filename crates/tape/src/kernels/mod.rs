//! The inner loops: functions of sizes and slices, each on one thread.
//!
//! Matrix products are in `matmul` (f32 and f64) and `bf16`; `dispatch.rs` chooses between them by number type. The image
//! patches that turn convolutions into products are in `im2col.rs`; `transposed_convolution.rs`, `same_convolution.rs`,
//! `doubling_convolution.rs` and `pooling.rs` build on them. `simd.rs` chooses the SIMD instruction set for all of
//! them. Not here: gradients of recordings (see `ops`) and threads. A worker runs a whole shard, and no kernel ever
//! starts or waits for another thread.

pub mod bf16;
pub(crate) mod column_sums;
pub(crate) mod dispatch;
pub mod doubling_convolution;
pub mod elementwise;
pub mod im2col;
pub mod matmul;
pub mod peak;
pub mod pooling;
pub mod same_convolution;
pub mod simd;
mod tile_table;
mod transpose;
pub mod transposed_convolution;
