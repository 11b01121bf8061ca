//! DreamerV3's encoder and decoder of images: convolutions with SAME padding, each of which halves or doubles the
//! image, with norms and SiLU.
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

/// Four convolutions: 64 x 64 x 3 to 4 x 4 x C.
#[derive(Clone, Debug)]
pub(super) struct SameEncoder {
    layers: Vec<ImageLayer>,
    halving: Halving,
}

impl SameEncoder {
    pub fn declare<F: Real>(declaration: &mut Declaration<F>, config: &AgentConfig, resizing: Resizing) -> Self {
        let mut network = declaration.network("world_model.encoder", Role::Encoder);
        let channels = config.all_image_channels();
        let layers = channels.windows(2).enumerate().map(|(layer, pair)| {
            let name = format!("h{}", layer + 1);
            ImageLayer::declare(&mut network, &name, [KERNEL, KERNEL, pair[0], pair[1]], pair[1], |network| {
                Finish::declare(network, &name, pair[1], STYLE, Activation::None)
            })
        });
        Self { layers: layers.collect(), halving: resizing.halving }
    }

    /// The first two layers, whose images are large: images [N, 64 * 64 * 3] to [N, 16 * 16 * C].
    pub fn first_layers<F: Real>(&self, tape: &mut Tape<F>, images: Var) -> Var {
        (0..2).fold(images, |x, layer| self.layer(tape, x, layer))
    }

    /// The last two layers, from the outputs of the first two for N images to embeddings [N, E].
    pub fn last_layers<F: Real>(&self, tape: &mut Tape<F>, first: Var) -> Var {
        (2..4).fold(first, |x, layer| self.layer(tape, x, layer))
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
    /// The size of stoch.
    stoch: usize,
    /// The size of deter.
    deter: usize,
    /// K.
    blocks: usize,
}

impl SameDecoder {
    pub fn declare<F: Real>(declaration: &mut Declaration<F>, config: &AgentConfig, resizing: Resizing) -> Self {
        let (stoch, deter, blocks) = (config.state_size(), config.deter, config.image_blocks);
        // The decoder begins with an image like the encoder's last.
        let (smallest, hidden) = (config.image_embed(), 2 * config.units);
        let mut network = declaration.network("world_model.decoder", Role::Decoder);
        let deter_in = (
            network.parameter("deter_in.kernel", &[blocks, deter / blocks, smallest / blocks]),
            network.parameter("deter_in.bias", &[smallest]),
        );
        let stoch_in =
            HiddenLayer::declare(&mut network, "stoch_in", Inputs::of(&[(Reads::Stoch, stoch)]), hidden, STYLE);
        let stoch_out = network.dense("stoch_out", Inputs::hidden(hidden), smallest);
        let mut channels = config.all_image_channels();
        channels.reverse();
        let finish = Finish::declare(&mut network, "h1", channels[0], STYLE, Activation::None);
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
        Self {
            deter_in,
            stoch_in,
            stoch_out,
            finish,
            layers: layers.collect(),
            doubling: resizing.doubling,
            stoch,
            deter,
            blocks,
        }
    }

    /// Everything up to the first convolution.
    pub fn first_layers<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        let Self { stoch, deter, blocks, .. } = *self;
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
