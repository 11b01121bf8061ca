//! Environments of other programs: another program serves one, and an agent acts in it through two pipes.
//!
//! [`ExternalCatalogue`] is a catalogue that adds them, under names such as `gymnasium:Pendulum-v1`, to the tasks of
//! another catalogue. A [`ExternalEnvironment`] is an [`Environment`](environment::Environment) whose steps happen in a
//! child process; [`serve`] is the other side, for built-in tasks. `docs/protocol.md` describes the [`protocol`]. Not
//! here: the program in Python that serves Gymnasium's environments (`python/dreamgraft`).

mod catalogue;
mod child;
mod client;
mod error;
mod name;
pub mod protocol;
mod python;
mod serve;

pub use catalogue::ExternalCatalogue;
pub use client::ExternalEnvironment;
pub use error::ExternalError;
pub use serve::{NotSent, Pipes, seed, serve, served_info};
