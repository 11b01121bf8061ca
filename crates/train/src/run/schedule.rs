//! The next phase of a run: a pure function of its position.
//!
//! Prefill, gradient steps, evaluation, collection in the order of the algorithm. Because only the counters decide, a
//! resumed run does the same as an uninterrupted run. Not here: the phases themselves.

use crate::config::{Config, Schedule};
use crate::{AgentSteps, Frames};
use replay::WindowStarts;
use serde::{Deserialize, Serialize};

/// The position of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Environment frames collected, those of the prefill included.
    pub frames: Frames,
    /// Agent steps collected.
    #[serde(rename = "steps")]
    pub agent_steps: AgentSteps,
    /// Episodes collected.
    pub episodes: u64,
    /// The prefill of each task that has begun with it, in the order of the configuration.
    pub prefill: Vec<Prefilled>,
    /// Whether the fractions of a transfer that the random episodes decide are fitted; false if there are none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fitted: bool,
    /// The number of gradient steps so far.
    pub updates: u64,
    /// Frames at the last scheduled evaluation.
    pub evaluated: Option<Frames>,
    /// Frames at the last line of metrics.
    pub logged: Frames,
}

/// Random episodes of one task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefilled {
    /// Episodes.
    pub episodes: u64,
    /// Their environment frames.
    pub frames: Frames,
    /// Their transitions, one more in each episode than it has agent steps.
    pub transitions: u64,
    /// Transitions of the longest.
    pub longest: u64,
    /// Episodes with fewer than `agent.length` transitions, which nothing is learned from unless windows cross from one episode
    /// into the next.
    pub too_short: u64,
}

/// The phases of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// An episode of uniformly random actions, of the task with this index.
    Prefill {
        /// Index into the configuration's `tasks`.
        task: usize,
    },
    /// Nothing: no random episode of the task with this index is as long as the windows that are learned from.
    TooShort {
        /// Index into the configuration's `tasks`.
        task: usize,
    },
    /// An episode of the agent's own, of the task with this index.
    Collect {
        /// Index into the configuration's `tasks`.
        task: usize,
    },
    /// Gradient steps until their total number is `due`.
    Learn {
        /// Gradient steps that the frames collected ask for.
        due: u64,
    },
    /// A line of metrics.
    Log,
    /// A scheduled evaluation.
    Evaluate,
    /// Nothing more: the run has all its frames.
    Finish,
}

/// The largest multiple of the requested prefill that is collected to obtain one episode that is long enough.
const PATIENCE: u64 = 4;

/// The next phase of the run.
pub fn next(config: &Config, position: &Position) -> Phase {
    let tasks = config.tasks.len();
    if let Some(phase) = (0..tasks).find_map(|task| prefill(config, position, task)) {
        return phase;
    }
    // Of the agent's own episodes, each round has one of every task.
    let task = (position.own_episodes() % tasks.max(1) as u64) as usize;
    if task != 0 {
        return Phase::Collect { task };
    }
    let due = updates_due(config, position);
    if position.updates < due {
        return Phase::Learn { due };
    }
    if position.frames.since(position.logged) >= config.log.every {
        return Phase::Log;
    }
    if position.evaluated.is_none_or(|evaluated| position.frames.since(evaluated) >= config.schedule.eval_every) {
        return Phase::Evaluate;
    }
    if position.frames >= config.steps {
        return Phase::Finish;
    }
    Phase::Collect { task }
}

/// Whether the prefill of a task is complete: enough episodes, enough frames, and an episode that is long enough for a
/// window, or as many transitions if windows cross from one episode into the next.
fn prefill(config: &Config, position: &Position, task: usize) -> Option<Phase> {
    let schedule = &config.schedule;
    let done = position.prefill.get(task).copied().unwrap_or_default();
    let reached = |times: u64| {
        done.episodes >= schedule.prefill_episodes.saturating_mul(times)
            && done.frames.0 >= schedule.prefill_frames.0.saturating_mul(times)
    };
    let (length, is_stream) = (config.agent.length as u64, config.replay.starts == WindowStarts::Stream);
    if reached(1) && if is_stream { done.transitions } else { done.longest } >= length {
        return None;
    }
    Some(if reached(PATIENCE) { Phase::TooShort { task } } else { Phase::Prefill { task } })
}

/// Gradient steps that the collected frames ask for: those of the start, and `train_updates` per `train_every` frames
/// after the prefill, rounded down.
fn updates_due(config: &Config, position: &Position) -> u64 {
    let schedule = &config.schedule;
    schedule.pretrain_updates.saturating_add(updates_of(schedule, position.own_frames()))
}

/// Gradient steps that so many frames after the prefill ask for.
fn updates_of(schedule: &Schedule, frames: Frames) -> u64 {
    let earned = u128::from(frames.0) * u128::from(schedule.train_updates) / u128::from(schedule.train_every.0.max(1));
    u64::try_from(earned).unwrap_or(u64::MAX)
}

/// The remaining work of a run, as far as it follows from its settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Remaining {
    /// Frames of random episodes.
    pub random: Frames,
    /// Frames of the agent's own.
    pub own: Frames,
    /// Gradient steps.
    pub updates: u64,
    /// Evaluations.
    pub evaluations: u64,
    /// Checkpoints.
    pub checkpoints: u64,
}

impl Remaining {
    /// The remaining work of a run at `position`.
    pub fn of(config: &Config, position: &Position) -> Self {
        let (schedule, tasks) = (&config.schedule, config.tasks.len());
        let due = |task: usize| prefill(config, position, task).is_some();
        let asked = |task: usize| {
            let done = position.prefill.get(task).copied().unwrap_or_default();
            // As many frames as the episodes so far have, if it is episodes that are missing.
            let mean = done.frames.0.checked_div(done.episodes).unwrap_or(0);
            let episodes = schedule.prefill_episodes.saturating_sub(done.episodes);
            schedule.prefill_frames.since(done.frames).0.max(mean.saturating_mul(episodes))
        };
        let random = (0..tasks).filter(|task| due(*task)).map(asked).fold(0, u64::saturating_add);
        let own = config.steps.since(position.frames + Frames(random));
        let at_end = schedule.pretrain_updates.saturating_add(updates_of(schedule, position.own_frames() + own));
        let evaluated = position.evaluated.unwrap_or(position.frames + Frames(random));
        let later = config.steps.since(evaluated).0.div_ceil(schedule.eval_every.0.max(1));
        Self {
            random: Frames(random),
            own,
            updates: at_end.saturating_sub(position.updates),
            evaluations: later + u64::from(position.evaluated.is_none()),
            checkpoints: config.steps.since(position.frames).0 / config.checkpoint.every.0.max(1) + 1,
        }
    }
}

impl Position {
    /// Counts an episode of `frames` frames, in which the agent took `agent_steps`, collected in `phase`.
    pub fn collected(&mut self, config: &Config, phase: Phase, frames: Frames, agent_steps: AgentSteps) {
        self.episodes += 1;
        self.frames += frames;
        self.agent_steps += agent_steps;
        let Phase::Prefill { task } = phase else { return };
        if self.prefill.len() <= task {
            self.prefill.resize(task + 1, Prefilled::default());
        }
        let (prefill, transitions) = (&mut self.prefill[task], agent_steps.0 + 1);
        prefill.episodes += 1;
        prefill.frames += frames;
        prefill.transitions += transitions;
        prefill.longest = prefill.longest.max(transitions);
        let is_stream = config.replay.starts == WindowStarts::Stream;
        prefill.too_short += u64::from(!is_stream && transitions < config.agent.length as u64);
    }

    /// Episodes of the agent's own: those after the prefill.
    pub(crate) fn own_episodes(&self) -> u64 {
        self.episodes.saturating_sub(self.prefilled(|task| task.episodes))
    }

    /// Their frames.
    pub(crate) fn own_frames(&self) -> Frames {
        self.frames.since(Frames(self.prefilled(|task| task.frames.0)))
    }

    /// The sum of a count over the prefills of all tasks.
    fn prefilled(&self, of: impl Fn(&Prefilled) -> u64) -> u64 {
        self.prefill.iter().map(of).fold(0, u64::saturating_add)
    }
}

impl Prefilled {
    /// Mean transitions of an episode, rounded down; 0 without any.
    pub fn mean(&self) -> u64 {
        self.transitions.checked_div(self.episodes).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn config(tasks: usize) -> Config {
        Config { tasks: (0..tasks).map(|i| i.to_string()).collect(), steps: Frames(20_000), ..Config::default() }
    }

    /// Advances the counters by `phase`, with episodes of `frames` frames.
    fn advance(config: &Config, position: &mut Position, phase: Phase, frames: u64) {
        match phase {
            Phase::Prefill { .. } | Phase::Collect { .. } => {
                position.collected(config, phase, Frames(frames), AgentSteps(frames.div_ceil(2)));
            }
            Phase::Learn { due } => position.updates = due,
            Phase::Log => position.logged = position.frames,
            Phase::Evaluate => position.evaluated = Some(position.frames),
            Phase::Finish | Phase::TooShort { .. } => {}
        }
    }

    #[test]
    fn the_papers_schedule() {
        let (config, mut position) = (config(1), Position::default());
        let mut evaluations = Vec::new();
        let mut at_first_update = None;
        loop {
            let phase = next(&config, &position);
            match phase {
                Phase::Evaluate => evaluations.push((position.frames.0, position.updates)),
                Phase::Learn { due } if at_first_update.is_none() => at_first_update = Some((position.episodes, due)),
                Phase::Finish => break,
                _ => {}
            }
            advance(&config, &mut position, phase, 1000);
        }
        assert_eq!(at_first_update, Some((5, 100)));
        assert_eq!(evaluations, [(5000, 100), (15_000, 1100)]);
        assert_eq!(
            (position.frames, position.agent_steps, position.updates),
            (Frames(20_000), AgentSteps(10_000), 1600)
        );
    }

    #[test]
    fn what_remains_is_what_the_schedule_then_does() {
        let (config, mut position) = (config(2), Position::default());
        let mut seen = Vec::new();
        loop {
            let phase = next(&config, &position);
            // Where an episode of random actions is due, its length is not known before the first.
            if position.episodes > 0 {
                seen.push((Remaining::of(&config, &position), position.updates));
            }
            if phase == Phase::Finish {
                break;
            }
            advance(&config, &mut position, phase, 1000);
        }
        let (first, _) = seen[0];
        assert_eq!((first.random, first.own), (Frames(9000), Frames(10_000)));
        assert!(seen.iter().all(|(left, done)| left.updates + done == position.updates), "{seen:?}");
        assert_eq!(first.evaluations, 2, "one after the prefill, and one 10 000 frames later");
        let (last, _) = seen[seen.len() - 1];
        assert_eq!((last.random, last.own, last.updates, last.evaluations), (Frames(0), Frames(0), 0, 0));
    }

    /// Prefills a task whose episodes have `length` frames; the counters and the phase after it.
    fn prefilled(config: &Config, length: impl Fn(u64) -> u64) -> (Position, Phase) {
        let mut position = Position::default();
        loop {
            let phase = next(config, &position);
            if phase != (Phase::Prefill { task: 0 }) {
                return (position, phase);
            }
            let frames = length(position.episodes);
            advance(config, &mut position, phase, frames);
        }
    }

    #[test]
    fn short_episodes_are_collected_until_there_are_frames_enough_and_a_window_fits() {
        let mut config = config(1);
        config.agent.length = 8;
        // Episodes of 8 frames, 5 transitions; number 700 has 20 frames, 11 transitions.
        let (position, phase) = prefilled(&config, |episode| if episode == 700 { 20 } else { 8 });
        assert_eq!(phase, Phase::Learn { due: 100 });
        let expected =
            Prefilled { episodes: 701, frames: Frames(5620), transitions: 3511, longest: 11, too_short: 700 };
        assert_eq!(position.prefill, [expected]);
        // None is ever long enough: no end of collecting, but a reason.
        let (position, phase) = prefilled(&config, |_| 8);
        assert_eq!(phase, Phase::TooShort { task: 0 });
        let seen = position.prefill[0];
        assert_eq!((seen.frames, seen.longest, seen.mean()), (Frames(20_000), 5, 5));
    }

    proptest! {
        #[test]
        fn every_run_ends_with_the_updates_its_frames_ask_for(
            tasks in 1usize..4, lengths in prop::collection::vec(1u64..1001, 1..50),
            train_every in 1u64..3000, train_updates in 0u64..200, steps in 1u64..30_000, prefill_frames in 0u64..9000,
        ) {
            let mut config = config(tasks);
            config.steps = Frames(steps);
            config.schedule.train_every = Frames(train_every);
            config.schedule.train_updates = train_updates;
            let mut position = Position::default();
            config.agent.length = 2;
            config.schedule.prefill_frames = Frames(prefill_frames);
            let (mut random, mut own) = (vec![(0u64, 0u64); tasks], vec![0u64; tasks]);
            let mut lengths = lengths.into_iter().cycle();
            loop {
                let phase = next(&config, &position);
                let length = lengths.next().unwrap();
                match phase {
                    Phase::Prefill { task } => random[task] = (random[task].0 + 1, random[task].1 + length),
                    Phase::Collect { task } => own[task] += 1,
                    Phase::Learn { due } => prop_assert!(due > position.updates),
                    _ => {}
                }
                if phase == Phase::Finish { break }
                advance(&config, &mut position, phase, length);
            }
            prop_assert!(position.frames >= config.steps);
            // Every task has its prefill, and not an episode more than it needs; then they take turns.
            for &(episodes, frames) in &random {
                prop_assert!(episodes >= 5 && frames >= prefill_frames);
                prop_assert!(episodes == 5 || frames < prefill_frames + 1000);
            }
            prop_assert!(own.iter().all(|&count| count == own[0]));
            let learned = position.frames.0 - random.iter().map(|&(_, frames)| frames).sum::<u64>();
            prop_assert_eq!(position.updates, 100 + learned * train_updates / train_every);
            prop_assert!(position.evaluated.is_some());
        }
    }
}
