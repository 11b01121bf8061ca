//! The encoder and the decoder of 64 x 64 images, of either kind.
//!
//! Both kinds are cut in two, so that a shard can take layers with large images through a few images at a time. Not
//! here: the layers (`valid_images` and `same_images`).

use super::declaration::{Declaration, Layers};
use super::layer::Finish;
use super::same_images::{Resizing, SameDecoder, SameEncoder};
use super::valid_images::{ValidDecoder, ValidEncoder};
use crate::AgentConfig;
use crate::config::ImageNetwork;
use tape::{Parameter, Real, Tape, Var};

/// Numbers in an image: 64 x 64 x 3.
pub const IMAGE_NUMBERS: usize = replay::IMAGE_BYTES;

/// A convolution of any kind, and what follows it at each position.
#[derive(Clone, Copy, Debug)]
pub(super) struct ImageLayer {
    pub kernel: Parameter,
    pub bias: Parameter,
    pub finish: Finish,
}

impl ImageLayer {
    /// Declares a layer with a square kernel of this shape, with `channels` outputs at each position.
    pub fn declare<F: Real>(
        network: &mut Layers<'_, '_, F>,
        name: &str,
        kernel: [usize; 4],
        channels: usize,
        finish: impl FnOnce(&mut Layers<'_, '_, F>) -> Finish,
    ) -> Self {
        let kernel = network.parameter(&format!("{name}.kernel"), &kernel);
        let bias = network.parameter(&format!("{name}.bias"), &[channels]);
        Self { kernel, bias, finish: finish(network) }
    }
}

/// Images to embeddings.
#[derive(Clone, Debug)]
pub struct ImageEncoder {
    kind: EncoderKind,
    /// Numbers between the first and the last layers.
    between: usize,
}

#[derive(Clone, Debug)]
enum EncoderKind {
    Valid(ValidEncoder),
    Same(SameEncoder),
}

impl ImageEncoder {
    pub(super) fn declare<F: Real>(declaration: &mut Declaration<F>, config: &AgentConfig) -> Self {
        let kind = match Resizing::of(config.image_network) {
            None => EncoderKind::Valid(ValidEncoder::declare(declaration, config)),
            Some(resizing) => EncoderKind::Same(SameEncoder::declare(declaration, config, resizing)),
        };
        Self { kind, between: config.between_images() }
    }

    /// Images [N, 64 * 64 * 3] in [-0.5, 0.5] to embeddings [N, E].
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, images: Var) -> Var {
        let first = self.first_layers(tape, images);
        self.last_layers(tape, first)
    }

    /// The layers whose images are large: images [N, 64 * 64 * 3] to [N, [`ImageEncoder::between`]].
    pub(crate) fn first_layers<F: Real>(&self, tape: &mut Tape<F>, images: Var) -> Var {
        match &self.kind {
            EncoderKind::Valid(encoder) => encoder.first_layers(tape, images),
            EncoderKind::Same(encoder) => encoder.first_layers(tape, images),
        }
    }

    /// The first layers again, if their outputs are known: only the values that their gradients need have to be
    /// computed.
    pub(crate) fn known_first_layers<F: Real>(&self, tape: &mut Tape<F>, images: Var, result: &[F]) -> Var {
        match &self.kind {
            EncoderKind::Valid(encoder) => encoder.known_first_layers(tape, images, result),
            // Norms and SiLU need what they were computed from.
            EncoderKind::Same(encoder) => encoder.first_layers(tape, images),
        }
    }

    /// The other layers, from the outputs of the first ones for N images to embeddings [N, E].
    pub(crate) fn last_layers<F: Real>(&self, tape: &mut Tape<F>, first: Var) -> Var {
        match &self.kind {
            EncoderKind::Valid(encoder) => encoder.last_layers(tape, first),
            EncoderKind::Same(encoder) => encoder.last_layers(tape, first),
        }
    }

    /// Numbers between the first and the last layers.
    pub(crate) fn between(&self) -> usize {
        self.between
    }
}

/// Features to the means of images.
#[derive(Clone, Debug)]
pub struct ImageDecoder(DecoderKind);

#[derive(Clone, Debug)]
enum DecoderKind {
    Valid(ValidDecoder),
    Same(SameDecoder),
}

impl ImageDecoder {
    pub(super) fn declare<F: Real>(declaration: &mut Declaration<F>, config: &AgentConfig) -> Self {
        Self(match Resizing::of(config.image_network) {
            None => DecoderKind::Valid(ValidDecoder::declare(declaration, config)),
            Some(resizing) => DecoderKind::Same(SameDecoder::declare(declaration, config, resizing)),
        })
    }

    /// Features [N, S + D] to the means of images [N, 64 * 64 * 3], which are around 0 as the images are.
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        let first = self.first_layers(tape, feature);
        self.last_layers(tape, first)
    }

    /// The layers with most of the weights, whose images are small.
    pub(crate) fn first_layers<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        match &self.0 {
            DecoderKind::Valid(decoder) => decoder.first_layers(tape, feature),
            DecoderKind::Same(decoder) => decoder.first_layers(tape, feature),
        }
    }

    /// The other layers, whose images are large.
    pub(crate) fn last_layers<F: Real>(&self, tape: &mut Tape<F>, first: Var) -> Var {
        match &self.0 {
            DecoderKind::Valid(decoder) => decoder.last_layers(tape, first),
            DecoderKind::Same(decoder) => decoder.last_layers(tape, first),
        }
    }

    /// The log-density of images [N, 64 * 64 * 3] under means of the same shape, up to a constant: [N, 1].
    pub fn log_density<F: Real>(&self, tape: &mut Tape<F>, mean: Var, images: Var) -> Var {
        match &self.0 {
            DecoderKind::Valid(_) => tape.normal_log_density(mean, images),
            DecoderKind::Same(_) => tape.negative_squared_error(mean, images),
        }
    }
}

impl AgentConfig {
    /// Channels of each of the encoder's convolutions.
    pub(crate) fn image_channels(&self) -> [usize; 4] {
        let factors = match self.image_network {
            ImageNetwork::V1 => [1, 2, 4, 8],
            ImageNetwork::V3Pool | ImageNetwork::V3Strided => self.image_multipliers,
        };
        factors.map(|factor| factor * self.depth)
    }

    /// Channels of each image, from the observed one to the smallest.
    pub(super) fn all_image_channels(&self) -> [usize; 5] {
        let [first, second, third, fourth] = self.image_channels();
        [3, first, second, third, fourth]
    }

    /// Numbers of an image's embedding: those of the encoder's last image.
    pub(crate) fn image_embed(&self) -> usize {
        let positions = match self.image_network {
            ImageNetwork::V1 => 2 * 2,
            ImageNetwork::V3Pool | ImageNetwork::V3Strided => 4 * 4,
        };
        positions * self.image_channels()[3]
    }

    /// Numbers that are kept for every image of a batch between the encoder's first and last layers.
    pub(crate) fn between_images(&self) -> usize {
        let positions = match self.image_network {
            ImageNetwork::V1 => 14 * 14,
            ImageNetwork::V3Pool | ImageNetwork::V3Strided => 16 * 16,
        };
        positions * self.image_channels()[1]
    }

    /// Numbers of the largest value that is recorded for an image: the output of the encoder's first convolution.
    pub(crate) fn largest_of_image(&self) -> usize {
        let positions = match self.image_network {
            ImageNetwork::V1 => 31 * 31,
            // Results before max pooling are not kept.
            ImageNetwork::V3Pool | ImageNetwork::V3Strided => 32 * 32,
        };
        positions * self.image_channels()[0]
    }
}
