//! The encoder and the decoder of whole observations: of images, of vectors, or of both.

use super::declaration::Declaration;
use super::image::{ImageDecoder, ImageEncoder};
use super::vector::{VectorDecoder, VectorEncoder};
use crate::AgentConfig;
use tape::{Real, Tape, Var};

/// Observations on a tape.
#[derive(Clone, Copy, Debug, Default)]
pub struct ObservationVars {
    /// Images [N, 64 * 64 * 3] in [-0.5, 0.5], if images are observed.
    pub images: Option<Var>,
    /// The symmetric logarithms of vectors [N, V], if vectors are observed.
    pub vectors: Option<Var>,
}

/// Observation to embedding: that of the image, then that of the vector.
#[derive(Clone, Debug)]
pub struct Encoder {
    /// Of images, if they are observed.
    pub image: Option<ImageEncoder>,
    /// Of vectors, if they are observed.
    pub vector: Option<VectorEncoder>,
}

impl Encoder {
    pub(super) fn declare<F: Real>(declaration: &mut Declaration<F>, config: &AgentConfig) -> Self {
        let image = config.images.then(|| ImageEncoder::declare(declaration, config));
        let vector = (config.vector > 0).then(|| VectorEncoder::declare(declaration, config));
        Self { image, vector }
    }

    /// Observations to embeddings [N, E].
    ///
    /// # Panics
    /// If a part of the observations is missing.
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, observations: ObservationVars) -> Var {
        let image = self.image.as_ref().map(|encoder| {
            let images = observations.images.expect("images are observed");
            encoder.forward(tape, images)
        });
        self.join(tape, image, observations.vectors)
    }

    /// The embeddings [N, E] of observations, given those of their images.
    ///
    /// # Panics
    /// If a part of the observations is missing.
    pub(crate) fn join<F: Real>(&self, tape: &mut Tape<F>, image: Option<Var>, vectors: Option<Var>) -> Var {
        let vector = self.vector.as_ref().map(|encoder| {
            let vectors = vectors.expect("vectors are observed");
            encoder.forward(tape, vectors)
        });
        match (image, vector) {
            (Some(image), Some(vector)) => tape.concat(image, vector),
            (image, vector) => image.or(vector).expect("something is observed"),
        }
    }
}

/// Feature to the means of observations; empty if the agent does not predict observations.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// Of images, if they are observed and predicted.
    pub image: Option<ImageDecoder>,
    /// Of vectors, if they are observed and predicted.
    pub vector: Option<VectorDecoder>,
}

impl Decoder {
    pub(super) fn declare<F: Real>(declaration: &mut Declaration<F>, config: &AgentConfig) -> Self {
        let image = config.predicts_images().then(|| ImageDecoder::declare(declaration, config));
        let vector =
            (config.vector > 0 && config.predicts_observations()).then(|| VectorDecoder::declare(declaration, config));
        Self { image, vector }
    }
}
