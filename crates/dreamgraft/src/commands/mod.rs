//! The commands, one file for each.
//!
//! Not here: the arguments (`args`) and their meaning (`meaning`).

mod bench;
mod episodes;
mod export;
mod inspect;
mod pipes;
mod play;
mod rank;
mod report;
mod shell;
mod study;
mod tasks;
mod train;
mod transfer;
mod watch;

pub use self::bench::bench;
pub use self::episodes::episodes;
pub use self::export::export;
pub use self::inspect::inspect;
pub use self::pipes::{act, serve};
pub use self::play::{eval, play};
pub use self::rank::transfer_rank;
pub use self::shell::{completions, manual};
pub use self::study::study;
pub use self::tasks::tasks;
pub use self::train::train;
pub use self::transfer::{transfer_plan, transfer_preset};
pub use self::watch::watch;
