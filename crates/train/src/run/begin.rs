//! The beginning of a run, or its return from a checkpoint.

use super::{End, Run, identity};
use crate::TrainError;
use crate::agent::Trainable;
use crate::agent::environments::Environments;
use crate::agent::footprint;
use crate::config::Config;
use crate::events::{Event, Reporter};
use crate::folder::checkpoint::{self, RunState};
use crate::folder::provenance::Arithmetic;
use crate::folder::record::Record;
use crate::folder::{RunFolder, stored_arithmetic};
use crate::run::meters::Meters;
use crate::run::schedule::Position;
use crate::run::speed::Speed;
use crate::streams::{RunKey, Streams};
use dreamer::{AgentConfig, DreamerError};
use replay::{Batch, Embeddings, Replay};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use transfer::Report;
use wording::counted;

/// Trains an agent in the run folder `root`, from the beginning (with what `new_agent` makes of the agent's
/// configuration, its action size and the seed of the run's streams) or from its newest good checkpoint, until the run has its frames or
/// `interrupted` is set. Runs on the present thread pool.
///
/// # Errors
/// [`TrainError`]; whatever happened, the checkpoints written before are whole.
pub fn train_with<L: Trainable>(
    root: &Path,
    config: &Config,
    environments: Environments,
    new_agent: impl FnOnce(&AgentConfig, usize, u64) -> Result<L, DreamerError>,
    interrupted: &AtomicBool,
    reporter: &mut dyn Reporter,
) -> Result<End, TrainError> {
    let folder = RunFolder::open(root, config)?;
    let new_agent = |config: &AgentConfig, size, seed| Ok(new_agent(config, size, seed)?);
    train_in(folder, config, None, environments, new_agent, (None, |_| Ok(())), interrupted, reporter)
}

/// As [`train_with`], in a folder that is open, with the report of what the run takes from other agents; `prepare` gets the agent
/// before anything is done with it, to move it to the device that is named, if one is.
pub(crate) fn train_in<L: Trainable>(
    folder: RunFolder,
    config: &Config,
    taken: Option<&Report>,
    environments: Environments,
    new_agent: impl FnOnce(&AgentConfig, usize, u64) -> Result<L, TrainError>,
    (device, prepare): (Option<&str>, impl FnOnce(&mut L) -> Result<(), TrainError>),
    interrupted: &AtomicBool,
    reporter: &mut dyn Reporter,
) -> Result<End, TrainError> {
    let (found, damaged) = checkpoint::newest::<L>(&folder.checkpoints())?;
    if let Some(found) = &found {
        identity::check(found, config, environments.action_size())?;
    }
    if found.is_none() {
        folder.refuse_lost_checkpoints(config)?;
    }
    folder.clean()?;
    for damaged in damaged {
        let aside = checkpoint::set_aside(&damaged.path)?;
        reporter.event(&Event::Note(&format!("{}; it is now {}", damaged.why, aside.display())));
    }
    if let Some(found) = &found
        && found.state.finished
        && found.state.position.frames >= config.steps
    {
        return Ok(End::FinishedBefore { frames: found.state.position.frames });
    }
    let before = stored_arithmetic(folder.root());
    folder.write_config(config, device)?;
    let from = found.as_ref().map(|found| found.state.position.frames);
    reporter.event(&Event::Begins { root: folder.root(), config, from });
    if let Some(change) = from.and_then(|_| before.change(&Arithmetic::here())) {
        reporter.event(&Event::Note(&change));
    }
    if let Some(report) = taken {
        reporter.event(&Event::Took { report, begins: from.is_none() });
        let shared = if from.is_none() { identity::shared_luck(report, config) } else { Vec::new() };
        for note in report.own_tasks(&config.tasks).into_iter().chain(shared) {
            reporter.event(&Event::Note(&note));
        }
    }
    let (mut agent, state) = match found {
        Some(found) => (found.agent, Some((found.path, found.state))),
        None => (new_agent(&config.agent, environments.action_size(), RunKey::of(config).seed())?, None),
    };
    // The one setting of an agent that may have changed since its checkpoint.
    agent.evaluate_by(config.agent.evaluation);
    prepare(&mut agent)?;
    let mut run = Run::resume(config, folder, environments, agent, state, interrupted, reporter)?;
    let meta_model = taken.and_then(|report| report.meta_model.as_ref());
    run.reward_sources = meta_model.map(|meta_model| meta_model.sources.clone()).unwrap_or_default();
    let end = run.go();
    run.reporter.event(&Event::Spent { split: run.speed.split() });
    end.map_err(|error| if error.is_of_the_system() { run.halted(error) } else { error })
}

impl<'a, L: Trainable> Run<'a, L> {
    /// The run as `state` has it, or at its beginning: episodes and metrics from after `state` are moved aside.
    pub(super) fn resume(
        config: &'a Config,
        folder: RunFolder,
        environments: Environments,
        agent: L,
        state: Option<(PathBuf, RunState)>,
        interrupted: &'a AtomicBool,
        reporter: &'a mut dyn Reporter,
    ) -> Result<Self, TrainError> {
        let action_size = environments.action_size();
        let (mut streams, mut position, mut meters) =
            (Streams::new(RunKey::of(config)), Position::default(), Meters::default());
        let (mut lines, mut seconds_before, mut saved) = (0, 0.0, None);
        if let Some((path, state)) = state {
            streams = Streams::resume(&state.streams).ok_or_else(|| TrainError::Checkpoint {
                path: path.clone(),
                why: "its random streams cannot be; use another checkpoint".to_owned(),
            })?;
            (position, meters) = (state.position.clone(), state.meters);
            (lines, seconds_before, saved) = (state.metrics_lines, state.seconds, Some((path, state.position)));
        }
        let episodes = folder.episodes();
        let (budget, count) = (config.replay.budget.0, position.episodes);
        let (replay, report) = Replay::open(&episodes, action_size, budget, Some(count), Some(&config.tasks))?;
        let mut notes: Vec<String> = report.skipped.iter().map(|file| format!("skipped: {}", file.reason)).collect();
        if report.missing > 0 {
            let missing = if report.missing == 1 { "is" } else { "are" };
            let (count, folder) = (counted(count, "episode"), episodes.display());
            notes.push(format!("{} of {count} {missing} missing in {folder}", report.missing));
        } else if report.transitions != position.steps.0 + count {
            let found = counted(report.transitions.saturating_sub(count), "step");
            let (folder, steps) = (episodes.display(), position.steps);
            notes.push(format!(
                "the episodes in {folder} have {found}, and the checkpoint counts {steps}: somebody changed them"
            ));
        }
        if !report.skipped.is_empty() || report.missing > 0 {
            let loaded = counted(report.loaded as u64, "episode");
            notes.push(format!("going on with {loaded}: the result is not that of an undamaged run"));
        }
        notes.extend(footprint::forgets(config, action_size, &replay.stats(config.agent.length)));
        if let Some(aside) = replay::set_aside(&episodes, &report.newer)? {
            let names = match report.newer.as_slice() {
                [first, .., last] if report.newer.len() > 8 => format!("{first} to {last}"),
                few => few.join(", "),
            };
            let (count, aside) = (counted(report.newer.len() as u64, "episode"), aside.display());
            notes.push(format!("{count} newer than the last checkpoint moved to {aside}: {names}"));
        }
        let (record, note) = Record::open(&folder, lines, saved.as_ref().map(|(_, position)| position.frames))?;
        for note in notes.iter().chain(&note) {
            reporter.event(&Event::Note(note));
        }
        let batch = Batch::new(config.agent.batch, config.agent.length);
        let speed = Speed::start();
        // Where none are kept, the agent makes them as it learns, wherever that is.
        let size = agent.embedding_size().filter(|_| config.replay.embeddings.0 > 0);
        let embeddings = size.map(|size| Embeddings::new(size, config.replay.embeddings.0));
        Ok(Self {
            config,
            folder,
            environments,
            agent,
            replay,
            embeddings,
            batch,
            streams,
            position,
            meters,
            record,
            speed,
            reward_sources: Vec::new(),
            seconds_before,
            saved,
            interrupted,
            reporter,
        })
    }
}
