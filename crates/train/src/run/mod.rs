//! A run from its beginning, or from its last checkpoint, to its end.
//!
//! Here: the loop over the phases of the schedule; each phase has its own file. Not here: the content of the run folder
//! (`folder`), the beginning of a run (`beginning`, `begin`), the formats of output files (`output`).

pub(crate) mod begin;
pub(crate) mod broken;
mod collect;
pub(crate) mod diagnosis;
pub(crate) mod episode;
mod evaluation;
mod fit;
mod identity;
pub(crate) mod images;
mod learn;
mod log;
pub(crate) mod meters;
mod restore;
pub(crate) mod returns;
mod save;
pub(crate) mod schedule;
pub(crate) mod session;
mod source_rewards;
pub(crate) mod speed;
mod standardise;
pub(crate) mod stop;
pub(crate) mod warnings;

use crate::agent::Trainable;
use crate::agent::environments::Environments;
use crate::config::Config;
use crate::events::Reporter;
use crate::folder::RunFolder;
use crate::folder::metrics_files::MetricsFiles;
use crate::streams::Streams;
use crate::support::Support;
use crate::{Frames, TrainError, system};
use learn::Ahead;
use meters::Meters;
use replay::{Batch, Embeddings, Rehearsal, Replay};
use returns::Returns;
use schedule::{Phase, Position, next};
use speed::{Speed, Work};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use stop::Stop;
use tape::plan::Device;
use warnings::Warnings;

/// How a call of [`crate::train_with`] ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// The run is finished: it has all its frames, or a rule ended it.
    Finished {
        /// Frames collected.
        frames: Frames,
        /// The rule; `None` if it has all its frames.
        rule: Option<Stop>,
    },
    /// The run was finished before; nothing was done.
    FinishedBefore {
        /// Frames collected.
        frames: Frames,
        /// The rule; `None` if it has all its frames.
        rule: Option<Stop>,
    },
    /// Interrupted; the same call resumes from the checkpoint.
    Stopped {
        /// Frames collected.
        frames: Frames,
        /// The checkpoint.
        checkpoint: PathBuf,
    },
}

/// A run under way.
struct Run<'a, L> {
    config: &'a Config,
    folder: RunFolder,
    environments: Environments,
    support: Support,
    agent: L,
    replay: Replay,
    /// Episodes of another run; `None` if the run learns only from its own.
    rehearsal: Option<Rehearsal>,
    /// Of a frozen encoder; `None` if it is trained.
    embeddings: Option<Embeddings>,
    batch: Batch,
    /// The batch of the next step, if it was drawn while a device computed the step before.
    ahead: Option<Ahead>,
    /// The memory of a batch that is not used at present.
    spare: Batch,
    streams: Streams,
    position: Position,
    meters: Meters,
    returns: Returns,
    warnings: Warnings,
    metrics_files: MetricsFiles,
    speed: Speed,
    /// The device that the agent learns on; `None` for the CPU.
    device: Option<&'a dyn Device>,
    /// Whether the transfer with which the run began has fractions that the random episodes decide.
    fits: bool,
    /// Names of the sources of the agent's reward meta-model, if it has one.
    reward_sources: Vec<String>,
    /// Seconds of earlier sessions.
    seconds_before: f64,
    /// Seconds that threads computed in earlier sessions, less those of the process before this session; `None` if an earlier
    /// session did not count them.
    cpu_offset: Option<f64>,
    /// The path of the newest checkpoint, and its place in the run.
    saved: Option<(PathBuf, Position)>,
    /// Files that could not be removed, and were reported.
    left: BTreeSet<PathBuf>,
    interrupted: &'a AtomicBool,
    reporter: &'a mut dyn Reporter,
}

impl<L: Trainable> Run<'_, L> {
    /// The loop: executes the schedule until the end, or until interrupted.
    fn go(&mut self) -> Result<End, TrainError> {
        loop {
            if self.interrupted.load(Ordering::SeqCst) {
                self.give_up_ahead();
                self.agent.sync_from_device()?;
                return self.stop();
            }
            let phase = self.next();
            if !matches!(phase, Phase::Learn { .. } | Phase::Log) {
                self.timed(Work::Learning, |run| run.agent.sync_from_device())?;
            }
            if !matches!(phase, Phase::Learn { .. }) {
                self.keep_files()?;
            }
            match phase {
                Phase::Prefill { task } | Phase::Collect { task } => {
                    self.save_if_due()?;
                    self.timed(Work::Playing, |run| run.collect(phase, task))?;
                }
                Phase::TooShort { task } => return Err(self.too_short(task)),
                Phase::Learn { .. } => self.timed(Work::Learning, |run| run.learn(phase))?,
                Phase::Log => self.log()?,
                Phase::Evaluate => {
                    if let Some(scores) = self.timed(Work::Evaluating, Self::evaluate)? {
                        let frames = self.position.frames;
                        self.position.evaluated = Some(frames);
                        self.returns.evaluated(frames, &scores, self.config.stop.evaluations);
                        self.save_if_best()?;
                    }
                }
                Phase::Finish => return self.finish(),
            }
        }
    }

    /// The next phase. A rule ends the run where its next round of episodes would begin.
    fn next(&self) -> Phase {
        match next(self.config, &self.position) {
            Phase::Collect { task: 0 } if self.rule().is_some() => Phase::Finish,
            phase => phase,
        }
    }

    /// The rule that ends the run where it stands.
    fn rule(&self) -> Option<Stop> {
        stop::reached(&self.config.stop, &self.returns)
    }

    /// Does some work, and counts its time.
    fn timed<T>(&mut self, work: Work, what: impl FnOnce(&mut Self) -> T) -> T {
        let began = Instant::now();
        let done = what(self);
        self.speed.worked(work, began);
        done
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.speed.seconds()
    }

    /// Seconds that threads computed for the run, over all its sessions.
    fn cpu_seconds(&self) -> Option<f64> {
        Some(self.cpu_offset? + system::cpu_seconds())
    }
}

/// The name of a metric that is measured for each task: with several tasks, the task's name is its second part.
fn of_task(config: &Config, name: &str, task: &str) -> String {
    if config.tasks.len() > 1 { format!("{name}/{task}") } else { name.to_owned() }
}
