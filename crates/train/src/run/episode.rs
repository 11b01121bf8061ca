//! Playing one episode of a task.
//!
//! Here: the loop of observation, action, step, and the ways to choose an action that runs and plays share. Not here: how
//! episodes are used.

use crate::agent::Actor;
use crate::streams::EvaluationStreams;
use crate::{AgentSteps, Frames, TrainError};
use dreamer::ActMode;
use environment::{Environment, Observation};
use random::Stream;
use replay::{Episode, EpisodeBuilder, Sizes};

/// A finished episode and its length.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// The observations, actions and rewards.
    pub episode: Episode,
    /// Its environment frames.
    pub frames: Frames,
    /// Its agent steps.
    pub agent_steps: AgentSteps,
    /// The time for which an action is held, in seconds.
    pub step_seconds: f64,
}

/// Plays an episode from an initial state drawn from `random`. `choose` writes the action for an observation. `None` if
/// `interrupted` was set before the end.
///
/// # Errors
/// If the environment refuses an action, or returns values that are not valid in an episode.
pub fn play_episode(
    environment: &mut dyn Environment,
    random: &mut Stream,
    mut choose: impl FnMut(Observation<'_>, &mut [f32]),
    mut interrupted: impl FnMut() -> bool,
) -> Result<Option<Played>, TrainError> {
    let sizes = Sizes { action: environment.action_size(), observations: environment.info().observations };
    let task = environment.task().to_owned();
    let kept = |source| TrainError::Episode { task: task.clone(), source };
    let mut image = vec![0; sizes.image()];
    let mut action = vec![0.0; sizes.action];
    environment.reset(random, &mut image)?;
    let first = Observation { image: &image, vector: environment.vector() };
    let mut builder = EpisodeBuilder::new(&task, sizes, first).map_err(kept)?;
    let (mut frames, mut agent_steps) = (Frames(0), AgentSteps(0));
    loop {
        if interrupted() {
            return Ok(None);
        }
        choose(Observation { image: &image, vector: environment.vector() }, &mut action);
        let outcome = environment.step(&action, &mut image)?;
        frames += Frames(u64::from(outcome.frames));
        agent_steps += AgentSteps(1);
        let discount = if outcome.terminal { 0.0 } else { 1.0 };
        let observation = Observation { image: &image, vector: environment.vector() };
        builder.push(&action, outcome.reward, discount, observation).map_err(kept)?;
        if outcome.terminal || outcome.truncated {
            let step_seconds = environment.info().timing.step_seconds();
            return Ok(Some(Played { episode: builder.finish().map_err(kept)?, frames, agent_steps, step_seconds }));
        }
    }
}

/// Fills an action with uniformly random numbers from -1 to 1; a discrete one with a random choice, as a one-hot vector.
pub(crate) fn random_action(discrete: bool, random: &mut Stream, action: &mut [f32]) {
    if discrete {
        action.fill(0.0);
        action[random.below(action.len())] = 1.0;
        return;
    }
    action.fill_with(|| random.uniform_in(-1.0, 1.0) as f32);
}

/// Plays an episode with an agent that does not explore. `None` if interrupted.
///
/// # Errors
/// As [`play_episode`].
pub(crate) fn evaluate_episode<L: Actor>(
    environment: &mut dyn Environment,
    agent: &L,
    random: &mut EvaluationStreams,
    interrupted: impl FnMut() -> bool,
) -> Result<Option<Played>, TrainError> {
    let EvaluationStreams { starts, actions } = random;
    let mut state = agent.begin();
    let choose = |seen: Observation<'_>, action: &mut [f32]| {
        agent.act(&mut state, seen, ActMode::Evaluate, actions, action);
    };
    play_episode(environment, starts, choose, interrupted)
}
