//! What an agent can act in.
//!
//! An [`Environment`] shows an agent images and takes its actions; its [`TaskInfo`] says what they look like and how time passes.
//! A [`Catalogue`] makes environments by name. Not here: any particular environment (crate `tasks` holds the built-in ones), and
//! what becomes of an episode (crate `train`).

mod catalogue;
mod environment;
mod error;
mod info;
mod options;
mod padding;
mod spaces;

pub use catalogue::Catalogue;
pub use environment::{Environment, Outcome};
pub use error::TaskError;
pub use info::{TaskInfo, Timing};
pub use options::{TaskOptions, Termination};
pub use padding::Padded;
pub use spaces::{ActionSpace, IMAGE_BYTES, IMAGE_SIDE, ImageSpace};
