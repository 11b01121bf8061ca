//! The stochastic state's distribution: on a tape, and the draws that its samples need.
//!
//! Here: the common interface of the distributions. Not here: each distribution's arithmetic (`tape`), and the networks that
//! produce its raw outputs (`networks::rssm`).

use crate::config::{AgentConfig, Latent};
use crate::metrics::Reduction;
use crate::noise::{fill_gumbel, fill_normal};
use random::Stream;
use tape::{Classes, Real, Tape, Var};

/// The distribution of a stochastic state of S numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LatentDistribution {
    /// Normal ones, side by side. A value holds their means, then their standard deviations [N, 2S].
    Gaussian {
        /// S.
        size: usize,
        /// The smallest standard deviation.
        min_std: f64,
    },
    /// Categorical ones, side by side, each sampled as a one-hot vector. A value holds their logits [N, S].
    Categorical {
        /// S.
        size: usize,
        /// Their classes.
        classes: Classes,
    },
}

impl AgentConfig {
    /// The distribution of the stochastic state.
    pub(crate) fn latent_distribution(&self) -> LatentDistribution {
        match self.latent {
            Latent::Gaussian => LatentDistribution::Gaussian { size: self.stoch, min_std: self.min_std },
            Latent::Categorical => LatentDistribution::Categorical {
                size: self.stoch * self.classes,
                classes: Classes { count: self.classes, unimix: self.latent_unimix },
            },
        }
    }

    /// The size of the stochastic state, S.
    pub fn state_size(&self) -> usize {
        match self.latent_distribution() {
            LatentDistribution::Gaussian { size, .. } | LatentDistribution::Categorical { size, .. } => size,
        }
    }
}

impl LatentDistribution {
    /// The raw outputs that it is made from, of which its value has as many.
    pub fn outputs(self) -> usize {
        match self {
            Self::Gaussian { size, .. } => 2 * size,
            Self::Categorical { size, .. } => size,
        }
    }

    /// Its value, from raw outputs.
    pub fn distribution<F: Real>(self, tape: &mut Tape<F>, raw: Var) -> Var {
        match self {
            Self::Gaussian { min_std, .. } => tape.gaussian(raw, min_std),
            Self::Categorical { .. } => raw,
        }
    }

    /// Samples [N, S], given draws [N, S] of [`LatentDistribution::draw`]. With zeros, they are the means, or the most probable
    /// classes.
    pub fn sample<F: Real>(self, tape: &mut Tape<F>, distribution: Var, noise: Var) -> Var {
        match self {
            Self::Gaussian { .. } => tape.sample(distribution, noise),
            Self::Categorical { classes, .. } => tape.one_hot_sample(distribution, noise, classes),
        }
    }

    /// KL(posterior || prior) of each row, [N, 1].
    pub fn divergence<F: Real>(self, tape: &mut Tape<F>, posterior: Var, prior: Var) -> Var {
        match self {
            Self::Gaussian { .. } => tape.divergence(posterior, prior),
            Self::Categorical { classes, .. } => tape.categorical_divergence(posterior, prior, classes),
        }
    }

    /// A value whose numbers, summed up in the way that is returned with it, give the entropy of all rows in nats.
    pub fn entropy<F: Real>(self, tape: &mut Tape<F>, distribution: Var) -> (Var, Reduction) {
        match self {
            Self::Gaussian { .. } => (distribution, Reduction::NormalEntropies),
            Self::Categorical { classes, .. } => {
                (tape.categorical_entropy(distribution.detached(), classes), Reduction::Numbers)
            }
        }
    }

    /// Fills a slice with the draws that samples need.
    pub fn draw<F: Real>(self, values: &mut [F], random: &mut Stream) {
        match self {
            Self::Gaussian { .. } => fill_normal(values, random),
            Self::Categorical { .. } => fill_gumbel(values, random),
        }
    }
}
