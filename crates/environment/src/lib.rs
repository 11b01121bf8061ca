//! Environments: the interface between tasks and agents.
//!
//! An [`Environment`] gives an agent observations and receives its actions. Its [`TaskInfo`] describes both, and how
//! time passes. A [`Catalogue`] creates environments by name. Not here: particular environments (crate `tasks` has the
//! built-in ones, `external` those of other programs), and how episodes are used (crate `train`).
//!
//! ```
//! use environment::{TaskError, TaskInfo, Timing};
//!
//! let timing = Timing { frame_limit: 200, ..Timing::STANDARD };
//! let info = TaskInfo { timing, ..TaskInfo::new("my-task", "reach the goal", 2) };
//! assert_eq!(info.timing.longest_episode(), 101); // a reset and 100 actions of two frames
//! assert!(info.check_action(&[0.5, -0.5]).is_ok());
//! assert!(matches!(info.check_action(&[f32::NAN, 0.0]), Err(TaskError::ActionValue { index: 0, .. })));
//! ```

mod catalogue;
mod environment;
mod error;
mod external_folder;
mod info;
mod name;
mod observation;
mod options;
mod padding;
mod single_task;
mod spaces;

pub use catalogue::Catalogue;
pub use environment::{Environment, Outcome};
pub use error::TaskError;
pub use external_folder::{EXTERNAL_FOLDER, external_folder};
pub use info::{Outside, TaskInfo, Timing};
pub use name::file_name;
pub use observation::Observation;
pub use options::{Arguments, Observe, TaskOptions, Termination};
pub use padding::Padded;
pub use single_task::SingleTask;
pub use spaces::{ActionKind, ActionSpace, IMAGE_BYTES, IMAGE_SIDE, ImageSpace, ObservationSpace};
