//! One training step: shards of the batch on the workers, their gradients summed in a fixed order, three optimisers.
//!
//! A worker takes a shard through both halves of the world model's loss and through imagination with single-threaded
//! kernels. Shards have a fixed number of sequences and are summed in their order, so that a step gives the same bits on
//! any number of threads. After the first step a step allocates nothing.

use crate::batch::BatchView;
use crate::images::Images;
use crate::metrics::StepMetrics;
use crate::networks::{self, Networks, PIXELS};
use crate::noise::Noise;
use crate::ordered_sum::{OrderedSum, SpareGradients};
use crate::shard::{Shard, Sums, Worker, for_each_shard, inner};
use crate::world_model::{self, Model, Sequences};
use crate::{AgentConfig, DreamerError, Evaluation, behaviour};
use random::Stream;
use rayon::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tape::{Adam, Gradients, ParameterSet, Parameters, Real, Tape, Workspace};

/// Images that a worker takes through the encoder at a time.
const ENCODED_AT_ONCE: usize = 32;

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
    model_gradients: Gradients<F>,
    behaviour_gradients: Gradients<F>,
    /// Buffers for shards' gradients of both kinds.
    spare: [SpareGradients<F>; 2],
}

/// The three optimisers, each with its set of parameters.
#[derive(Clone, Debug)]
pub struct Optimisers<F> {
    /// Of encoder, dynamics, decoder, reward and discount.
    pub model: Adam<F>,
    /// Of the actor.
    pub actor: Adam<F>,
    /// Of the value head.
    pub value: Adam<F>,
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
        let optimiser = |rate| Adam::new(&none, rate, config.gradient_clip);
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
            model_gradients: Gradients::new(&none),
            behaviour_gradients: Gradients::new(&none),
            spare: Default::default(),
            parameters,
        })
    }

    /// Allocates memory for parameters, moments and gradients.
    pub(crate) fn allocate(&mut self) {
        self.parameters.allocate();
        let config = &self.config;
        let of =
            |prefix: &str| self.parameters.set(|path| path.starts_with(prefix) && !networks::is_frozen(config, path));
        let (model, actor, value) = (of("world_model."), of("actor."), of("value."));
        self.optimisers = Optimisers {
            model: Adam::new(&model, config.model_learning_rate, config.gradient_clip),
            actor: Adam::new(&actor, config.actor_learning_rate, config.gradient_clip),
            value: Adam::new(&value, config.value_learning_rate, config.gradient_clip),
        };
        self.behaviour = self.parameters.set(|path| path.starts_with("actor.") || path.starts_with("value."));
        self.model_gradients = Gradients::new(&model);
        self.behaviour_gradients = Gradients::new(&self.behaviour);
        self.spare = Default::default();
    }

    /// Draws every parameter's initial value.
    pub fn initialise(&mut self, random: &mut Stream) {
        networks::initialise(&mut self.parameters, random);
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

    /// The gradients of the last call of [`Learner::gradients`]: of the world model's loss, and of the actor's and value
    /// head's losses.
    pub fn last_gradients(&self) -> (&Gradients<F>, &Gradients<F>) {
        (&self.model_gradients, &self.behaviour_gradients)
    }

    /// As [`Learner::last_gradients`], to be overwritten.
    pub(crate) fn gradients_mut(&mut self) -> (&mut Gradients<F>, &mut Gradients<F>) {
        (&mut self.model_gradients, &mut self.behaviour_gradients)
    }

    /// The model for [`behaviour::evaluate`] and its like, with gradients asked for actor and value.
    pub fn behaviour_model(&self) -> Model<'_, F> {
        Model {
            config: &self.config,
            networks: &self.networks,
            parameters: &self.parameters,
            trainable: &self.behaviour,
        }
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
        let Some(mut metrics) = self.gradients_interruptible(interrupted, batch, noise)? else { return Ok(None) };
        let Self { optimisers: Optimisers { model, actor, value }, parameters, .. } = self;
        let gradient = self.model_gradients.data();
        metrics.model_gradient_norm = model.norm(gradient);
        // The set of actor and value holds the actor's gradients first, as they are declared.
        let (actor_gradient, value_gradient) = self.behaviour_gradients.data().split_at(actor.set().numbers());
        metrics.actor_gradient_norm = actor.norm(actor_gradient);
        metrics.value_gradient_norm = value.norm(value_gradient);
        if metrics.not_finite().is_some() {
            return Ok(Some(metrics));
        }
        let warm = model.steps() >= self.config.actor_warmup;
        model.step(parameters, gradient, metrics.model_gradient_norm);
        if warm {
            actor.step(parameters, actor_gradient, metrics.actor_gradient_norm);
        }
        value.step(parameters, value_gradient, metrics.value_gradient_norm);
        Ok(Some(metrics))
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

    /// Like [`Learner::gradients`], but returns `None` if `interrupted` was set on the way. It is read before each shard.
    fn gradients_interruptible(
        &mut self,
        interrupted: &AtomicBool,
        batch: BatchView<F>,
        noise: &(dyn Fn(usize, &mut Noise<F>) + Sync),
    ) -> Result<Option<StepMetrics>, DreamerError> {
        batch.check(&self.config, self.action_size)?;
        self.prepare();
        let Self { config, networks, parameters, optimisers, behaviour, no_parameters, workers, shards, spare, .. } =
            self;
        let [model_spare, behaviour_spare] = spare;
        self.model_gradients.clear();
        self.behaviour_gradients.clear();
        let world_model = Model { config, networks, parameters, trainable: optimisers.model.set() };
        let behaviour = Model { trainable: behaviour, ..world_model };
        let action_size = self.action_size;

        let sum = OrderedSum::new(&mut self.model_gradients, model_spare);
        for_each_shard(interrupted, workers, shards, |worker, index, shard| {
            let mut gradients = sum.buffer();
            let first = index * config.shard;
            let sequences = config.shard.min(config.batch - first);
            let images = Images { all: batch.image, length: config.length, first, sequences };
            shard.load(&batch, config, action_size, first, sequences);
            if config.frozen_encoder && batch.embedding.is_empty() {
                let embedding = &mut shard.data.embedding;
                embedding.resize(sequences * config.length * config.embed(), F::ZERO);
                embed(networks, parameters, no_parameters, &mut worker.encoder, images, embedding);
            }
            noise(index, &mut shard.noise);
            shard.sums = Sums::default();
            shard.workspace.exchange_scratch(&mut worker.scratch);
            shard.filtered = Some(world_model::observe(
                world_model,
                images,
                &shard.data,
                &shard.noise.posterior,
                sequences,
                &mut shard.workspace,
                &mut worker.pieces,
                &mut gradients,
                &mut shard.feature_gradient,
                &mut shard.sums,
            ));
            shard.workspace.exchange_scratch(&mut worker.scratch);
            sum.add(index, gradients);
        });
        if interrupted.load(Ordering::SeqCst) {
            return Ok(None);
        }
        let transitions = (config.batch * config.length) as f64;
        let divergence: f64 = shards.iter_mut().map(|shard| inner(shard).sums.divergence).sum();
        let penalised = divergence / transitions > config.free_nats;
        // The second half has gradients for other parameters than the first.
        let sum = OrderedSum::new(&mut self.model_gradients, model_spare);
        let behaviour_sum = OrderedSum::new(&mut self.behaviour_gradients, behaviour_spare);
        for_each_shard(interrupted, workers, shards, |worker, index, shard| {
            let mut gradients = sum.buffer();
            let filtered = shard.filtered.take().expect("the first half ran");
            let workspace = &mut shard.workspace;
            workspace.exchange_scratch(&mut worker.scratch);
            let first = index * config.shard;
            let sequences = config.shard.min(config.batch - first);
            let images = Images { all: batch.image, length: config.length, first, sequences };
            world_model::learn(
                world_model,
                &filtered,
                images,
                penalised,
                workspace,
                &mut worker.pieces,
                &mut gradients,
                &shard.feature_gradient,
            );
            sum.add(index, gradients);
            workspace.exchange_scratch(&mut worker.scratch);
            let observed = Tape::resume(parameters, world_model.trainable, workspace);
            let start = (observed.value(filtered.observed.stoch), observed.value(filtered.observed.deter));
            let mut gradients = behaviour_sum.buffer();
            let sums = &mut shard.sums;
            behaviour::learn(behaviour, start, &shard.noise, &mut worker.behaviour, &mut gradients, sums);
            behaviour_sum.add(index, gradients);
        });

        if interrupted.load(Ordering::SeqCst) {
            return Ok(None);
        }
        let mut sums = Sums::default();
        shards.iter_mut().for_each(|shard| sums.add(&inner(shard).sums));
        self.model_gradients.finish();
        self.behaviour_gradients.finish();
        Ok(Some(self.metrics(&sums)))
    }

    /// What the encoder makes of images [N, 64 * 64 * 3]: embeddings [N, E]. An image's embedding is the same bits beside
    /// whichever others, and in a gradient step.
    ///
    /// # Panics
    /// If there are not as many embeddings as images, or none.
    pub fn embed(&mut self, images: &[u8], embeddings: &mut [F]) {
        let size = self.config.embed();
        assert_eq!(images.len() / PIXELS * size, embeddings.len(), "an embedding for every image");
        self.prepare();
        let Self { networks, parameters, no_parameters, workers, .. } = self;
        let count = (embeddings.len() / size).div_ceil(workers.len());
        let parts = images.par_chunks(count * PIXELS).zip(embeddings.par_chunks_mut(count * size));
        workers.par_iter_mut().zip(parts).with_max_len(1).for_each(|(worker, (images, embeddings))| {
            embed(networks, parameters, no_parameters, &mut worker.encoder, Images::of(images), embeddings);
        });
    }

    pub(crate) fn metrics(&self, sums: &Sums) -> StepMetrics {
        let config = &self.config;
        let transitions = (config.batch * config.length) as f64;
        let imagined = transitions * config.horizon as f64;
        let returns = transitions * (config.horizon - 1) as f64;
        let (kl, image_loss) = (sums.divergence / transitions, -sums.image / transitions);
        let (reward_loss, discount_loss) = (-sums.reward / transitions, -sums.discount / transitions);
        StepMetrics {
            model_loss: config.kl_scale * kl.max(config.free_nats)
                + image_loss
                + reward_loss
                + config.discount_scale * discount_loss,
            image_loss,
            reward_loss,
            discount_loss,
            kl,
            prior_entropy: sums.prior_entropy / transitions,
            posterior_entropy: sums.posterior_entropy / transitions,
            actor_loss: -sums.actor / returns,
            value_loss: -sums.value / returns,
            imagined_reward: sums.imagined_reward / imagined,
            imagined_value: sums.imagined_value / imagined,
            imagined_return: sums.imagined_return / returns,
            policy_entropy: sums.policy_entropy / imagined,
            action_rms: (sums.action_square / (imagined * self.action_size as f64)).sqrt(),
            ..StepMetrics::default()
        }
    }

    /// Makes one worker for each thread, and the buffers of each shard.
    fn prepare(&mut self) {
        let shards = self.config.batch.div_ceil(self.config.shard);
        let precision = self.config.precision;
        while self.shards.len() < shards {
            self.shards.push(Mutex::new(Shard {
                data: Sequences::default(),
                noise: Noise::default(),
                workspace: Workspace::new(precision.of_products()),
                feature_gradient: Vec::new(),
                filtered: None,
                sums: Sums::default(),
            }));
        }
        self.workers.resize_with(rayon::current_num_threads().min(shards), || Worker::new(precision));
    }
}

/// The embeddings [N, E] of N images, some at a time.
pub(crate) fn embed<F: Real>(
    networks: &Networks,
    parameters: &Parameters<F>,
    no_parameters: &ParameterSet,
    workspace: &mut Workspace<F>,
    images: Images,
    embeddings: &mut [F],
) {
    let size = embeddings.len() / images.count();
    for (piece, embeddings) in embeddings.chunks_mut(ENCODED_AT_ONCE * size).enumerate() {
        let (first, count) = (piece * ENCODED_AT_ONCE, embeddings.len() / size);
        let mut tape = Tape::new(parameters, no_parameters, workspace);
        let images = tape.constant(count, PIXELS, |y| images.normalise(first, y));
        let embed = networks.encoder.forward(&mut tape, images);
        embeddings.copy_from_slice(tape.value(embed));
    }
}
