//! The options of the agent that are a choice among named kinds, as they are typed in settings.
//!
//! Here: the kinds, their names, and where they come from. Not here: sizes, weights and rates ([`super::AgentConfig`]).

use serde::{Deserialize, Serialize};

/// The distribution of the stochastic state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Latent {
    /// A normal distribution for each of [`super::AgentConfig::stoch`] elements: Dreamer V1.
    #[default]
    Gaussian,
    /// [`super::AgentConfig::stoch`] distributions over [`super::AgentConfig::classes`], each sampled as a one-hot vector.
    /// Gradients pass straight through the samples: DreamerV3.
    Categorical,
}

impl Latent {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Categorical => "categorical",
        }
    }
}

/// The recurrent cell of the latent dynamics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// The GRU of Keras, after a layer that reads stochastic state and action: Dreamer V1.
    #[default]
    Gru,
    /// Layers in [`super::AgentConfig::blocks`], each with its own piece of the deterministic state: DreamerV3. It divides
    /// actions beyond [-1, 1] by their absolute values, which here are errors.
    BlockGru,
}

impl Cell {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gru => "gru",
            Self::BlockGru => "block_gru",
        }
    }
}

/// The encoder and the decoder of images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageNetwork {
    /// Convolutions of 4 x 4 pixels with a stride of two and without padding: Dreamer V1.
    #[default]
    V1,
    /// Convolutions of 5 x 5 pixels with padding, norms and SiLU. The encoder has max pooling, and the decoder repeats
    /// pixels: DreamerV3.
    V3Pool,
    /// The same with strides of two in place of both: DreamerV3's other kind.
    V3Strided,
}

impl ImageNetwork {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V3Pool => "v3_pool",
            Self::V3Strided => "v3_strided",
        }
    }
}

/// What the features of states must tell about observations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reconstruction {
    /// The observations themselves, which decoders predict: Dreamer V1 and DreamerV3.
    #[default]
    Image,
    /// The embeddings of the observations, without a decoder: a projection of the features has to agree with them in
    /// each number, and its numbers must not depend on one another (Barlow Twins, as in R2-Dreamer).
    Barlow,
}

impl Reconstruction {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Barlow => "barlow",
        }
    }
}

/// The weights of the losses of the world model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossWeights {
    /// Those of the settings.
    #[default]
    Fixed,
    /// Learned ones, which start at those of the settings: HarmonyDream.
    Harmony,
}

impl LossWeights {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Harmony => "harmony",
        }
    }
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
    /// posterior with [`super::AgentConfig::representation_scale`]: DreamerV3.
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

impl Norm {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Rms => "rms",
        }
    }
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

impl LayerActivation {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Elu => "elu",
            Self::Silu => "silu",
        }
    }
}

/// The distribution that reward and value heads predict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heads {
    /// A normal distribution with unit variance: Dreamer V1.
    #[default]
    Normal,
    /// A distribution over [`super::AgentConfig::bins`], between two of which a target is divided: DreamerV3.
    #[serde(rename = "twohot")]
    TwoHot,
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

impl ReturnScale {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Percentile => "percentile",
        }
    }
}

/// The states of an imagined rollout whose returns actor and value head learn from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnsFrom {
    /// The imagined ones but the last; a state's return begins with its own reward: Dreamer V1.
    #[default]
    Imagined,
    /// The starting state and the imagined ones but the last; a state's return begins with the reward of the state that
    /// follows, and an actor that learns through the dynamics maximises the return's advantage over the value. With a
    /// discount head, the weight of a state includes its own predicted discount, so that nothing is learned from
    /// terminal states: DreamerV3.
    Start,
}

impl ReturnsFrom {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Imagined => "imagined",
            Self::Start => "start",
        }
    }
}

/// How the actor learns from imagined returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorGradient {
    /// By the gradient of the returns, through the dynamics and the actions: Dreamer V1.
    #[default]
    Dynamics,
    /// By the log-density of the actions, weighted with the return's advantage over the value; no gradient flows through the
    /// dynamics: DreamerV3.
    Reinforce,
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
    /// Of [`super::AgentConfig::mode_samples`] samples, the one of highest density: the published way. Once `std` exceeds
    /// sqrt(1/2) = 0.71, the density has its maxima near -1 and 1, so that the action is near one of them even where the
    /// mean action is 0.
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
    /// Rounded to tf32 on a GPU, summed in f32. The CPU computes as with [`F32`](Self::F32).
    Tf32,
    /// Rounded to bfloat16, summed in f32: faster if the CPU has instructions for it ([`tape::bf16_is_fast`]).
    Bf16,
}

impl Precision {
    /// As the precision of a tape.
    pub fn of_products(self) -> tape::Precision {
        match self {
            Self::F32 => tape::Precision::Full,
            Self::Tf32 => tape::Precision::Tf32,
            Self::Bf16 => tape::Precision::Bf16,
        }
    }
}
