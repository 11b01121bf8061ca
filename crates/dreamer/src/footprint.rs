//! An agent's memory footprint, which is known before anything is allocated.
//!
//! Here: a lower bound of the memory that training takes. Not here: the allocations, and how much memory there is
//! (`available`).

pub use crate::available::{Available, Limit, available};
use crate::networks::IMAGE_NUMBERS;
use crate::shard::ENCODED_AT_ONCE;
use crate::{AgentConfig, DreamerError, Learner};

/// A lower bound of the bytes that an agent of `config` takes while it learns: parameters, moments, gradients and the
/// batch. Most intermediate results of a step come on top.
///
/// # Errors
/// [`DreamerError::Config`] if a value of the configuration is out of range.
pub fn training_bytes(config: &AgentConfig, action_size: usize) -> Result<u64, DreamerError> {
    const NUMBER: u64 = size_of::<f32>() as u64;
    let numbers = Learner::<f32>::declared(config, action_size)?.parameters().numbers() as u64;
    // The values, two moments, the batch's gradient, and one gradient for the shard at hand.
    let parameters = numbers.saturating_mul(5);
    // Every image as bytes in the batch, and the second convolution's output; a few images as numbers, and the first
    // convolution's output.
    let transitions = (config.batch * config.length) as u64;
    let everywhere = IMAGE_NUMBERS as u64 + config.between_images() as u64 * NUMBER;
    let at_hand = ENCODED_AT_ONCE.min(config.shard.min(config.batch) * config.length) as u64;
    let images = at_hand.saturating_mul((IMAGE_NUMBERS + config.largest_of_image()) as u64 * NUMBER);
    let images = transitions.saturating_mul(everywhere).saturating_add(images);
    let vectors = transitions.saturating_mul(config.vector as u64).saturating_mul(NUMBER);
    let batch = vectors.saturating_add(if config.images { images } else { 0 });
    Ok(parameters.saturating_mul(NUMBER).saturating_add(batch))
}

/// Bytes of memory that each thread takes on top of [`training_bytes`] while it computes a shard, estimated generously:
/// the imagined states with the recordings of the networks on them, and the large images of the encoder and the
/// decoder. At the published sizes, a thread was measured to take 165 to 200 MB, and this is 265 MB.
pub fn worker_bytes(config: &AgentConfig) -> u64 {
    const NUMBER: u64 = size_of::<f32>() as u64;
    let transitions = (config.shard.min(config.batch) as u64).saturating_mul(config.length as u64);
    let layers = (config.reward_layers + config.value_layers + config.actor_layers) as u64;
    let state = (config.deter + config.hidden + config.state_size()) as u64;
    let imagined = (2 * layers).saturating_mul(config.units as u64).saturating_add(10 * state);
    // Of three layers.
    let images = if config.images { 3 * config.largest_of_image() as u64 } else { 0 };
    let rollouts = config.rollouts_of(transitions.max(1) as usize) as u64;
    let imagined = imagined.saturating_mul(config.horizon as u64).saturating_mul(rollouts);
    imagined.saturating_add(images.saturating_mul(transitions)).saturating_mul(NUMBER)
}

/// A lower bound of [`worker_bytes`]: half of it. At the published sizes, this is 132 MB of the measured 165 to 200 MB.
pub fn least_worker_bytes(config: &AgentConfig) -> u64 {
    worker_bytes(config) / 2
}

/// Bytes of an agent's file in a checkpoint: parameters and moments.
///
/// # Errors
/// [`DreamerError::Config`] if a value of the configuration is out of range.
pub fn checkpoint_bytes(config: &AgentConfig, action_size: usize) -> Result<u64, DreamerError> {
    let numbers = Learner::<f32>::declared(config, action_size)?.parameters().numbers() as u64;
    Ok(numbers.saturating_mul(3 * size_of::<f32>() as u64))
}

/// Bytes that the embeddings of `transitions` images of a frozen encoder take, if all of them are kept.
pub fn embedding_bytes(config: &AgentConfig, transitions: u64) -> u64 {
    transitions.saturating_mul((config.embed() * size_of::<f32>() + size_of::<bool>()) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_agent_fits_a_small_computer_and_the_largest_none() {
        let paper = training_bytes(&AgentConfig::default(), 6).unwrap();
        assert!((200_000_000..4_000_000_000).contains(&paper), "{paper}");
        let checkpoint = checkpoint_bytes(&AgentConfig::default(), 6).unwrap();
        assert!((50_000_000..200_000_000).contains(&checkpoint), "{checkpoint}");
        // The largest resident memory of `dreamgraft bench --preset paper` was 550, 750, 1338 and 2165 MB with 1, 2, 5
        // and 10 threads.
        for (threads, measured) in [(1, 550_000_000), (2, 750_000_000), (5, 1_338_000_000), (10, 2_165_000_000)] {
            let estimate = paper + threads * worker_bytes(&AgentConfig::default()) + 50_000_000;
            assert!((measured..measured * 2).contains(&estimate), "{threads} threads: {estimate}");
            let least = paper + threads * least_worker_bytes(&AgentConfig::default());
            assert!((measured / 2..measured).contains(&least), "{threads} threads: {least}");
        }
        let sizes = AgentConfig { depth: 1024, units: 65_536, value_layers: 64, ..AgentConfig::default() };
        assert!(training_bytes(&sizes, 6).unwrap() > 1 << 40);
    }
}
