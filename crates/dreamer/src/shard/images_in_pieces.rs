//! Layers with large images: the encoder's first ones, the decoder's last ones, and the loss of images.
//!
//! They take few images at a time through forward, loss and backward, so that their outputs stay in the second-level cache.
//! Small outputs are kept for the whole shard, on the shard's own recordings; large ones are computed again.

use super::totals::Totals;
use crate::agent_view::AgentView;
use crate::images::Images;
use crate::losses::{Terms, world_model};
use crate::metrics::Counts;
use crate::networks::{IMAGE_NUMBERS, ImageEncoder, ObservationVars};
use tape::{Gradients, Precision, Real, Tape, Var, Workspace};

/// Images that the encoder takes at a time.
pub(crate) const ENCODED_AT_ONCE: usize = 5;
/// Images that the decoder takes at a time.
const DECODED_AT_ONCE: usize = 10;
/// Images that the encoder takes at a time if it is not trained.
const EMBEDDED_AT_ONCE: usize = 32;

/// A worker's buffers for images in pieces.
#[derive(Debug)]
pub(super) struct ImagePieces<F> {
    encoder: Workspace<F>,
    decoder: Workspace<F>,
    /// Of the piece at hand.
    terms: Terms,
}

/// The recording below the decoder's last layers.
pub(super) struct Below<'a, 'b, F> {
    pub tape: &'a mut Tape<'b, F>,
    /// The output of the decoder's first layers [N, C].
    pub first: Var,
}

impl<F: Real> ImagePieces<F> {
    pub fn new(precision: Precision, counts: Counts) -> Self {
        let [encoder, decoder] = std::array::from_fn(|_| Workspace::new(precision));
        Self { encoder, decoder, terms: Terms::new(counts) }
    }

    /// The output of the encoder's first layers for all images: `out` [N, numbers between the layers].
    pub fn encode(&mut self, agent: AgentView<F>, images: Images, out: &mut [F]) {
        let encoder = image_encoder(agent);
        for (piece, out) in out.chunks_mut(ENCODED_AT_ONCE * encoder.between()).enumerate() {
            let mut tape = Tape::new(agent.parameters, agent.trainable, &mut self.encoder);
            let pixels = pixels(&mut tape, images, piece * ENCODED_AT_ONCE, out.len() / encoder.between());
            let result = encoder.first_layers(&mut tape, pixels);
            out.copy_from_slice(tape.value(result));
        }
    }

    /// Adds the first layers' gradients to `gradients`, given their outputs `first` on a recording whose walk back has reached
    /// them.
    pub fn learn_to_encode(
        &mut self,
        agent: AgentView<F>,
        images: Images,
        above: &mut Tape<F>,
        first: Var,
        gradients: &mut Gradients<F>,
    ) {
        let encoder = image_encoder(agent);
        let size = ENCODED_AT_ONCE * encoder.between();
        let gradient = above.gradient(first).expect("the embedding is read");
        for (piece, (result, gradient)) in above.value(first).chunks(size).zip(gradient.chunks(size)).enumerate() {
            let mut tape = Tape::new(agent.parameters, agent.trainable, &mut self.encoder);
            let pixels = pixels(&mut tape, images, piece * ENCODED_AT_ONCE, result.len() / encoder.between());
            let result = encoder.known_first_layers(&mut tape, pixels, result);
            tape.seed_with(result, gradient);
            tape.backward(gradients);
        }
        // Nothing of it waits for the next step.
        above.forget_gradient(first);
    }

    /// The loss of all images, given the decoder's first layers. It is added to `totals`, and its gradient to that of the
    /// first layers' output.
    pub fn decode(&mut self, agent: AgentView<F>, images: Images, below: Below<'_, '_, F>, totals: &mut Totals<F>) {
        let Below { tape: below, first } = below;
        let (rows, cols) = below.shape(first);
        for start in (0..rows).step_by(DECODED_AT_ONCE) {
            let count = DECODED_AT_ONCE.min(rows - start);
            let mut tape = Tape::new(agent.parameters, agent.trainable, &mut self.decoder);
            let part = start * cols..(start + count) * cols;
            let leaf = tape.leaf(count, cols, |y| y.copy_from_slice(&below.value(first)[part]));
            let decoder = agent.networks.decoder.image.as_ref().expect("images are observed");
            let mean = decoder.last_layers(&mut tape, leaf);
            let target = pixels(&mut tape, images, start, count);
            self.terms.clear();
            world_model::image(agent, &mut tape, mean, target, &mut self.terms);
            totals.differentiate(&mut tape, &self.terms);
            below.seed_rows(first, start, tape.gradient(leaf).expect("the image depends on it"));
        }
    }
}

/// The embeddings [N, E] of N observations, some at a time, without gradients: their images, and the symmetric logarithms of
/// their vectors [N, V].
pub(crate) fn embed<F: Real>(
    agent: AgentView<F>,
    workspace: &mut Workspace<F>,
    images: Images,
    vectors: &[F],
    embeddings: &mut [F],
) {
    let (size, width) = (embeddings.len() / images.count(), agent.config.vector);
    for (piece, embeddings) in embeddings.chunks_mut(EMBEDDED_AT_ONCE * size).enumerate() {
        let (first, count) = (piece * EMBEDDED_AT_ONCE, embeddings.len() / size);
        let mut tape = Tape::new(agent.parameters, agent.trainable, workspace);
        let observations = ObservationVars {
            images: agent.config.images.then(|| pixels(&mut tape, images, first, count)),
            vectors: (width > 0).then(|| {
                tape.constant(count, width, |y| y.copy_from_slice(&vectors[first * width..(first + count) * width]))
            }),
        };
        let embed = agent.networks.encoder.forward(&mut tape, observations);
        embeddings.copy_from_slice(tape.value(embed));
    }
}

fn image_encoder<F>(agent: AgentView<'_, F>) -> &ImageEncoder {
    agent.networks.encoder.image.as_ref().expect("images are observed")
}

/// Images first.. as numbers [count, 64 * 64 * 3].
fn pixels<F: Real>(tape: &mut Tape<F>, images: Images, first: usize, count: usize) -> Var {
    tape.constant(count, IMAGE_NUMBERS, |y| images.normalise(first, y))
}
