//! The environments an agent can learn: models, rewards, resets and cameras.

mod ant;
mod environment;
mod episodes;
mod error;
mod floor;
mod half_cheetah;
mod hopper;
mod inverted_double_pendulum_swingup;
mod inverted_pendulum_swingup;
mod options;
mod registry;
mod robot;
mod simulation;
mod walker;
mod walker2d;

pub use environment::{ACTION_REPEAT, Environment, FRAME_LIMIT, IMAGE_BYTES, Outcome, SIDE};
pub use episodes::Episodes;
pub use error::TaskError;
pub use options::{TaskOptions, Termination};
pub use registry::{TaskInfo, make, names, simulation};
pub use simulation::{Frame, OFFSET_BOUND, Simulation};
