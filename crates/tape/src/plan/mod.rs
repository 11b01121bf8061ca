//! Plans: a recording as launches of kernels on a device.
//!
//! A recording that computes nothing ([`Tape::trace`](crate::Tape::trace)) is turned into a list of launches over places in one
//! piece of memory: forwards ([`Planner::forward`]) and backwards ([`Planner::backward`]). No launch depends on data, so that
//! a device can run the same list again and again.
//!
//! `forward`, `backward`, `layer_gradients`, `block_dense`, `resizing`, `repeated` and `scalar` turn operations into
//! launches, with the products and sums of `products`, whose kernels `tile` chooses, and the copies of `piece`; `traced`
//! and `gradients` hold the places of values and gradients, and `layout` reserves the memory. Not here: the kernels and
//! the devices that run them, which are in other crates, and the recording itself. A new operation needs launches in
//! `forward` and `backward`, and its kernels.

mod backward;
mod block_dense;
mod forward;
mod gradients;
pub mod kernels;
mod launch;
mod layer_gradients;
mod layout;
mod machine;
mod piece;
mod products;
mod repeated;
mod resizing;
mod scalar;
mod tile;
mod traced;

pub use gradients::ParameterGradients;
pub use launch::{Argument, Launch, MOST, Place, THREADS};
pub use layout::{Plan, Planner};
pub use machine::{Data, Device, Machine, MachineError, Piece};
pub use products::Total;
pub use traced::Traced;
