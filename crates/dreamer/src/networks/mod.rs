//! The agent's networks: what each is made of, and its value on a tape.
//!
//! One file a network. Here: all of them together, their parameters' names and initial values. Not here: losses.

mod convolutional;
mod mlp;
mod reward;
mod rssm;

pub use convolutional::{Decoder, Encoder, PIXELS};
pub use mlp::Mlp;
pub use reward::RewardHead;
pub use rssm::{Observed, Rssm};

use crate::AgentConfig;
use random::Stream;
use tape::{Parameters, Real, initialise};

/// Every network of an agent, as places in its [`Parameters`].
#[derive(Clone, Debug)]
pub struct Networks {
    /// Image to embedding.
    pub encoder: Encoder,
    /// The latent dynamics.
    pub rssm: Rssm,
    /// Feature to image.
    pub decoder: Decoder,
    /// Feature to the reward's mean.
    pub reward: RewardHead,
    /// Feature to the logit of going on, if the agent has this head.
    pub discount: Option<Mlp>,
    /// Feature to the action's distribution.
    pub actor: Mlp,
    /// Feature to the value's mean.
    pub value: Mlp,
}

impl Networks {
    /// Declares every parameter of an agent, in a fixed order: world model, actor, value.
    pub fn declare<F: Real>(config: &AgentConfig, action_size: usize, parameters: &mut Parameters<F>) -> Self {
        let (feature, units) = (config.feature(), config.units);
        let encoder = Encoder::declare(parameters, config);
        let rssm = Rssm::declare(parameters, config, action_size);
        let decoder = Decoder::declare(parameters, config);
        let reward = RewardHead::declare(parameters, config);
        let discount = config
            .discount_head
            .then(|| Mlp::declare(parameters, "world_model.discount", feature, units, config.discount_layers, 1));
        let actor = Mlp::declare(parameters, "actor", feature, units, config.actor_layers, 2 * action_size);
        let value = Mlp::declare(parameters, "value", feature, units, config.value_layers, 1);
        Self { encoder, rssm, decoder, reward, discount, actor, value }
    }
}

/// Whether a parameter keeps the value it begins with: the universal encoder's, and those of reward models of earlier agents.
pub fn is_frozen(config: &AgentConfig, path: &str) -> bool {
    (config.frozen_encoder && path.starts_with("world_model.encoder."))
        || path.starts_with("world_model.reward_sources.")
}

/// Draws every parameter's initial value: Glorot uniform, orthogonal for the recurrent kernel, zero for biases.
pub fn initialise<F: Real>(parameters: &mut Parameters<F>, random: &mut Stream) {
    for parameter in parameters.iter() {
        let path = parameters.path(parameter).to_owned();
        let shape = parameters.shape(parameter).to_vec();
        let values = parameters.values_mut(parameter);
        let field: usize = shape.iter().rev().skip(2).product();
        match (path.rsplit('.').next(), shape.as_slice()) {
            (Some("bias"), _) => values.fill(F::ZERO),
            (Some("recurrent_kernel"), &[rows, cols]) => initialise::orthogonal(values, rows, cols, random),
            (_, &[.., inputs, outputs]) => initialise::glorot_uniform(values, field * inputs, field * outputs, random),
            (_, shape) => unreachable!("{path} has shape {shape:?}"),
        }
    }
}
