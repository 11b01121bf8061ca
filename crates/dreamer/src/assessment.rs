//! Assesses a world model on a sequence of any policy: how well it reconstructs, predicts and rewards.
//!
//! Forward only and without noise: states are means, so that the same sequence always gives the same numbers. Here: one
//! sequence and one agent. Not here: conclusions for a transfer (`transfer`).

use crate::agent_view::AgentView;
use crate::filtered::with_filtered;
use crate::images::normalise;
use crate::networks::symlog;
use crate::policy::Policy;
use environment::{Observation, ObservationSpace};
use tape::{Real, Tape, Var, Workspace};

/// Frames that a prediction starts from: the first, and the distance to the next.
const STARTS: (usize, usize) = (5, 10);

/// Frames that are decoded at once.
const PIECE: usize = 50;

/// The assessment of a world model on one sequence of T observations.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// The means of the posterior states [T, S + D].
    pub feature: Vec<f64>,
    /// The predicted rewards `[T]`.
    pub reward: Vec<f64>,
    /// The divergence of each posterior from its prior `[T]`, in nats.
    pub divergence: Vec<f64>,
    /// The sum of squared errors of all reconstructed observations, as [`observed_numbers`] has them.
    pub squared_error: f64,
    /// For each horizon that was asked for, the errors of observations predicted that many steps ahead.
    pub ahead: Vec<AheadError>,
}

/// Squared errors of observations predicted some steps ahead from actions alone, summed over several starts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AheadError {
    /// Of the model.
    pub model: f64,
    /// Of holding the last observation that was seen.
    pub held: f64,
}

impl<F: Real> Policy<F> {
    /// Assesses the world model on T observations and the actions that led to them [T, A], predicting each of
    /// `horizons` steps ahead.
    ///
    /// # Panics
    /// If observations and actions have different lengths, or there are none, or the agent does not predict observations
    /// ([`crate::AgentConfig::predicts_observations`]).
    pub fn assess(&self, observations: Observation<'_>, actions: &[F], horizons: &[usize]) -> Assessment {
        let agent = self.constant_view();
        assert!(agent.config.predicts_observations(), "an agent that predicts observations");
        let (networks, steps, width) = (agent.networks, agent.count_of(observations), agent.config.feature());
        let numbers = |values: &[F]| values.iter().map(|x| x.to_f64()).collect::<Vec<f64>>();
        let truth = observed_numbers(&agent.config.observation_space(), observations);
        let size = truth.len() / steps;
        let (reward, divergence, stoch, deter, feature) =
            with_filtered(agent, observations, actions, |tape, observed| {
                let prior = networks.rssm.prior(tape, observed.deter);
                let divergence = agent.config.latent_distribution().divergence(tape, observed.posterior, prior);
                let reward = networks.reward.forward(tape, observed.feature);
                (
                    numbers(tape.value(reward)),
                    numbers(tape.value(divergence)),
                    tape.value(observed.stoch).to_vec(),
                    tape.value(observed.deter).to_vec(),
                    tape.value(observed.feature).to_vec(),
                )
            });
        let squared_error = (0..steps)
            .step_by(PIECE)
            .map(|first| {
                let frames = first..(first + PIECE).min(steps);
                let decoded = decode(agent, &feature[frames.start * width..frames.end * width]);
                squared(&decoded, &truth[frames.start * size..frames.end * size])
            })
            .sum();
        Assessment {
            reward,
            divergence,
            squared_error,
            ahead: predict_ahead(agent, &truth, actions, (&stoch, &deter), horizons),
            feature: numbers(&feature),
        }
    }
}

/// The errors of predictions from every tenth state [T, S] and [T, D] of a sequence.
fn predict_ahead<F: Real>(
    agent: AgentView<'_, F>,
    truth: &[f64],
    actions: &[F],
    (stochs, deters): (&[F], &[F]),
    horizons: &[usize],
) -> Vec<AheadError> {
    let AgentView { config, networks, .. } = agent;
    let steps = deters.len() / config.deter;
    let (size, observed) = (actions.len() / steps, truth.len() / steps);
    let at = |step: usize| &truth[step * observed..(step + 1) * observed];
    let starts: Vec<usize> = (STARTS.0..steps.saturating_sub(1)).step_by(STARTS.1).collect();
    let mut errors = vec![AheadError::default(); horizons.len()];
    if starts.is_empty() {
        return errors;
    }
    let rows = |all: &[F], width: usize| -> Vec<F> {
        starts.iter().flat_map(|start| &all[start * width..(start + 1) * width]).copied().collect()
    };
    let (latent, size_of_state) = (config.latent_distribution(), config.state_size());
    let (mut stoch, mut deter) = (rows(stochs, size_of_state), rows(deters, config.deter));
    let mut workspace = Workspace::default();
    for ahead in 1..=horizons.iter().copied().max().unwrap_or(0) {
        let mut tape = Tape::new(agent.parameters, agent.trainable, &mut workspace);
        let count = starts.len();
        let before = tape.constant(count, size_of_state, |y| y.copy_from_slice(&stoch));
        let past = tape.constant(count, config.deter, |y| y.copy_from_slice(&deter));
        // Beyond the end of the sequence, predictions continue without an action and are not counted.
        let action = tape.constant(count, size, |y| {
            for (y, start) in y.chunks_exact_mut(size).zip(&starts) {
                let frame = start + ahead;
                y.fill(F::ZERO);
                if frame < steps {
                    y.copy_from_slice(&actions[frame * size..(frame + 1) * size]);
                }
            }
        });
        let next = networks.rssm.next_deter(&mut tape, before, past, action);
        let prior = networks.rssm.prior(&mut tape, next);
        deter.copy_from_slice(tape.value(next));
        let no_noise = tape.constant(count, size_of_state, |y| y.fill(F::ZERO));
        let mode = latent.sample(&mut tape, prior, no_noise);
        stoch.copy_from_slice(tape.value(mode));
        let Some(index) = horizons.iter().position(|horizon| *horizon == ahead) else { continue };
        let states = stoch.chunks_exact(size_of_state).zip(deter.chunks_exact(config.deter));
        let feature: Vec<F> = states.flat_map(|(stoch, deter)| [stoch, deter].concat()).collect();
        for (start, decoded) in starts.iter().zip(decode(agent, &feature).chunks_exact(observed)) {
            if start + ahead < steps {
                errors[index].model += squared(decoded, at(start + ahead));
                errors[index].held += squared(at(*start), at(start + ahead));
            }
        }
    }
    errors
}

/// The decoder's observations of features [N, S + D], one after the other, as [`observed_numbers`] has them.
fn decode<F: Real>(agent: AgentView<'_, F>, feature: &[F]) -> Vec<f64> {
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(agent.parameters, agent.trainable, &mut workspace);
    let (width, decoder) = (agent.config.feature(), &agent.networks.decoder);
    let rows = feature.len() / width;
    let feature = tape.constant(rows, width, |y| y.copy_from_slice(feature));
    let image = decoder.image.as_ref().map(|decoder| decoder.forward(&mut tape, feature));
    let vector = decoder.vector.as_ref().map(|decoder| decoder.forward(&mut tape, feature));
    let part = |row: usize, var: Var| {
        let size = tape.shape(var).1;
        tape.value(var)[row * size..(row + 1) * size].iter().map(|x| x.to_f64())
    };
    (0..rows).flat_map(|row| image.into_iter().chain(vector).flat_map(move |var| part(row, var))).collect()
}

/// Observations of `space` as the decoder predicts them, one after the other: the image's numbers in [-0.5, 0.5], then
/// the symmetric logarithms of the vector's.
pub fn observed_numbers(space: &ObservationSpace, observations: Observation<'_>) -> Vec<f64> {
    let Observation { image, vector } = observations;
    let (pixels, size) = (space.image_bytes(), space.vector);
    let count = image.len().checked_div(pixels).or(vector.len().checked_div(size)).unwrap_or(0);
    let mut numbers = vec![0.0; count * (pixels + size)];
    for (index, numbers) in numbers.chunks_exact_mut((pixels + size).max(1)).enumerate() {
        let (of_image, of_vector) = numbers.split_at_mut(pixels);
        normalise(&image[index * pixels..(index + 1) * pixels], of_image);
        symlog(vector[index * size..(index + 1) * size].iter().map(|x| f64::from(*x)), of_vector);
    }
    numbers
}

/// The squared distance of two rows of numbers.
fn squared(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum()
}
