//! The scores of one agent on episodes of a target, forward only.

use super::evidence::Regression;
use dreamer::{AheadError, Assessment, Policy, observed_numbers};
use replay::Episode;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How many steps ahead images are predicted.
pub const HORIZONS: [usize; 3] = [5, 15, 45];

/// The scores of an agent in episodes of a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// The squared error of reconstructed observations, over that of predicting their mean; `None` if they do not vary.
    pub image: Option<f64>,
    /// The mean divergence of posterior and prior, in nats.
    pub divergence: f64,
    /// The squared error of observations predicted [`HORIZONS`] steps ahead, over that of holding the last one; `None` if no episode
    /// is long enough, or nothing moves.
    pub ahead: [Option<f64>; HORIZONS.len()],
    /// The share of the rewards' variance that a linear function of the latent state and the predicted reward explains in an
    /// episode that it was not fitted to; negative if the mean would be better. `None` if the rewards do not vary.
    pub reward: Option<f64>,
    /// LogME of the latent state and the predicted reward: the logarithm of the evidence of that linear function, over the number
    /// of steps.
    pub reward_log_evidence: f64,
}

/// Scores the world model of `agent` on episodes, whose actions are cut or filled up with zeros if the agent's have another
/// length.
///
/// # Panics
/// If there are fewer than two episodes: the rewards of one are predicted from the others.
pub fn score(agent: &Policy, episodes: &[Episode]) -> Scores {
    assert!(episodes.len() > 1, "two episodes or more");
    let assessed: Vec<Assessment> = episodes
        .iter()
        .map(|episode| agent.assess(episode.observations(), &actions(agent, episode), &HORIZONS))
        .collect();
    let sum = |of: fn(&Assessment) -> f64| assessed.iter().map(of).sum::<f64>();
    let steps: usize = assessed.iter().map(|one| one.divergence.len()).sum();
    let ratio = |error: f64, reference: f64| (reference > 0.0).then(|| error / reference);
    let (reward, reward_log_evidence) = rewards(&assessed, episodes);
    Scores {
        image: ratio(sum(|one| one.squared_error), variation(episodes)),
        divergence: sum(|one| one.divergence.iter().sum()) / steps as f64,
        ahead: std::array::from_fn(|index| {
            let errors = assessed.iter().map(|one| one.ahead[index]);
            let all = errors.fold(AheadError::default(), |all, one| AheadError {
                model: all.model + one.model,
                held: all.held + one.held,
            });
            ratio(all.model, all.held)
        }),
        reward,
        reward_log_evidence,
    }
}

/// The error of reconstructed images of an agent's own task, as [`Scores::image`].
pub fn image_score(agent: &Policy, episodes: &[Episode]) -> Option<f64> {
    let error = |episode: &Episode| agent.assess(episode.observations(), &actions(agent, episode), &[]).squared_error;
    let (error, reference) = (episodes.iter().map(error).sum::<f64>(), variation(episodes));
    (reference > 0.0).then(|| error / reference)
}

/// The actions of an episode, as long as the agent's.
fn actions(agent: &Policy, episode: &Episode) -> Vec<f32> {
    actions_of_size(agent.action_size(), episode).collect()
}

/// The actions of an episode, each cut or filled up with zeros to `size` elements.
pub(crate) fn actions_of_size(size: usize, episode: &Episode) -> impl Iterator<Item = f32> {
    let actions = episode.action().chunks_exact(episode.action_size());
    actions.flat_map(move |action| (0..size).map(|index| action.get(index).copied().unwrap_or(0.0)))
}

/// The sum of squared distances of the episodes' observations from their mean, as numbers that a decoder predicts.
fn variation(episodes: &[Episode]) -> f64 {
    let Some(space) = episodes.first().map(|episode| episode.sizes().observations) else { return 0.0 };
    let size = space.image_bytes() + space.vector;
    let (mut sums, mut squares, mut count) = (vec![0.0; size], 0.0, 0u64);
    for episode in episodes {
        for numbers in observed_numbers(&space, episode.observations()).chunks_exact(size) {
            count += 1;
            for (sum, x) in sums.iter_mut().zip(numbers) {
                *sum += x;
                squares += x * x;
            }
        }
    }
    (squares - sums.iter().map(|sum| sum * sum / count as f64).sum::<f64>()).max(0.0)
}

/// [`Scores::reward`] and [`Scores::reward_log_evidence`].
fn rewards(assessed: &[Assessment], episodes: &[Episode]) -> (Option<f64>, f64) {
    let rows: Vec<(Vec<f64>, Vec<f64>)> =
        assessed.iter().zip(episodes).map(|(one, episode)| rows(one, episode)).collect();
    let all_but = |left_out: Option<usize>| {
        let kept = rows.iter().enumerate().filter(|(index, _)| Some(*index) != left_out).map(|(_, rows)| rows);
        let (inputs, targets): (Vec<&[f64]>, Vec<&[f64]>) = kept.map(|(x, y)| (x.as_slice(), y.as_slice())).unzip();
        (inputs.concat(), targets.concat())
    };
    let (inputs, targets) = all_but(None);
    let log_evidence = Regression::fit(&inputs, &targets).log_evidence;
    let (mut error, mut spread) = (0.0, 0.0);
    for (index, (new_inputs, new_targets)) in rows.iter().enumerate() {
        let (inputs, targets) = all_but(Some(index));
        let mean = targets.iter().sum::<f64>() / targets.len() as f64;
        let predicted = Regression::fit(&inputs, &targets).predict(new_inputs);
        for (predicted, target) in predicted.iter().zip(new_targets) {
            error += (predicted - target).powi(2);
            spread += (mean - target).powi(2);
        }
    }
    ((spread > 1e-12).then(|| 1.0 - error / spread), log_evidence)
}

/// The latent states and predicted rewards of an episode, and its rewards: all but the first, which has none.
fn rows(assessed: &Assessment, episode: &Episode) -> (Vec<f64>, Vec<f64>) {
    let width = assessed.feature.len() / assessed.reward.len();
    let states = assessed.feature.chunks_exact(width).zip(&assessed.reward).skip(1);
    let inputs = states.flat_map(|(state, reward)| state.iter().chain(std::iter::once(reward)).copied()).collect();
    (inputs, episode.reward().iter().skip(1).map(|reward| f64::from(*reward)).collect())
}

/// A number of a table; `-` if there is none.
pub(crate) fn cell(value: Option<f64>, decimals: usize) -> Cow<'static, str> {
    value.map_or(Cow::Borrowed("-"), |value| Cow::Owned(format!("{value:.decimals$}")))
}
