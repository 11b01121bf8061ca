//! The losses of the world model: the divergence between posterior and prior, and the losses of the heads.
//!
//! In three functions, since the CPU's runner records them on three tapes.

use super::Terms;
use super::weighing::{self, Loss};
use crate::agent_view::AgentView;
use crate::config::{Divergence, LossWeights};
use crate::metrics::Metric;
use crate::networks::{LossKind, Observed, Seen};
use tape::{Real, Tape, Var};

/// The inputs of the dynamics: rows of L steps of n sequences, step by step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inputs {
    /// Embeddings of the observations [L * n, E].
    pub embed: Var,
    /// The actions that led to the observations [L * n, A].
    pub action: Var,
    /// Draws for the posterior's samples [L * n, S].
    pub noise: Var,
    /// 0 where an episode begins, else 1 [L * n, 1], if sequences may cross from one episode into the next.
    pub kept: Option<Var>,
    /// The latent states that the sequences begin from: stoch [n, S] and deter [n, D]; without them, zeros.
    pub start: Option<(Var, Var)>,
    /// n.
    pub sequences: usize,
}

/// Filters the sequences, and records the divergence of the posterior from the prior.
///
/// The divergence counts only if its mean over the whole batch exceeds the free nats. A balanced one counts for each
/// transition for which it exceeds them, and trains prior and posterior with different weights.
pub(crate) fn dynamics<F: Real>(
    agent: AgentView<F>,
    tape: &mut Tape<F>,
    inputs: Inputs,
    terms: &mut Terms,
) -> Observed {
    let (config, rssm) = (agent.config, &agent.networks.rssm);
    let Inputs { embed, action, noise, kept, start, sequences } = inputs;
    let start = start.unwrap_or_else(|| rssm.zero(tape, sequences));
    let observed = rssm.observe(tape, start, Seen { embed, action, noise, kept });
    let prior = rssm.prior(tape, observed.deter);
    let latent = config.latent_distribution();
    match config.divergence {
        Divergence::Mean => {
            let divergence = latent.divergence(tape, observed.posterior, prior);
            let loss = Loss::new(LossKind::Divergence, Metric::Kl, divergence, config.kl_scale);
            weighing::add_above(agent, tape, loss, config.free_nats, terms);
        }
        Divergence::Balanced => {
            // Parts with a learned weight have it together, and then shares of it.
            let whole = match config.loss_weights {
                LossWeights::Fixed => 1.0,
                LossWeights::Harmony => 1.0 + config.representation_scale,
            };
            let mut part = |metric, posterior, prior, weight: f64, share: f64| {
                let value = latent.divergence(tape, posterior, prior);
                let counted = tape.at_least(value, config.free_nats);
                let weight = config.kl_scale * weight / whole;
                let loss = Loss { kind: LossKind::Divergence, metric, value: counted, weight, share: share / whole };
                weighing::add(agent, tape, loss, terms);
                value
            };
            let divergence = part(Metric::DynamicsLoss, observed.posterior.detached(), prior, 1.0, 1.0);
            let scale = config.representation_scale;
            part(Metric::RepresentationLoss, observed.posterior, prior.detached(), scale, 0.0);
            terms.measure(Metric::Kl, divergence);
        }
    }
    for (metric, distribution) in [(Metric::PriorEntropy, prior), (Metric::PosteriorEntropy, observed.posterior)] {
        let (entropy, reduction) = latent.entropy(tape, distribution);
        terms.measure_by(metric, entropy, reduction);
    }
    observed
}

/// Records the log-density of images [N, 64 * 64 * 3] under the decoder's means of the same shape.
pub(crate) fn image<F: Real>(agent: AgentView<F>, tape: &mut Tape<F>, mean: Var, image: Var, terms: &mut Terms) {
    let decoder = agent.networks.decoder.image.as_ref().expect("images are predicted");
    let density = decoder.log_density(tape, mean, image);
    weighing::add(agent, tape, Loss::new(LossKind::Image, Metric::ImageLoss, density, -1.0), terms);
}

/// The targets of the heads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Targets {
    /// The symmetric logarithms of vectors [N, V]; read by the decoder of vectors only.
    pub vector: Option<Var>,
    /// Rewards [N, 1].
    pub reward: Var,
    /// Discounts times the configuration's [N, 1]; read by the discount head only.
    pub discount: Option<Var>,
}

/// Records the log-densities of vectors, rewards and discounts, given features [N, S + D], and the L1 norm of the weights for reward
/// sources.
pub(crate) fn heads<F: Real>(
    agent: AgentView<F>,
    tape: &mut Tape<F>,
    feature: Var,
    targets: Targets,
    terms: &mut Terms,
) {
    let density = agent.networks.reward.log_density(tape, feature, targets.reward);
    weighing::add(agent, tape, Loss::new(LossKind::Reward, Metric::RewardLoss, density, -1.0), terms);
    let l1 = agent.config.reward_sources_l1;
    if l1 > 0.0 {
        // The same sum in every row, so that its mean over the batch is the sum, however the batch is divided.
        let rows = tape.shape(feature).0;
        let sum = agent.networks.reward.absolute_source_weights(tape, rows);
        terms.add(Metric::RewardSourceL1, sum, l1);
    }
    if let (Some(decoder), Some(target)) = (&agent.networks.decoder.vector, targets.vector) {
        let mean = decoder.forward(tape, feature);
        let density = tape.normal_log_density(mean, target);
        // Twice the density is minus the sum of squared errors, DreamerV3's loss, but for a constant.
        let weight = -2.0 * agent.config.vector_scale;
        weighing::add(agent, tape, Loss::new(LossKind::Vector, Metric::VectorLoss, density, weight), terms);
    }
    if let (Some(head), Some(target)) = (&agent.networks.discount, targets.discount) {
        let logit = head.forward(tape, feature);
        let density = tape.bernoulli_log_density(logit, target);
        terms.add(Metric::DiscountLoss, density, -agent.config.discount_scale);
    }
}
