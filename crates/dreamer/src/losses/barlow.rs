//! The loss that takes the place of decoders: the projections of features agree with the embeddings of the observations in
//! each number, and their numbers do not depend on one another.
//!
//! Source: Barlow Twins (Zbontar et al., 2021), as R2-Dreamer has it (`dreamer.py`).

use super::Terms;
use super::weighing::{self, Loss};
use crate::agent_view::AgentView;
use crate::metrics::Metric;
use crate::networks::LossKind;
use tape::{IdentityDistance, Real, Tape, Var};

/// The weight of the squared correlations of different numbers.
const REDUNDANCY: f64 = 5e-4;

/// Records the loss of all transitions of a batch, given projections and embeddings [N, E]; embeddings are constants. The
/// correlations are those within the whole batch, so that it cannot be recorded in parts.
pub(crate) fn loss<F: Real>(agent: AgentView<F>, tape: &mut Tape<F>, projected: Var, embed: Var, terms: &mut Terms) {
    let rows = tape.shape(projected).0;
    let projected = tape.standardised_columns(projected);
    let embed = tape.standardised_columns(embed.detached());
    let products = tape.column_products(projected, embed);
    // The products over N are the correlations.
    let distance = IdentityDistance { factor: 1.0 / rows as f64, diagonal: 1.0, others: REDUNDANCY };
    let distances = tape.identity_distance(products, distance);
    let size = tape.shape(distances).0;
    let ones = tape.constant(size, 1, |y| y.fill(F::ONE));
    let sum = tape.weighted_sum(distances, ones);
    let loss = Loss::new(LossKind::Barlow, Metric::BarlowLoss, sum, agent.config.barlow_scale);
    weighing::add(agent, tape, loss, terms);
}
