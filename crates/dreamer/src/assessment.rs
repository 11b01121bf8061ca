//! What a world model makes of a sequence that its own policy need not have made: how well it reconstructs, predicts and rewards.
//!
//! Forward only and without noise: states are means, so that the same sequence always gives the same numbers. Here: one sequence
//! and one agent. Not here: what the numbers say about a transfer (`transfer`).

use crate::images::{Images, normalise};
use crate::learner::Learner;
use crate::networks::PIXELS;
use crate::shard::embed;
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

impl<F: Real> Learner<F> {
    /// Assesses the world model on images [T, 64 * 64 * 3] and the actions that led to them [T, A], predicting each of
    /// `horizons` steps ahead.
    ///
    /// # Panics
    /// If images and actions have different lengths, or there are none.
    pub fn assess(&self, images: &[u8], actions: &[F], horizons: &[usize]) -> Assessment {
        let (config, networks, steps) = (self.config(), self.networks(), images.len() / PIXELS);
        assert!(steps > 0 && actions.len() == steps * self.action_size(), "an action for every image");
        let mut workspace = Workspace::default();
        let mut embeddings = vec![F::ZERO; steps * config.embed()];
        embed(self.constant_model(), &mut workspace, Images::of(images), &mut embeddings);
        let mut tape = Tape::new(self.parameters(), self.no_parameters(), &mut workspace);
        let embed = tape.constant(steps, config.embed(), |y| y.copy_from_slice(&embeddings));
        let action = tape.constant(steps, self.action_size(), |y| y.copy_from_slice(actions));
        let noise = tape.constant(steps, config.stoch, |y| y.fill(F::ZERO));
        let observed = networks.rssm.observe(&mut tape, embed, action, noise, 1);
        let prior = networks.rssm.prior(&mut tape, observed.deter);
        let divergence = tape.divergence(observed.posterior, prior);
        let reward = networks.reward.forward(&mut tape, observed.feature);
        let numbers = |var| tape.value(var).iter().map(|x| x.to_f64()).collect::<Vec<f64>>();
        let [reward, divergence] = [reward, divergence].map(numbers);
        let [stoch, deter, feature] =
            [observed.stoch, observed.deter, observed.feature].map(|var| tape.value(var).to_vec());
        let squared_error = (0..steps)
            .step_by(PIECE)
            .map(|first| {
                let frames = first..(first + PIECE).min(steps);
                let width = config.feature();
                let decoded = self.decode(&feature[frames.start * width..frames.end * width]);
                frames
                    .zip(decoded.chunks_exact(PIXELS))
                    .map(|(frame, decoded)| squared(decoded, image(images, frame)))
                    .sum::<f64>()
            })
            .sum();
        Assessment {
            reward,
            divergence,
            squared_error,
            ahead: self.predict_ahead(images, actions, (&stoch, &deter), horizons),
            feature: feature.iter().map(|x| x.to_f64()).collect(),
        }
    }

    /// The errors of predictions from every tenth state [T, S] and [T, D] of a sequence.
    fn predict_ahead(
        &self,
        images: &[u8],
        actions: &[F],
        (stochs, deters): (&[F], &[F]),
        horizons: &[usize],
    ) -> Vec<AheadError> {
        let (config, networks) = (self.config(), self.networks());
        let (size, steps) = (self.action_size(), images.len() / PIXELS);
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
            let mut tape = Tape::new(self.parameters(), self.no_parameters(), &mut workspace);
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
            for (stoch, prior) in
                stoch.chunks_exact_mut(config.stoch).zip(tape.value(prior).chunks_exact(2 * config.stoch))
            {
                stoch.copy_from_slice(&prior[..config.stoch]);
            }
            let Some(index) = horizons.iter().position(|horizon| *horizon == ahead) else { continue };
            let states = stoch.chunks_exact(config.stoch).zip(deter.chunks_exact(config.deter));
            let feature: Vec<F> = states.flat_map(|(stoch, deter)| [stoch, deter].concat()).collect();
            for (start, decoded) in starts.iter().zip(self.decode(&feature).chunks_exact(PIXELS)) {
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
    fn decode(&self, feature: &[F]) -> Vec<F> {
        let mut workspace = Workspace::default();
        let mut tape = Tape::new(self.parameters(), self.no_parameters(), &mut workspace);
        let width = self.config().feature();
        let feature = tape.constant(feature.len() / width, width, |y| y.copy_from_slice(feature));
        let mean = self.networks().decoder.forward(&mut tape, feature);
        tape.value(mean).to_vec()
    }
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
