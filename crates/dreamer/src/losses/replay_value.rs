//! The value head's loss on the states of the batch, whose returns follow their real rewards.
//!
//! Source: DreamerV3 (`agent.py`, `repl_loss`).

use super::Terms;
use crate::agent_view::AgentView;
use crate::metrics::{Metric, Per};
use tape::{Real, Replayed, Tape, Var};

/// The states of the batch: rows of L steps of n sequences, step by step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct States {
    /// Their features [L * n, S + D], a value without history.
    pub feature: Var,
    /// The rewards that came with them [L * n, 1].
    pub reward: Var,
    /// Their discounts times the configuration's [L * n, 1].
    pub discount: Var,
    /// 0 where an episode begins, else 1 [L * n, 1], if sequences may cross from one episode into the next.
    pub kept: Option<Var>,
    /// n.
    pub sequences: usize,
}

/// Records the loss of all states but the last of each sequence and of each episode, given the imagined returns of all
/// states [at least L * n, 1].
pub(crate) fn losses<F: Real>(
    agent: AgentView<F>,
    tape: &mut Tape<F>,
    states: States,
    returns: Var,
    terms: &mut Terms,
) {
    let AgentView { config, networks, .. } = agent;
    let States { feature, reward, discount, kept, sequences } = states;
    let all = tape.shape(feature).0;
    let count = all - sequences;
    let bootstrap = tape.rows_of(returns.detached(), 0, all);
    let replayed = Replayed { reward, discount, bootstrap, kept, lambda: config.lambda, sequences };
    let returns = tape.replay_returns(replayed);
    // A state is the last of its episode if another begins with the next.
    let weights = match kept {
        Some(kept) => tape.rows_of(kept, sequences, count),
        None => tape.constant(count, 1, |y| y.fill(F::ONE)),
    };
    let first = tape.rows_of(feature, 0, count);
    let outputs = networks.value.outputs(tape, first);
    let density = networks.value.log_density(tape, outputs, returns);
    let loss = tape.weighted_sum(density, weights);
    terms.add(Metric::ReplayValueLoss, loss, -config.replay_value);
    if let Some(slow) = &networks.slow_value {
        let mean = slow.mean_constant(tape, first.detached());
        let density = networks.value.log_density(tape, outputs, mean.detached());
        let loss = tape.weighted_sum(density, weights);
        terms.add_unreported(Per::Replayed, loss, -config.replay_value);
    }
}
