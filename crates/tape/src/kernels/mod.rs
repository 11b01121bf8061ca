//! The inner loops: functions of sizes and slices, each on one thread.
//!
//! Matrix products are in `matmul` (f32 and f64) and `bf16`; `dispatch.rs` chooses between them by number type. The image
//! patches that turn convolutions into products are in `im2col.rs` and `transposed_convolution.rs`. `simd.rs` chooses the
//! SIMD instruction set for all of them. Not here: gradients (see `ops`) and threads. A worker runs a whole shard, and no
//! kernel ever starts or waits for another thread.

pub mod bf16;
pub(crate) mod column_sums;
pub(crate) mod dispatch;
pub mod elementwise;
pub mod im2col;
pub mod matmul;
pub mod peak;
pub mod simd;
mod tile_table;
mod transpose;
pub mod transposed_convolution;
