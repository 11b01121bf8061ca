//! The projection of features that the Barlow loss compares with embeddings, in place of decoders.
//!
//! Source: R2-Dreamer (`dreamer.py`).

use super::declaration::{Declaration, Inputs, Role};
use crate::AgentConfig;
use tape::{Activation, Parameter, Real, Tape, Var};

/// A dense layer without a bias: features to as many numbers as an embedding has.
#[derive(Clone, Copy, Debug)]
pub struct Projector {
    kernel: Parameter,
}

impl Projector {
    pub(super) fn declare<F: Real>(declaration: &mut Declaration<F>, config: &AgentConfig) -> Self {
        let mut network = declaration.network("world_model.projector", Role::Projector);
        Self { kernel: network.kernel("kernel", Inputs::feature(config), config.embed()) }
    }

    /// Features [N, S + D] to projections [N, E].
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        tape.dense_part(feature, self.kernel, 0, None, None, Activation::None)
    }
}
