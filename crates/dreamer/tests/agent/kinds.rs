//! Kinds of agents, and batches for them.

use dreamer::{
    ActionDistribution, Agent, AgentConfig, Divergence, Heads, ImageNetwork, LayerActivation, LossWeights, Norm,
    OptimiserRule, Reconstruction, ReturnScale,
};
use random::Stream;
use rayon::ThreadPoolBuilder;
use replay::Batch;

pub fn tiny(discount_head: bool) -> AgentConfig {
    AgentConfig {
        depth: 2,
        stoch: 4,
        deter: 9,
        hidden: 8,
        units: 10,
        discount_head,
        batch: 5,
        length: 6,
        horizon: 4,
        shard: 2,
        ..AgentConfig::default()
    }
}

/// An agent that observes images and vectors.
pub fn with_vectors() -> AgentConfig {
    AgentConfig { vector: 3, vector_layers: 2, vector_units: 7, ..tiny(false) }
}

/// An agent with the options of DreamerV3 that are there.
pub fn with_options() -> AgentConfig {
    AgentConfig {
        norm: Norm::Rms,
        activation: LayerActivation::Silu,
        heads: Heads::TwoHot,
        bins: 31,
        divergence: Divergence::Balanced,
        free_nats: 1.0,
        actor: ActionDistribution::BoundedNormal,
        actor_entropy: 3e-3,
        return_scale: ReturnScale::Percentile,
        slow_value: 0.02,
        optimiser: OptimiserRule::LaProp,
        learning_rate_warmup: 2,
        imagine_from: 0.4,
        ..tiny(true)
    }
}

/// An agent of images and vectors without decoders, which learns the weights of its losses.
pub fn projecting() -> AgentConfig {
    AgentConfig {
        reconstruction: Reconstruction::Barlow,
        loss_weights: LossWeights::Harmony,
        discount_head: true,
        ..with_vectors()
    }
}

/// An agent with decoders, which learns the weights of its losses.
pub fn weighing() -> AgentConfig {
    AgentConfig { reconstruction: Reconstruction::Image, ..projecting() }
}

/// An agent with DreamerV3's networks of images, and without its other options.
pub fn with_images(image_network: ImageNetwork) -> AgentConfig {
    AgentConfig { image_network, image_blocks: 3, depth: 3, ..tiny(true) }
}

pub fn batch(config: &AgentConfig, actions: usize) -> Batch {
    let mut random = Stream::new(1, "batch");
    let rows = config.batch * config.length;
    let mut batch = Batch::new(config.batch, config.length);
    batch.action_size = actions;
    let space = config.observation_space();
    batch.image = (0..rows * space.image_bytes()).map(|_| random.below(256) as u8).collect();
    batch.vector = (0..rows * space.vector).map(|_| random.normal() as f32).collect();
    batch.action = (0..rows * actions).map(|_| random.uniform_in(-1.0, 1.0) as f32).collect();
    batch.first = (0..if config.resets { rows } else { 0 }).map(|row| f32::from(u8::from(row % 7 == 1))).collect();
    batch.reward = (0..rows).map(|_| random.normal() as f32).collect();
    batch.discount = (0..rows).map(|row| f32::from(u8::from(row % 7 != 0))).collect();
    batch
}

pub fn weights(agent: &Agent) -> Vec<u32> {
    let parameters = agent.learner().parameters();
    parameters.iter().flat_map(|p| parameters.values(p).iter().map(|x| x.to_bits()).collect::<Vec<_>>()).collect()
}

pub fn in_pool<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}
