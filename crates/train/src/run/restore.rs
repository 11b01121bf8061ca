//! The run where its last checkpoint left it, or at its beginning.

use super::Run;
use super::session::Session;
use crate::agent::{Trainable, footprint};
use crate::events::Event;
use crate::folder::checkpoint;
use crate::folder::checkpoint::RunState;
use crate::folder::metrics_files::MetricsFiles;
use crate::run::meters::Meters;
use crate::run::returns::Returns;
use crate::run::schedule::Position;
use crate::run::speed::Speed;
use crate::run::warnings::Warnings;
use crate::streams::{RunKey, Streams};
use crate::{TrainError, system};
use replay::{Batch, Embeddings, Rehearsal, Replay};
use std::collections::BTreeSet;
use std::path::PathBuf;
use wording::counted;

impl<'a, L: Trainable> Run<'a, L> {
    /// The run as `state`, with its checkpoint's folder, has it, or at its beginning: episodes and metrics from after it are moved
    /// aside. `left` is what could not be removed; of the transfer with which the run began, it is given the names of the sources of
    /// the agent's reward meta-model, and whether it has fractions to fit.
    pub(super) fn restore(
        session: Session<'a>,
        agent: L,
        state: Option<(PathBuf, RunState)>,
        (reward_sources, fits): (Vec<String>, bool),
        left: BTreeSet<PathBuf>,
    ) -> Result<Self, TrainError> {
        let Session { config, folder, environments, mut support, device, interrupted, reporter } = session;
        let rehearsed = support.rehearsed.take();
        let rehearsal = rehearsed.map(|rehearsed| rehearsed.load(folder.root(), environments.sizes())).transpose()?;
        let (mut streams, mut position, mut meters) =
            (Streams::new(RunKey::of(config), rehearsal.is_some()), Position::default(), Meters::default());
        let (mut lines, mut seconds_before, mut saved) = (0, 0.0, None);
        let mut cpu_before = Some(0.0);
        let mut returns = Returns::default();
        if let Some((path, state)) = state {
            streams = Streams::resume(&state.streams).ok_or_else(|| TrainError::Checkpoint {
                path: path.clone(),
                why: "its random streams are not valid; use another checkpoint".to_owned(),
            })?;
            (position, meters, returns) = (state.position.clone(), state.meters, state.returns);
            if streams.rehearsal.is_some() != rehearsal.is_some() {
                let [there, missing] = match rehearsal {
                    Some(_) => ["rehearses episodes of another run", "it does not have the random stream of"],
                    None => ["rehearses nothing", "it has the random stream of"],
                };
                let why = format!("{missing} a rehearsal, and this run {there}; use another checkpoint");
                return Err(TrainError::Checkpoint { path, why });
            }
            cpu_before = state.cpu_seconds;
            (lines, seconds_before, saved) = (state.metrics_lines, state.seconds, Some((path, state.position)));
        }
        let mut lost = Vec::new();
        if config.checkpoint.best {
            // Otherwise, no checkpoint would stay until an evaluation is better than one whose agent nobody has.
            let checkpoints = folder.checkpoints();
            lost = returns.retain_best(|frames| checkpoint::at(&checkpoints, frames).is_dir());
        }
        let episodes = folder.episodes();
        // The budget holds for both.
        let of_others = rehearsal.as_ref().map_or(0, Rehearsal::bytes);
        let (budget, count) = (config.replay.budget.0.saturating_sub(of_others), position.episodes);
        let (replay, report) = Replay::open(&episodes, environments.sizes(), budget, Some(count), Some(&config.tasks))?;
        let mut notes: Vec<String> = report.skipped.iter().map(|file| format!("skipped: {}", file.reason)).collect();
        notes.extend(lost.iter().map(|frames| {
            format!("the checkpoint of the best evaluation, at frame {frames}, is gone; that of the best one from now on stays")
        }));
        if report.missing > 0 {
            let missing = if report.missing == 1 { "is" } else { "are" };
            let (count, folder) = (counted(count, "episode"), episodes.display());
            notes.push(format!("{} of {count} {missing} missing in {folder}", report.missing));
        } else if report.transitions != position.agent_steps.0 + count {
            let found = counted(report.transitions.saturating_sub(count), "step");
            let (folder, agent_steps) = (episodes.display(), position.agent_steps);
            notes.push(format!(
                "the episodes in {folder} have {found}, but the checkpoint counts {agent_steps}, so they were changed"
            ));
        }
        if !report.skipped.is_empty() || report.missing > 0 {
            let loaded = counted(report.loaded as u64, "episode");
            notes.push(format!("resuming with {loaded}: the results will differ from those of an undamaged run"));
        }
        if report.added > 0 {
            let added = counted(report.added as u64, "episode");
            notes.push(format!("{added} of other programs, in {}", episodes.join(replay::ADDED).display()));
        }
        notes.extend(footprint::forgets(config, &environments, &replay.stats(config.agent.length), of_others));
        if let Some(aside) = replay::set_aside(&episodes, &report.newer)? {
            let names = match report.newer.as_slice() {
                [first, .., last] if report.newer.len() > 8 => format!("{first} to {last}"),
                few => few.join(", "),
            };
            let (count, aside) = (counted(report.newer.len() as u64, "episode"), aside.display());
            notes.push(format!("moved {count} newer than the last checkpoint to {aside}: {names}"));
        }
        let (metrics_files, note) =
            MetricsFiles::open(&folder, lines, saved.as_ref().map(|(_, position)| position.frames))?;
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
            support,
            agent,
            replay,
            rehearsal,
            embeddings,
            batch,
            ahead: None,
            spare: Batch::new(config.agent.batch, config.agent.length),
            streams,
            position,
            meters,
            returns,
            warnings: Warnings::new(config.tasks.len()),
            metrics_files,
            speed,
            device,
            fits,
            reward_sources,
            seconds_before,
            cpu_offset: cpu_before.map(|before| before - system::cpu_seconds()),
            saved,
            left,
            interrupted,
            reporter,
        })
    }
}
