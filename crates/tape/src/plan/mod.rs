//! Plans: a recording as launches of kernels, for a device that computes elsewhere.
//!
//! A recording that computes nothing ([`Tape::trace`](crate::Tape::trace)) is turned into a list of launches over places in one
//! piece of memory: forwards ([`Planner::forward`]), and backwards ([`Planner::backward`]). No launch depends on data, so that a
//! device can run the list as it is, again and again.
//!
//! Here: what operations become (`forward`, `backward`, `scalar`), products and sums (`products`), memory (`room`). Not here: the
//! kernels and who runs them, which is another crate's; what is recorded. A new operation: its launches in `forward` and
//! `backward`, its kernels beside the others.

mod backward;
mod forward;
mod launch;
mod machine;
mod products;
mod room;
mod scalar;

pub use backward::ParameterGradients;
pub use forward::Traced;
pub use launch::{Argument, Launch, MOST, Place, THREADS};
pub use machine::{Device, Machine, MachineError};
pub use room::{Plan, Planner};

use crate::kernels::elementwise::Activation;

/// An activation's number in kernels.
fn number(activation: Activation) -> usize {
    match activation {
        Activation::None => 0,
        Activation::Relu => 1,
        Activation::Elu => 2,
    }
}
