//! What a world model makes of a sequence that its own policy need not have made: how well it reconstructs, predicts and rewards.
//!
//! Forward only and without noise: states are means, so that the same sequence always gives the same numbers. Here: one sequence
//! and one agent. Not here: what the numbers say about a transfer (`transfer`).

use crate::filtered::with_filtered;
use crate::images::normalise;
use crate::model::Model;
use crate::networks::PIXELS;
use crate::policy::Policy;
use tape::{Real, Tape, Workspace};

/// Frames that a prediction starts from: the first, and the distance to the next.
const STARTS: (usize, usize) = (5, 10);

/// Frames that are decoded at once.
const PIECE: usize = 50;

/// What a world model makes of one sequence of T images.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// The means of the posterior states [T, S + D].
    pub feature: Vec<f64>,
    /// The predicted rewards `[T]`.
    pub reward: Vec<f64>,
    /// The divergence of each posterior from its prior `[T]`, in nats.
    pub divergence: Vec<f64>,
    /// The sum of squared errors of all reconstructed images, whose numbers are in [-0.5, 0.5].
    pub squared_error: f64,
    /// For each horizon that was asked for, the errors of images predicted that many steps ahead.
    pub ahead: Vec<AheadError>,
}

/// Squared errors of images predicted some steps ahead from actions alone, summed over several starts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AheadError {
    /// Of the model.
    pub model: f64,
    /// Of holding the last image that was seen.
    pub held: f64,
}

impl<F: Real> Policy<F> {
    /// Assesses the world model on images [T, 64 * 64 * 3] and the actions that led to them [T, A], predicting each of
    /// `horizons` steps ahead.
    ///
    /// # Panics
    /// If images and actions have different lengths, or there are none.
    pub fn assess(&self, images: &[u8], actions: &[F], horizons: &[usize]) -> Assessment {
        let model = self.model();
        let (networks, steps, width) = (model.networks, images.len() / PIXELS, model.config.feature());
        let numbers = |values: &[F]| values.iter().map(|x| x.to_f64()).collect::<Vec<f64>>();
        let (reward, divergence, stoch, deter, feature) = with_filtered(model, images, actions, |tape, observed| {
            let prior = networks.rssm.prior(tape, observed.deter);
            let divergence = tape.divergence(observed.posterior, prior);
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
                let decoded = decode(model, &feature[frames.start * width..frames.end * width]);
                let pairs = frames.zip(decoded.chunks_exact(PIXELS));
                pairs.map(|(frame, decoded)| squared(decoded, image(images, frame))).sum::<f64>()
            })
            .sum();
        Assessment {
            reward,
            divergence,
            squared_error,
            ahead: predict_ahead(model, images, actions, (&stoch, &deter), horizons),
            feature: numbers(&feature),
        }
    }
}

/// The errors of predictions from every tenth state [T, S] and [T, D] of a sequence.
fn predict_ahead<F: Real>(
    model: Model<'_, F>,
    images: &[u8],
    actions: &[F],
    (stochs, deters): (&[F], &[F]),
    horizons: &[usize],
) -> Vec<AheadError> {
    let Model { config, networks, .. } = model;
    let steps = images.len() / PIXELS;
    let size = actions.len() / steps;
    let starts: Vec<usize> = (STARTS.0..steps.saturating_sub(1)).step_by(STARTS.1).collect();
    let mut errors = vec![AheadError::default(); horizons.len()];
    if starts.is_empty() {
        return errors;
    }
    let rows = |all: &[F], width: usize| -> Vec<F> {
        starts.iter().flat_map(|start| &all[start * width..(start + 1) * width]).copied().collect()
    };
    let (mut stoch, mut deter) = (rows(stochs, config.stoch), rows(deters, config.deter));
    let mut workspace = Workspace::default();
    for ahead in 1..=horizons.iter().copied().max().unwrap_or(0) {
        let mut tape = Tape::new(model.parameters, model.trainable, &mut workspace);
        let count = starts.len();
        let before = tape.constant(count, config.stoch, |y| y.copy_from_slice(&stoch));
        let past = tape.constant(count, config.deter, |y| y.copy_from_slice(&deter));
        // Beyond the end of the sequence, predictions go on without an action and are not counted.
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
        for (stoch, prior) in stoch.chunks_exact_mut(config.stoch).zip(tape.value(prior).chunks_exact(2 * config.stoch))
        {
            stoch.copy_from_slice(&prior[..config.stoch]);
        }
        let Some(index) = horizons.iter().position(|horizon| *horizon == ahead) else { continue };
        let states = stoch.chunks_exact(config.stoch).zip(deter.chunks_exact(config.deter));
        let feature: Vec<F> = states.flat_map(|(stoch, deter)| [stoch, deter].concat()).collect();
        for (start, decoded) in starts.iter().zip(decode(model, &feature).chunks_exact(PIXELS)) {
            if start + ahead < steps {
                let seen = image(images, start + ahead);
                errors[index].model += squared(decoded, seen);
                errors[index].held += held(image(images, *start), seen);
            }
        }
    }
    errors
}

/// The decoder's images [N, 64 * 64 * 3] of features [N, S + D].
fn decode<F: Real>(model: Model<'_, F>, feature: &[F]) -> Vec<F> {
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(model.parameters, model.trainable, &mut workspace);
    let width = model.config.feature();
    let feature = tape.constant(feature.len() / width, width, |y| y.copy_from_slice(feature));
    let mean = model.networks.decoder.forward(&mut tape, feature);
    tape.value(mean).to_vec()
}

fn image(images: &[u8], frame: usize) -> &[u8] {
    &images[frame * PIXELS..(frame + 1) * PIXELS]
}

/// The squared distance of an image in [-0.5, 0.5] from one of bytes.
fn squared<F: Real>(decoded: &[F], image: &[u8]) -> f64 {
    let mut numbers = [F::ZERO; PIXELS];
    normalise(image, &mut numbers);
    decoded.iter().zip(&numbers).map(|(a, b)| (a.to_f64() - b.to_f64()).powi(2)).sum()
}

/// The squared distance of two images of bytes, as numbers in [-0.5, 0.5].
fn held(one: &[u8], other: &[u8]) -> f64 {
    one.iter().zip(other).map(|(a, b)| ((f64::from(*a) - f64::from(*b)) / 255.0).powi(2)).sum()
}
