//! Layers with large images: the encoder's first two, the decoder's last three, and the loss of pictures.
//!
//! They take few images at a time through forward, loss and backward, so that what they make of them stays in the
//! second-level cache. What is small is kept for the whole shard, in `mod.rs`; what is large is computed again.

use super::{Model, total};
use crate::images::Images;
use crate::networks::PIXELS;
use tape::{Gradients, Real, Tape, Var, Workspace};

/// Images that the encoder takes at a time.
pub(crate) const ENCODED_AT_ONCE: usize = 5;
/// Images that the decoder takes at a time.
const DECODED_AT_ONCE: usize = 10;

/// What the encoder's first layers make of all images: `out` [N, numbers between the layers].
pub(super) fn encode<F: Real>(model: Model<F>, images: Images, workspace: &mut Workspace<F>, out: &mut [F]) {
    let encoder = &model.networks.encoder;
    for (piece, out) in out.chunks_mut(ENCODED_AT_ONCE * encoder.between()).enumerate() {
        let mut tape = Tape::new(model.parameters, model.trainable, workspace);
        let pixels = pixels(&mut tape, images, piece * ENCODED_AT_ONCE, out.len() / encoder.between());
        let result = encoder.first_layers(&mut tape, pixels);
        out.copy_from_slice(tape.value(result));
    }
}

/// Adds the first layers' gradients to `gradients`, given their results `first` on a tape that has gone back to them.
pub(super) fn learn_to_encode<F: Real>(
    model: Model<F>,
    images: Images,
    above: &mut Tape<F>,
    first: Var,
    workspace: &mut Workspace<F>,
    gradients: &mut Gradients<F>,
) {
    let encoder = &model.networks.encoder;
    let size = ENCODED_AT_ONCE * encoder.between();
    let gradient = above.gradient(first).expect("the embedding is read");
    for (piece, (result, gradient)) in above.value(first).chunks(size).zip(gradient.chunks(size)).enumerate() {
        let mut tape = Tape::new(model.parameters, model.trainable, workspace);
        let pixels = pixels(&mut tape, images, piece * ENCODED_AT_ONCE, result.len() / encoder.between());
        let result = encoder.known_first_layers(&mut tape, pixels, result);
        tape.seed_with(result, gradient);
        tape.backward(gradients);
    }
    // Nothing of it waits for the next step.
    above.forget_gradient(first);
}

/// The log-density of all images given `first` on the tape `below`, what the decoder's first layers make of features. Its
/// gradient, as one of `transitions`, is added to `gradients` and to that of `first`.
pub(super) fn decode<F: Real>(
    model: Model<F>,
    images: Images,
    transitions: f64,
    below: &mut Tape<F>,
    first: Var,
    workspace: &mut Workspace<F>,
    gradients: &mut Gradients<F>,
) -> f64 {
    let (rows, cols) = below.shape(first);
    let mut sum = 0.0;
    for start in (0..rows).step_by(DECODED_AT_ONCE) {
        let count = DECODED_AT_ONCE.min(rows - start);
        let mut tape = Tape::new(model.parameters, model.trainable, workspace);
        let part = start * cols..(start + count) * cols;
        let leaf = tape.leaf(count, cols, |y| y.copy_from_slice(&below.value(first)[part]));
        let mean = model.networks.decoder.last_layers(&mut tape, leaf);
        let target = pixels(&mut tape, images, start, count);
        let density = tape.normal_log_density(mean, target);
        sum += total(&tape, density);
        tape.seed(density, F::of(-1.0 / transitions));
        tape.backward(gradients);
        below.seed_rows(first, start, tape.gradient(leaf).expect("the picture depends on it"));
    }
    sum
}

/// Images first.. as numbers [count, 64 * 64 * 3].
fn pixels<F: Real>(tape: &mut Tape<F>, images: Images, first: usize, count: usize) -> Var {
    tape.constant(count, PIXELS, |y| images.normalise(first, y))
}
