//! The inputs that the rows of a kernel read, with their names in plans.
//!
//! Rows are transferred by meaning, never by number: source and target may have different action sizes. Not here: the
//! inputs of the rows of each kernel, which the networks declare (`dreamer::networks`).

use dreamer::networks::{Networks, Reads};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use tape::Parameter;

/// A part of a layer's input, and so the rows of the layer's kernel that read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowInput {
    /// Predictions of the frozen reward models that a reward meta-model reads.
    Predictions,
    /// The stochastic state.
    Stoch,
    /// The deterministic state.
    Deter,
    /// The image's embedding.
    Embed,
    /// The numbers of a vector observation.
    Vector,
    /// The action.
    Action,
    /// The latent state: stochastic and deterministic, or the one of them that the layer reads.
    Latent,
}

impl RowInput {
    /// Whether a rule for `self` is about rows that read `part`.
    pub fn covers(self, part: Self) -> bool {
        self == part || (self == Self::Latent && matches!(part, Self::Stoch | Self::Deter))
    }
}

impl fmt::Display for RowInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Predictions => "predictions",
            Self::Stoch => "stoch",
            Self::Deter => "deter",
            Self::Embed => "embed",
            Self::Vector => "vector",
            Self::Action => "action",
            Self::Latent => "latent",
        })
    }
}

impl From<Reads> for RowInput {
    fn from(reads: Reads) -> Self {
        match reads {
            Reads::Predictions => Self::Predictions,
            Reads::Stoch => Self::Stoch,
            Reads::Deter => Self::Deter,
            Reads::Embedding => Self::Embed,
            Reads::Vector => Self::Vector,
            Reads::Action => Self::Action,
        }
    }
}

/// The parts of the rows of a kernel, in order and without gaps; empty for parameters whose rows do not have a meaning.
pub fn rows_of(networks: &Networks, parameter: Parameter) -> Vec<(RowInput, Range<usize>)> {
    networks.rows(parameter).iter().map(|(reads, range)| (RowInput::from(*reads), range.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latent_is_both_states() {
        assert!(RowInput::Latent.covers(RowInput::Stoch) && RowInput::Latent.covers(RowInput::Deter));
        assert!(!RowInput::Latent.covers(RowInput::Action) && !RowInput::Stoch.covers(RowInput::Deter));
    }
}
