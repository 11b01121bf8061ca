//! Learning on a device: the parameters, moments and noise live there, and whole gradient steps are run there.
//!
//! Here: copying data to the device and back. Not here: the gradient step itself (`step`), and the device (a
//! [`Machine`]).

mod limits;
mod places;
mod step;

use crate::batch::BatchView;
use crate::learner::Learner;
use crate::metrics::{Metric, StepMetrics};
use crate::sequence_range::SequenceRange;
use crate::shard::Sequences;
use crate::{AgentConfig, DreamerError};
use places::Places;
use random::Stream;
use step::{ENCODE, Report, STEP};
use tape::plan::{Data, Machine, Piece, Place};

/// Checks that agents of a configuration can learn on a device, before one is made.
///
/// # Errors
/// [`DreamerError::Machine`] if the device's memory is too small or it fails, [`DreamerError::Config`] if a value of the configuration is
/// out of range.
pub fn check_device(
    config: &AgentConfig,
    action_size: usize,
    device: &dyn tape::plan::Device,
) -> Result<(), DreamerError> {
    let learner = Learner::new(config, action_size)?;
    limits::check(&learner)?;
    let (plan, ..) = step::plan(&learner);
    Ok(device.check(&plan)?)
}

/// A device with a learner's gradient step on it.
#[derive(Debug)]
pub(crate) struct Device {
    machine: Box<dyn Machine>,
    places: Places,
    report: Report,
    /// Whether the results of steps on the device were not copied back to the learner yet.
    unsynced: bool,
    /// Whether a step was started whose metrics were not read yet.
    started: bool,
    /// The batch of the next step, if it is on its way.
    prepared: Option<Prepared>,
    /// A batch without its images, step by step.
    data: Sequences<f32>,
}

/// A batch on its way to the device.
#[derive(Clone, Copy, Debug)]
struct Prepared {
    /// Whether a frozen encoder's embeddings of its images are still to be computed.
    encodes: bool,
}

impl Device {
    /// Plans the learner's step, loads it on a device and brings the learner there; its noise comes from `noise`, of which
    /// `updates` updates have been drawn.
    pub fn start(
        learner: &Learner<f32>,
        noise: &Stream,
        updates: u64,
        device: &dyn tape::plan::Device,
    ) -> Result<Self, DreamerError> {
        limits::check(learner)?;
        let (plan, places, report) = step::plan(learner);
        let data = Sequences::default();
        let mut device = Self {
            machine: device.start(plan)?,
            places,
            report,
            unsynced: false,
            started: false,
            prepared: None,
            data,
        };
        let mut words = noise.key().to_vec();
        words.extend([updates as u32, (updates >> 32) as u32]);
        device.write_words(device.places.random, &words)?;
        device.write_parameters(learner)?;
        let optimisers = learner.optimisers();
        for (index, optimiser) in [&optimisers.model, &optimisers.actor, &optimisers.value].into_iter().enumerate() {
            let places = device.places.optimisers[index];
            let (first, second) = optimiser.moments();
            device.machine.write(places.first, first)?;
            device.machine.write(places.second, second)?;
            device.write_words(places.state, &[optimiser.updates() as u32])?;
        }
        Ok(device)
    }

    /// Begins to copy a batch that fits the learner, for the next step. A step that was started is not disturbed.
    pub fn prepare(&mut self, learner: &Learner<f32>, batch: BatchView<f32>) -> Result<(), DreamerError> {
        let config = learner.config();
        batch.check(config, learner.action_size())?;
        if !batch.start.is_empty() {
            let what = "it contains the latent states that sequences begin from, which devices do not read".to_owned();
            return Err(DreamerError::Batch { what });
        }
        let Self { data, machine, places, .. } = self;
        data.load(&batch, config, SequenceRange::whole(config));
        let numbers = [
            (places.vector, &data.vector),
            (places.action, &data.action),
            (places.reward, &data.reward),
            (places.discount, &data.discount),
            (places.kept, &data.kept),
            (places.embedding, &data.embedding),
        ];
        let used = numbers.into_iter().filter(|(_, numbers)| !numbers.is_empty());
        let mut pieces: Vec<Piece<'_>> =
            used.map(|(place, numbers)| Piece { place, data: Data::Numbers(numbers) }).collect();
        if config.images {
            pieces.push(Piece { place: places.bytes, data: Data::Bytes(batch.image) });
        }
        machine.prepare(&pieces)?;
        self.prepared = Some(Prepared { encodes: config.frozen_encoder && batch.embedding.is_empty() });
        Ok(())
    }

    /// Whether a step was started and not finished.
    pub fn is_at_work(&self) -> bool {
        self.started
    }

    /// Starts a gradient step on the batch that was prepared last, without waiting for it.
    ///
    /// # Panics
    /// If no batch was prepared since the last start.
    pub fn start_step(&mut self) -> Result<(), DreamerError> {
        let Prepared { encodes } = self.prepared.take().expect("a batch was prepared");
        self.machine.receive()?;
        if encodes {
            self.machine.run(ENCODE)?;
        }
        self.machine.run(STEP)?;
        (self.unsynced, self.started) = (true, true);
        Ok(())
    }

    /// Waits for the step that was started, and returns its metrics.
    pub fn finish_step(&mut self) -> Result<StepMetrics, DreamerError> {
        self.started = false;
        let mut metrics = [0.0; Metric::COUNT];
        self.machine.read(self.places.metrics, &mut metrics)?;
        Ok(self.report.metrics(&metrics))
    }

    /// Copies parameters, moments and gradients back to the learner, if there were steps on the device.
    pub fn sync_to(&mut self, learner: &mut Learner<f32>) -> Result<(), DreamerError> {
        if !self.unsynced {
            return Ok(());
        }
        self.machine.read(self.places.weights, learner.parameters_mut().data_mut())?;
        let optimisers = learner.optimisers_mut();
        for (index, optimiser) in
            [&mut optimisers.model, &mut optimisers.actor, &mut optimisers.value].into_iter().enumerate()
        {
            let places = self.places.optimisers[index];
            let (first, second) = optimiser.moments_mut();
            self.machine.read(places.first, first)?;
            self.machine.read(places.second, second)?;
            let mut steps = [0.0];
            self.machine.read(places.state, &mut steps)?;
            optimiser.set_updates(u64::from(steps[0].to_bits()));
        }
        let (model, behaviour) = learner.gradients_mut();
        self.machine.read(self.places.optimisers[0].gradient, model.finish())?;
        self.machine.read(self.places.optimisers[1].gradient, behaviour.finish())?;
        self.unsynced = false;
        Ok(())
    }

    /// Copies the learner's parameters to the device.
    pub fn write_parameters(&mut self, learner: &Learner<f32>) -> Result<(), DreamerError> {
        Ok(self.machine.write(self.places.weights, learner.parameters().data())?)
    }

    /// Whether the results of steps on the device were not copied back to the learner yet.
    pub fn has_unsynced_steps(&self) -> bool {
        self.unsynced
    }

    fn write_words(&mut self, place: Place, words: &[u32]) -> Result<(), DreamerError> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        Ok(self.machine.write_bytes(place, &bytes)?)
    }
}
