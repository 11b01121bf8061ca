//! The output files of a run, for people and other programs: metrics, TensorBoard events, images and animations.
//!
//! Here: their formats, and writing them completely. Not here: which metrics and images a run writes, and when;
//! episodes and checkpoints, which a run needs to resume.

mod crc32c;
mod error;
mod gif;
mod jsonl;
mod lines;
mod pixels;
mod tensorboard;
mod write;

pub use self::gif::{GifOptions, encode_gif, write_gif};
pub use error::OutputError;
pub use jsonl::{Meddled, MetricsLog, Reopened};
pub use lines::count_lines;
pub(crate) use lines::metrics_lines;
pub use pixels::{OpenLoop, Pixels, encode_png, write_png};
pub use tensorboard::{EventWriter, host_name};
