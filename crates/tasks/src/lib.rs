//! The environments an agent can learn: models, rewards, resets and cameras.
//!
//! Start at [`catalogue`]: a name gives an [`Environment`](environment::Environment), which shows 64 x 64 pixels and
//! accepts an action every two simulator frames. Below it is [`simulation`]: the same task one frame at a time, which
//! is how it is compared with recordings of PyBullet 3.2.7: joints, rewards and pixels are bitwise identical.
//!
//! Here: the tasks. Not here: the interface of environments (crate `environment`), networks, stored episodes, and the
//! physics itself (crate `bullet`).
//!
//! # How to add a task
//! 1. Write `src/<name>.rs`: its `NAME`, its model as MJCF text, and `make`, which gives a [`Simulation`]. A robot that is
//!    rewarded for moving forward fills in a `Walker` (`hopper.rs` is the shortest); anything else implements
//!    [`Simulation`] over a `Robot` (`inverted_pendulum_swingup.rs`).
//! 2. Add one line to the table in `src/registry.rs`, in alphabetical order, and the module's name to the list of modules there
//!    (`use crate::{...}`) and below.
//! 3. Test it against a known reference: a recording (`tests/golden.rs`), an energy, a symmetry. `tests/soak.rs` runs
//!    every registered task by itself.
//!
//! Bullet's MJCF importer reads shapes, joints, axes, limits, friction, `contype` and `conaffinity`, and passes over
//! gears, damping, armature and stiffness. A body with several joints becomes a chain of massless links; joints whose
//! name begins with `ignore` are the ones that carry the whole robot.

mod ant;
mod episodes;
mod floor;
mod half_cheetah;
mod hopper;
mod inverted_double_pendulum_swingup;
mod inverted_pendulum_swingup;
mod numpy;
mod progress;
mod registry;
mod robot;
mod simulation;
mod view;
mod walker;
mod walker2d;

pub use episodes::Episodes;
pub use registry::{Tasks, catalogue, simulation};
pub use simulation::{Frame, OFFSET_BOUND, Simulation};
