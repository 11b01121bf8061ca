//! DreamerV3's encoder and decoder of images: convolutions with SAME padding, each of which halves or doubles the image, with
//! norms and SiLU.
//!
//! Source: DreamerV3 (`rssm.py`).

use super::declaration::{Declaration, Inputs, Reads, Role};
use super::image::ImageLayer;
use super::layer::{Finish, HiddenLayer, Style};
use crate::AgentConfig;
use crate::config::{ImageNetwork, LayerActivation, Norm};
use tape::{Activation, Doubling, Halving, Parameter, Real, Tape, Var};

/// Whatever the agent's other networks have.
const STYLE: Style = Style { norm: Norm::Rms, activation: LayerActivation::Silu };
/// Side of the images, and of each of the encoder's outputs; the decoder goes the other way.
const SIDES: [usize; 5] = [64, 32, 16, 8, 4];
/// Side of all kernels.
const KERNEL: usize = 5;

/// How layers change the size of images.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resizing {
    halving: Halving,
    doubling: Doubling,
}

impl Resizing {
    /// Of DreamerV3's networks; `None` of others.
    pub fn of(network: ImageNetwork) -> Option<Self> {
        match network {
            ImageNetwork::V1 => None,
            ImageNetwork::V3Pool => Some(Self { halving: Halving::MaxPool, doubling: Doubling::Repeat }),
            ImageNetwork::V3Strided => Some(Self { halving: Halving::Stride, doubling: Doubling::Spread }),
        }
    }
}

/// The sizes of both networks.
#[derive(Clone, Copy, Debug)]
pub(super) struct SameShape {
    /// Channels of the encoder's outputs.
    pub channels: [usize; 4],
    /// Size of the stochastic state.
    pub stoch: usize,
    /// Size of the deterministic state.
    pub deter: usize,
    /// Blocks of the decoder's layer that reads the deterministic state.
    pub blocks: usize,
    /// Width of the decoder's layer that reads the stochastic state.
    pub hidden: usize,
}

impl SameShape {
    pub fn of(config: &AgentConfig) -> Self {
        Self {
            channels: config.image_channels(),
            stoch: config.state_size(),
            deter: config.deter,
            blocks: config.image_blocks,
            hidden: 2 * config.units,
        }
    }

    /// Channels of each image, from the observed one to the smallest.
    fn all_channels(&self) -> [usize; 5] {
        let [first, second, third, fourth] = self.channels;
        [3, first, second, third, fourth]
    }

    /// Numbers of the smallest image.
    fn smallest(&self) -> usize {
        SIDES[4] * SIDES[4] * self.channels[3]
    }
}

/// Four convolutions: 64 x 64 x 3 to 4 x 4 x (4 depth).
#[derive(Clone, Debug)]
pub(super) struct SameEncoder {
    layers: Vec<ImageLayer>,
    halving: Halving,
    /// Of the second layer.
    channels: usize,
}

impl SameEncoder {
    pub fn declare<F: Real>(declaration: &mut Declaration<F>, shape: SameShape, resizing: Resizing) -> Self {
        let mut network = declaration.network("world_model.encoder", Role::Encoder);
        let channels = shape.all_channels();
        let layers = channels.windows(2).enumerate().map(|(layer, pair)| {
            let name = format!("h{}", layer + 1);
            ImageLayer::declare(&mut network, &name, [KERNEL, KERNEL, pair[0], pair[1]], pair[1], |network| {
                Finish::declare(network, &name, pair[1], STYLE, Activation::None)
            })
        });
        Self { layers: layers.collect(), halving: resizing.halving, channels: shape.channels[1] }
    }

    /// The first two layers, whose images are large: images [N, 64 * 64 * 3] to [N, [`SameEncoder::between`]].
    pub fn first_layers<F: Real>(&self, tape: &mut Tape<F>, images: Var) -> Var {
        (0..2).fold(images, |x, layer| self.layer(tape, x, layer))
    }

    /// The last two layers, from the outputs of the first two for N images to embeddings [N, E].
    pub fn last_layers<F: Real>(&self, tape: &mut Tape<F>, first: Var) -> Var {
        (2..4).fold(first, |x, layer| self.layer(tape, x, layer))
    }

    /// Numbers between the first and the last layers.
    pub fn between(&self) -> usize {
        SIDES[2] * SIDES[2] * self.channels
    }

    fn layer<F: Real>(&self, tape: &mut Tape<F>, x: Var, layer: usize) -> Var {
        let ImageLayer { kernel, bias, finish } = self.layers[layer];
        let sums = tape.halving_convolution(x, SIDES[layer], kernel, bias, self.halving);
        finish.rest(tape, sums)
    }
}

/// A 4 x 4 image from each part of the state, then four convolutions: a feature to 64 x 64 x 3.
#[derive(Clone, Debug)]
pub(super) struct SameDecoder {
    /// In blocks, each with its own piece of the state and its own channels: [K, D / K, 16 C / K].
    deter_in: (Parameter, Parameter),
    stoch_in: HiddenLayer,
    stoch_out: (Parameter, Parameter),
    /// After the sum of both parts.
    finish: Finish,
    layers: Vec<ImageLayer>,
    doubling: Doubling,
    shape: SameShape,
}

impl SameDecoder {
    pub fn declare<F: Real>(declaration: &mut Declaration<F>, shape: SameShape, resizing: Resizing) -> Self {
        let SameShape { stoch, deter, blocks, hidden, .. } = shape;
        let mut network = declaration.network("world_model.decoder", Role::Decoder);
        let smallest = shape.smallest();
        let deter_in = (
            network.parameter("deter_in.kernel", &[blocks, deter / blocks, smallest / blocks]),
            network.parameter("deter_in.bias", &[smallest]),
        );
        let stoch_in =
            HiddenLayer::declare(&mut network, "stoch_in", Inputs::of(&[(Reads::Stoch, stoch)]), hidden, STYLE);
        let stoch_out = network.dense("stoch_out", Inputs::hidden(hidden), smallest);
        let finish = Finish::declare(&mut network, "h1", shape.channels[3], STYLE, Activation::None);
        let mut channels = shape.all_channels();
        channels.reverse();
        let layers = channels.windows(2).enumerate().map(|(layer, pair)| {
            let name = format!("h{}", layer + 2);
            ImageLayer::declare(&mut network, &name, [KERNEL, KERNEL, pair[0], pair[1]], pair[1], |network| {
                if layer == 3 {
                    Finish::NONE
                } else {
                    Finish::declare(network, &name, pair[1], STYLE, Activation::None)
                }
            })
        });
        Self { deter_in, stoch_in, stoch_out, finish, layers: layers.collect(), doubling: resizing.doubling, shape }
    }

    /// Everything up to the first convolution.
    pub fn first_layers<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        let SameShape { stoch, deter, blocks, .. } = self.shape;
        let [stoch, deter] = [(0, stoch), (stoch, deter)].map(|(start, size)| tape.columns_of(feature, start, size));
        let blocks_first = tape.block_dense(deter, None, self.deter_in.0, self.deter_in.1);
        // A block has its channels of all positions: [K, 4 * 4, C / K].
        let from_deter = tape.swap_axes(blocks_first, blocks, SIDES[4] * SIDES[4]);
        let hidden = self.stoch_in.forward(tape, stoch);
        let (kernel, bias) = self.stoch_out;
        let sums = tape.dense_part(hidden, kernel, 0, Some(bias), Some(from_deter), Activation::None);
        let smallest = self.finish.rest(tape, sums);
        self.layer(tape, smallest, 0)
    }

    /// The last three convolutions, whose images are large.
    pub fn last_layers<F: Real>(&self, tape: &mut Tape<F>, first: Var) -> Var {
        let logits = (1..4).fold(first, |x, layer| self.layer(tape, x, layer));
        // Images are around 0 here.
        tape.shifted_sigmoid(logits, -0.5)
    }

    fn layer<F: Real>(&self, tape: &mut Tape<F>, x: Var, layer: usize) -> Var {
        let ImageLayer { kernel, bias, finish } = self.layers[layer];
        let sums = tape.doubling_convolution(x, SIDES[4 - layer], kernel, bias, self.doubling);
        finish.rest(tape, sums)
    }
}

#[cfg(test)]
mod tests;
