//! A run from its beginning, or from its last checkpoint, to its end.
//!
//! Here: the loop over the phases of the schedule, and what each does but evaluation (`run/evaluation`). Not here: which comes next (`schedule`), how a
//! checkpoint lies on disk (`checkpoint`), what files for people look like (`output`, `pictures`).

mod evaluation;
mod identity;

use crate::checkpoint::{self, FORMAT, RunState};
use crate::config::Config;
use crate::diagnosis::Diagnosis;
use crate::episode::{Played, play_episode, random_action};
use crate::folder::{RunFolder, stored_arithmetic};
use crate::machine::{self, Arithmetic};
use crate::meters::Meters;
use crate::record::Record;
use crate::report::{Event, Reporter};
use crate::schedule::{Phase, Position, next};
use crate::speed::{Speed, Work};
use crate::streams::{RunKey, Streams};
use crate::trainable::Trainable;
use crate::worlds::Worlds;
use crate::{Frames, TrainError, memory};
use dreamer::{ActMode, AgentConfig, DreamerError};
use replay::{Batch, Embeddings, Replay};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};
use transfer::Report;
use wording::counted;

/// How a call of [`train_with`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The run has all its frames.
    Finished {
        /// Frames collected.
        frames: Frames,
    },
    /// The run had all its frames before; nothing was done.
    FinishedBefore {
        /// Frames collected.
        frames: Frames,
    },
    /// Interrupted; the same call goes on from the checkpoint.
    Stopped {
        /// Frames collected.
        frames: Frames,
        /// The checkpoint.
        checkpoint: PathBuf,
    },
}

/// Trains an agent in the run folder `root`, from the beginning (with what `new_agent` makes of the agent's
/// configuration, its action size and the seed of the run's streams) or from its newest good checkpoint, until the run has its frames or
/// `interrupted` is set. Runs on the present thread pool.
///
/// # Errors
/// [`TrainError`]; whatever happened, the checkpoints written before are whole.
pub fn train_with<L: Trainable>(
    root: &Path,
    config: &Config,
    worlds: Worlds,
    new_agent: impl FnOnce(&AgentConfig, usize, u64) -> Result<L, DreamerError>,
    interrupted: &AtomicBool,
    reporter: &mut dyn Reporter,
) -> Result<End, TrainError> {
    let folder = RunFolder::open(root, config)?;
    let new_agent = |config: &AgentConfig, size, seed| Ok(new_agent(config, size, seed)?);
    train_in(folder, config, None, worlds, new_agent, (None, |_| Ok(())), interrupted, reporter)
}

/// As [`train_with`], in a folder that is open, with the report of what the run takes from other agents; `prepare` gets the agent
/// before anything is done with it, to move it to the device that is named, if one is.
pub(crate) fn train_in<L: Trainable>(
    folder: RunFolder,
    config: &Config,
    taken: Option<&Report>,
    worlds: Worlds,
    new_agent: impl FnOnce(&AgentConfig, usize, u64) -> Result<L, TrainError>,
    (device, prepare): (Option<&str>, impl FnOnce(&mut L) -> Result<(), TrainError>),
    interrupted: &AtomicBool,
    reporter: &mut dyn Reporter,
) -> Result<End, TrainError> {
    let (found, damaged) = checkpoint::newest::<L>(&folder.checkpoints())?;
    if let Some(found) = &found {
        identity::check(found, config, worlds.action_size())?;
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
        None => (new_agent(&config.agent, worlds.action_size(), RunKey::of(config).seed())?, None),
    };
    // The one setting of an agent that may have changed since its checkpoint.
    agent.evaluate_by(config.agent.evaluation);
    prepare(&mut agent)?;
    let mut run = Run::resume(config, folder, worlds, agent, state, interrupted, reporter)?;
    let meta_model = taken.and_then(|report| report.meta_model.as_ref());
    run.reward_sources = meta_model.map(|meta_model| meta_model.sources.clone()).unwrap_or_default();
    let end = run.go();
    run.reporter.event(&Event::Spent { split: run.speed.split() });
    end.map_err(|error| if error.is_of_the_system() { run.halted(error) } else { error })
}

/// A run under way.
struct Run<'a, L> {
    config: &'a Config,
    folder: RunFolder,
    worlds: Worlds,
    agent: L,
    replay: Replay,
    /// Of a frozen encoder; none if it is learned.
    embeddings: Option<Embeddings>,
    batch: Batch,
    streams: Streams,
    position: Position,
    meters: Meters,
    record: Record,
    speed: Speed,
    /// Names of the sources of the agent's reward meta-model, if it has one.
    reward_sources: Vec<String>,
    /// Seconds of earlier sessions.
    seconds_before: f64,
    /// Where the newest checkpoint is, and its place in the run.
    saved: Option<(PathBuf, Position)>,
    interrupted: &'a AtomicBool,
    reporter: &'a mut dyn Reporter,
}

impl<'a, L: Trainable> Run<'a, L> {
    /// The run as `state` has it, or at its beginning: episodes and metrics from after `state` are moved aside.
    fn resume(
        config: &'a Config,
        folder: RunFolder,
        worlds: Worlds,
        agent: L,
        state: Option<(PathBuf, RunState)>,
        interrupted: &'a AtomicBool,
        reporter: &'a mut dyn Reporter,
    ) -> Result<Self, TrainError> {
        let action_size = worlds.action_size();
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
        notes.extend(memory::forgets(config, action_size, &replay.stats(config.agent.length)));
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
            worlds,
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

    /// The loop: does what the schedule says until the end, or until interrupted.
    fn go(&mut self) -> Result<End, TrainError> {
        loop {
            if self.interrupted.load(Ordering::SeqCst) {
                self.agent.sync_from_device()?;
                return self.stop();
            }
            let phase = next(self.config, &self.position);
            if !matches!(phase, Phase::Learn { .. } | Phase::Log) {
                self.agent.sync_from_device()?;
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
                    if self.timed(Work::Evaluating, Self::evaluate)? {
                        self.position.evaluated = Some(self.position.frames);
                    }
                }
                Phase::Finish => return self.finish(),
            }
        }
    }

    /// Does some work, and counts its time.
    fn timed<T>(&mut self, work: Work, what: impl FnOnce(&mut Self) -> T) -> T {
        let began = Instant::now();
        let done = what(self);
        self.speed.worked(work, began);
        done
    }

    /// Collects an episode. If interrupted, its beginning is thrown away and the streams are as before: going on will
    /// collect the same episode.
    fn collect(&mut self, phase: Phase, task: usize) -> Result<(), TrainError> {
        let before = self.streams.clone();
        let (agent, streams, interrupted) = (&self.agent, &mut self.streams, self.interrupted);
        let world = self.worlds.training[task].as_mut();
        let (position, end) = (&self.position, self.config.steps);
        let reporter = &mut *self.reporter;
        let interrupted = || {
            reporter.event(&Event::Progress { phase, position, end });
            interrupted.load(Ordering::SeqCst)
        };
        let played = if matches!(phase, Phase::Prefill { .. }) {
            let random = &mut streams.prefill;
            play_episode(world, &mut streams.environment, |_, action| random_action(random, action), interrupted)?
        } else {
            self.speed.collecting(position.frames);
            let (random, mut state) = (&mut streams.exploration, agent.begin());
            let choose =
                |image: &[u8], action: &mut [f32]| agent.act(&mut state, image, ActMode::Explore, random, action);
            play_episode(world, &mut streams.environment, choose, interrupted)?
        };
        let Some(played) = played else {
            self.streams = before;
            return Ok(());
        };
        self.keep(played, phase)?;
        if let Phase::Prefill { task } = phase {
            self.note_short_episodes(task);
        }
        Ok(())
    }

    /// Writes an episode, adds it to the memory and counts it.
    fn keep(&mut self, played: Played, phase: Phase) -> Result<(), TrainError> {
        let Played { episode, frames, steps } = played;
        let stamp = replay::stamp(SystemTime::now());
        replay::write_episode(&self.folder.episodes(), &stamp, self.position.episodes, &episode)?;
        let task = episode.task();
        self.meters.add(&of_task(self.config, "train_return", task), episode.score());
        self.meters.add(&of_task(self.config, "train_length", task), frames.0 as f64);
        self.replay.add(episode)?;
        self.speed.collected(frames);
        self.position.collected(self.config, phase, frames, steps);
        Ok(())
    }

    /// At the end of a task's prefill, tells if most of its random episodes will never be learned from.
    fn note_short_episodes(&mut self, task: usize) {
        let Some(&seen) = self.position.prefill.get(task) else { return };
        let ended = next(self.config, &self.position);
        if [Phase::Prefill { task }, Phase::TooShort { task }].contains(&ended) || 2 * seen.too_short <= seen.episodes {
            return;
        }
        let (name, length) = (&self.config.tasks[task], self.config.agent.length);
        self.reporter.event(&Event::Note(&format!(
            "{} of {} random episodes of {name} have fewer than the {length} transitions of agent.length: nothing is \
             learned from them (the mean is {}, the longest {})",
            seen.too_short,
            seen.episodes,
            seen.mean(),
            seen.longest
        )));
    }

    /// Why the task with index `task` cannot be learned.
    fn too_short(&self, task: usize) -> TrainError {
        let seen = self.position.prefill.get(task).copied().unwrap_or_default();
        TrainError::TooShort { task: self.config.tasks[task].clone(), length: self.config.agent.length, seen }
    }

    /// One gradient step. If interrupted on the way, the agent and the streams are as before.
    fn learn(&mut self, phase: Phase) -> Result<(), TrainError> {
        let (position, end) = (&self.position, self.config.steps);
        self.reporter.event(&Event::Progress { phase, position, end });
        let before = self.streams.replay.clone();
        self.replay.sample(&mut self.streams.replay, self.config.replay.starts, &mut self.batch)?;
        let began = Instant::now();
        if let Some(embeddings) = &mut self.embeddings {
            let agent = &mut self.agent;
            embeddings.fill(&self.replay, &mut self.batch, |images, out| agent.embed(images, out));
        }
        let Some(figures) = self.agent.learn(&self.batch, self.interrupted)? else {
            self.streams.replay = before;
            return Ok(());
        };
        self.speed.learned(began.elapsed());
        self.position.updates += 1;
        if let Some(&(metric, value)) = figures.iter().find(|(_, value)| !value.is_finite()) {
            let (update, frames) = (self.position.updates, self.position.frames);
            self.agent.sync_from_device()?;
            let gradient = self.agent.broken_gradient().map(Box::new);
            let diagnosis = Diagnosis { update, frames, figures: &figures, gradient: gradient.as_deref() };
            let batch = diagnosis.write(&self.folder.not_finite(), &self.batch).map_err(Box::new);
            let (metric, root) = (metric.to_owned(), self.folder.root().to_owned());
            let saved = self.saved.is_some();
            return Err(TrainError::NotFinite { metric, value, update, frames, gradient, batch, root, saved });
        }
        for (name, value) in figures {
            self.meters.add(name, value);
        }
        Ok(())
    }

    /// A line of metrics.
    fn log(&mut self) -> Result<(), TrainError> {
        let stats = self.replay.stats(self.config.agent.length);
        let mut values = self.meters.take();
        values.extend(self.speed.take());
        let counts = [
            ("updates", Some(self.position.updates as f64)),
            ("agent_steps", Some(self.position.steps.0 as f64)),
            ("episodes", Some(self.position.episodes as f64)),
            ("replay_episodes", Some(stats.episodes as f64)),
            ("replay_transitions", Some(stats.transitions as f64)),
            ("replay_too_short", Some(stats.too_short as f64)),
            ("replay_bytes", Some(stats.bytes as f64)),
            ("replay_dropped", Some(stats.dropped as f64)),
            ("replay_embedding_bytes", self.embeddings.as_ref().map(|embeddings| embeddings.bytes() as f64)),
            ("resident_bytes", machine::resident_bytes().map(|bytes| bytes as f64)),
            ("seconds", Some(self.seconds())),
        ];
        values.extend(counts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let frames = self.position.frames;
        self.record.line(frames, &values)?;
        self.position.logged = frames;
        let left = self.speed.left(frames, self.config.steps);
        self.reporter.event(&Event::Metrics { frames, values: &values, left });
        Ok(())
    }

    /// The last line, the last evaluations, and the last checkpoint. What the checkpoint keeps is the run before that
    /// line and those evaluations: should the run be made longer, it goes on as if it had never ended here.
    fn finish(&mut self) -> Result<End, TrainError> {
        let state = self.state();
        let frames = self.position.frames;
        if frames > self.position.logged {
            self.log()?;
        }
        let evaluated = self.position.evaluated == Some(frames) || self.timed(Work::Evaluating, Self::evaluate)?;
        let finished = evaluated && self.timed(Work::Evaluating, Self::evaluate_otherwise)?;
        let checkpoint = self.save(RunState { finished, ..state })?;
        Ok(if finished { End::Finished { frames } } else { End::Stopped { frames, checkpoint } })
    }

    /// Ends an interrupted run with a checkpoint of where it stands.
    fn stop(&mut self) -> Result<End, TrainError> {
        let checkpoint = match &self.saved {
            Some((path, position)) if *position == self.position => path.clone(),
            _ => self.save(self.state())?,
        };
        Ok(End::Stopped { frames: self.position.frames, checkpoint })
    }

    fn save_if_due(&mut self) -> Result<(), TrainError> {
        let saved = self.saved.as_ref().map_or(Frames(0), |(_, position)| position.frames);
        if self.position.frames.since(saved) >= self.config.checkpoint.every {
            self.save(self.state())?;
        }
        Ok(())
    }

    /// Writes a checkpoint, but none that could not be read again.
    fn save(&mut self, state: RunState) -> Result<PathBuf, TrainError> {
        self.timed(Work::Saving, |run| run.write(&state))
    }

    fn write(&mut self, state: &RunState) -> Result<PathBuf, TrainError> {
        if let Some(broken) = self.agent.broken_parameter().map(Box::new) {
            let Position { updates: update, frames, .. } = self.position;
            let (root, saved) = (self.folder.root().to_owned(), self.saved.is_some());
            return Err(TrainError::Diverged { broken, update, frames, root, saved });
        }
        self.record.sync()?;
        let path = checkpoint::save(&self.folder.checkpoints(), self.config.checkpoint.kept, state, &self.agent)?;
        self.saved = Some((path.clone(), state.position.clone()));
        self.reporter.event(&Event::Saved { path: &path });
        Ok(path)
    }

    /// What stood in the way of the run, with what is left of it and how to go on.
    fn halted(&self, error: TrainError) -> TrainError {
        let after = match &self.saved {
            Some((path, _)) if path.exists() => format!(
                "its last checkpoint, {}, is whole: once the cause is mended, the same command goes on from there",
                path.display()
            ),
            Some((path, _)) => format!("its last checkpoint, {}, is gone", path.display()),
            None => "it had no checkpoint yet: once the cause is mended, the same command begins again".to_owned(),
        };
        TrainError::Halted { source: Box::new(error), frames: self.position.frames, after }
    }

    /// Where the run stands, as a checkpoint keeps it.
    fn state(&self) -> RunState {
        RunState {
            format: FORMAT,
            dreamgraft: env!("CARGO_PKG_VERSION").to_owned(),
            tasks: self.config.tasks.clone(),
            task: self.config.task,
            position: self.position.clone(),
            streams: self.streams.state(),
            meters: self.meters.clone(),
            metrics_lines: self.record.lines(),
            seconds: self.seconds(),
            finished: false,
        }
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.speed.seconds()
    }
}

/// The name of a metric that is measured for each task: with several tasks, the task's name is its second part.
fn of_task(config: &Config, name: &str, task: &str) -> String {
    if config.tasks.len() > 1 { format!("{name}/{task}") } else { name.to_owned() }
}
