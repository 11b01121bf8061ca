//! The shapes of frozen reward models inside a reward meta-model.

use super::{LayerActivation, Norm};
use serde::{Deserialize, Serialize};

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
    pub(super) fn all(&self, depth: usize) -> Vec<(usize, &Self)> {
        let below = self.sources.iter().flat_map(|source| source.all(depth + 1));
        std::iter::once((depth, self)).chain(below).collect()
    }
}
