//! Plans: a recording as launches of kernels on a device.
//!
//! A recording that computes nothing ([`Tape::trace`](crate::Tape::trace)) is turned into a list of launches over places in one
//! piece of memory: forwards ([`Planner::forward`]) and backwards ([`Planner::backward`]). No launch depends on data, so that
//! a device can run the same list again and again.
//!
//! `forward` and `backward` go through the operations, each of which plans its own launches, next to its value and its
//! gradient (`ops`). What several of them need is here: the products and sums of `products`, whose kernels `tile`
//! chooses, the copies of `piece`, and the padded images of `images`; `layer_gradients` joins gradients of layers with
//! those of their neighbours, and `repeated` those of layers that run many times. `kernels` declares the kernels and
//! their arguments, `traced` and `gradients` hold the places of values and gradients, and `layout` reserves the memory.
//! `chain` joins small launches to one, for devices that can run them so.
//! Not here: the source of the kernels and the devices that run them, which are in other crates, and the recording
//! itself.

mod backward;
mod chain;
mod forward;
mod gradients;
mod images;
pub mod kernels;
mod launch;
mod layer_gradients;
mod layout;
mod machine;
mod piece;
mod products;
mod repeated;
mod tile;
mod traced;

pub use chain::Joined;
pub use gradients::ParameterGradients;
pub(crate) use gradients::{Own, Slot};
pub(crate) use images::{Images, few_at_a_time};
pub use launch::{Argument, Launch, MOST, Place, THREADS};
pub use layout::{Plan, Planner};
pub use machine::{Data, Device, Machine, MachineError, Piece};
pub use products::Total;
pub(crate) use products::{Factor, Finish, Matrix};
pub(crate) use repeated::Term;
pub(crate) use tile::Cell;
pub use traced::Traced;
