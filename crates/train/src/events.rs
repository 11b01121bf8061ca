//! The events that a run reports.
//!
//! Here: the events and their listener. Not here: how they are shown; a library prints nothing.

use crate::config::Config;
use crate::run::schedule::Position;
use crate::run::speed::{Split, TimeLeft};
use crate::support::{GuideRecord, RehearsalRecord};
use crate::{Frames, Phase};
use std::path::Path;

/// Listens to a run. A closure is a reporter, too.
pub trait Reporter: Send {
    /// Receives an event.
    fn event(&mut self, event: &Event<'_>);
}

impl<F: FnMut(&Event<'_>) + Send> Reporter for F {
    fn event(&mut self, event: &Event<'_>) {
        self(event);
    }
}

/// Which training episodes a line of metrics is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Episodes {
    /// Random ones alone.
    Random,
    /// Random ones, and the agent's first.
    Mixed,
    /// Those of a guide alone.
    Guided,
    /// Those of a guide, and the agent's first.
    MixedGuided,
    /// The agent's own, or none.
    Own,
}

/// An event of a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// The run starts, or resumes from a checkpoint.
    Begins {
        /// The run folder.
        root: &'a Path,
        /// Its configuration.
        config: &'a Config,
        /// The frames at which it resumes; `None` for a new run.
        from: Option<Frames>,
    },
    /// The transfer with which the run starts or started.
    Transferred {
        /// The report of the transfer.
        report: &'a transfer::Report,
        /// Whether the run begins.
        begins: bool,
    },
    /// The guide that plays, or played, the episodes before the first gradient step.
    Guided {
        /// Its record.
        record: &'a GuideRecord,
        /// Whether the run begins.
        begins: bool,
    },
    /// The episodes of another run that the run rehearses.
    Rehearses {
        /// Their record.
        record: &'a RehearsalRecord,
        /// Whether the run begins.
        begins: bool,
    },
    /// The random episodes decided the fractions that a transfer left to them.
    Fitted {
        /// The report of the transfer, with the fractions.
        report: &'a transfer::Report,
    },
    /// The agent is there, at the beginning of a session.
    Agent {
        /// Its parts and their numbers of parameters.
        parameters: &'a [(&'static str, u64)],
    },
    /// A note for the user, on one line.
    Note(&'a str),
    /// A warning that the user should look into, on one line.
    Warning(&'a str),
    /// A step of the present phase is done. Comes often.
    Progress {
        /// The current activity of the run.
        phase: Phase,
        /// Its position.
        position: &'a Position,
        /// Frames at its end.
        end: Frames,
        /// Estimate of the time left, once there is one.
        left: Option<TimeLeft>,
    },
    /// A line of metrics was written.
    Metrics {
        /// Its frames.
        frames: Frames,
        /// Its values by name.
        values: &'a [(String, f64)],
        /// Which episodes its returns are of.
        episodes: Episodes,
        /// Estimate of the time left, once there is one.
        left: Option<TimeLeft>,
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
    /// The run has finished, and its last evaluation of a task was not the best one.
    Best {
        /// Frames at the best one.
        frames: Frames,
        /// The task, if the run has several.
        task: Option<&'a str>,
        /// Mean return of its episodes.
        mean: f64,
        /// The checkpoint of that agent.
        path: &'a Path,
    },
    /// A checkpoint was written.
    Saved {
        /// Its folder.
        path: &'a Path,
    },
    /// The session is over, however it ended.
    Spent {
        /// How its time was spent.
        split: Split,
    },
}
