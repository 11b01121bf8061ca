//! What the rows of a kernel mean: which part of its input each of them reads.
//!
//! Here: [`Rows`] and the table of all kernels whose input is put together from parts, or is the latent state. Rows are
//! transferred by meaning, never by number: source and target may have different action sizes. Not here: the networks
//! themselves (`dreamer::networks`), which define the order.

use dreamer::{AgentConfig, RewardSource};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;

/// A part of a layer's input, and so the rows of the layer's kernel that read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rows {
    /// Predictions of the frozen reward models that a reward meta-model reads.
    Predictions,
    /// The stochastic state.
    Stoch,
    /// The deterministic state.
    Deter,
    /// The image's embedding.
    Embed,
    /// The action.
    Action,
    /// The latent state: stochastic and deterministic, whichever of them the layer reads.
    Latent,
}

impl Rows {
    /// Whether a rule for `self` is about rows that read `part`.
    pub fn covers(self, part: Self) -> bool {
        self == part || (self == Self::Latent && matches!(part, Self::Stoch | Self::Deter))
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Predictions => "predictions",
            Self::Stoch => "stoch",
            Self::Deter => "deter",
            Self::Embed => "embed",
            Self::Action => "action",
            Self::Latent => "latent",
        })
    }
}

/// The parts of a kernel's rows, in order and without gaps; empty for parameters whose rows have no name.
pub fn rows_of(path: &str, config: &AgentConfig, action_size: usize) -> Vec<(Rows, Range<usize>)> {
    let (stoch, deter) = ((Rows::Stoch, config.stoch), (Rows::Deter, config.deter));
    let parts = match path {
        "world_model.rssm.img1.kernel" => vec![stoch, (Rows::Action, action_size)],
        "world_model.rssm.obs1.kernel" => vec![deter, (Rows::Embed, config.embed())],
        "world_model.rssm.img2.kernel" | "world_model.rssm.gru.recurrent_kernel" => vec![deter],
        "world_model.reward.h0.kernel" => vec![(Rows::Predictions, config.reward_sources.len()), stoch, deter],
        "world_model.decoder.h1.kernel" | "world_model.discount.h0.kernel" | "actor.h0.kernel" | "value.h0.kernel" => {
            vec![stoch, deter]
        }
        _ => match reward_source(path, config) {
            Some(source) if path.ends_with(".h0.kernel") => {
                vec![(Rows::Predictions, source.sources.len()), stoch, deter]
            }
            _ => Vec::new(),
        },
    };
    let mut next = 0;
    let ranges = parts.into_iter().filter(|(_, size)| *size > 0).map(|(rows, size)| {
        let first = next;
        next += size;
        (rows, first..next)
    });
    ranges.collect()
}

/// The frozen reward model that a parameter belongs to.
fn reward_source<'c>(path: &str, config: &'c AgentConfig) -> Option<&'c RewardSource> {
    let mut segments = path.strip_prefix("world_model.reward_sources.")?.split('.');
    let mut source = config.reward_sources.get(segments.next()?.parse::<usize>().ok()?)?;
    while segments.next()? == "sources" {
        source = source.sources.get(segments.next()?.parse::<usize>().ok()?)?;
    }
    Some(source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dreamer::Learner;

    /// Sizes that are all different, so that no two parts can be mistaken for each other.
    fn config() -> AgentConfig {
        let (depth, stoch, deter, hidden, units) = (1, 5, 11, 13, 14);
        let plain = RewardSource { layers: 1, units: 7, sources: Vec::new() };
        let meta_model = RewardSource { layers: 1, units: 7, sources: vec![plain.clone(); 2] };
        let reward_sources = vec![plain, meta_model];
        AgentConfig {
            depth,
            stoch,
            deter,
            hidden,
            units,
            reward_sources,
            discount_head: true,
            ..AgentConfig::default()
        }
    }

    #[test]
    fn named_rows_are_all_rows_of_their_kernel() {
        let learner = Learner::<f32>::new(&config(), 4).unwrap();
        let parameters = learner.parameters();
        let mut named = 0;
        for parameter in parameters.iter() {
            let (path, shape) = (parameters.path(parameter), parameters.shape(parameter));
            let rows = rows_of(path, &config(), 4);
            if let Some((_, last)) = rows.last() {
                assert_eq!(last.end, shape[0], "{path}");
                named += 1;
            }
        }
        assert_eq!(named, 13);
    }

    #[test]
    fn every_kernel_that_reads_the_feature_is_named() {
        let learner = Learner::<f32>::new(&config(), 4).unwrap();
        let parameters = learner.parameters();
        for parameter in parameters.iter().filter(|&parameter| parameters.shape(parameter).len() == 2) {
            let path = parameters.path(parameter);
            if !path.ends_with("bias") && [16, 11, 9, 18, 43].contains(&parameters.shape(parameter)[0]) {
                assert!(!rows_of(path, &config(), 4).is_empty(), "{path}");
            }
        }
    }

    #[test]
    fn latent_is_both_states() {
        assert!(Rows::Latent.covers(Rows::Stoch) && Rows::Latent.covers(Rows::Deter));
        assert!(!Rows::Latent.covers(Rows::Action) && !Rows::Stoch.covers(Rows::Deter));
    }
}
