//! What an agent can act in.
//!
//! An [`Environment`] shows an agent images and takes its actions; its [`TaskInfo`] says what they look like and how time passes.
//! A [`Catalogue`] makes environments by name. Not here: any particular environment (crate `tasks` has the built-in ones, `worlds`
//! those of other programs), and
//! what becomes of an episode (crate `train`).

mod catalogue;
mod environment;
mod error;
mod info;
mod name;
mod options;
mod padding;
mod spaces;

pub use catalogue::Catalogue;
pub use environment::{Environment, Outcome};
pub use error::TaskError;
pub use info::{Outside, TaskInfo, Timing};
pub use name::file_name;
pub use options::{Arguments, Observe, TaskOptions, Termination};
pub use padding::Padded;
pub use spaces::{ActionKind, ActionSpace, IMAGE_BYTES, IMAGE_SIDE, ImageSpace, ObservationSpace};
