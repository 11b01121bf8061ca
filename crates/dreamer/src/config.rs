//! The agent's configuration: every size, weight and rate of the algorithm.
//!
//! Here: [`AgentConfig`] with the paper's numbers as its default, and its validation. Not here: schedules of a run
//! (prefill, training ratio, evaluation), which belong to the crate `train`.

use crate::DreamerError;
use environment::{ImageSpace, ObservationSpace};
use serde::{Deserialize, Serialize};
use tape::Squash;

/// The most hidden layers of a head, and of the encoder and decoder of vectors.
pub const MOST_LAYERS: usize = 64;

/// All that defines an agent but its action size. The default is the paper's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentConfig {
    /// Whether it observes images. Its tasks decide.
    pub images: bool,
    /// Numbers of the vectors that it observes, V; 0 if it observes none. Its tasks decide.
    pub vector: usize,
    /// Hidden layers of the encoder and of the decoder of vectors.
    pub vector_layers: usize,
    /// Their width.
    pub vector_units: usize,
    /// Weight of the squared errors of predicted vectors. An error counts as much as the square root of this times it:
    /// with 100, a number that varies by 0.1 as much as one that varies by 1 with DreamerV3's weight, which is 1.
    pub vector_scale: f64,
    /// Channels of the encoder's first convolution; the others have 2, 4 and 8 times as many.
    pub depth: usize,
    /// Size of the stochastic state, S.
    pub stoch: usize,
    /// Size of the deterministic state, D.
    pub deter: usize,
    /// Width of the RSSM's hidden layers.
    pub hidden: usize,
    /// Width of the hidden layers of reward, discount, value and actor.
    pub units: usize,
    /// What hidden layers have between their sums and their activation.
    pub norm: Norm,
    /// The activation of hidden layers.
    pub activation: LayerActivation,
    /// The distribution that reward and value heads predict.
    pub heads: Heads,
    /// Bins of two-hot heads, K.
    pub bins: usize,
    /// Hidden layers of the reward head.
    pub reward_layers: usize,
    /// Whether the encoder keeps the weights it begins with: the universal feature space.
    pub frozen_encoder: bool,
    /// Frozen reward models of earlier agents, whose predictions the reward head reads in addition to the feature (Eq.
    /// 4).
    pub reward_sources: Vec<RewardSource>,
    /// Whether the reward head reads these predictions standardised, by a mean and a deviation that are measured once,
    /// before the first gradient step, and then constants of the agent.
    pub reward_sources_standardised: bool,
    /// Weight of the sum of the absolute values of the reward head's weights for these predictions, as a term of the
    /// world model's loss: it keeps useless sources ignored.
    pub reward_sources_l1: f64,
    /// Hidden layers of the value head.
    pub value_layers: usize,
    /// Hidden layers of the actor.
    pub actor_layers: usize,
    /// Whether the world model predicts the discount, for tasks that can end early.
    pub discount_head: bool,
    /// Hidden layers of the discount head.
    pub discount_layers: usize,
    /// Weight of the discount head's loss.
    pub discount_scale: f64,
    /// Sequences in a batch, B.
    pub batch: usize,
    /// Transitions in a sequence, L.
    pub length: usize,
    /// Imagined steps, H.
    pub horizon: usize,
    /// The share of a batch's states from which rollouts are imagined, drawn anew in each gradient step.
    pub imagine_from: f64,
    /// Discount of imagined rewards; with a discount head, the factor on its targets.
    pub discount: f64,
    /// Lambda of the lambda-return.
    pub lambda: f64,
    /// The divergence's part of the world model's loss.
    pub divergence: Divergence,
    /// Nats below which the divergence is not penalised: its mean over the batch, or with a balanced one that of each
    /// transition.
    pub free_nats: f64,
    /// Weight of the divergence.
    pub kl_scale: f64,
    /// With a balanced divergence, the weight with which it trains the posterior; the prior's is 1.
    pub representation_scale: f64,
    /// Smallest standard deviation of prior and posterior.
    pub min_std: f64,
    /// Learning rate of the world model.
    pub model_learning_rate: f64,
    /// Learning rate of the value head.
    pub value_learning_rate: f64,
    /// Learning rate of the actor.
    pub actor_learning_rate: f64,
    /// Gradient steps of world model and value head before the actor's first: an actor that learns from a model that
    /// knows nothing yet can saturate, and then takes long to come back. The paper's is 0.
    pub actor_warmup: u64,
    /// The distribution of actions.
    pub actor: ActionDistribution,
    /// With one-hot actions, the share of the policy's probability that all actions have equally.
    pub actor_unimix: f64,
    /// Bound of the actor's mean before tanh.
    pub actor_mean_scale: f64,
    /// Standard deviation before tanh that the actor begins with.
    pub actor_initial_std: f64,
    /// How fast a slow copy of the value head follows it: the share that each gradient step replaces. The value head
    /// then also learns the copy's predictions, which keeps it from running after its own. Without a copy it is 0;
    /// DreamerV3's is 0.02.
    pub slow_value: f64,
    /// What the actor's objective divides returns by.
    pub return_scale: ReturnScale,
    /// Weight of the policy's entropy in the actor's objective: above 0 it keeps actions from saturating, where neither
    /// gradients nor exploration are left. The paper's is 0.
    pub actor_entropy: f64,
    /// How gradients become steps.
    pub optimiser: OptimiserRule,
    /// With Adam, global norm to which each optimiser's gradient is clipped.
    pub gradient_clip: f64,
    /// With LaProp, the largest norm of a parameter's gradient, in relation to the parameter's norm.
    pub clip_ratio: f64,
    /// With LaProp, gradient steps until the learning rates are reached; they start at zero.
    pub learning_rate_warmup: u64,
    /// Standard deviation of the noise added to actions while training data is collected.
    pub exploration_noise: f64,
    /// With one-hot actions, the probability that an action is drawn from all with equal chances while training data is
    /// collected.
    pub exploration_epsilon: f64,
    /// Which action an evaluation takes. Training does not depend on it.
    pub evaluation: Evaluation,
    /// Samples among which an evaluation by the mode takes the action of highest density.
    pub mode_samples: usize,
    /// The precision of the matrix products of a gradient step; weights, moments, losses and recurrent states are
    /// always f32.
    pub precision: Precision,
    /// Sequences that one worker takes through a whole training step at a time. Results depend on it: sums over the
    /// batch are computed shard by shard, so that they do not depend on the number of cores.
    pub shard: usize,
}

/// How the divergence of the posterior from the prior counts in the world model's loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Divergence {
    /// `max(free_nats, mean divergence)`, which trains both alike, and neither while the mean is below the free nats:
    /// Dreamer V1.
    #[default]
    Mean,
    /// Mean of `max(free_nats, divergence)` for each transition, once for the prior with weight 1, once for the
    /// posterior with [`AgentConfig::representation_scale`]: DreamerV3.
    Balanced,
}

/// What a hidden layer has between its sums and its activation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Nothing: Dreamer V1.
    #[default]
    None,
    /// Division by the root of the mean square, and a learned scale for each number or channel: DreamerV3.
    Rms,
}

/// The activation of hidden layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerActivation {
    /// ELU, and ReLU in convolutions: Dreamer V1.
    #[default]
    Elu,
    /// SiLU everywhere: DreamerV3.
    Silu,
}

/// The distribution that reward and value heads predict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heads {
    /// A normal distribution with unit variance: Dreamer V1.
    #[default]
    Normal,
    /// A distribution over [`AgentConfig::bins`], between two of which a target is divided: DreamerV3.
    #[serde(rename = "twohot")]
    TwoHot,
}

/// How gradients become steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimiserRule {
    /// Adam, clipped by the global norm: Dreamer V1.
    #[default]
    Adam,
    /// LaProp, clipped for each parameter by its own norm, with a warm-up: DreamerV3.
    LaProp,
}

/// What the actor's objective divides returns by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnScale {
    /// Nothing: Dreamer V1.
    #[default]
    None,
    /// The range from the 5th to the 95th percentile of imagined returns, a running mean, where it exceeds 1:
    /// DreamerV3. One weight of the entropy then serves rewards of any size. A gradient step divides by the range from
    /// before it, so that the shards of a batch need not wait for each other; DreamerV3 includes the step's own
    /// returns.
    Percentile,
}

/// The distribution of actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionDistribution {
    /// tanh(N(mean, std)) for each element: continuous actions.
    #[default]
    TanhNormal,
    /// N(tanh(m), std) for each element, with a standard deviation from 0.1 to 1, cut off at -1 and 1: continuous
    /// actions whose mode and entropy have formulas.
    BoundedNormal,
    /// One of as many choices as an action has elements, as a one-hot vector: discrete actions. Gradients pass straight
    /// through the sample.
    OneHot,
}

impl LayerActivation {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Elu => "elu",
            Self::Silu => "silu",
        }
    }
}

impl Norm {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Rms => "rms",
        }
    }
}

impl ReturnScale {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Percentile => "percentile",
        }
    }
}

impl Heads {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::TwoHot => "twohot",
        }
    }
}

impl ActionDistribution {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::TanhNormal => "tanh_normal",
            Self::BoundedNormal => "bounded_normal",
            Self::OneHot => "one_hot",
        }
    }

    /// The actor's outputs for actions of `action_size` elements.
    pub fn outputs(self, action_size: usize) -> usize {
        match self {
            Self::TanhNormal | Self::BoundedNormal => 2 * action_size,
            Self::OneHot => action_size,
        }
    }
}

/// The action that an evaluation takes from the actor's distribution, tanh(N(mean, std)). Of one-hot actions it takes
/// the most probable one in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evaluation {
    /// Of [`AgentConfig::mode_samples`] samples, the one of highest density: the published way. Once `std` exceeds
    /// sqrt(1/2) = 0.71, the density has its maxima near -1 and 1, so that the action is near one of them even where
    /// the mean action is 0.
    #[default]
    Mode,
    /// The mean action, without samples.
    Mean,
}

impl Evaluation {
    /// The other way.
    pub fn other(self) -> Self {
        match self {
            Self::Mode => Self::Mean,
            Self::Mean => Self::Mode,
        }
    }

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mode => "mode",
            Self::Mean => "mean",
        }
    }
}

/// The numbers that products multiply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// Rounded to bfloat16, summed in f32: faster if the CPU has instructions for it ([`tape::bf16_is_fast`]).
    Bf16,
}

impl Precision {
    /// As the precision of a tape.
    pub fn of_products(self) -> tape::Precision {
        match self {
            Self::F32 => tape::Precision::Full,
            Self::Bf16 => tape::Precision::Bf16,
        }
    }
}

/// The shape of a frozen reward model inside a reward meta-model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RewardSource {
    /// Its hidden layers.
    pub layers: usize,
    /// Their width.
    pub units: usize,
    /// The models that it reads itself, if it is a meta-model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<RewardSource>,
    /// Whether it reads their predictions standardised.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub standardised: bool,
    /// Its bins, if it is a two-hot head, else 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bins: usize,
    /// The norm of its hidden layers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub norm: Norm,
    /// The activation of its hidden layers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub activation: LayerActivation,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl RewardSource {
    /// It and all that it reads, directly or not, each with how deep it lies.
    fn all(&self, depth: usize) -> Vec<(usize, &Self)> {
        let below = self.sources.iter().flat_map(|source| source.all(depth + 1));
        std::iter::once((depth, self)).chain(below).collect()
    }
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            images: true,
            vector: 0,
            vector_layers: 2,
            vector_units: 256,
            vector_scale: 1.0,
            depth: 32,
            stoch: 30,
            deter: 200,
            hidden: 200,
            units: 400,
            norm: Norm::None,
            activation: LayerActivation::Elu,
            heads: Heads::Normal,
            bins: 255,
            reward_layers: 2,
            frozen_encoder: false,
            reward_sources: Vec::new(),
            reward_sources_standardised: false,
            reward_sources_l1: 0.0,
            value_layers: 3,
            actor_layers: 4,
            discount_head: false,
            discount_layers: 3,
            discount_scale: 10.0,
            batch: 50,
            length: 50,
            horizon: 15,
            imagine_from: 1.0,
            discount: 0.99,
            lambda: 0.95,
            divergence: Divergence::Mean,
            free_nats: 3.0,
            kl_scale: 1.0,
            representation_scale: 0.1,
            min_std: 0.1,
            model_learning_rate: 6e-4,
            value_learning_rate: 8e-5,
            actor_learning_rate: 8e-5,
            actor_warmup: 0,
            actor: ActionDistribution::TanhNormal,
            actor_unimix: 0.01,
            actor_mean_scale: 5.0,
            actor_initial_std: 5.0,
            slow_value: 0.0,
            return_scale: ReturnScale::None,
            actor_entropy: 0.0,
            optimiser: OptimiserRule::Adam,
            gradient_clip: 100.0,
            clip_ratio: 0.3,
            learning_rate_warmup: 1000,
            exploration_noise: 0.3,
            exploration_epsilon: 0.1,
            evaluation: Evaluation::Mode,
            mode_samples: 100,
            precision: Precision::F32,
            shard: 5,
        }
    }
}

impl AgentConfig {
    /// The observations that it reads.
    pub fn observation_space(&self) -> ObservationSpace {
        ObservationSpace { image: self.images.then_some(ImageSpace::STANDARD), vector: self.vector }
    }

    /// Size of the encoder's output, E.
    pub fn embed(&self) -> usize {
        let image = if self.images { self.image_embed() } else { 0 };
        let vector = if self.vector > 0 { self.vector_units } else { 0 };
        image + vector
    }

    /// The image's part of it: 2 x 2 positions of 8 x depth channels.
    pub(crate) fn image_embed(&self) -> usize {
        32 * self.depth
    }

    /// Size of a latent state's feature, [stoch, deter].
    pub fn feature(&self) -> usize {
        self.stoch + self.deter
    }

    /// Bins of reward and value heads; 0 of normal ones.
    pub fn head_bins(&self) -> usize {
        match self.heads {
            Heads::Normal => 0,
            Heads::TwoHot => self.bins,
        }
    }

    /// How the optimisers step.
    pub(crate) fn rule(&self) -> tape::Rule {
        match self.optimiser {
            OptimiserRule::Adam => tape::Rule::Adam { clip: self.gradient_clip },
            OptimiserRule::LaProp => {
                tape::Rule::LaProp { clip_ratio: self.clip_ratio, warmup: self.learning_rate_warmup }
            }
        }
    }

    /// How the actor's raw outputs become an action.
    pub fn squash(&self) -> Squash {
        Squash::new(self.actor_mean_scale, self.actor_initial_std)
    }

    /// Checks every value's range.
    ///
    /// # Errors
    /// [`DreamerError::Config`] names the first key whose value is out of range, and the range.
    pub fn validate(&self) -> Result<(), DreamerError> {
        if !self.images && self.vector == 0 {
            return Err(out_of_range("vector", 0.0, "a whole number from 1 to 65536 where no images are observed"));
        }
        let whole = [
            ("vector", self.vector, 0, 65_536),
            ("vector_layers", self.vector_layers, 1, MOST_LAYERS),
            ("vector_units", self.vector_units, 1, 65_536),
            ("depth", self.depth, 1, 1024),
            ("stoch", self.stoch, 1, 65_536),
            ("deter", self.deter, 1, 65_536),
            ("hidden", self.hidden, 1, 65_536),
            ("units", self.units, 1, 65_536),
            ("bins", self.bins, 3, 65_536),
            ("reward_layers", self.reward_layers, 1, MOST_LAYERS),
            ("value_layers", self.value_layers, 1, MOST_LAYERS),
            ("actor_layers", self.actor_layers, 1, MOST_LAYERS),
            ("discount_layers", self.discount_layers, 1, MOST_LAYERS),
            ("batch", self.batch, 1, 65_536),
            ("length", self.length, 2, 65_536),
            ("horizon", self.horizon, 2, 10_000),
            ("mode_samples", self.mode_samples, 1, 1_000_000),
            ("shard", self.shard, 1, 65_536),
        ];
        let sources: Vec<_> = self.reward_sources.iter().flat_map(|source| source.all(1)).collect();
        if sources.len() > 1024 {
            return Err(out_of_range("reward_sources", sources.len() as f64, "at most 1024 models"));
        }
        if let Some((depth, _)) = sources.iter().find(|(depth, _)| *depth > 8) {
            return Err(out_of_range(
                "reward_sources",
                *depth as f64,
                "at most 8 meta-models, each of which reads the next",
            ));
        }
        if sources.iter().any(|(_, source)| source.standardised && source.sources.is_empty()) {
            return Err(DreamerError::Config {
                key: "reward_sources.standardised".to_owned(),
                value: "true".to_owned(),
                range: "false in a model that reads no others".to_owned(),
            });
        }
        let sources = sources.into_iter().flat_map(|(_, source)| {
            [
                ("reward_sources.layers", source.layers, 1, MOST_LAYERS),
                ("reward_sources.units", source.units, 1, 65_536),
                ("reward_sources.bins", source.bins, 0, 65_536),
            ]
        });
        for (key, value, low, high) in whole.into_iter().chain(sources) {
            if !(low..=high).contains(&value) {
                return Err(out_of_range(key, value as f64, &format!("a whole number from {low} to {high}")));
            }
        }
        if self.reward_sources.is_empty() && self.reward_sources_standardised {
            return Err(DreamerError::Config {
                key: "reward_sources_standardised".to_owned(),
                value: "true".to_owned(),
                range: "false without reward_sources; the plan of a transfer sets both".to_owned(),
            });
        }
        if self.reward_sources.is_empty() && self.reward_sources_l1 != 0.0 {
            let range = "0 without reward_sources; the plan of a transfer sets both";
            return Err(out_of_range("reward_sources_l1", self.reward_sources_l1, range));
        }
        if self.actor_warmup > 1_000_000_000 {
            return Err(out_of_range("actor_warmup", self.actor_warmup as f64, "a whole number up to 1000000000"));
        }
        if self.learning_rate_warmup > 1_000_000_000 {
            let range = "a whole number up to 1000000000";
            return Err(out_of_range("learning_rate_warmup", self.learning_rate_warmup as f64, range));
        }
        let reals = [
            ("vector_scale", self.vector_scale, 0.0, 1e6),
            ("reward_sources_l1", self.reward_sources_l1, 0.0, 1e6),
            ("discount_scale", self.discount_scale, 0.0, 1e6),
            ("imagine_from", self.imagine_from, 1e-6, 1.0),
            ("discount", self.discount, 0.0, 1.0),
            ("lambda", self.lambda, 0.0, 1.0),
            ("free_nats", self.free_nats, 0.0, 1e6),
            ("kl_scale", self.kl_scale, 0.0, 1e6),
            ("representation_scale", self.representation_scale, 0.0, 1e6),
            ("min_std", self.min_std, 1e-6, 1e3),
            ("model_learning_rate", self.model_learning_rate, 0.0, 1.0),
            ("value_learning_rate", self.value_learning_rate, 0.0, 1.0),
            ("actor_learning_rate", self.actor_learning_rate, 0.0, 1.0),
            ("actor_unimix", self.actor_unimix, 1e-6, 1.0),
            ("actor_mean_scale", self.actor_mean_scale, 1e-3, 100.0),
            ("actor_initial_std", self.actor_initial_std, 1e-3, 100.0),
            ("actor_entropy", self.actor_entropy, 0.0, 1e6),
            ("slow_value", self.slow_value, 0.0, 1.0),
            ("clip_ratio", self.clip_ratio, 1e-6, 1e12),
            ("gradient_clip", self.gradient_clip, 1e-6, 1e12),
            ("exploration_noise", self.exploration_noise, 0.0, 10.0),
            ("exploration_epsilon", self.exploration_epsilon, 0.0, 1.0),
        ];
        for (key, value, low, high) in reals {
            if !(low..=high).contains(&value) {
                return Err(out_of_range(key, value, &format!("a number from {low} to {high}")));
            }
        }
        Ok(())
    }
}

fn out_of_range(key: &str, value: f64, range: &str) -> DreamerError {
    DreamerError::Config { key: key.to_owned(), value: value.to_string(), range: range.to_owned() }
}
