//! The agent of a run: single precision, with its own random stream.

use crate::batch::BatchView;
use crate::device::Device;
use crate::learner::Learner;
use crate::metrics::StepMetrics;
use crate::noise::Noise;
use crate::policy::{ActMode, Policy, PolicyState};
use crate::source_ablation::SourceAblation;
use crate::{AgentConfig, DreamerError, Evaluation};
use environment::Observation;
use random::Stream;
use replay::Batch;
use std::sync::atomic::{AtomicBool, Ordering};

/// The batch that a step on a device reads.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a> {
    /// This one, which is copied first.
    Batch(&'a Batch),
    /// The batch of the last call of [`Agent::prepare`].
    Prepared,
}

/// A Dreamer agent.
#[derive(Debug)]
pub struct Agent {
    pub(crate) learner: Learner<f32>,
    pub(crate) noise: Stream,
    pub(crate) updates: u64,
    /// Where it learns, if not here.
    pub(crate) device: Option<Device>,
}

impl Agent {
    /// A new agent, its parameters drawn from the stream `initialisation` of `seed`.
    ///
    /// # Errors
    /// [`DreamerError::Config`] if a value of the configuration is out of range.
    pub fn new(config: &AgentConfig, action_size: usize, seed: u64) -> Result<Self, DreamerError> {
        let mut learner = Learner::new(config, action_size)?;
        learner.initialise(&mut Stream::new(seed, "initialisation"));
        Ok(Self { learner, noise: Stream::new(seed, "model noise"), updates: 0, device: None })
    }

    /// The configuration.
    pub fn config(&self) -> &AgentConfig {
        self.learner.config()
    }

    /// Evaluates this way from now on: the one setting that may change, since training does not depend on it.
    pub fn evaluate_by(&mut self, evaluation: Evaluation) {
        self.learner.evaluate_by(evaluation);
    }

    /// Elements of an action.
    pub fn action_size(&self) -> usize {
        self.learner.action_size()
    }

    /// The number of gradient steps so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Networks, parameters and optimisers.
    pub fn learner(&self) -> &Learner<f32> {
        &self.learner
    }

    /// Networks, parameters and optimisers, to be changed: an agent that begins with parameters of others.
    pub fn learner_mut(&mut self) -> &mut Learner<f32> {
        &mut self.learner
    }

    /// One gradient step, on the threads of the current rayon pool; the result does not depend on how many there are.
    /// If a number of the result is not finite, no parameter was changed.
    ///
    /// # Errors
    /// [`DreamerError::Batch`] if the batch does not fit the agent.
    pub fn learn(&mut self, batch: &Batch) -> Result<StepMetrics, DreamerError> {
        let never = AtomicBool::new(false);
        Ok(self.learn_interruptible(&never, batch)?.expect("nobody interrupted it"))
    }

    /// Like [`Agent::learn`], but returns `None` if `interrupted` was set during the step; the agent is then unchanged.
    ///
    /// # Errors
    /// As [`Agent::learn`].
    pub fn learn_interruptible(
        &mut self,
        interrupted: &AtomicBool,
        batch: &Batch,
    ) -> Result<Option<StepMetrics>, DreamerError> {
        let is_at_work = self.device.as_ref().is_some_and(Device::is_at_work);
        let started = is_at_work || self.start_on_device(interrupted, Given::Batch(batch))?;
        if let Some(device) = &mut self.device {
            if !started {
                return Ok(None);
            }
            let metrics = device.finish_step()?;
            self.updates += 1;
            return Ok(Some(metrics));
        }
        let view = self.view(batch)?;
        // Every shard of every update has its own stream, so the order of drawing does not matter, and one counter is
        // the whole state.
        let (stream, first) = (&self.noise, self.updates << 16);
        let (latent, actions) = (self.learner.config().latent_distribution(), self.learner.config().actor);
        let draw =
            |shard, noise: &mut Noise<f32>| noise.draw_for(latent, actions, &mut stream.part(first + shard as u64));
        let metrics = self.learner.step_interruptible(interrupted, view, &draw)?;
        self.updates += u64::from(metrics.is_some());
        Ok(metrics)
    }

    /// A batch as the learner reads it.
    fn view<'b>(&self, batch: &'b Batch) -> Result<BatchView<'b, f32>, DreamerError> {
        if batch.action_size != self.action_size() {
            let what = format!(
                "its actions have {} elements, but the agent's actions have {}",
                batch.action_size,
                self.action_size()
            );
            return Err(DreamerError::Batch { what });
        }
        let Batch { image, vector, action, reward, discount, first, embedding, .. } = batch;
        Ok(BatchView { image, vector, action, reward, discount, first, start: &[], embedding })
    }

    /// Starts a gradient step on the agent's device, without waiting for it; the next call of
    /// [`Agent::learn_interruptible`] finishes this step. Returns whether a step was started: without a device, or if
    /// `interrupted` is set, none is.
    ///
    /// # Errors
    /// As [`Agent::learn`].
    ///
    /// # Panics
    /// If no batch was prepared, and the step is to read that one.
    pub fn start_on_device(&mut self, interrupted: &AtomicBool, batch: Given<'_>) -> Result<bool, DreamerError> {
        if self.device.is_none() || interrupted.load(Ordering::SeqCst) {
            return Ok(false);
        }
        if let Given::Batch(batch) = batch {
            self.prepare(batch)?;
        }
        self.device.as_mut().map_or(Ok(()), Device::start_step)?;
        Ok(true)
    }

    /// Begins to copy a batch to the agent's device, for the step after the one that is under way. Without a device,
    /// nothing is done.
    ///
    /// # Errors
    /// As [`Agent::learn`].
    pub fn prepare(&mut self, batch: &Batch) -> Result<(), DreamerError> {
        if self.device.is_none() {
            return Ok(());
        }
        let view = self.view(batch)?;
        self.device.as_mut().map_or(Ok(()), |device| device.prepare(&self.learner, view))
    }

    /// The agent without its optimisers and its other parts that only learning needs.
    pub fn into_policy(self) -> Policy {
        let Self { learner, noise, updates, .. } = self;
        Policy::of(learner, updates, noise.state())
    }

    /// Learns on a device from now on. Call [`Agent::sync_from_device`] to copy the trained parameters back; parameters
    /// that are changed here afterwards are not copied to the device.
    ///
    /// # Errors
    /// [`DreamerError::Machine`] if the device fails, or its memory is too small.
    pub fn move_to(&mut self, device: &dyn tape::plan::Device) -> Result<(), DreamerError> {
        self.sync_from_device()?;
        self.device = None;
        self.learner.begin_slow_value();
        self.device = Some(Device::start(&self.learner, &self.noise, self.updates, device)?);
        Ok(())
    }

    /// Whether the results of gradient steps on the device were not copied back yet.
    pub(crate) fn has_unsynced_steps(&self) -> bool {
        self.device.as_ref().is_some_and(Device::has_unsynced_steps)
    }

    /// Copies parameters, moments and gradients back from the device: call it before acting, saving, or reading
    /// parameters and gradients. Without a device it does nothing.
    ///
    /// # Errors
    /// [`DreamerError::Machine`] if the device fails.
    pub fn sync_from_device(&mut self) -> Result<(), DreamerError> {
        match &mut self.device {
            Some(device) => device.sync_to(&mut self.learner),
            None => Ok(()),
        }
    }

    /// The size E of the embedding of an image if the encoder is frozen and reads nothing else: the embeddings of
    /// images are then constant, and worth keeping.
    pub fn embedding_size(&self) -> Option<usize> {
        (self.config().frozen_encoder && self.config().vector == 0).then(|| self.config().embed())
    }

    /// The embeddings [N, E] of images [N, 64 * 64 * 3], computed on the threads of the current rayon pool.
    pub fn embed(&mut self, images: &[u8], embeddings: &mut [f32]) {
        self.learner.embed(images, embeddings);
    }

    /// The policy's state at an episode's start.
    pub fn begin(&self) -> PolicyState {
        self.learner.begin()
    }

    /// Takes in an observation and writes the next action.
    ///
    /// # Panics
    /// In debug builds, if the device has unsynced steps: see [`Agent::sync_from_device`].
    pub fn act(
        &self,
        state: &mut PolicyState,
        observation: Observation<'_>,
        mode: ActMode,
        random: &mut Stream,
        action: &mut [f32],
    ) {
        debug_assert!(!self.has_unsynced_steps(), "an agent is synced from its device before it acts");
        self.learner.act(state, observation, mode, random);
        action.copy_from_slice(&state.action);
    }

    /// The model's images of a sequence: see [`Learner::open_loop`].
    pub fn open_loop(
        &self,
        observations: Observation<'_>,
        action: &[f32],
        context: usize,
        random: &mut Stream,
    ) -> Vec<u8> {
        debug_assert!(!self.has_unsynced_steps(), "an agent is synced from its device before it predicts");
        self.learner.open_loop(observations, action, context, random)
    }

    /// How much the reward meta-model's prediction depends on each source: see [`Learner::ablate_sources`].
    pub fn ablate_sources(&self, observations: Observation<'_>, action: &[f32]) -> Option<SourceAblation> {
        debug_assert!(!self.has_unsynced_steps(), "an agent is synced from its device before its sources are ablated");
        self.learner.ablate_sources(observations, action)
    }
}
