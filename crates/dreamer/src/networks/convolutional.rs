//! The encoder and the decoder of 64 x 64 images.

use super::mlp::dense;
use crate::AgentConfig;
use tape::{Activation, Parameter, Parameters, Real, Tape, Var};

/// Numbers in an image: 64 x 64 x 3.
pub const PIXELS: usize = 64 * 64 * 3;

/// Side of the encoder's input and of each layer's output.
const ENCODER_SIDES: [usize; 5] = [64, 31, 14, 6, 2];
/// Kernel of each transposed convolution, and the side of its input.
const DECODER: [(usize, usize); 4] = [(5, 1), (5, 5), (6, 13), (6, 30)];

/// Four convolutions, kernel 4, stride 2, ReLU: 64 x 64 x 3 to 2 x 2 x (8 depth).
#[derive(Clone, Debug)]
pub struct Encoder {
    layers: Vec<(Parameter, Parameter)>,
}

impl Encoder {
    pub(super) fn declare<F: Real>(parameters: &mut Parameters<F>, config: &AgentConfig) -> Self {
        let channels = [3, config.depth, 2 * config.depth, 4 * config.depth, 8 * config.depth];
        let layers = channels.windows(2).enumerate().map(|(layer, pair)| {
            let path = format!("world_model.encoder.h{}", layer + 1);
            let kernel = parameters.declare(&format!("{path}.kernel"), &[4, 4, pair[0], pair[1]]);
            (kernel, parameters.declare(&format!("{path}.bias"), &[pair[1]]))
        });
        Self { layers: layers.collect() }
    }

    /// Images [N, 64 * 64 * 3] in [-0.5, 0.5] to embeddings [N, E].
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, images: Var) -> Var {
        self.layers(tape, images)[3]
    }

    /// Every layer's result; the last are the embeddings.
    pub(crate) fn layers<F: Real>(&self, tape: &mut Tape<F>, images: Var) -> [Var; 4] {
        let mut results = [images; 4];
        let mut x = images;
        for ((result, layer), side) in results.iter_mut().zip(&self.layers).zip(ENCODER_SIDES) {
            x = tape.convolution(x, side, 2, layer.0, layer.1, Activation::Relu);
            *result = x;
        }
        results
    }
}

/// A dense layer, then four transposed convolutions, stride 2, ReLU but the last: a feature to 64 x 64 x 3.
#[derive(Clone, Debug)]
pub struct Decoder {
    first: (Parameter, Parameter),
    layers: Vec<(Parameter, Parameter)>,
}

impl Decoder {
    pub(super) fn declare<F: Real>(parameters: &mut Parameters<F>, config: &AgentConfig) -> Self {
        let first = dense(parameters, "world_model.decoder.h1", config.feature(), config.embed());
        let channels = [config.embed(), 4 * config.depth, 2 * config.depth, config.depth, 3];
        let layers = channels.windows(2).zip(DECODER).enumerate().map(|(layer, (pair, (k, _)))| {
            let path = format!("world_model.decoder.h{}", layer + 2);
            let kernel = parameters.declare(&format!("{path}.kernel"), &[k, k, pair[1], pair[0]]);
            (kernel, parameters.declare(&format!("{path}.bias"), &[pair[1]]))
        });
        Self { first, layers: layers.collect() }
    }

    /// Features [N, S + D] to the means of images [N, 64 * 64 * 3].
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        let mut x = tape.dense(feature, self.first.0, self.first.1, Activation::None);
        for (layer, (parameters, (_, side))) in self.layers.iter().zip(DECODER).enumerate() {
            let activation = if layer + 1 == DECODER.len() { Activation::None } else { Activation::Relu };
            x = tape.deconvolution(x, side, 2, parameters.0, parameters.1, activation);
        }
        x
    }
}
