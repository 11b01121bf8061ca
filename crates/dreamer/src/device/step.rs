//! The device's runner of a gradient step: the whole step as a plan, for the whole batch at once.
//!
//! Losses are those of `crate::losses`, recorded without computing; their gradients and metrics are planned from their
//! terms. Rows are as a shard's are, step by step: row t * B + b is step t of sequence b.

mod optimise;

use super::places::{OptimiserPlaces, Places};
use crate::agent_view::AgentView;
use crate::behaviour;
use crate::learner::Learner;
use crate::losses::barlow;
use crate::losses::behaviour::losses;
use crate::losses::replay_value::{self, States};
use crate::losses::world_model::{Inputs, Targets, dynamics, heads, image};
use crate::losses::{LossFormula, Terms};
use crate::metrics::{Counts, Metric, Reduction, StepMetrics, Sums};
use crate::networks::{IMAGE_NUMBERS, ObservationVars};
use crate::{ActionDistribution, Latent};
use tape::plan::{ParameterGradients, Place, Plan, Planner, Total, Traced, kernels};
use tape::{Tape, Var, Workspace};

/// The step, as a section of the plan.
pub(super) const STEP: usize = 0;
/// A frozen encoder's embeddings of a batch's images, as a section of the plan.
pub(super) const ENCODE: usize = 1;

/// How the metrics of the step are computed from its results on the device.
#[derive(Clone, Debug)]
pub(super) struct Report {
    counts: Counts,
    model_loss: LossFormula,
    /// The constant that the sums of the device do not include.
    missing: Sums,
}

impl Report {
    /// The metrics, given a sum or a gradient's norm for each of them.
    pub fn metrics(&self, device: &[f32; Metric::COUNT]) -> StepMetrics {
        let mut sums = self.missing;
        sums += &Sums::from(device.map(f64::from));
        StepMetrics::new(&sums, &self.counts, self.model_loss.value(&sums, &self.counts))
    }
}

/// The sum that makes a reduction.
fn total_of(reduction: Reduction) -> Total {
    match reduction {
        Reduction::Numbers => Total::Numbers,
        Reduction::Squares => Total::Squares,
        // Of the logarithms of standard deviations: see `Reduction::missing_on_device`.
        Reduction::NormalEntropies => Total::LogarithmsOfSecondHalf,
    }
}

/// Plans a learner's gradient step, which was checked.
pub(super) fn plan(learner: &Learner<f32>) -> (Plan, Places, Report) {
    let config = learner.config();
    let mut planner = Planner::new(config.precision.of_products());
    let (rows, actions) = (config.batch * config.length, learner.action_size());
    let (rollouts, imagined) = (config.rollouts(), config.horizon * config.rollouts());
    let pixels = if config.images { rows * IMAGE_NUMBERS } else { 0 };
    let parameters = learner.parameters();
    let optimisers = learner.optimisers();
    let each = [&optimisers.model, &optimisers.actor, &optimisers.value];
    let behaviour_set = learner.behaviour_view().trainable;

    let weights = planner.reserve(parameters.numbers());
    let model_gradient = planner.reserve(each[0].set().numbers());
    let behaviour_gradient = planner.reserve(behaviour_set.numbers());
    // The set of actor and value holds the actor's gradients first, as they are declared.
    let gradients = [model_gradient, behaviour_gradient, behaviour_gradient.after(each[1].set().numbers())];
    let mut moments = [0, 1, 2].into_iter().map(|index| OptimiserPlaces {
        first: planner.reserve(each[index].set().numbers()),
        second: planner.reserve(each[index].set().numbers()),
        state: planner.reserve(4),
        gradient: gradients[index],
    });
    let optimiser_places = std::array::from_fn(|_| moments.next().expect("three optimisers"));
    drop(moments);
    let places = Places {
        weights,
        bytes: planner.reserve(pixels / 4),
        vector: planner.reserve(rows * config.vector),
        embedding: planner.reserve(if config.frozen_encoder { rows * config.embed() } else { 0 }),
        action: planner.reserve(rows * actions),
        reward: planner.reserve(rows),
        discount: planner.reserve(rows),
        kept: planner.reserve(if config.resets { rows } else { 0 }),
        random: planner.reserve(10),
        metrics: planner.reserve(Metric::COUNT),
        optimisers: optimiser_places,
    };
    let images = planner.reserve(pixels);
    let noise = Noises {
        posterior: planner.reserve(rows * config.state_size()),
        action: planner.reserve(imagined * actions),
        prior: planner.reserve(imagined * config.state_size()),
        start: planner.reserve(if config.draws_starts() { rollouts } else { 0 }),
    };
    let counts = Counts::new(config, actions);
    let report = Report { counts, model_loss: LossFormula::default(), missing: Sums::default() };
    let mut step = Step { planner, learner, places, images, noise, report, returns: None };
    step.begin();
    let behaviour_gradients = ParameterGradients::new(behaviour_set, parameters.len(), behaviour_gradient);
    step.learn(ParameterGradients::new(each[0].set(), parameters.len(), model_gradient), behaviour_gradients);
    step.optimise(each);
    if config.frozen_encoder {
        // In full precision with any precision of the step, as on the CPU.
        step.planner.begin_section(tape::Precision::Full);
        step.encode();
    }
    (step.planner.finish(), step.places, step.report)
}

#[derive(Clone, Copy)]
struct Noises {
    posterior: Place,
    action: Place,
    prior: Place,
    /// Empty if rollouts start from all states.
    start: Place,
}

/// Where the posterior states and their features are.
#[derive(Clone, Copy)]
struct Posterior {
    stoch: Place,
    deter: Place,
    feature: Place,
}

struct Step<'a> {
    planner: Planner,
    learner: &'a Learner<f32>,
    places: Places,
    images: Place,
    noise: Noises,
    report: Report,
    /// The imagined returns and how many there are, once they are planned.
    returns: Option<(Place, usize)>,
}

impl Step<'_> {
    fn rows(&self) -> usize {
        self.learner.config().batch * self.learner.config().length
    }

    fn metric(&self, metric: Metric) -> Place {
        self.places.metrics.after(metric as usize)
    }

    /// Plans the sums of a recording's metrics and the seeds of its walk back.
    fn terms(&mut self, traced: &mut Traced<'_>, terms: &Terms) {
        for &(metric, value, reduction) in terms.measured() {
            let (rows, cols) = traced.shape(value);
            let place = traced.place(value);
            self.planner.total(self.metric(metric), place, [rows, cols], total_of(reduction));
            self.report.missing[metric] = reduction.missing_on_device(rows, cols);
        }
        for term in terms.losses() {
            let Some(gate) = term.gate else {
                self.planner.seed(traced, term.value, term.scale);
                continue;
            };
            let (rows, _) = traced.shape(term.value);
            let seed = self.planner.seed_place(traced, term.value);
            let (mean, least, scale) = (self.metric(gate.metric), gate.least_sum(), term.scale);
            if gate.beyond {
                self.planner.each(rows, kernels::SeedBeyond { out: seed, mean, rows, least, scale });
            } else {
                self.planner.each(rows, kernels::SeedWithin { out: seed, mean, rows, least, scale });
            }
        }
    }

    fn normalise_images(&mut self) {
        let config = self.learner.config();
        if !config.images {
            return;
        }
        self.planner.each(
            self.rows() * IMAGE_NUMBERS,
            kernels::NormaliseImages {
                out: self.images,
                images: self.places.bytes,
                batch: config.batch,
                length: config.length,
                size: IMAGE_NUMBERS,
            },
        );
    }

    /// The launches before the networks: noise and images.
    fn begin(&mut self) {
        let config = self.learner.config();
        let (actions, steps) = (self.learner.action_size(), config.length * config.shard.min(config.batch));
        let shard_rollouts = config.rollouts_of_whole_shard();
        // A thread makes eight numbers, and a whole pair for an odd last one.
        let most = (steps * config.state_size()).div_ceil(2)
            + (config.horizon * shard_rollouts * actions).div_ceil(2)
            + (config.horizon * shard_rollouts * config.state_size()).div_ceil(2)
            + if config.draws_starts() { shard_rollouts.div_ceil(2) } else { 0 };
        let grid = [most.div_ceil(4 * tape::plan::THREADS), config.batch.div_ceil(config.shard), 1];
        let Noises { posterior, action, prior, start } = self.noise;
        self.planner.launch(
            grid,
            kernels::DrawNoise {
                posterior,
                action,
                prior,
                start,
                state: self.places.random,
                batch: config.batch,
                shard: config.shard,
                length: config.length,
                horizon: config.horizon,
                stoch: config.state_size(),
                actions,
                gumbel: config.actor == ActionDistribution::OneHot,
                gumbel_states: config.latent == Latent::Categorical,
                rollouts: if config.draws_starts() { shard_rollouts } else { 0 },
                all: config.rollouts(),
            },
        );
        self.normalise_images();
    }

    /// The batch's observations as inputs of a recording, and where each is.
    fn observation_inputs(&self, tape: &mut Tape<'_, f32>) -> (ObservationVars, Vec<(Var, Place)>) {
        let (config, rows) = (self.learner.config(), self.rows());
        let images = config.images.then(|| tape.input(rows, IMAGE_NUMBERS, false));
        let vectors = (config.vector > 0).then(|| tape.input(rows, config.vector, false));
        let bound = [images.map(|var| (var, self.images)), vectors.map(|var| (var, self.places.vector))];
        (ObservationVars { images, vectors }, bound.into_iter().flatten().collect())
    }

    /// The world model's loss and gradient, and learning in imagination from its posterior states.
    fn learn(&mut self, mut gradients: ParameterGradients, behaviour_gradients: ParameterGradients) {
        let learner = self.learner;
        let (config, networks, rows) = (learner.config(), learner.networks(), self.rows());
        let model = AgentView { trainable: learner.optimisers().model.set(), ..learner.behaviour_view() };
        let mut workspace = Workspace::default();
        let mut tape = Tape::trace(model.parameters, model.trainable, &mut workspace);
        let (observations, mut bound) = self.observation_inputs(&mut tape);
        let mut input = |tape: &mut Tape<'_, f32>, cols: usize, place: Place| {
            let var = tape.input(rows, cols, false);
            bound.push((var, place));
            var
        };
        let embed = if config.frozen_encoder {
            input(&mut tape, config.embed(), self.places.embedding)
        } else {
            networks.encoder.forward(&mut tape, observations)
        };
        let inputs = Inputs {
            embed,
            action: input(&mut tape, learner.action_size(), self.places.action),
            noise: input(&mut tape, config.state_size(), self.noise.posterior),
            kept: config.resets.then(|| input(&mut tape, 1, self.places.kept)),
            start: None,
            sequences: config.batch,
        };
        let targets = Targets {
            vector: observations.vectors,
            reward: input(&mut tape, 1, self.places.reward),
            discount: networks.discount.as_ref().map(|_| input(&mut tape, 1, self.places.discount)),
        };
        let mut terms = Terms::new(self.report.counts);
        let observed = dynamics(model, &mut tape, inputs, &mut terms);
        if let (Some(decoder), Some(images)) = (&networks.decoder.image, observations.images) {
            let mean = decoder.forward(&mut tape, observed.feature);
            image(model, &mut tape, mean, images, &mut terms);
        }
        if let Some(projector) = networks.projector {
            let projected = projector.forward(&mut tape, observed.feature);
            barlow::loss(model, &mut tape, projected, embed, &mut terms);
        }
        heads(model, &mut tape, observed.feature, targets, &mut terms);
        self.report.model_loss.include(&terms);
        let mut traced = Traced::new(&workspace, model.parameters, self.places.weights);
        bound.into_iter().for_each(|(var, place)| traced.bind(var, place));
        self.planner.forward(&mut traced);
        self.terms(&mut traced, &terms);
        let [stoch, deter, feature] = [observed.stoch, observed.deter, observed.feature].map(|var| traced.place(var));
        let states = Posterior { stoch, deter, feature };
        // The loss of the value head on these states can have a gradient with respect to their features.
        let before = config.replay_value > 0.0 && config.replay_value_trains_model;
        let mut behaviour_gradients = Some(behaviour_gradients);
        if before {
            let gradients = behaviour_gradients.take().expect("not learned yet");
            let gradient = self.behaviour(states, gradients).expect("the features have a gradient");
            self.planner.seed_with(&mut traced, observed.feature, gradient);
        }
        self.planner.backward(&mut traced, &mut gradients);
        self.planner.finish_gradients(&mut gradients);
        if let Some(gradients) = behaviour_gradients {
            self.behaviour(states, gradients);
        }
    }

    /// Imagination from the posterior states, and the losses of actor and value head. Where the gradient of these
    /// states' features is, if they have one.
    fn behaviour(&mut self, posterior: Posterior, mut gradients: ParameterGradients) -> Option<Place> {
        let learner = self.learner;
        let (config, rows) = (learner.config(), learner.config().rollouts());
        let Posterior { stoch, deter, feature } = posterior;
        let [stoch, deter] =
            [(stoch, config.state_size()), (deter, config.deter)].map(|(of, cols)| self.starts(of, cols));
        let model = learner.behaviour_view();
        let mut workspace = Workspace::default();
        let mut tape = Tape::trace(model.parameters, model.trainable, &mut workspace);
        let steps = config.horizon * rows;
        let inputs = [
            (rows, config.state_size(), stoch),
            (rows, config.deter, deter),
            (steps, learner.action_size(), self.noise.action),
            (steps, config.state_size(), self.noise.prior),
        ]
        .map(|(rows, cols, place)| (tape.input(rows, cols, false), place));
        let [(stoch, _), (deter, _), (action_noise, _), (prior_noise, _)] = inputs;
        let imagined = behaviour::imagine_with(model, &mut tape, (stoch, deter), (action_noise, prior_noise));
        let evaluated = behaviour::evaluate(model, &mut tape, &imagined);
        let mut terms = Terms::new(self.report.counts);
        losses(model, &mut tape, &imagined, &evaluated, &mut terms);
        let mut replayed = Vec::new();
        if config.replay_value > 0.0 {
            let mut input = |cols: usize, gradient: bool, place: Place| {
                let var = tape.input(self.rows(), cols, gradient);
                replayed.push((var, place));
                var
            };
            let states = States {
                feature: input(config.feature(), config.replay_value_trains_model, feature),
                reward: input(1, false, self.places.reward),
                discount: input(1, false, self.places.discount),
                kept: config.resets.then(|| input(1, false, self.places.kept)),
                sequences: config.batch,
            };
            replay_value::losses(model, &mut tape, states, evaluated.returns, &mut terms);
        }
        let mut traced = Traced::new(&workspace, model.parameters, self.places.weights);
        inputs.into_iter().chain(replayed.iter().copied()).for_each(|(var, place)| traced.bind(var, place));
        self.planner.forward(&mut traced);
        self.terms(&mut traced, &terms);
        self.planner.backward(&mut traced, &mut gradients);
        self.planner.finish_gradients(&mut gradients);
        self.returns = Some((traced.place(evaluated.returns), traced.shape(evaluated.returns).0));
        // The features come first.
        replayed.first().and_then(|(feature, _)| traced.gradient(*feature))
    }

    /// The rows of states [L * B, cols] from which rollouts start.
    fn starts(&mut self, states: Place, cols: usize) -> Place {
        let config = self.learner.config();
        if !config.draws_starts() {
            return states;
        }
        let (all, shard) = (config.rollouts(), config.rollouts_of_whole_shard());
        let out = self.planner.reserve(all * cols);
        self.planner.each(
            all * cols,
            kernels::ChooseStarts {
                out,
                x: states,
                draws: self.noise.start,
                columns: cols,
                batch: config.batch,
                shard: config.shard,
                length: config.length,
                rollouts: shard,
                all,
            },
        );
        out
    }

    /// A frozen encoder's embeddings of the batch's images.
    fn encode(&mut self) {
        self.normalise_images();
        let learner = self.learner;
        let AgentView { networks, parameters, trainable, .. } = learner.constant_view();
        let mut workspace = Workspace::default();
        let mut tape = Tape::trace(parameters, trainable, &mut workspace);
        let (observations, bound) = self.observation_inputs(&mut tape);
        let embed = networks.encoder.forward(&mut tape, observations);
        let mut traced = Traced::new(&workspace, parameters, self.places.weights);
        bound.into_iter().for_each(|(var, place)| traced.bind(var, place));
        traced.bind_result(embed, self.places.embedding);
        self.planner.forward(&mut traced);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{METRICS, MetricValue};
    use crate::{AgentConfig, Divergence, LossWeights, Reconstruction, ReturnsFrom, RewardSource};
    use tape::plan::Argument;

    /// The launches of kernels of this name whose first argument is `place`.
    fn launches(plan: &Plan, kernel: &str, place: Place) -> usize {
        let launches = plan.sections[STEP].iter().filter(|launch| launch.kernel == kernel);
        launches.filter(|launch| launch.arguments[0] == Argument::from(place)).count()
    }

    #[test]
    fn every_metric_is_planned_once() {
        let decoding = AgentConfig {
            discount_head: true,
            loss_weights: LossWeights::Harmony,
            vector: 3,
            reward_sources: vec![RewardSource { layers: 1, units: 2, ..RewardSource::default() }],
            reward_sources_l1: 0.1,
            divergence: Divergence::Balanced,
            returns_from: ReturnsFrom::Start,
            replay_value: 0.3,
            batch: 2,
            length: 3,
            horizon: 3,
            depth: 1,
            ..AgentConfig::default()
        };
        // No agent has decoders and projections.
        let projecting = AgentConfig { reconstruction: Reconstruction::Barlow, ..decoding.clone() };
        let plans = [decoding, projecting].map(|config| plan(&Learner::new(&config, 2).unwrap()));
        for row in METRICS {
            let kernel = match row.value {
                MetricValue::Mean { .. } => "total",
                MetricValue::GradientNorm => "root_of_sum",
                // It follows from the others.
                MetricValue::ModelLoss => continue,
            };
            let launched = plans
                .each_ref()
                .map(|(plan, places, _)| launches(plan, kernel, places.metrics.after(row.metric as usize)));
            assert!(launched == [1, 1] || launched == [1, 0] || launched == [0, 1], "{}: {launched:?}", row.name);
        }
    }
}
