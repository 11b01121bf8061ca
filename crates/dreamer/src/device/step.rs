//! A whole gradient step as a plan: the same losses as a learner's, for the whole batch at once.
//!
//! Rows are as a shard's are, step by step: row t * B + b is step t of sequence b.

use crate::behaviour::{self, Evaluated, Imagined};
use crate::learner::Learner;
use crate::networks::PIXELS;
use crate::world_model::Model;
use crate::{AgentConfig, DreamerError};
use tape::plan::{Argument, MOST, ParameterGradients, Place, Plan, Planner, Traced};
use tape::{Adam, Tape, Var, Workspace};

/// The step, as a section of the plan.
pub(super) const STEP: usize = 0;
/// What a frozen encoder makes of a batch's images, as a section of the plan.
pub(super) const ENCODE: usize = 1;

/// Sums that a step leaves for its metrics, in the order of their places.
#[derive(Clone, Copy, Debug)]
pub(super) enum Figure {
    Divergence,
    PriorLogStd,
    PosteriorLogStd,
    Image,
    Reward,
    Discount,
    Actor,
    Value,
    ImaginedReward,
    ImaginedValue,
    ImaginedReturn,
    ActionSquare,
    PolicyEntropy,
    ModelNorm,
    ActorNorm,
    ValueNorm,
}

/// How many there are.
pub(super) const FIGURES: usize = Figure::ValueNorm as usize + 1;

/// Blocks in a grid's second direction, of which the noise has one a shard.
const MOST_SHARDS: usize = 65_535;

/// What [`Planner`] calls the sums of `total`.
#[derive(Clone, Copy)]
enum Total {
    Numbers = 0,
    Squares = 1,
    /// Of the logarithms of the second half of every row.
    LogStds = 2,
}

/// An optimiser on the device.
#[derive(Clone, Copy, Debug)]
pub(super) struct OptimiserPlaces {
    pub first: Place,
    pub second: Place,
    /// Its number of steps, and what a step needs to know of all gradients.
    pub state: Place,
    pub gradient: Place,
}

/// Where everything is that goes to the device or comes from it.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub weights: Place,
    /// Bytes of images, sequence by sequence.
    pub bytes: Place,
    pub embedding: Place,
    pub action: Place,
    pub reward: Place,
    /// Times the configuration's discount.
    pub discount: Place,
    /// The key of the stream of noise, then the number of updates.
    pub random: Place,
    pub figures: Place,
    /// Of the model, the actor, the value head.
    pub optimisers: [OptimiserPlaces; 3],
}

macro_rules! arguments {
    ($($argument:expr),* $(,)?) => { [$(Argument::from($argument)),*] };
}

/// Checks that every size of the step is one that kernels can count.
///
/// # Errors
/// [`DreamerError::Config`] names a key and the most, or the least, that it can be.
pub(super) fn check(learner: &Learner<f32>) -> Result<(), DreamerError> {
    let config = learner.config();
    let AgentConfig { batch, length, horizon, shard, .. } = *config;
    let refuse = |key: &str, value: usize, range: String| {
        Err(DreamerError::Config { key: key.to_owned(), value: value.to_string(), range })
    };
    let widest = [config.feature(), config.hidden, config.units, 3 * config.deter, 2 * learner.action_size(), 1];
    let widest = widest.into_iter().max().unwrap_or(1);
    // Of a sequence: its pictures, its layers' sums in the decoder and the encoder, and what is imagined from it.
    let numbers = [PIXELS.max(1024 * config.depth), horizon.saturating_mul(widest)];
    let of_one = length.saturating_mul(numbers.into_iter().max().unwrap_or(1));
    let most = MOST / of_one.max(1);
    if batch > most {
        let range = format!(
            "at most {most} on a device, with agent.length = {length}, agent.horizon = {horizon} and layers as wide as these"
        );
        return refuse("batch", batch, range);
    }
    if batch.div_ceil(shard) > MOST_SHARDS {
        let range = format!("at least {} on a device, with agent.batch = {batch}", batch.div_ceil(MOST_SHARDS));
        return refuse("shard", shard, range);
    }
    let parameters = learner.parameters().numbers();
    if parameters > MOST {
        return refuse(
            "units",
            config.units,
            format!("less on a device: the agent has {parameters} parameters, of at most {MOST}"),
        );
    }
    Ok(())
}

/// Plans a learner's gradient step, which was checked.
pub(super) fn plan(learner: &Learner<f32>) -> (Plan, Places) {
    let config = learner.config();
    let mut planner = Planner::new(config.precision.of_products());
    let (rows, actions) = (config.batch * config.length, learner.action_size());
    let imagined = config.horizon * rows;
    let parameters = learner.parameters();
    let optimisers = learner.optimisers();
    let each = [&optimisers.model, &optimisers.actor, &optimisers.value];
    let behaviour_set = learner.behaviour_model().trainable;

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
        bytes: planner.reserve(rows * PIXELS / 4),
        embedding: planner.reserve(if config.frozen_encoder { rows * config.embed() } else { 0 }),
        action: planner.reserve(rows * actions),
        reward: planner.reserve(rows),
        discount: planner.reserve(rows),
        random: planner.reserve(10),
        figures: planner.reserve(FIGURES),
        optimisers: optimiser_places,
    };
    let images = planner.reserve(rows * PIXELS);
    let noise = Noises {
        posterior: planner.reserve(rows * config.stoch),
        action: planner.reserve(imagined * actions),
        prior: planner.reserve(imagined * config.stoch),
    };
    let mut step = Step { planner, learner, places, images, noise };
    step.begin();
    let (stoch, deter) = step.model(ParameterGradients::new(each[0].set(), parameters.len(), model_gradient));
    step.behaviour((stoch, deter), ParameterGradients::new(behaviour_set, parameters.len(), behaviour_gradient));
    step.optimise(each);
    if config.frozen_encoder {
        // In full precision, whatever the step's, as on a processor.
        step.planner.begin_section(tape::Precision::Full);
        step.encode();
    }
    (step.planner.finish(), step.places)
}

#[derive(Clone, Copy)]
struct Noises {
    posterior: Place,
    action: Place,
    prior: Place,
}

struct Step<'a> {
    planner: Planner,
    learner: &'a Learner<f32>,
    places: Places,
    images: Place,
    noise: Noises,
}

impl Step<'_> {
    fn rows(&self) -> usize {
        self.learner.config().batch * self.learner.config().length
    }

    fn figure(&self, figure: Figure) -> Place {
        self.places.figures.after(figure as usize)
    }

    /// Sums up a value for the metrics.
    fn total(&mut self, traced: &Traced<'_>, var: Var, kind: Total, figure: Figure) {
        let (rows, cols) = traced.shape(var);
        let arguments = arguments![self.figure(figure), traced.place(var), rows, cols, kind as usize, 1.0];
        self.planner.launch("total", [1; 3], arguments);
    }

    fn normalise_images(&mut self) {
        let config = self.learner.config();
        let arguments = arguments![self.images, self.places.bytes, config.batch, config.length, PIXELS];
        self.planner.each("normalise_images", self.rows() * PIXELS, arguments);
    }

    /// What comes before the networks: noise and images.
    fn begin(&mut self) {
        let config = self.learner.config();
        let (actions, steps) = (self.learner.action_size(), config.length * config.shard);
        // A thread makes eight numbers, and a whole pair for an odd last one.
        let most = (steps * config.stoch).div_ceil(2)
            + (config.horizon * steps * actions).div_ceil(2)
            + (config.horizon * steps * config.stoch).div_ceil(2);
        let grid = [most.div_ceil(4 * tape::plan::THREADS), config.batch.div_ceil(config.shard), 1];
        let Noises { posterior, action, prior } = self.noise;
        let arguments = arguments![
            posterior,
            action,
            prior,
            self.places.random,
            config.batch,
            config.shard,
            config.length,
            config.horizon,
            config.stoch,
            actions
        ];
        self.planner.launch("draw_noise", grid, arguments);
        self.normalise_images();
    }

    /// The world model's loss and gradient; where the posterior states are.
    fn model(&mut self, mut gradients: ParameterGradients) -> (Place, Place) {
        let learner = self.learner;
        let (config, networks) = (learner.config(), learner.networks());
        let (rows, transitions) = (self.rows(), self.rows() as f64);
        let mut workspace = Workspace::default();
        let mut tape = Tape::trace(learner.parameters(), learner.optimisers().model.set(), &mut workspace);
        let images = tape.input(rows, PIXELS, false);
        let mut bound = vec![(images, self.images)];
        let mut input = |tape: &mut Tape<'_, f32>, cols: usize, place: Place| {
            let var = tape.input(rows, cols, false);
            bound.push((var, place));
            var
        };
        let embed = if config.frozen_encoder {
            input(&mut tape, config.embed(), self.places.embedding)
        } else {
            networks.encoder.forward(&mut tape, images)
        };
        let action = input(&mut tape, learner.action_size(), self.places.action);
        let noise = input(&mut tape, config.stoch, self.noise.posterior);
        let observed = networks.rssm.observe(&mut tape, embed, action, noise, config.batch);
        let prior = networks.rssm.prior(&mut tape, observed.deter);
        let divergence = tape.divergence(observed.posterior, prior);
        let picture = networks.decoder.forward(&mut tape, observed.feature);
        let picture = tape.normal_log_density(picture, images);
        let reward = networks.reward.forward(&mut tape, observed.feature);
        let target = input(&mut tape, 1, self.places.reward);
        let reward = tape.normal_log_density(reward, target);
        let discount = networks.discount.as_ref().map(|head| {
            let logit = head.forward(&mut tape, observed.feature);
            let target = input(&mut tape, 1, self.places.discount);
            tape.bernoulli_log_density(logit, target)
        });
        let mut traced = Traced::new(&workspace, learner.parameters(), self.places.weights);
        bound.into_iter().for_each(|(var, place)| traced.bind(var, place));
        self.planner.forward(&mut traced);
        self.total(&traced, divergence, Total::Numbers, Figure::Divergence);
        self.total(&traced, prior, Total::LogStds, Figure::PriorLogStd);
        self.total(&traced, observed.posterior, Total::LogStds, Figure::PosteriorLogStd);
        for (density, figure, scale) in [
            (Some(picture), Figure::Image, 1.0),
            (Some(reward), Figure::Reward, 1.0),
            (discount, Figure::Discount, config.discount_scale),
        ] {
            if let Some(density) = density {
                self.total(&traced, density, Total::Numbers, figure);
                self.planner.seed(&mut traced, density, -scale / transitions);
            }
        }
        let seed = self.planner.seed_place(&mut traced, divergence);
        let (least, scale) = (config.free_nats * transitions, config.kl_scale / transitions);
        let arguments = arguments![seed, self.figure(Figure::Divergence), rows, least, scale];
        self.planner.each("seed_beyond", rows, arguments);
        self.planner.backward(&mut traced, &mut gradients);
        self.planner.finish_gradients(&mut gradients);
        (traced.place(observed.stoch), traced.place(observed.deter))
    }

    /// Imagination from the posterior states, and the losses of actor and value head.
    fn behaviour(&mut self, (stoch, deter): (Place, Place), mut gradients: ParameterGradients) {
        let learner = self.learner;
        let (config, rows) = (learner.config(), self.rows());
        let model = learner.behaviour_model();
        let mut workspace = Workspace::default();
        let mut tape = Tape::trace(model.parameters, model.trainable, &mut workspace);
        let imagined = config.horizon * rows;
        let inputs = [
            (rows, config.stoch, stoch),
            (rows, config.deter, deter),
            (imagined, learner.action_size(), self.noise.action),
            (imagined, config.stoch, self.noise.prior),
        ]
        .map(|(rows, cols, place)| (tape.input(rows, cols, false), place));
        let [(stoch, _), (deter, _), (action_noise, _), (prior_noise, _)] = inputs;
        let Imagined { action, entropy, feature, .. } =
            behaviour::imagine_with(model, &mut tape, (stoch, deter), (action_noise, prior_noise));
        let evaluated = behaviour::evaluate(model, &mut tape, feature, rows);
        let Evaluated { reward, value, returns, weights, value_density } = evaluated;
        let actor_loss = tape.weighted_sum(returns, weights);
        let value_loss = tape.weighted_sum(value_density, weights);
        let entropy_loss = (config.actor_entropy > 0.0).then(|| {
            let before_last = tape.rows_of(entropy, 0, tape.shape(weights).0);
            tape.weighted_sum(before_last, weights)
        });
        let mut traced = Traced::new(&workspace, model.parameters, self.places.weights);
        inputs.into_iter().for_each(|(var, place)| traced.bind(var, place));
        self.planner.forward(&mut traced);
        let count = (rows * (config.horizon - 1)) as f64;
        self.planner.seed(&mut traced, actor_loss, -1.0 / count);
        self.planner.seed(&mut traced, value_loss, -1.0 / count);
        if let Some(loss) = entropy_loss {
            self.planner.seed(&mut traced, loss, -config.actor_entropy / count);
        }
        for (var, kind, figure) in [
            (actor_loss, Total::Numbers, Figure::Actor),
            (value_loss, Total::Numbers, Figure::Value),
            (reward, Total::Numbers, Figure::ImaginedReward),
            (value, Total::Numbers, Figure::ImaginedValue),
            (returns, Total::Numbers, Figure::ImaginedReturn),
            (action, Total::Squares, Figure::ActionSquare),
            (entropy, Total::Numbers, Figure::PolicyEntropy),
        ] {
            self.total(&traced, var, kind, figure);
        }
        self.planner.backward(&mut traced, &mut gradients);
        self.planner.finish_gradients(&mut gradients);
    }

    /// The norms, and a step of each optimiser if all figures are finite.
    fn optimise(&mut self, optimisers: [&Adam<f32>; 3]) {
        let config = self.learner.config();
        let places = self.places.clone();
        let norms = [Figure::ModelNorm, Figure::ActorNorm, Figure::ValueNorm].map(|figure| self.figure(figure));
        for ((optimiser, place), norm) in optimisers.iter().zip(&places.optimisers).zip(norms) {
            let count = optimiser.set().numbers();
            let parts = count.div_ceil(16 * 1024).max(1);
            let sums = self.planner.reserve(2 * parts);
            self.planner.launch("square_parts", [parts, 1, 1], arguments![sums, place.gradient, count]);
            self.planner.launch("root_of_sum", [1; 3], arguments![norm, sums, parts]);
        }
        let go = self.planner.reserve(1);
        self.planner.launch("all_finite", [1; 3], arguments![go, places.figures, FIGURES]);
        let model_steps = places.optimisers[0].state;
        // The actor first, while the model's steps are those from before.
        for index in [1, 0, 2] {
            let (optimiser, place) = (optimisers[index], places.optimisers[index]);
            let warmup = if index == 1 { config.actor_warmup as usize } else { 0 };
            let arguments =
                arguments![place.state, go, model_steps, warmup, norms[index], optimiser.rate, optimiser.clip];
            self.planner.launch("begin_adam", [1; 3], arguments);
            self.update(optimiser, place);
        }
        self.planner.launch("count_update", [1; 3], arguments![places.random]);
    }

    /// An optimiser's parameters, those that lie side by side at once.
    fn update(&mut self, optimiser: &Adam<f32>, places: OptimiserPlaces) {
        let (set, parameters) = (optimiser.set(), self.learner.parameters());
        let mut runs: Vec<(usize, usize, usize)> = Vec::new();
        for parameter in set.iter() {
            let (place, from) = (parameters.place(parameter), set.place(parameter).expect("of the set").start);
            match runs.last_mut() {
                Some((start, _, count)) if *start + *count == place.start => *count += place.len(),
                _ => runs.push((place.start, from, place.len())),
            }
        }
        for (at, from, count) in runs {
            let arguments = arguments![
                self.places.weights.after(at),
                places.gradient.after(from),
                places.first.after(from),
                places.second.after(from),
                places.state,
                count
            ];
            self.planner.each("adam", count, arguments);
        }
    }

    /// What a frozen encoder makes of the batch's images.
    fn encode(&mut self) {
        self.normalise_images();
        let learner = self.learner;
        let Model { networks, parameters, .. } = learner.behaviour_model();
        let mut workspace = Workspace::default();
        let mut tape = Tape::trace(parameters, learner.no_parameters(), &mut workspace);
        let images = tape.input(self.rows(), PIXELS, false);
        let embed = networks.encoder.forward(&mut tape, images);
        let mut traced = Traced::new(&workspace, parameters, self.places.weights);
        traced.bind(images, self.images);
        traced.bind_result(embed, self.places.embedding);
        self.planner.forward(&mut traced);
    }
}
