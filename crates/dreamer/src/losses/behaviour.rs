//! The losses of actor and value head on imagined rollouts.

use super::Terms;
use crate::agent_view::AgentView;
use crate::behaviour::{Evaluated, Imagined};
use crate::config::ReturnsFrom;
use crate::metrics::{Metric, Per};
use tape::{Real, Tape};

/// Records the losses of actor and value head, and the metrics of the rollouts.
pub(crate) fn losses<F: Real>(
    agent: AgentView<F>,
    tape: &mut Tape<F>,
    imagined: &Imagined,
    evaluated: &Evaluated,
    terms: &mut Terms,
) {
    let &Evaluated { reward, value, returns, weights, value_density, slow_density } = evaluated;
    let scaled = |tape: &mut Tape<F>, x| match agent.networks.return_range {
        Some(range) => tape.divide_by_range(x, range),
        None => x,
    };
    let count = tape.shape(returns).0;
    let advantage = |tape: &mut Tape<F>| {
        let values = tape.rows_of(value, 0, count);
        let beyond = tape.difference(returns, values);
        scaled(tape, beyond)
    };
    let objective = match (imagined.density, agent.config.returns_from) {
        (None, ReturnsFrom::Imagined) => scaled(tape, returns),
        (None, ReturnsFrom::Start) => advantage(tape),
        // The actions after the states that have a return: of V1's, the first action of a rollout led to the first of
        // them.
        (Some(density), _) => {
            let all = tape.shape(density).0;
            let advantage = advantage(tape);
            let density = tape.rows_of(density, all - count, count);
            tape.scaled_rows(density, advantage.detached())
        }
    };
    let actor_loss = tape.weighted_sum(objective, weights);
    let value_loss = tape.weighted_sum(value_density, weights);
    terms.add(Metric::ActorLoss, actor_loss, -1.0);
    terms.add(Metric::ValueLoss, value_loss, -1.0);
    if let Some(density) = slow_density {
        let loss = tape.weighted_sum(density, weights);
        terms.add_unreported(Per::Return, loss, -1.0);
    }
    let bonus = agent.config.actor_entropy;
    if bonus > 0.0 {
        let before_last = tape.rows_of(imagined.entropy, 0, count);
        let entropy = tape.weighted_sum(before_last, weights);
        terms.add_unreported(Per::Return, entropy, -bonus);
    }
    terms.measure(Metric::ImaginedReward, reward);
    let (states, steps) = (tape.shape(value).0, tape.shape(reward).0);
    let value = if states > steps { tape.rows_of(value, states - steps, steps) } else { value };
    terms.measure(Metric::ImaginedValue, value);
    terms.measure(Metric::ImaginedReturn, returns);
    terms.measure(Metric::PolicyEntropy, imagined.entropy);
    terms.measure(Metric::ActionRms, imagined.action);
}
