//! Plans: a recording as launches of kernels on a device.
//!
//! A recording that computes nothing ([`Tape::trace`](crate::Tape::trace)) is turned into a list of launches over places in one
//! piece of memory: forwards ([`Planner::forward`]) and backwards ([`Planner::backward`]). No launch depends on data, so that
//! a device can run the same list again and again.
//!
//! `forward` and `backward` go through the operations, each of which plans its own launches, next to its value and its
//! gradient (`ops`). The launches of layers are here, since they depend on those of their neighbours:
//! `layer_gradients`, `block_dense`, `resizing`, `repeated` and `scalar`. All of them use the products and sums of
//! `products`, whose kernels `tile` chooses, and the copies of `piece`; `kernels` declares the kernels and their
//! arguments, `traced` and `gradients` hold the places of values and gradients, and `layout` reserves the memory. Not
//! here: the source of the kernels and the devices that run them, which are in other crates, and the recording itself.

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
pub(crate) use gradients::{Own, Slot};
pub use launch::{Argument, Launch, MOST, Place, THREADS};
pub use layout::{Plan, Planner};
pub use machine::{Data, Device, Machine, MachineError, Piece};
pub(crate) use products::Matrix;
pub use products::Total;
pub use traced::Traced;
