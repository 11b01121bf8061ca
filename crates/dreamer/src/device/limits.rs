//! The sizes of a gradient step that a device's kernels can count.

use crate::learner::Learner;
use crate::networks::IMAGE_NUMBERS;
use crate::{AgentConfig, DreamerError};
use tape::plan::MOST;

/// Blocks in a grid's second direction, of which the noise has one a shard.
const MOST_SHARDS: usize = 65_535;

/// Checks that every size of the step is one that kernels can count.
///
/// # Errors
/// [`DreamerError::Config`] names a key and the most, or the least, that it can be.
pub(super) fn check(learner: &Learner<f32>) -> Result<(), DreamerError> {
    let config = learner.config();
    let AgentConfig { batch, length, horizon, shard, .. } = *config;
    let refuse = |key: &str, value: usize, range: String| {
        Err(DreamerError::Config { key: key.to_owned(), value: value.to_string(), range })
    };
    let widest = [config.feature(), config.hidden, config.units, 3 * config.deter, 2 * learner.action_size(), 1];
    let widest = widest.into_iter().max().unwrap_or(1);
    // Per sequence: its images, the sums of its layers in the decoder and the encoder, and its imagined rollouts.
    let images = if config.images { IMAGE_NUMBERS.max(config.largest_of_image()) } else { 0 };
    let numbers = [images, config.vector.max(config.vector_units), horizon.saturating_mul(widest)];
    let of_one = length.saturating_mul(numbers.into_iter().max().unwrap_or(1));
    let most = MOST / of_one.max(1);
    if batch > most {
        let range = format!(
            "at most {most} on a device, with agent.length = {length}, agent.horizon = {horizon} and layers as wide as these"
        );
        return refuse("batch", batch, range);
    }
    if batch.div_ceil(shard) > MOST_SHARDS {
        let range = format!("at least {} on a device, with agent.batch = {batch}", batch.div_ceil(MOST_SHARDS));
        return refuse("shard", shard, range);
    }
    let parameters = learner.parameters().numbers();
    if parameters > MOST {
        return refuse(
            "units",
            config.units,
            format!("less on a device: the agent has {parameters} parameters, of at most {MOST}"),
        );
    }
    Ok(())
}
