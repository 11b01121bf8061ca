//! The agent's configuration: every size, weight and rate of the algorithm.
//!
//! Here: [`AgentConfig`] with the paper's numbers as its default. Not here: the kinds that options have (`options`), the
//! ranges of values (`validation`), and schedules of a run (prefill, training ratio, evaluation), which belong to the crate
//! `train`.

mod options;
mod reward_source;
mod validation;

pub use options::*;
pub use reward_source::RewardSource;

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
    /// Whether sequences may cross from one episode into the next: where one begins, the latent state and the action are
    /// forgotten. The run's replay memory decides.
    pub resets: bool,
    /// The encoder and the decoder of images.
    pub image_network: ImageNetwork,
    /// Channels of the encoder's convolutions: in V1's, the first has as many and the others 2, 4 and 8 times as many;
    /// in V3's, the multipliers say how many times as many each has.
    pub depth: usize,
    /// With V3's networks of images, the channels of the encoder's convolutions, in depths.
    pub image_multipliers: [usize; 4],
    /// With V3's networks of images, blocks of the decoder's layer that reads the deterministic state, of which D and
    /// the channels of the encoder's last convolution are multiples.
    pub image_blocks: usize,
    /// What the features of states must tell about observations.
    pub reconstruction: Reconstruction,
    /// Weight of the Barlow loss, if that is what they must tell.
    pub barlow_scale: f64,
    /// The distribution of the stochastic state.
    pub latent: Latent,
    /// The distributions that the stochastic state is drawn from: of normal ones, its size.
    pub stoch: usize,
    /// Classes of each distribution of a categorical stochastic state.
    pub classes: usize,
    /// The share of these distributions that all classes have equally.
    pub latent_unimix: f64,
    /// The recurrent cell.
    pub cell: Cell,
    /// Size of the deterministic state, D.
    pub deter: usize,
    /// Blocks of a cell in blocks, of which D is a multiple.
    pub blocks: usize,
    /// Hidden layers of the prior.
    pub prior_layers: usize,
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
    /// The states whose returns actor and value head learn from.
    pub returns_from: ReturnsFrom,
    /// Discount of imagined rewards; with a discount head, the factor on its targets.
    pub discount: f64,
    /// Lambda of the lambda-return.
    pub lambda: f64,
    /// The weights of the losses of the world model.
    pub loss_weights: LossWeights,
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
    /// How the actor learns from imagined returns.
    pub actor_gradient: ActorGradient,
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
    /// Weight of the value head's loss on the states of the batch, whose returns are computed from their real rewards,
    /// with the imagined returns of later states as bootstraps. Dreamer V1 has none; DreamerV3's is 0.3.
    pub replay_value: f64,
    /// Whether that loss also trains the world model, through the features of these states.
    pub replay_value_trains_model: bool,
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

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            images: true,
            vector: 0,
            vector_layers: 2,
            vector_units: 256,
            vector_scale: 1.0,
            resets: false,
            image_network: ImageNetwork::V1,
            depth: 32,
            image_multipliers: [2, 3, 4, 4],
            image_blocks: 8,
            reconstruction: Reconstruction::Image,
            barlow_scale: 0.05,
            latent: Latent::Gaussian,
            stoch: 30,
            classes: 32,
            latent_unimix: 0.01,
            cell: Cell::Gru,
            deter: 200,
            blocks: 8,
            prior_layers: 1,
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
            returns_from: ReturnsFrom::Imagined,
            discount: 0.99,
            lambda: 0.95,
            loss_weights: LossWeights::Fixed,
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
            actor_gradient: ActorGradient::Dynamics,
            actor_unimix: 0.01,
            actor_mean_scale: 5.0,
            actor_initial_std: 5.0,
            slow_value: 0.0,
            replay_value: 0.0,
            replay_value_trains_model: true,
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

    /// Whether its world model predicts observations, not only what it encodes of them.
    pub fn predicts_observations(&self) -> bool {
        self.reconstruction == Reconstruction::Image
    }

    /// Whether its world model predicts images.
    pub fn predicts_images(&self) -> bool {
        self.images && self.predicts_observations()
    }

    /// Size of the encoder's output, E.
    pub fn embed(&self) -> usize {
        let image = if self.images { self.image_embed() } else { 0 };
        let vector = if self.vector > 0 { self.vector_units } else { 0 };
        image + vector
    }

    /// Size of a latent state's feature, [stoch, deter].
    pub fn feature(&self) -> usize {
        self.state_size() + self.deter
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
}
