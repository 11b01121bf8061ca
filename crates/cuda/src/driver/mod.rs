//! The calls into NVIDIA's driver and compiler, each with the reason why it is sound.
//!
//! Here: a safe view of a context, its memory and what goes to it, modules, calls and graphs, and of the compiler's library. Not here:
//! devices and programs (`device.rs`, `program.rs`), and messages (`error.rs`). A new call of the driver goes to the
//! calls of the same object.
//!
//! All calls have this in common: a context is made current on the calling thread before each call, and one thread at a
//! time uses its stream, so all work on a device happens in the order of the calls; only `staging` has a second stream,
//! which copies what later work reads. The author of a kernel guarantees
//! that it stays within the memory of its arguments; it can reach only the memory of the device.

#![allow(unsafe_code)]

mod buffer;
mod calls;
mod context;
mod graph;
mod library;
mod module;
mod nvrtc;
mod staging;

pub(crate) use buffer::{DeviceBuffer, DeviceCopy};
pub(crate) use calls::Calls;
pub(crate) use context::{Context, driver_version};
pub(crate) use graph::Graph;
pub(crate) use module::{Module, NotLoaded};
pub use nvrtc::{Compiled, Nvrtc};
pub(crate) use staging::Staging;
