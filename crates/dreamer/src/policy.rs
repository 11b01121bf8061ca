//! Acting: one observation in, one action out.
//!
//! After its first step a policy allocates nothing.

use crate::actor::one_hot;
use crate::agent_view::AgentView;
use crate::config::{ActionDistribution, AgentConfig, Evaluation, Latent};
use crate::learner::Learner;
use crate::networks::Networks;
use crate::noise::{fill_gumbel, fill_normal};
use environment::Observation;
use random::{Stream, StreamState};
use tape::{ParameterSet, Parameters, Real, Tape, Workspace};

/// How an action is chosen from the actor's distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActMode {
    /// A sample plus exploration noise, clipped to [-1, 1]: for collecting training data.
    Explore,
    /// A sample.
    Sample,
    /// The mode or the mean, according to [`AgentConfig::evaluation`](crate::AgentConfig::evaluation): for evaluation.
    Evaluate,
}

/// The state of a policy between the steps of an episode: the latent state and the last action.
#[derive(Debug)]
pub struct PolicyState<F = f32> {
    /// Posterior sample `[S]`.
    pub stoch: Vec<F>,
    /// Deterministic state `[D]`.
    pub deter: Vec<F>,
    /// The last action `[A]`.
    pub action: Vec<F>,
    /// Means and standard deviations of the action before it is squashed or cut off `[2A]`, or of one-hot actions their
    /// probabilities `[A]`, as of the last step.
    pub distribution: Vec<F>,
    noise: Vec<F>,
    memory: Workspace<F>,
}

/// The draws that one step of a policy needs.
#[derive(Clone, Copy, Debug)]
pub struct PolicyNoise<'a, F> {
    /// Of the posterior's sample `[S]`.
    pub posterior: &'a [F],
    /// Of the action's samples [M, A], normal or of one-hot actions Gumbel: one, or as many as an evaluation chooses
    /// from; empty for the mean action or the most probable one, which need none.
    pub action: &'a [F],
    /// Added to the action `[A]`, not yet scaled; empty for none.
    pub exploration: &'a [F],
}

/// An agent that acts and does not learn: parameters without optimisers.
#[derive(Clone, Debug)]
pub struct Policy<F = f32> {
    pub(crate) config: AgentConfig,
    pub(crate) action_size: usize,
    pub(crate) networks: Networks,
    pub(crate) parameters: Parameters<F>,
    pub(crate) none: ParameterSet,
    pub(crate) updates: u64,
    /// The stream of learning's noise, which files keep.
    pub(crate) noise: StreamState,
}

impl<F: Real> Policy<F> {
    /// The part of a learner that acts: networks and parameters without optimisers, after `updates` gradient steps.
    pub(crate) fn of(learner: Learner<F>, updates: u64, noise: StreamState) -> Self {
        let (config, action_size, networks, parameters) = learner.into_networks();
        let none = parameters.set(|_| false);
        Self { config, action_size, networks, parameters, none, updates, noise }
    }

    /// The configuration.
    pub fn config(&self) -> &AgentConfig {
        &self.config
    }

    /// Elements of an action.
    pub fn action_size(&self) -> usize {
        self.action_size
    }

    /// The networks, which give the parameters their meaning.
    pub fn networks(&self) -> &Networks {
        &self.networks
    }

    /// The parameters.
    pub fn parameters(&self) -> &Parameters<F> {
        &self.parameters
    }

    /// The number of gradient steps so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Acts this way in evaluations from now on.
    pub fn evaluate_by(&mut self, evaluation: Evaluation) {
        self.config.evaluation = evaluation;
    }

    /// The state at an episode's start.
    pub fn begin(&self) -> PolicyState<F> {
        PolicyState::new(&self.config, self.action_size)
    }

    /// Takes in an observation and leaves the next action in `state.action`.
    pub fn act(&self, state: &mut PolicyState<F>, observation: Observation<'_>, mode: ActMode, random: &mut Stream) {
        act(self.constant_view(), state, observation, mode, random);
    }

    /// The agent with constant parameters, for recordings without gradients.
    pub(crate) fn constant_view(&self) -> AgentView<'_, F> {
        let Self { config, networks, parameters, none, .. } = self;
        AgentView { config, networks, parameters, trainable: none }
    }
}

impl<F: Real> Learner<F> {
    /// The state at an episode's start: zeros.
    pub fn begin(&self) -> PolicyState<F> {
        PolicyState::new(self.config(), self.action_size())
    }

    /// Takes in an observation and leaves the next action in `state.action`.
    pub fn act(&self, state: &mut PolicyState<F>, observation: Observation<'_>, mode: ActMode, random: &mut Stream) {
        act(self.constant_view(), state, observation, mode, random);
    }

    /// Like [`Learner::act`], with the noise from outside.
    pub fn act_with(&self, state: &mut PolicyState<F>, observation: Observation<'_>, noise: PolicyNoise<F>) {
        act_with(self.constant_view(), state, observation, noise);
    }
}

impl<F: Real> PolicyState<F> {
    /// The state at an episode's start: zeros.
    fn new(config: &AgentConfig, action_size: usize) -> Self {
        let zeros = |size| vec![F::ZERO; size];
        Self {
            stoch: zeros(config.state_size()),
            deter: zeros(config.deter),
            action: zeros(action_size),
            distribution: zeros(config.actor.outputs(action_size)),
            noise: Vec::new(),
            memory: Workspace::default(),
        }
    }
}

/// Takes in an observation and leaves the next action of an agent with constant parameters in `state.action`.
fn act<F: Real>(
    agent: AgentView<'_, F>,
    state: &mut PolicyState<F>,
    observation: Observation<'_>,
    mode: ActMode,
    random: &mut Stream,
) {
    let (latent, stoch, actions) = (agent.config.latent_distribution(), agent.config.state_size(), state.action.len());
    let one_hot_actions = agent.config.actor == ActionDistribution::OneHot;
    let samples = match (mode, agent.config.evaluation) {
        (ActMode::Explore | ActMode::Sample, _) => 1,
        (ActMode::Evaluate, _) if agent.config.actor != ActionDistribution::TanhNormal => 0,
        (ActMode::Evaluate, Evaluation::Mode) => agent.config.mode_samples,
        (ActMode::Evaluate, Evaluation::Mean) => 0,
    };
    let exploration = if mode == ActMode::Explore && !one_hot_actions { actions } else { 0 };
    let mut noise = std::mem::take(&mut state.noise);
    noise.resize(stoch + samples * actions + exploration, F::ZERO);
    match (agent.config.latent, one_hot_actions) {
        // Draws come in pairs: all at once are not those of one part after the other.
        (Latent::Gaussian, false) => fill_normal(&mut noise, random),
        (_, one_hot_actions) => {
            let (posterior, rest) = noise.split_at_mut(stoch);
            latent.draw(posterior, random);
            if one_hot_actions { fill_gumbel(rest, random) } else { fill_normal(rest, random) }
        }
    }
    let (posterior, rest) = noise.split_at(stoch);
    let (action, exploration) = rest.split_at(samples * actions);
    act_with(agent, state, observation, PolicyNoise { posterior, action, exploration });
    state.noise = noise;
    if one_hot_actions && mode == ActMode::Explore {
        // Both are drawn at every step, so that the stream does not depend on the first result.
        let (explores, choice) = (random.uniform() < agent.config.exploration_epsilon, random.below(actions));
        if explores {
            one_hot(&mut state.action, choice);
        }
    }
}

/// Like [`act`], with the noise from outside.
fn act_with<F: Real>(
    agent: AgentView<'_, F>,
    state: &mut PolicyState<F>,
    observation: Observation<'_>,
    noise: PolicyNoise<F>,
) {
    let AgentView { config, networks, parameters, trainable } = agent;
    let PolicyState { stoch, deter, action, distribution, memory, .. } = state;
    let mut tape = Tape::new(parameters, trainable, memory);
    let constant = |tape: &mut Tape<F>, x: &[F]| tape.constant(1, x.len(), |y| y.copy_from_slice(x));
    let observation = agent.observation_constants(&mut tape, observation);
    let embed = networks.encoder.forward(&mut tape, observation);
    let past = (constant(&mut tape, stoch), constant(&mut tape, deter), constant(&mut tape, action));
    let next = networks.rssm.next_deter(&mut tape, past.0, past.1, past.2);
    let posterior = networks.rssm.posterior(&mut tape, next, embed);
    let draw = constant(&mut tape, noise.posterior);
    let sample = config.latent_distribution().sample(&mut tape, posterior, draw);
    let feature = tape.concat(sample, next);
    let outputs = networks.actor.forward(&mut tape, feature);
    stoch.copy_from_slice(tape.value(sample));
    deter.copy_from_slice(tape.value(next));
    let outputs = tape.value(outputs);
    config.action_distribution(outputs, distribution);
    config.choose_action(outputs, distribution, noise.action, action);
    let scale = F::of(config.exploration_noise);
    for (action, &noise) in action.iter_mut().zip(noise.exploration) {
        *action = (*action + scale * noise).at_least(-F::ONE).at_most(F::ONE);
    }
}
