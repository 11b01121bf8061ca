//! What a run tells while it goes.
//!
//! Here: the events and their listener. Not here: how they are shown; a library prints nothing.

use crate::config::Config;
use crate::run::schedule::Position;
use crate::run::speed::Split;
use crate::{Frames, Phase};
use std::path::Path;
use std::time::Duration;

/// Listens to a run.
pub trait Reporter: Send {
    /// Something happened.
    fn event(&mut self, event: &Event<'_>);
}

/// Something that happened in a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// The run begins, or goes on from a checkpoint.
    Begins {
        /// The run folder.
        root: &'a Path,
        /// Its configuration.
        config: &'a Config,
        /// Where it goes on; none at the beginning.
        from: Option<Frames>,
    },
    /// What the run takes from other agents, or took when it began.
    Took {
        /// What is taken from where.
        report: &'a transfer::Report,
        /// Whether the run begins.
        begins: bool,
    },
    /// Something that the user should know, on one line.
    Note(&'a str),
    /// A step of the present phase is done. Comes often.
    Progress {
        /// What the run is doing.
        phase: Phase,
        /// Where it stands.
        position: &'a Position,
        /// Frames at its end.
        end: Frames,
    },
    /// A line of metrics was written.
    Metrics {
        /// Its frames.
        frames: Frames,
        /// Its values by name.
        values: &'a [(String, f64)],
        /// Estimate of the time until the run's end.
        left: Option<Duration>,
    },
    /// An evaluation ended.
    Evaluated {
        /// Frames that the agent has been trained on.
        frames: Frames,
        /// The task.
        task: &'a str,
        /// Mean return of its episodes.
        mean: f64,
    },
    /// A checkpoint was written.
    Saved {
        /// Its folder.
        path: &'a Path,
    },
    /// The session is over, however it ended.
    Spent {
        /// What its time went to.
        split: Split,
    },
}
