//! [`Learner`]: a gradient step. Shards of the batch on the workers, their gradients summed in a fixed order, three
//! optimisers.
//!
//! A worker takes a shard through both halves of the world model's loss and through imagination with single-threaded
//! kernels. Shards have a fixed number of sequences and are summed in order, so that a step is bitwise identical on any
//! number of threads. After the first step, steps allocate nothing.

use crate::agent_view::AgentView;
use crate::batch::BatchView;
use crate::images::Images;
use crate::metrics::{Counts, Metric, StepMetrics};
use crate::networks::{self, IMAGE_NUMBERS, Networks, Role};
use crate::noise::Noise;
use crate::sequence_range::SequenceRange;
use crate::shard::{
    OrderedSum, Sequences, Shard, SpareGradients, WholeBatch, Worker, embed, for_each_shard, inner, sums_of,
};
use crate::{AgentConfig, DreamerError, Evaluation};
use random::Stream;
use rayon::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tape::{Gradients, Optimiser, ParameterSet, Parameters, Real, follow, follow_percentiles};

/// An agent's networks, parameters and optimisers, and the workers' buffers.
#[derive(Debug)]
pub struct Learner<F> {
    config: AgentConfig,
    action_size: usize,
    networks: Networks,
    parameters: Parameters<F>,
    optimisers: Optimisers<F>,
    behaviour: ParameterSet,
    no_parameters: ParameterSet,
    workers: Vec<Worker<F>>,
    shards: Vec<Mutex<Shard<F>>>,
    /// Of an agent with a loss that compares all transitions of a batch.
    whole_batch: Option<WholeBatch<F>>,
    model_gradients: Gradients<F>,
    behaviour_gradients: Gradients<F>,
    /// Buffers for shards' gradients of both kinds.
    spare: [SpareGradients<F>; 2],
    /// The imagined returns of the last step, if the agent measures their range.
    returns: Vec<F>,
}

/// The three optimisers, each with its set of parameters.
#[derive(Clone, Debug)]
pub struct Optimisers<F> {
    /// Of encoder, dynamics, decoder, reward and discount.
    pub model: Optimiser<F>,
    /// Of the actor.
    pub actor: Optimiser<F>,
    /// Of the value head.
    pub value: Optimiser<F>,
}

impl<F: Real> Learner<F> {
    /// An agent with parameters of zeros.
    ///
    /// # Errors
    /// [`DreamerError::Config`] if a value of the configuration is out of range.
    pub fn new(config: &AgentConfig, action_size: usize) -> Result<Self, DreamerError> {
        let mut learner = Self::declared(config, action_size)?;
        learner.allocate();
        Ok(learner)
    }

    /// An agent whose parameters have names and shapes, but no memory yet.
    pub(crate) fn declared(config: &AgentConfig, action_size: usize) -> Result<Self, DreamerError> {
        config.validate()?;
        let mut parameters = Parameters::new();
        let networks = Networks::declare(config, action_size, &mut parameters);
        let none = parameters.set(|_| false);
        let optimiser = |rate| Optimiser::new(&none, rate, config.rule());
        Ok(Self {
            config: config.clone(),
            action_size,
            networks,
            optimisers: Optimisers {
                model: optimiser(config.model_learning_rate),
                actor: optimiser(config.actor_learning_rate),
                value: optimiser(config.value_learning_rate),
            },
            behaviour: none.clone(),
            no_parameters: none.clone(),
            workers: Vec::new(),
            shards: Vec::new(),
            whole_batch: None,
            model_gradients: Gradients::new(&none),
            behaviour_gradients: Gradients::new(&none),
            spare: Default::default(),
            returns: Vec::new(),
            parameters,
        })
    }

    /// The parts that acting needs: configuration, action size, networks and parameters.
    pub(crate) fn into_networks(self) -> (AgentConfig, usize, Networks, Parameters<F>) {
        (self.config, self.action_size, self.networks, self.parameters)
    }

    /// Allocates memory for parameters, moments and gradients.
    pub(crate) fn allocate(&mut self) {
        self.parameters.allocate();
        let (config, networks, parameters) = (&self.config, &self.networks, &self.parameters);
        let model = networks.set(parameters, |role| role.is_world_model() && !role.is_frozen(config));
        let [actor, value] = [Role::Actor, Role::Value].map(|one| networks.set(parameters, |role| role == one));
        self.optimisers = Optimisers {
            model: Optimiser::new(&model, config.model_learning_rate, config.rule()),
            actor: Optimiser::new(&actor, config.actor_learning_rate, config.rule()),
            value: Optimiser::new(&value, config.value_learning_rate, config.rule()),
        };
        self.behaviour = networks.set(parameters, |role| matches!(role, Role::Actor | Role::Value));
        self.model_gradients = Gradients::new(&model);
        self.behaviour_gradients = Gradients::new(&self.behaviour);
        self.spare = Default::default();
    }

    /// Draws every parameter's initial value.
    pub fn initialise(&mut self, random: &mut Stream) {
        networks::initialise(&self.networks, &mut self.parameters, random);
    }

    /// The configuration.
    pub fn config(&self) -> &AgentConfig {
        &self.config
    }

    /// Evaluates this way from now on: the one setting that may change, since training does not depend on it.
    pub fn evaluate_by(&mut self, evaluation: Evaluation) {
        self.config.evaluation = evaluation;
    }

    /// Elements of an action.
    pub fn action_size(&self) -> usize {
        self.action_size
    }

    /// The networks.
    pub fn networks(&self) -> &Networks {
        &self.networks
    }

    /// The parameters.
    pub fn parameters(&self) -> &Parameters<F> {
        &self.parameters
    }

    /// The parameters, to be changed.
    pub fn parameters_mut(&mut self) -> &mut Parameters<F> {
        &mut self.parameters
    }

    /// The optimisers.
    pub fn optimisers(&self) -> &Optimisers<F> {
        &self.optimisers
    }

    /// The optimisers, to be restored from a checkpoint.
    pub fn optimisers_mut(&mut self) -> &mut Optimisers<F> {
        &mut self.optimisers
    }

    /// The empty set, for tapes that compute no gradients.
    pub fn no_parameters(&self) -> &ParameterSet {
        &self.no_parameters
    }

    /// The gradients of the last call of [`Learner::gradients`]: of the world model's loss, and of the actor's and
    /// value head's losses.
    pub fn last_gradients(&self) -> (&Gradients<F>, &Gradients<F>) {
        (&self.model_gradients, &self.behaviour_gradients)
    }

    /// As [`Learner::last_gradients`], to be overwritten.
    pub(crate) fn gradients_mut(&mut self) -> (&mut Gradients<F>, &mut Gradients<F>) {
        (&mut self.model_gradients, &mut self.behaviour_gradients)
    }

    /// The agent for [`crate::behaviour::evaluate`] and similar functions, with gradients for actor and value.
    pub fn behaviour_view(&self) -> AgentView<'_, F> {
        AgentView {
            config: &self.config,
            networks: &self.networks,
            parameters: &self.parameters,
            trainable: &self.behaviour,
        }
    }

    /// The agent with constant parameters, for recordings without gradients.
    pub(crate) fn constant_view(&self) -> AgentView<'_, F> {
        AgentView { trainable: &self.no_parameters, ..self.behaviour_view() }
    }

    /// One gradient step: all three gradients at the parameters from before it. `noise` fills shard i's noise, for
    /// sequences i * shard up to at most (i + 1) * shard, from any thread.
    ///
    /// # Errors
    /// [`DreamerError::Batch`] if the batch does not fit the configuration.
    pub fn step(
        &mut self,
        batch: BatchView<F>,
        noise: &(dyn Fn(usize, &mut Noise<F>) + Sync),
    ) -> Result<StepMetrics, DreamerError> {
        let never = AtomicBool::new(false);
        Ok(self.step_interruptible(&never, batch, noise)?.expect("nobody interrupted it"))
    }

    /// Like [`Learner::step`], but returns `None` if `interrupted` was set on the way; then no parameter has changed.
    ///
    /// # Errors
    /// As [`Learner::step`].
    pub fn step_interruptible(
        &mut self,
        interrupted: &AtomicBool,
        batch: BatchView<F>,
        noise: &(dyn Fn(usize, &mut Noise<F>) + Sync),
    ) -> Result<Option<StepMetrics>, DreamerError> {
        self.begin_slow_value();
        let Some(mut metrics) = self.gradients_interruptible(interrupted, batch, noise)? else { return Ok(None) };
        let Self { optimisers: Optimisers { model, actor, value }, parameters, .. } = self;
        let gradient = self.model_gradients.data();
        let model_norm = model.norm(gradient);
        metrics.set(Metric::ModelGradientNorm, model_norm);
        // The set of actor and value holds the actor's gradients first, as they are declared.
        let (actor_gradient, value_gradient) = self.behaviour_gradients.data().split_at(actor.set().numbers());
        let (actor_norm, value_norm) = (actor.norm(actor_gradient), value.norm(value_gradient));
        metrics.set(Metric::ActorGradientNorm, actor_norm);
        metrics.set(Metric::ValueGradientNorm, value_norm);
        if metrics.not_finite().is_some() {
            return Ok(Some(metrics));
        }
        let warm = model.updates() >= self.config.actor_warmup;
        model.step(parameters, gradient, model_norm);
        if warm {
            actor.step(parameters, actor_gradient, actor_norm);
        }
        value.step(parameters, value_gradient, value_norm);
        self.follow_value(self.config.slow_value);
        self.follow_returns();
        Ok(Some(metrics))
    }

    /// Before its first gradient step, a slow value head is a copy of the value head, whose parameters may come from
    /// other agents.
    pub(crate) fn begin_slow_value(&mut self) {
        if self.optimisers.value.updates() == 0 {
            self.follow_value(1.0);
        }
    }

    /// Moves the slow value head, if there is one, towards the value head by this share of the way.
    fn follow_value(&mut self, share: f64) {
        let Self { networks, parameters, .. } = self;
        for (slow, value) in networks.slow_pairs(parameters) {
            let [slow, value] = [slow, value].map(|parameter| parameters.place(parameter));
            // The value head is declared first.
            let (before, after) = parameters.data_mut().split_at_mut(slow.start);
            follow(&mut after[..slow.len()], &before[value], share);
        }
    }

    /// Moves the range of returns towards that of the last step's, if the agent has one.
    fn follow_returns(&mut self) {
        let Some(range) = self.networks.return_range else { return };
        self.returns.clear();
        self.shards.iter_mut().for_each(|shard| self.returns.extend_from_slice(&inner(shard).returns));
        follow_percentiles(self.parameters.values_mut(range), &mut self.returns);
    }

    /// The gradients of all three losses, without a step; the metrics' gradient norms stay zero.
    ///
    /// # Errors
    /// [`DreamerError::Batch`] if the batch does not fit the configuration.
    pub fn gradients(
        &mut self,
        batch: BatchView<F>,
        noise: &(dyn Fn(usize, &mut Noise<F>) + Sync),
    ) -> Result<StepMetrics, DreamerError> {
        let never = AtomicBool::new(false);
        Ok(self.gradients_interruptible(&never, batch, noise)?.expect("nobody interrupted it"))
    }

    /// Like [`Learner::gradients`], but returns `None` if `interrupted` was set on the way. It is read before each
    /// shard.
    fn gradients_interruptible(
        &mut self,
        interrupted: &AtomicBool,
        batch: BatchView<F>,
        noise: &(dyn Fn(usize, &mut Noise<F>) + Sync),
    ) -> Result<Option<StepMetrics>, DreamerError> {
        batch.check(&self.config, self.action_size)?;
        self.prepare();
        let counts = Counts::new(&self.config, self.action_size);
        let Self {
            config,
            networks,
            parameters,
            optimisers,
            behaviour,
            no_parameters,
            workers,
            shards,
            whole_batch,
            spare,
            ..
        } = self;
        let [model_spare, behaviour_spare] = spare;
        self.model_gradients.clear();
        self.behaviour_gradients.clear();
        let model = AgentView { config, networks, parameters, trainable: optimisers.model.set() };
        let behaviour = AgentView { trainable: behaviour, ..model };
        let constant = AgentView { trainable: no_parameters, ..model };
        let images = |index| Images { all: batch.image, range: SequenceRange::shard(config, index) };

        let sum = OrderedSum::new(&mut self.model_gradients, model_spare);
        for_each_shard(interrupted, workers, shards, |worker, index, shard| {
            let (mut gradients, images) = (sum.buffer(), images(index));
            shard.data.load(&batch, config, images.range);
            if config.frozen_encoder && batch.embedding.is_empty() {
                let Sequences { vector, embedding, .. } = &mut shard.data;
                embedding.resize(images.count() * config.embed(), F::ZERO);
                embed(constant, &mut worker.encoder, images, vector, embedding);
            }
            shard.noise.resize(config, self.action_size, images.count());
            noise(index, &mut shard.noise);
            shard.observe(model, images, worker, &mut gradients);
            sum.add(index, gradients);
        });
        if interrupted.load(Ordering::SeqCst) {
            return Ok(None);
        }
        if let Some(whole_batch) = whole_batch {
            let sum = OrderedSum::new(&mut self.model_gradients, model_spare);
            let mut gradients = sum.buffer();
            whole_batch.learn(model, shards, &mut gradients);
            sum.add(0, gradients);
        }
        let sums_so_far = sums_of(shards);
        // The second half has gradients for other parameters than the first.
        let sum = OrderedSum::new(&mut self.model_gradients, model_spare);
        let behaviour_sum = OrderedSum::new(&mut self.behaviour_gradients, behaviour_spare);
        for_each_shard(interrupted, workers, shards, |worker, index, shard| {
            let mut gradients = behaviour_sum.buffer();
            shard.learn_behaviour(behaviour, worker, &mut gradients);
            behaviour_sum.add(index, gradients);
            let mut gradients = sum.buffer();
            shard.learn_model(model, images(index), &sums_so_far, worker, &mut gradients);
            sum.add(index, gradients);
        });
        if interrupted.load(Ordering::SeqCst) {
            return Ok(None);
        }
        let sums = sums_of(shards);
        self.model_gradients.finish();
        self.behaviour_gradients.finish();
        Ok(Some(StepMetrics::new(&sums, &counts, inner(&mut shards[0]).model_loss.value(&sums, &counts))))
    }

    /// The encoder's embeddings [N, E] of images [N, 64 * 64 * 3], of an agent that observes nothing else. An image's
    /// embedding is bitwise identical whichever other images are embedded with it, and in a gradient step.
    ///
    /// # Panics
    /// If there are not as many embeddings as images, or none, or the agent observes vectors.
    pub fn embed(&mut self, images: &[u8], embeddings: &mut [F]) {
        let size = self.config.embed();
        assert_eq!(images.len() / IMAGE_NUMBERS * size, embeddings.len(), "an embedding for every image");
        assert_eq!(self.config.vector, 0, "an agent that observes images alone");
        self.prepare();
        let Self { config, networks, parameters, no_parameters, workers, .. } = self;
        let model = AgentView { config, networks, parameters, trainable: no_parameters };
        let count = (embeddings.len() / size).div_ceil(workers.len());
        let parts = images.par_chunks(count * IMAGE_NUMBERS).zip(embeddings.par_chunks_mut(count * size));
        workers.par_iter_mut().zip(parts).with_max_len(1).for_each(|(worker, (images, embeddings))| {
            embed(model, &mut worker.encoder, Images::of(images), &[], embeddings);
        });
    }

    /// Makes one worker for each thread, and the buffers of each shard.
    fn prepare(&mut self) {
        let shards = self.config.batch.div_ceil(self.config.shard);
        let Self { config, .. } = self;
        let counts = Counts::new(config, self.action_size);
        if self.networks.projector.is_some() && self.whole_batch.is_none() {
            self.whole_batch = Some(WholeBatch::new(config, counts));
        }
        self.shards.resize_with(shards, || Mutex::new(Shard::new(config, counts)));
        self.workers.resize_with(rayon::current_num_threads().min(shards), || Worker::new(config, counts));
    }
}
