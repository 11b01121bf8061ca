//! Between the two halves of a step: the loss that compares all transitions of the batch with one another.
//!
//! Here, unlike in the halves, one thread works on the whole batch at once. Its cost is that of two products of the batch's
//! embeddings with themselves.

use super::totals::Totals;
use super::{Shard, inner};
use crate::AgentConfig;
use crate::agent_view::AgentView;
use crate::losses::{Terms, barlow};
use crate::metrics::Counts;
use std::sync::Mutex;
use tape::{Gradients, Real, Tape, Workspace};

/// The buffers of that loss, which are kept from one step to the next.
#[derive(Debug)]
pub(crate) struct WholeBatch<F> {
    workspace: Workspace<F>,
    terms: Terms,
}

/// The projections and embeddings of a shard [L * n, E], and the gradient with respect to its projections.
#[derive(Debug)]
pub(super) struct Projections<F> {
    pub projected: Vec<F>,
    pub embed: Vec<F>,
    pub gradient: Vec<F>,
}

impl<F> Default for Projections<F> {
    fn default() -> Self {
        Self { projected: Vec::new(), embed: Vec::new(), gradient: Vec::new() }
    }
}

impl<F: Real> WholeBatch<F> {
    pub fn new(config: &AgentConfig, counts: Counts) -> Self {
        Self { workspace: Workspace::new(config.precision.of_products()), terms: Terms::new(counts) }
    }

    /// Adds the loss to the totals of the first shard, and leaves each shard the gradient with respect to its projections.
    ///
    /// # Panics
    /// If the first half of the step did not come before.
    pub fn learn(&mut self, agent: AgentView<F>, shards: &mut [Mutex<Shard<F>>], gradients: &mut Gradients<F>) {
        let Self { workspace, terms } = self;
        let (rows, size) = (agent.config.batch * agent.config.length, agent.config.embed());
        let mut tape = Tape::new(agent.parameters, agent.trainable, workspace);
        let mut collected = |of: fn(&Projections<F>) -> &[F], out: &mut [F]| {
            let mut start = 0;
            for shard in shards.iter_mut() {
                let part = of(&inner(shard).projections);
                out[start..start + part.len()].copy_from_slice(part);
                start += part.len();
            }
            assert_eq!(start, out.len(), "the first half has run on every shard");
        };
        let projected = tape.leaf(rows, size, |y| collected(|shard| &shard.projected, y));
        let embed = tape.constant(rows, size, |y| collected(|shard| &shard.embed, y));
        terms.clear();
        barlow::loss(agent, &mut tape, projected, embed, terms);
        let Shard { sums, model_loss, .. } = inner(&mut shards[0]);
        Totals { sums, model_loss, gradients }.differentiate(&mut tape, terms);
        let mut gradient = tape.gradient(projected).expect("the loss depends on it");
        for shard in shards {
            let Projections { projected, gradient: own, .. } = &mut inner(shard).projections;
            let part;
            (part, gradient) = gradient.split_at(projected.len());
            own.clear();
            own.extend_from_slice(part);
        }
    }
}
