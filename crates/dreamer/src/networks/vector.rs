//! The encoder and the decoder of vectors: dense layers, each with a norm and SiLU after it, on the symmetric logarithm of the
//! numbers, which lets a network read numbers of any scale.
//!
//! Source: DreamerV3 (`rssm.py`).

use super::declaration::{Declaration, Inputs, Layers, Reads, Role};
use super::layer::{HiddenLayer, Style};
use crate::AgentConfig;
use crate::config::{LayerActivation, Norm};
use tape::{Activation, Parameter, Real, Tape, Var};

/// Whatever the agent's other networks have.
const STYLE: Style = Style { norm: Norm::Rms, activation: LayerActivation::Silu };

/// Layers one after the other, the first of which reads `inputs`.
fn declare<F: Real>(layers: &mut Layers<'_, '_, F>, config: &AgentConfig, inputs: Inputs) -> Vec<HiddenLayer> {
    let width = config.vector_units;
    let inputs = std::iter::once(inputs).chain(std::iter::repeat_with(|| Inputs::hidden(width)));
    (0..config.vector_layers)
        .zip(inputs)
        .map(|(number, inputs)| HiddenLayer::declare(layers, &format!("h{number}"), inputs, width, STYLE))
        .collect()
}

/// The encoder of vectors.
#[derive(Clone, Debug)]
pub struct VectorEncoder {
    layers: Vec<HiddenLayer>,
}

impl VectorEncoder {
    pub(super) fn declare<F: Real>(declaration: &mut Declaration<F>, config: &AgentConfig) -> Self {
        let mut network = declaration.network("world_model.encoder.vector", Role::Encoder);
        Self { layers: declare(&mut network, config, Inputs::of(&[(Reads::Vector, config.vector)])) }
    }

    /// The symmetric logarithms of vectors [N, V] to embeddings [N, U].
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, vectors: Var) -> Var {
        self.layers.iter().fold(vectors, |x, layer| layer.forward(tape, x))
    }
}

/// The decoder of vectors.
#[derive(Clone, Debug)]
pub struct VectorDecoder {
    layers: Vec<HiddenLayer>,
    last: (Parameter, Parameter),
}

impl VectorDecoder {
    pub(super) fn declare<F: Real>(declaration: &mut Declaration<F>, config: &AgentConfig) -> Self {
        let mut network = declaration.network("world_model.decoder.vector", Role::Decoder);
        let layers = declare(&mut network, config, Inputs::feature(config));
        Self { layers, last: network.dense("hout", Inputs::hidden(config.vector_units), config.vector) }
    }

    /// Features [N, S + D] to the means of the symmetric logarithms of vectors [N, V].
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        let x = self.layers.iter().fold(feature, |x, layer| layer.forward(tape, x));
        tape.dense(x, self.last.0, self.last.1, Activation::None)
    }
}

/// Writes vectors as the networks read them: sign(x) ln(1 + |x|).
pub fn symlog<F: Real>(numbers: impl IntoIterator<Item = f64>, out: &mut [F]) {
    for (out, x) in out.iter_mut().zip(numbers) {
        *out = F::of(x.abs().ln_1p().copysign(x));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_symmetric_logarithm_is_odd_and_keeps_small_numbers() {
        let mut out = [0.0f64; 5];
        symlog([0.0, 1e-12, -1e-12, f64::exp(2.0) - 1.0, 1.0 - f64::exp(3.0)], &mut out);
        // ln(1 + x) = x - x^2 / 2 + ...
        let small = 1e-12 - 0.5e-24;
        for (found, expected) in out.iter().zip([0.0, small, -small, 2.0, -3.0]) {
            assert!((found - expected).abs() <= 1e-15 * expected.abs(), "{found} {expected}");
        }
    }
}
