//! The first half of the world model's loss on a shard: it filters the sequences, and differentiates the heads' losses down
//! to the features.
//!
//! It ends there, since the divergence counts only if its mean over the WHOLE batch exceeds the free nats.

use super::images_in_pieces::Below;
use super::totals::Totals;
use super::{Shard, Worker};
use crate::AgentConfig;
use crate::agent_view::AgentView;
use crate::images::Images;
use crate::losses::world_model::{Inputs, Targets, dynamics, heads};
use crate::metrics::Sums;
use crate::networks::Observed;
use tape::{Gradients, Real, Tape, Var};

/// The values on the shard's recording between the two halves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filtered {
    pub observed: Observed,
    /// The output of the first layers of the encoder of images; `None` of a frozen encoder, and where no images are observed.
    pub first_layers: Option<Var>,
    /// The projections of the features, if they are compared with embeddings.
    pub projected: Option<Var>,
}

impl<F: Real> Shard<F> {
    /// Filters the shard's sequences, adds the gradients of the heads' losses to `gradients`, and keeps their gradient with
    /// respect to the features for the second half.
    pub fn observe(
        &mut self,
        agent: AgentView<F>,
        images: Images,
        worker: &mut Worker<F>,
        gradients: &mut Gradients<F>,
    ) {
        let (config, rows) = (agent.config, images.count());
        let Self { data, noise, workspace, terms, feature_gradient, projections, sums, model_loss, .. } = self;
        *sums = Sums::default();
        model_loss.clear();
        workspace.exchange_scratch(&mut worker.scratch);
        let mut tape = Tape::new(agent.parameters, agent.trainable, workspace);
        let (embed, first_layers) = if data.embedding.is_empty() {
            let encoder = &agent.networks.encoder;
            let first = encoder
                .image
                .as_ref()
                .map(|encoder| tape.leaf(rows, encoder.between(), |y| worker.images.encode(agent, images, y)));
            let image = encoder.image.as_ref().zip(first).map(|(encoder, first)| encoder.last_layers(&mut tape, first));
            let vectors = vectors(&mut tape, config, rows, &data.vector);
            (encoder.join(&mut tape, image, vectors), first)
        } else {
            (tape.constant(rows, config.embed(), |y| y.copy_from_slice(&data.embedding)), None)
        };
        let action = tape.constant(rows, data.action.len() / rows, |y| y.copy_from_slice(&data.action));
        let noise = tape.constant(rows, config.state_size(), |y| y.copy_from_slice(&noise.posterior));
        let kept = config.resets.then(|| tape.constant(rows, 1, |y| y.copy_from_slice(&data.kept)));
        let sequences = images.range.count;
        let start = (!data.start.is_empty()).then(|| {
            let mut part = |first: usize, size: usize| {
                tape.constant(sequences, size, |y| {
                    let states = data.start.chunks_exact(config.feature());
                    y.chunks_exact_mut(size)
                        .zip(states)
                        .for_each(|(y, state)| y.copy_from_slice(&state[first..][..size]));
                })
            };
            (part(0, config.state_size()), part(config.state_size(), config.deter))
        });
        let inputs = Inputs { embed, action, noise, kept, start, sequences };
        terms.clear();
        let observed = dynamics(agent, &mut tape, inputs, terms);
        terms.sum_up(&tape, sums);
        model_loss.include(terms);
        let projected = agent.networks.projector.map(|projector| projector.forward(&mut tape, observed.feature));
        if let Some(projected) = projected {
            for (copy, var) in [(&mut projections.projected, projected), (&mut projections.embed, embed)] {
                copy.clear();
                copy.extend_from_slice(tape.value(var));
            }
        }

        // The features are a leaf of a recording of their own, which ends here.
        let features = tape.value(observed.feature);
        let mut totals = Totals { sums, model_loss, gradients };
        let mut tape = Tape::new(agent.parameters, agent.trainable, &mut worker.heads);
        let feature = tape.leaf(rows, config.feature(), |y| y.copy_from_slice(features));
        if let Some(decoder) = &agent.networks.decoder.image {
            let first = decoder.first_layers(&mut tape, feature);
            worker.images.decode(agent, images, Below { tape: &mut tape, first }, &mut totals);
        }
        let targets = Targets {
            vector: vectors(&mut tape, config, rows, &data.vector),
            reward: tape.constant(rows, 1, |y| y.copy_from_slice(&data.reward)),
            discount: agent
                .networks
                .discount
                .as_ref()
                .map(|_| tape.constant(rows, 1, |y| y.copy_from_slice(&data.discount))),
        };
        worker.terms.clear();
        heads(agent, &mut tape, feature, targets, &mut worker.terms);
        totals.differentiate(&mut tape, &worker.terms);
        feature_gradient.clear();
        feature_gradient.extend_from_slice(tape.gradient(feature).expect("the heads read every feature"));
        workspace.exchange_scratch(&mut worker.scratch);
        self.filtered = Some(Filtered { observed, first_layers, projected });
    }
}

/// The symmetric logarithms of vectors [L * n, V], if vectors are observed.
fn vectors<F: Real>(tape: &mut Tape<F>, config: &AgentConfig, rows: usize, vectors: &[F]) -> Option<Var> {
    (config.vector > 0).then(|| tape.constant(rows, config.vector, |y| y.copy_from_slice(vectors)))
}
