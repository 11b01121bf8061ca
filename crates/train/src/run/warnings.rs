//! Warnings of a run under way: it does not learn, or its policy is saturated.
//!
//! Each is given once in a session, and none changes the run. Not here: rules that end a run (`stop`).

use super::returns::RunningMean;
use crate::Frames;
use std::collections::VecDeque;
use wording::{grouped, rounded};

/// The agent's own frames of a task after which it should earn more than random actions.
pub const CHANCE_AFTER: Frames = Frames(50_000);

/// Its last episodes that are compared with the random ones.
const RECENT: usize = 10;

/// Standard errors by which their mean must be better.
const ERRORS: f64 = 2.0;

/// The root mean square of actions from which a policy counts as saturated.
const SATURATED: f64 = 0.98;

/// Frames for which it must stay there.
pub const SATURATED_FOR: Frames = Frames(10_000);

/// The conditions that are watched for, in this session.
#[derive(Debug)]
pub(super) struct Warnings {
    tasks: Vec<Watched>,
    /// The frames at which the policy was first saturated, of all lines since.
    saturated: Option<Frames>,
    warned_of_saturation: bool,
}

/// A task.
#[derive(Clone, Debug, Default)]
struct Watched {
    recent: VecDeque<f64>,
    warned: bool,
}

impl Warnings {
    pub fn new(tasks: usize) -> Self {
        Self { tasks: vec![Watched::default(); tasks], saturated: None, warned_of_saturation: false }
    }

    /// The agent earned `score` in an episode of its own.
    pub fn earned(&mut self, task: usize, score: f64) {
        let Some(Watched { recent, .. }) = self.tasks.get_mut(task) else { return };
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back(score);
    }

    /// A warning that the agent is no better than chance in the task called `name`, of which it has collected `own`
    /// frames; once.
    pub fn chance(&mut self, task: usize, name: &str, own: Frames, random: RunningMean) -> Option<String> {
        let watched = self.tasks.get_mut(task)?;
        if watched.warned || own < CHANCE_AFTER || watched.recent.len() < RECENT || random.count == 0 {
            return None;
        }
        let mut recent = RunningMean::default();
        watched.recent.iter().for_each(|score| recent.add(*score));
        let error = (recent.error_squared() + random.error_squared()).sqrt();
        if recent.mean - random.mean > ERRORS * error {
            return None;
        }
        watched.warned = true;
        Some(format!(
            "after {} frames of its own, the agent earns no more in {name} than random actions: {} in its last {RECENT} \
             episodes, {} in the {} random ones; the page \"Metrics\" of the documentation explains what to check",
            grouped(own.0),
            rounded(recent.mean, 1),
            rounded(random.mean, 1),
            random.count
        ))
    }

    /// That the policy is saturated, by the root mean square of its actions on the line of metrics at `frames` frames, the one
    /// before which was at `before`; once.
    pub fn saturation(&mut self, rms: Option<f64>, before: Frames, frames: Frames) -> Option<String> {
        let rms = rms?;
        if rms < SATURATED {
            self.saturated = None;
            return None;
        }
        let since = *self.saturated.get_or_insert(before);
        if self.warned_of_saturation || frames.since(since) < SATURATED_FOR {
            return None;
        }
        self.warned_of_saturation = true;
        Some(format!(
            "the policy has been saturated for {} frames: its actions are at their bounds (action_rms is {}), where it hardly \
             learns any more; a larger agent.actor_entropy prevents that in a new run",
            grouped(frames.since(since).0),
            rounded(rms, 3)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random() -> RunningMean {
        let mut random = RunningMean::default();
        [-800.0, -820.0, -840.0, -830.0, -810.0].into_iter().for_each(|score| random.add(score));
        random
    }

    #[test]
    fn an_agent_at_chance_is_warned_of_once_and_after_a_while() {
        let mut warnings = Warnings::new(1);
        (0..RECENT).for_each(|index| warnings.earned(0, -825.0 + index as f64));
        assert_eq!(warnings.chance(0, "a", Frames(CHANCE_AFTER.0 - 1), random()), None);
        assert_eq!(warnings.chance(0, "a", CHANCE_AFTER, RunningMean::default()), None, "nothing is known of chance");
        let warning = warnings.chance(0, "a", CHANCE_AFTER, random()).unwrap();
        assert!(warning.contains("-820.5 in its last 10 episodes, -820.0 in the 5 random ones"), "{warning}");
        assert_eq!(warnings.chance(0, "a", CHANCE_AFTER, random()), None);
    }

    #[test]
    fn an_agent_that_is_clearly_better_is_not() {
        let mut warnings = Warnings::new(1);
        (0..RECENT).for_each(|index| warnings.earned(0, -700.0 + index as f64));
        assert_eq!(warnings.chance(0, "a", CHANCE_AFTER, random()), None);
        // It comes back to chance later: its last episodes count.
        (0..RECENT).for_each(|_| warnings.earned(0, -840.0));
        assert!(warnings.chance(0, "a", CHANCE_AFTER, random()).is_some());
    }

    #[test]
    fn rewards_that_nobody_finds_are_chance() {
        let mut warnings = Warnings::new(1);
        (0..RECENT).for_each(|_| warnings.earned(0, 0.0));
        let none = RunningMean { count: 5, mean: 0.0, squares: 0.0 };
        assert!(warnings.chance(0, "a", CHANCE_AFTER, none).is_some());
    }

    #[test]
    fn a_policy_is_saturated_after_lines_without_a_break() {
        let mut warnings = Warnings::new(1);
        let mut line = |rms, frames| warnings.saturation(rms, Frames(frames - 4000), Frames(frames));
        assert_eq!(line(Some(0.99), 4000), None);
        assert_eq!(line(Some(0.99), 8000), None);
        assert_eq!(line(Some(0.9), 12_000), None);
        assert_eq!(line(Some(0.99), 16_000), None);
        // A line without gradient steps is no reason for a warning.
        assert_eq!(line(None, 20_000), None);
        let warning = line(Some(0.991), 24_000).unwrap();
        assert!(warning.contains("saturated for 12 000 frames") && warning.contains("0.991"), "{warning}");
        assert_eq!(line(Some(1.0), 28_000), None);
    }
}
