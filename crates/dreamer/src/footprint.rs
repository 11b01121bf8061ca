//! An agent's memory footprint, which is known before anything is allocated.
//!
//! Here: a lower bound of the memory that training takes, and the memory that the machine has available. Not here: the
//! allocations.

use crate::networks::PIXELS;
use crate::shard::ENCODED_AT_ONCE;
use crate::{AgentConfig, DreamerError, Learner};

/// A lower bound of the bytes that an agent of `config` takes while it learns: parameters, moments, gradients and the batch.
/// Most intermediate results of a step come on top.
///
/// # Errors
/// [`DreamerError::Config`] if a value of the configuration is out of range.
pub fn training_bytes(config: &AgentConfig, action_size: usize) -> Result<u64, DreamerError> {
    const NUMBER: u64 = size_of::<f32>() as u64;
    let numbers = Learner::<f32>::declared(config, action_size)?.parameters().numbers() as u64;
    // The values, two moments, the batch's gradient, and one gradient for the shard at hand.
    let parameters = numbers.saturating_mul(5);
    // Every image as bytes in the batch, and the second convolution's output, 14 x 14 for each of twice
    // `depth` channels; a few images as numbers, and the first convolution's output, 31 x 31 for each of `depth`.
    let transitions = (config.batch * config.length) as u64;
    let everywhere = PIXELS as u64 + (14 * 14 * 2 * config.depth) as u64 * NUMBER;
    let at_hand = ENCODED_AT_ONCE.min(config.shard.min(config.batch) * config.length) as u64;
    let images = at_hand.saturating_mul((PIXELS + 31 * 31 * config.depth) as u64 * NUMBER);
    let batch = transitions.saturating_mul(everywhere).saturating_add(images);
    Ok(parameters.saturating_mul(NUMBER).saturating_add(batch))
}

/// The memory that this process could get, in bytes: the memory available without swapping, and the free swap space.
/// `None` on systems that do not report it; Linux does.
pub fn available_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let of = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    };
    of("MemAvailable")?.checked_add(of("SwapFree").unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_agent_fits_a_small_computer_and_the_largest_none() {
        let paper = training_bytes(&AgentConfig::default(), 6).unwrap();
        assert!((200_000_000..4_000_000_000).contains(&paper), "{paper}");
        let sizes = AgentConfig { depth: 1024, units: 65_536, value_layers: 64, ..AgentConfig::default() };
        assert!(training_bytes(&sizes, 6).unwrap() > 1 << 40);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_reports_its_memory() {
        assert!(available_bytes().unwrap() > 1 << 20);
    }
}
