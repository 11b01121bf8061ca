//! [`Model`]: an agent as a tape needs it.

use crate::AgentConfig;
use crate::networks::Networks;
use tape::{ParameterSet, Parameters};

/// An agent as a tape needs it.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a, F> {
    /// Sizes and weights.
    pub config: &'a AgentConfig,
    /// Where the networks' parameters are.
    pub networks: &'a Networks,
    /// The parameters' numbers.
    pub parameters: &'a Parameters<F>,
    /// The set whose gradients are computed.
    pub trainable: &'a ParameterSet,
}
