//! The calls into NVIDIA's driver and compiler, each with the reason why it is sound.
//!
//! Here: a safe view of a context, its memory, modules, calls and graphs, and of the compiler's library. Not here: what
//! goes with what (`device.rs`, `program.rs`), and words for people (`error.rs`). A new call of the driver goes beside
//! those on the same thing.
//!
//! What all share: a context is made current on the calling thread before each call, and one thread at a time uses its
//! stream, so all that is done with a device is done in the order of the calls. That a kernel stays within the memory its
//! arguments point into is the promise of whoever wrote it; it can reach no memory but the device's.

#![allow(unsafe_code)]

mod buffer;
mod calls;
mod context;
mod graph;
mod library;
mod module;
mod nvrtc;

pub(crate) use buffer::{DeviceBuffer, DeviceCopy};
pub(crate) use calls::Calls;
pub(crate) use context::{Context, driver_version};
pub(crate) use graph::Graph;
pub use library::NVRTC_VARIABLE;
pub(crate) use module::{Module, NotLoaded};
pub use nvrtc::{Compiled, Nvrtc};
