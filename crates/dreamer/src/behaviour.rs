//! Learning in imagination: rollouts of the actor in the learned dynamics, their rewards, values and returns. Not here:
//! the losses on them (`crate::losses`).

use crate::agent_view::AgentView;
use crate::config::{ActorGradient, ReturnsFrom};
use crate::noise::Noise;
use tape::{Real, Tape, Var};

/// Imagined rollouts: H steps of N rollouts, step by step.
#[derive(Clone, Copy, Debug)]
pub struct Imagined {
    /// The starting states, which are not among the others: stoch [N, S] and deter [N, D].
    pub start: (Var, Var),
    /// Actions [H * N, A].
    pub action: Var,
    /// The policy's entropy at each step, or a sample of it [H * N, 1].
    pub entropy: Var,
    /// The log-density of the actions as constants [H * N, 1], if the actor learns by it.
    pub density: Option<Var>,
    /// Prior distributions, as the posterior's in [`crate::networks::Observed`], H * N rows.
    pub prior: Var,
    /// [H * N, S].
    pub stoch: Var,
    /// [H * N, D].
    pub deter: Var,
    /// [H * N, S + D].
    pub feature: Var,
}

/// Rolls the prior under the actor from N states: stoch [N, S], deter [N, D]; noise as in [`Noise`].
///
/// Gradients reach the actor through the dynamics, whose own parameters are constants, unless it learns by the density of its
/// actions; the actor reads features through which no gradient flows.
pub fn imagine<F: Real>(agent: AgentView<F>, tape: &mut Tape<F>, start: (Var, Var), noise: &Noise<F>) -> Imagined {
    let size = tape.shape(start.0).1;
    let rows = noise.prior.len() / size;
    let action_size = noise.action.len() / rows;
    let action = tape.constant(rows, action_size, |y| y.copy_from_slice(&noise.action));
    let prior = tape.constant(rows, size, |y| y.copy_from_slice(&noise.prior));
    imagine_with(agent, tape, start, (action, prior))
}

/// As [`imagine`], with the noise of the actions [H * N, A] and of the states [H * N, S] as values.
pub(crate) fn imagine_with<F: Real>(
    agent: AgentView<F>,
    tape: &mut Tape<F>,
    start: (Var, Var),
    (action_noise, prior_noise): (Var, Var),
) -> Imagined {
    let networks = agent.networks;
    let (mut stoch, mut deter) = start;
    let rollouts = tape.shape(stoch).0;
    let steps = tape.shape(prior_noise).0 / rollouts;
    let (mut actions, mut entropies, mut priors) = (tape.list(), tape.list(), tape.list());
    let (mut stochs, mut deters) = (tape.list(), tape.list());
    let by_density = agent.config.actor_gradient == ActorGradient::Reinforce;
    let mut densities = tape.list();
    for step in 0..steps {
        let feature = tape.concat(stoch, deter).detached();
        let outputs = networks.actor.forward(tape, feature);
        let draw = tape.rows_of(action_noise, step * rollouts, rollouts);
        let mut action = agent.config.sample_action(tape, outputs, draw);
        if by_density {
            action = action.detached();
            densities.push(agent.config.action_log_density(tape, outputs, draw));
        }
        entropies.push(agent.config.action_entropy(tape, outputs, draw));
        let prior;
        (deter, prior) = tape.with_constant_parameters(|tape| {
            let deter = networks.rssm.next_deter(tape, stoch, deter, action);
            (deter, networks.rssm.prior(tape, deter))
        });
        let draw = tape.rows_of(prior_noise, step * rollouts, rollouts);
        stoch = agent.config.latent_distribution().sample(tape, prior, draw);
        actions.push(action);
        priors.push(prior);
        stochs.push(stoch);
        deters.push(deter);
    }
    let (action, entropy, prior) = (tape.stack(actions), tape.stack(entropies), tape.stack(priors));
    let density = by_density.then(|| tape.stack(densities));
    let (stoch, deter) = (tape.stack(stochs), tape.stack(deters));
    let feature = tape.concat(stoch, deter);
    Imagined { start, action, entropy, density, prior, stoch, deter, feature }
}

/// The outputs of the heads for imagined rollouts. The states with a return are the first R steps: H - 1, or H if
/// returns begin at the starting states ([`ReturnsFrom`]).
#[derive(Clone, Copy, Debug)]
pub struct Evaluated {
    /// Reward means of the imagined states [H * N, 1].
    pub reward: Var,
    /// Value means [(R + 1) * N, 1] of the states with a return, and of the last.
    pub value: Var,
    /// Lambda-returns [R * N, 1].
    pub returns: Var,
    /// Their weights [R * N, 1], constants.
    pub weights: Var,
    /// log p(returns) under the value head [R * N, 1]; its gradient reaches the value head alone.
    pub value_density: Var,
    /// The same of the slow value head's means, if there is one.
    pub slow_density: Option<Var>,
}

/// Rewards, values, returns and the value head's log-density of rollouts.
pub fn evaluate<F: Real>(agent: AgentView<F>, tape: &mut Tape<F>, imagined: &Imagined) -> Evaluated {
    let AgentView { config, networks, .. } = agent;
    let (rollouts, steps) = (tape.shape(imagined.start.0).0, tape.shape(imagined.feature).0);
    let from_start = config.returns_from == ReturnsFrom::Start;
    let states = if from_start {
        let first = tape.concat(imagined.start.0, imagined.start.1).detached();
        let mut states = tape.list();
        states.extend([first, imagined.feature]);
        tape.stack(states)
    } else {
        imagined.feature
    };
    let rows = tape.shape(states).0;
    let reward = networks.reward.forward_constant(tape, imagined.feature);
    let (value, trained) = networks.value.mean_and_trained_outputs(tape, states, rows - rollouts);
    let discount = match &networks.discount {
        Some(head) => {
            let logit = head.forward_constant(tape, states);
            tape.sigmoid(logit)
        }
        None => tape.constant(rows, 1, |y| y.fill(F::of(config.discount))),
    };
    // The discounts of the states whose rewards the returns begin with.
    let at_rewards = if from_start { tape.rows_of(discount, rollouts, steps) } else { discount };
    let returns = tape.lambda_returns(reward, value, at_rewards, config.lambda, rollouts);
    // A constant discount says nothing about the starting state.
    let weights = tape.discount_weights(discount, rollouts, from_start && networks.discount.is_some());
    let value_density = networks.value.log_density(tape, trained, returns.detached());
    let slow_density = networks.slow_value.as_ref().map(|slow| {
        let first = tape.rows_of(states.detached(), 0, rows - rollouts);
        let mean = slow.mean_constant(tape, first);
        networks.value.log_density(tape, trained, mean.detached())
    });
    Evaluated { reward, value, returns, weights, value_density, slow_density }
}
