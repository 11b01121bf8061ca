//! Dreamer V1's encoder and decoder of images: convolutions with a stride of two and without padding.

use super::declaration::{Declaration, Inputs, Role};
use super::image::ImageLayer;
use super::layer::{Finish, Style};
use crate::AgentConfig;
use tape::{Activation, Parameter, Real, Tape, Var};

/// Side of the encoder's input and of each layer's output.
const ENCODER_SIDES: [usize; 5] = [64, 31, 14, 6, 2];
/// Kernel of each transposed convolution, and the side of its input.
const DECODER: [(usize, usize); 4] = [(5, 1), (5, 5), (6, 13), (6, 30)];

/// Four convolutions, kernel 4, stride 2, ReLU unless the agent has another activation: 64 x 64 x 3 to 2 x 2 x (8 depth).
#[derive(Clone, Debug)]
pub(super) struct ValidEncoder {
    layers: Vec<ImageLayer>,
}

impl ValidEncoder {
    pub fn declare<F: Real>(declaration: &mut Declaration<F>, config: &AgentConfig) -> Self {
        let channels = config.all_image_channels();
        let style = Style::of(config);
        let mut network = declaration.network("world_model.encoder", Role::Encoder);
        let layers = channels.windows(2).enumerate().map(|(layer, pair)| {
            let name = format!("h{}", layer + 1);
            ImageLayer::declare(&mut network, &name, [4, 4, pair[0], pair[1]], pair[1], |network| {
                Finish::declare(network, &name, pair[1], style, Activation::Relu)
            })
        });
        Self { layers: layers.collect() }
    }

    /// The first two layers, whose images are large: images [N, 64 * 64 * 3] to [N, 14 * 14 * C].
    pub fn first_layers<F: Real>(&self, tape: &mut Tape<F>, images: Var) -> Var {
        let first = self.layer(tape, images, 0);
        self.layer(tape, first, 1)
    }

    /// The first two layers again, if their outputs are known: only the values that their gradients need are computed.
    pub fn known_first_layers<F: Real>(&self, tape: &mut Tape<F>, images: Var, result: &[F]) -> Var {
        let ImageLayer { kernel, bias, finish } = self.layers[1];
        let first = self.layer(tape, images, 0);
        if finish.is_fused() {
            return tape.known_convolution(first, ENCODER_SIDES[1], 2, kernel, bias, finish.fused(), result);
        }
        self.layer(tape, first, 1)
    }

    /// The last two layers, from the outputs of the first two for N images to embeddings [N, E].
    pub fn last_layers<F: Real>(&self, tape: &mut Tape<F>, first: Var) -> Var {
        let third = self.layer(tape, first, 2);
        self.layer(tape, third, 3)
    }

    fn layer<F: Real>(&self, tape: &mut Tape<F>, x: Var, layer: usize) -> Var {
        let ImageLayer { kernel, bias, finish } = self.layers[layer];
        let sums = tape.convolution(x, ENCODER_SIDES[layer], 2, kernel, bias, finish.fused());
        finish.rest(tape, sums)
    }
}

/// A dense layer, then four transposed convolutions, stride 2, with an activation but the last: a feature to 64 x 64 x 3.
#[derive(Clone, Debug)]
pub(super) struct ValidDecoder {
    first: (Parameter, Parameter),
    layers: Vec<ImageLayer>,
}

impl ValidDecoder {
    pub fn declare<F: Real>(declaration: &mut Declaration<F>, config: &AgentConfig) -> Self {
        let style = Style::of(config);
        let mut network = declaration.network("world_model.decoder", Role::Decoder);
        let first = network.dense("h1", Inputs::feature(config), config.image_embed());
        let channels = [config.image_embed(), 4 * config.depth, 2 * config.depth, config.depth, 3];
        let layers = channels.windows(2).zip(DECODER).enumerate().map(|(layer, (pair, (k, _)))| {
            let name = format!("h{}", layer + 2);
            ImageLayer::declare(&mut network, &name, [k, k, pair[1], pair[0]], pair[1], |network| {
                if layer + 1 == DECODER.len() {
                    return Finish::NONE;
                }
                Finish::declare(network, &name, pair[1], style, Activation::Relu)
            })
        });
        Self { first, layers: layers.collect() }
    }

    /// The dense layer and the first transposed convolution, which have most of the weights.
    pub fn first_layers<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        let x = tape.dense(feature, self.first.0, self.first.1, Activation::None);
        self.layer(tape, x, 0)
    }

    /// The last three transposed convolutions, whose images are large.
    pub fn last_layers<F: Real>(&self, tape: &mut Tape<F>, first: Var) -> Var {
        (1..DECODER.len()).fold(first, |x, layer| self.layer(tape, x, layer))
    }

    fn layer<F: Real>(&self, tape: &mut Tape<F>, x: Var, layer: usize) -> Var {
        let (ImageLayer { kernel, bias, finish }, (_, side)) = (self.layers[layer], DECODER[layer]);
        let sums = tape.transposed_convolution(x, side, 2, kernel, bias, finish.fused());
        finish.rest(tape, sums)
    }
}
