//! The learned weights of the losses of the world model: a number s for each kind of loss, which divides it by e^s.
//!
//! Source: HarmonyDream (Ma et al., 2024). Not here: the losses (`losses::weighing`).

use super::declaration::{Declaration, Role};
use crate::{AgentConfig, LossWeights};
use tape::{Parameter, Real};

/// The kinds of losses of the world model that can have a learned weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LossKind {
    /// Of images.
    Image,
    /// Of vectors.
    Vector,
    /// Of the agreement with embeddings, in place of both.
    Barlow,
    /// Of rewards.
    Reward,
    /// The divergence of the posterior from the prior.
    Divergence,
}

/// A parameter `[1]` for each kind of loss that the agent has.
#[derive(Clone, Copy, Debug)]
pub struct LearnedWeights {
    image: Option<Parameter>,
    vector: Option<Parameter>,
    barlow: Option<Parameter>,
    reward: Parameter,
    divergence: Parameter,
}

impl LearnedWeights {
    /// Declares the weights, if they are learned.
    pub(super) fn declare<F: Real>(declaration: &mut Declaration<F>, config: &AgentConfig) -> Option<Self> {
        if config.loss_weights == LossWeights::Fixed {
            return None;
        }
        let mut network = declaration.network("world_model.loss_weights", Role::LossWeights);
        let mut weight = |name: &str| network.parameter(name, &[1]);
        Some(Self {
            image: config.predicts_images().then(|| weight("image")),
            vector: (config.vector > 0 && config.predicts_observations()).then(|| weight("vector")),
            barlow: (!config.predicts_observations()).then(|| weight("barlow")),
            reward: weight("reward"),
            divergence: weight("divergence"),
        })
    }

    /// The s of a kind of loss.
    ///
    /// # Panics
    /// If the agent does not have such a loss.
    pub(crate) fn of(&self, kind: LossKind) -> Parameter {
        let found = match kind {
            LossKind::Image => self.image,
            LossKind::Vector => self.vector,
            LossKind::Barlow => self.barlow,
            LossKind::Reward => Some(self.reward),
            LossKind::Divergence => Some(self.divergence),
        };
        found.expect("a loss of the agent")
    }
}
