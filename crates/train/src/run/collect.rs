//! Collecting: an episode of random actions, of a guide or of the agent's own, written, remembered and counted.

use super::{Run, of_task};
use crate::TrainError;
use crate::agent::Trainable;
use crate::events::Event;
use crate::run::episode::{Played, play_episode, random_action};
use crate::run::schedule::{Phase, next};
use dreamer::ActMode;
use environment::{Observation, Termination};
use replay::WindowStarts;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

impl<L: Trainable> Run<'_, L> {
    /// Collects an episode. If interrupted, the incomplete episode is discarded and the streams are restored, so that a
    /// resumed run collects the same episode.
    pub(super) fn collect(&mut self, phase: Phase, task: usize) -> Result<(), TrainError> {
        let before = self.streams.clone();
        let (agent, streams, interrupted) = (&self.agent, &mut self.streams, self.interrupted);
        let environment = self.environments.training[task].as_mut();
        let (position, end) = (&self.position, self.config.steps);
        let (began, left) = (Instant::now(), self.speed.left(self.config, position));
        let reporter = &mut *self.reporter;
        let interrupted = || {
            reporter.event(&Event::Progress { phase, position, end, left });
            interrupted.load(Ordering::SeqCst)
        };
        let is_first = matches!(phase, Phase::Prefill { .. });
        let played = if let Some(guide) = self.support.guide.as_ref().filter(|_| is_first) {
            guide.play(environment, &mut streams.environment, &mut streams.prefill, interrupted)?
        } else if is_first {
            let (random, discrete) = (&mut streams.prefill, environment.info().actions.is_discrete());
            let choose = |_: Observation<'_>, action: &mut [f32]| random_action(discrete, random, action);
            play_episode(environment, &mut streams.environment, choose, interrupted)?
        } else {
            let (random, mut state) = (&mut streams.exploration, agent.begin());
            let choose = |seen: Observation<'_>, action: &mut [f32]| {
                agent.act(&mut state, seen, ActMode::Explore, random, action);
            };
            play_episode(environment, &mut streams.environment, choose, interrupted)?
        };
        let Some(played) = played else {
            self.streams = before;
            return Ok(());
        };
        let frames = played.frames;
        self.keep(played, phase, task)?;
        self.speed.collected(frames, is_first, began.elapsed());
        if let Phase::Prefill { task } = phase {
            self.note_short_episodes(task);
        }
        Ok(())
    }

    /// Writes an episode, adds it to the memory and counts it.
    fn keep(&mut self, played: Played, phase: Phase, index: usize) -> Result<(), TrainError> {
        let Played { episode, frames, agent_steps, .. } = played;
        // If the lock was removed during the episode, another process may have written an episode with this number.
        self.keep_files()?;
        let stamp = replay::stamp(SystemTime::now());
        replay::write_episode(&self.folder.episodes(), &stamp, self.position.episodes, &episode)?;
        let task = episode.task();
        self.meters.add(&of_task(self.config, "train_return", task), episode.score());
        self.meters.add(&of_task(self.config, "train_length", task), frames.0 as f64);
        match phase {
            // The returns of random actions are not known from the episodes of a guide.
            Phase::Prefill { .. } if self.support.guided_by.is_some() => {}
            Phase::Prefill { .. } => self.returns.random(index, episode.score()),
            _ => self.warnings.earned(index, episode.score()),
        }
        self.replay.add(episode)?;
        self.position.collected(self.config, phase, frames, agent_steps);
        Ok(())
    }

    /// At the end of a task's prefill, reports if most of its random episodes are too short to learn from.
    fn note_short_episodes(&mut self, task: usize) {
        let Some(&seen) = self.position.prefill.get(task) else { return };
        let ended = next(self.config, &self.position);
        if [Phase::Prefill { task }, Phase::TooShort { task }].contains(&ended) || 2 * seen.too_short <= seen.episodes {
            return;
        }
        let (name, length) = (&self.config.tasks[task], self.config.agent.length);
        self.reporter.event(&Event::Note(&format!(
            "{} of {} {} episodes of {name} have fewer than the {length} transitions of agent.length, so the agent \
             cannot learn from them (the mean is {}, the longest {}); with replay.starts = \"stream\" it can",
            seen.too_short,
            seen.episodes,
            self.support.first_episodes(),
            seen.mean(),
            seen.longest
        )));
    }

    /// Why the task with index `task` cannot be learned.
    pub(super) fn too_short(&self, task: usize) -> TrainError {
        let seen = self.position.prefill.get(task).copied().unwrap_or_default();
        let task = self.config.tasks[task].clone();
        // Only built-in tasks, whose names do not contain a colon, have this setting.
        let can_be_fixed = !task.contains(':') && self.config.task.termination == Termination::Stock;
        let (length, of) = (self.config.agent.length, self.support.first_episodes());
        let is_stream = self.config.replay.starts == WindowStarts::Stream;
        TrainError::TooShort { task, length, of, seen, is_stream, can_be_fixed }
    }
}
