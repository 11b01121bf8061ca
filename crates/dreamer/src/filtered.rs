//! Filtering one sequence without noise: its states are the means of the posterior, so that the same sequence always has the same.

use crate::images::Images;
use crate::model::Model;
use crate::networks::{Observed, PIXELS};
use crate::shard::embed;
use tape::{Real, Tape, Workspace};

/// Filters one sequence, images [T, 64 * 64 * 3] and the actions that led to them [T, A], and gives `then` the recording with the
/// states.
///
/// # Panics
/// If images and actions have different lengths, or there are none.
pub(crate) fn with_filtered<F: Real, R>(
    model: Model<'_, F>,
    images: &[u8],
    actions: &[F],
    then: impl FnOnce(&mut Tape<'_, F>, Observed) -> R,
) -> R {
    let (config, steps) = (model.config, images.len() / PIXELS);
    assert!(steps > 0 && actions.len().is_multiple_of(steps), "an action for every image");
    let size = actions.len() / steps;
    let mut workspace = Workspace::default();
    let mut embeddings = vec![F::ZERO; steps * config.embed()];
    embed(model, &mut workspace, Images::of(images), &mut embeddings);
    let mut tape = Tape::new(model.parameters, model.trainable, &mut workspace);
    let embed = tape.constant(steps, config.embed(), |y| y.copy_from_slice(&embeddings));
    let action = tape.constant(steps, size, |y| y.copy_from_slice(actions));
    let mean = tape.constant(steps, config.stoch, |y| y.fill(F::ZERO));
    let observed = model.networks.rssm.observe(&mut tape, embed, action, mean, 1);
    then(&mut tape, observed)
}
