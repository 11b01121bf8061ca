//! Environments: the interface between tasks and agents. An [`Environment`] gives an agent images and receives its
//! actions. Its [`TaskInfo`] describes both, and how time passes. A [`Catalogue`] creates environments by name. Not
//! here: particular environments (crate `tasks` has the built-in ones), and how episodes are used (crate `train`).

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
