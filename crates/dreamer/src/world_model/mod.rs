//! The world model's loss on a shard of the batch, and its gradient.
//!
//! In two halves, since the divergence counts only if its mean over the WHOLE batch exceeds the free nats: [`observe`]
//! filters the sequences and differentiates the heads down to the features; [`learn`] then goes on through time.
//!
//! Layers with large images are in `pictures.rs`: they take a few images at a time.

mod pictures;

pub(crate) use pictures::ENCODED_AT_ONCE;

use crate::AgentConfig;
use crate::images::Images;
use crate::networks::{Networks, Observed};
use crate::shard::Sums;
use tape::{Gradients, ParameterSet, Parameters, Precision, Real, Tape, Var, Workspace};

/// A shard's data but for its images, step by step: L steps of n sequences.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sequences<F> {
    /// [L * n, A].
    pub action: Vec<F>,
    /// [L * n].
    pub reward: Vec<F>,
    /// [L * n].
    pub discount: Vec<F>,
    /// What a frozen encoder makes of the images [L * n, E]; empty if it is learned.
    pub embedding: Vec<F>,
}

/// What stays on the shard's tape between the two halves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filtered {
    pub observed: Observed,
    divergence: Var,
    ones: Var,
    /// What the encoder's first layers make of the images; none of a frozen encoder.
    pictures: Option<Var>,
}

/// A worker's memory for what it computes in pieces, kept for whichever shard it has at hand.
#[derive(Debug)]
pub(crate) struct Pieces<F> {
    encoder: Workspace<F>,
    decoder: Workspace<F>,
    heads: Workspace<F>,
}

impl<F: Real> Pieces<F> {
    /// Room for products in `precision`.
    pub fn new(precision: Precision) -> Self {
        let [encoder, decoder, heads] = std::array::from_fn(|_| Workspace::new(precision));
        Self { encoder, decoder, heads }
    }
}

/// An agent as a tape needs it.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a, F> {
    /// Sizes and weights.
    pub config: &'a AgentConfig,
    /// What the parameters make up.
    pub networks: &'a Networks,
    /// Their numbers.
    pub parameters: &'a Parameters<F>,
    /// The set whose gradients are asked for.
    pub trainable: &'a ParameterSet,
}

/// First half: filters the shard's sequences on `workspace`, and adds the gradients of the heads' losses to `gradients` and
/// `feature_gradient` [L * n, S + D].
pub(crate) fn observe<F: Real>(
    model: Model<F>,
    images: Images,
    data: &Sequences<F>,
    noise: &[F],
    sequences: usize,
    workspace: &mut Workspace<F>,
    pieces: &mut Pieces<F>,
    gradients: &mut Gradients<F>,
    feature_gradient: &mut Vec<F>,
    sums: &mut Sums,
) -> Filtered {
    let config = model.config;
    let rows = sequences * config.length;
    let mut tape = Tape::new(model.parameters, model.trainable, workspace);
    let (embed, pictures) = if data.embedding.is_empty() {
        let encoder = &model.networks.encoder;
        let first = tape.leaf(rows, encoder.between(), |y| pictures::encode(model, images, &mut pieces.encoder, y));
        (encoder.last_layers(&mut tape, first), Some(first))
    } else {
        (tape.constant(rows, config.embed(), |y| y.copy_from_slice(&data.embedding)), None)
    };
    let action = tape.constant(rows, data.action.len() / rows, |y| y.copy_from_slice(&data.action));
    let noise = tape.constant(rows, config.stoch, |y| y.copy_from_slice(noise));
    let observed = model.networks.rssm.observe(&mut tape, embed, action, noise, sequences);
    let prior = model.networks.rssm.prior(&mut tape, observed.deter);
    let divergence = tape.divergence(observed.posterior, prior);
    let ones = tape.constant(rows, 1, |y| y.fill(F::ONE));
    sums.divergence += total(&tape, divergence);
    sums.prior_entropy += entropy(&tape, prior);
    sums.posterior_entropy += entropy(&tape, observed.posterior);

    let transitions = (config.batch * config.length) as f64;
    let Pieces { decoder, heads, .. } = pieces;
    let features = tape.value(observed.feature);
    let mut tape = Tape::new(model.parameters, model.trainable, heads);
    let leaf = tape.leaf(rows, config.feature(), |y| y.copy_from_slice(features));
    let first = model.networks.decoder.first_layers(&mut tape, leaf);
    sums.image += pictures::decode(model, images, transitions, &mut tape, first, decoder, gradients);
    let mean = model.networks.reward.forward(&mut tape, leaf);
    let target = tape.constant(rows, 1, |y| y.copy_from_slice(&data.reward));
    let density = tape.normal_log_density(mean, target);
    sums.reward += total(&tape, density);
    tape.seed(density, F::of(-1.0 / transitions));
    if let Some(head) = &model.networks.discount {
        let logit = head.forward(&mut tape, leaf);
        let factor = F::of(config.discount);
        let target = tape.constant(rows, 1, |y| {
            y.iter_mut().zip(&data.discount).for_each(|(y, &d)| *y = factor * d);
        });
        let density = tape.bernoulli_log_density(logit, target);
        sums.discount += total(&tape, density);
        tape.seed(density, F::of(-config.discount_scale / transitions));
    }
    tape.backward(gradients);
    feature_gradient.clear();
    feature_gradient.extend_from_slice(tape.gradient(leaf).expect("the heads read every feature"));
    Filtered { observed, divergence, ones, pictures }
}

/// Second half: through time and the encoder; the divergence counts if `penalised`.
pub(crate) fn learn<F: Real>(
    model: Model<F>,
    filtered: &Filtered,
    images: Images,
    penalised: bool,
    workspace: &mut Workspace<F>,
    pieces: &mut Pieces<F>,
    gradients: &mut Gradients<F>,
    feature_gradient: &[F],
) {
    let config = model.config;
    let mut tape = Tape::resume(model.parameters, model.trainable, workspace);
    tape.seed_with(filtered.observed.feature, feature_gradient);
    if penalised {
        let transitions = (config.batch * config.length) as f64;
        let sum = tape.weighted_sum(filtered.divergence, filtered.ones);
        tape.seed(sum, F::of(config.kl_scale / transitions));
    }
    tape.backward(gradients);
    if let Some(first) = filtered.pictures {
        pictures::learn_to_encode(model, images, &mut tape, first, &mut pieces.encoder, gradients);
    }
}

/// The sum over a value's numbers, in double precision.
pub(crate) fn total<F: Real>(tape: &Tape<F>, var: Var) -> f64 {
    tape.value(var).iter().map(|x| x.to_f64()).sum()
}

/// The sum over rows of a normal distribution's entropy.
fn entropy<F: Real>(tape: &Tape<F>, gaussian: Var) -> f64 {
    let (_, cols) = tape.shape(gaussian);
    let constant = 0.5 * (std::f64::consts::TAU.ln() + 1.0);
    let rows = tape.value(gaussian).chunks_exact(cols);
    rows.map(|row| row[cols / 2..].iter().map(|std| std.ln().to_f64() + constant).sum::<f64>()).sum()
}
