//! What a run does next: a pure function of where it stands.
//!
//! Prefill, gradient steps, evaluation, collection in the order of the algorithm. Because nothing but the counters
//! decides, a run that resumes from its counters does what it would have done. Not here: doing any of it.

use crate::config::Config;
use crate::{AgentSteps, Frames};
use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Environment frames collected, those of the prefill included.
    pub frames: Frames,
    /// Agent steps collected.
    pub steps: AgentSteps,
    /// Episodes collected.
    pub episodes: u64,
    /// Frames of the prefill alone.
    pub prefill_frames: Frames,
    /// Gradient steps taken.
    pub updates: u64,
    /// Frames at the last scheduled evaluation.
    pub evaluated: Option<Frames>,
    /// Frames at the last line of metrics.
    pub logged: Frames,
}

/// What a run does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// An episode of uniformly random actions, of the task with this index.
    Prefill {
        /// Index into the configuration's `tasks`.
        task: usize,
    },
    /// An episode of the agent's own, of the task with this index.
    Collect {
        /// Index into the configuration's `tasks`.
        task: usize,
    },
    /// Gradient steps until `due` have been taken in all.
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

/// What the run does next.
pub fn next(config: &Config, position: &Position) -> Phase {
    let tasks = config.tasks.len() as u64;
    let task = (position.episodes % tasks.max(1)) as usize;
    let schedule = &config.schedule;
    if position.episodes < schedule.prefill_episodes.saturating_mul(tasks) {
        return Phase::Prefill { task };
    }
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
    if position.evaluated.is_none_or(|evaluated| position.frames.since(evaluated) >= schedule.eval_every) {
        return Phase::Evaluate;
    }
    if position.frames >= config.steps {
        return Phase::Finish;
    }
    Phase::Collect { task }
}

/// Gradient steps that the collected frames ask for: those of the start, and `train_updates` per `train_every` frames
/// after the prefill, rounded down.
fn updates_due(config: &Config, position: &Position) -> u64 {
    let schedule = &config.schedule;
    let learned_from = u128::from(position.frames.since(position.prefill_frames).0);
    let earned = learned_from * u128::from(schedule.train_updates) / u128::from(schedule.train_every.0.max(1));
    schedule.pretrain_updates.saturating_add(u64::try_from(earned).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn config(tasks: usize) -> Config {
        Config { tasks: (0..tasks).map(|i| i.to_string()).collect(), steps: Frames(20_000), ..Config::default() }
    }

    /// Does what `phase` says to the counters, episodes having `frames` frames.
    fn advance(position: &mut Position, phase: Phase, frames: u64) {
        match phase {
            Phase::Prefill { .. } | Phase::Collect { .. } => {
                position.frames += Frames(frames);
                position.steps += AgentSteps(frames.div_ceil(2));
                position.episodes += 1;
                if matches!(phase, Phase::Prefill { .. }) {
                    position.prefill_frames += Frames(frames);
                }
            }
            Phase::Learn { due } => position.updates = due,
            Phase::Log => position.logged = position.frames,
            Phase::Evaluate => position.evaluated = Some(position.frames),
            Phase::Finish => {}
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
            advance(&mut position, phase, 1000);
        }
        assert_eq!(at_first_update, Some((5, 100)));
        assert_eq!(evaluations, [(5000, 100), (15_000, 1100)]);
        assert_eq!((position.frames, position.steps, position.updates), (Frames(20_000), AgentSteps(10_000), 1600));
    }

    proptest! {
        #[test]
        fn every_run_ends_with_the_updates_its_frames_ask_for(
            tasks in 1usize..4, lengths in prop::collection::vec(1u64..1001, 1..50),
            train_every in 1u64..3000, train_updates in 0u64..200, steps in 1u64..30_000,
        ) {
            let mut config = config(tasks);
            config.steps = Frames(steps);
            config.schedule.train_every = Frames(train_every);
            config.schedule.train_updates = train_updates;
            let mut position = Position::default();
            let mut collected = vec![0u64; tasks];
            let mut lengths = lengths.into_iter().cycle();
            loop {
                let phase = next(&config, &position);
                match phase {
                    Phase::Prefill { task } | Phase::Collect { task } => collected[task] += 1,
                    Phase::Learn { due } => prop_assert!(due > position.updates),
                    _ => {}
                }
                if phase == Phase::Finish { break }
                advance(&mut position, phase, lengths.next().unwrap());
            }
            prop_assert!(position.frames >= config.steps);
            prop_assert!(collected.iter().all(|&count| count == collected[0] && count >= 5));
            let learned = position.frames.0 - position.prefill_frames.0;
            prop_assert_eq!(position.updates, 100 + learned * train_updates / train_every);
            prop_assert!(position.evaluated.is_some());
        }
    }
}
