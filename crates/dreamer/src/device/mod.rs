//! Learning on a device: the parameters, moments and noise live there, and whole gradient steps are run there.
//!
//! Here: what goes to the device and what comes back. Not here: the step itself (`step`), the device (a [`Machine`]).

mod step;

use crate::batch::BatchView;
use crate::learner::Learner;
use crate::metrics::StepMetrics;
use crate::shard::{Sums, by_step};
use crate::{AgentConfig, DreamerError};
use random::Stream;
use step::{ENCODE, FIGURES, Figure, Places, STEP};
use tape::plan::{Machine, Place};

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
    step::check(&learner)?;
    let (plan, _) = step::plan(&learner);
    Ok(device.check(&plan)?)
}

/// A device with a learner's gradient step on it.
#[derive(Debug)]
pub(crate) struct Device {
    machine: Box<dyn Machine>,
    places: Places,
    /// Whether the device has taken steps that were not copied back to the learner.
    unsynced: bool,
    /// A batch's numbers, step by step.
    sorted: Vec<f32>,
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
        step::check(learner)?;
        let (plan, places) = step::plan(learner);
        let mut device = Self { machine: device.start(plan)?, places, unsynced: false, sorted: Vec::new() };
        let mut words = noise.key().to_vec();
        words.extend([updates as u32, (updates >> 32) as u32]);
        device.write_words(device.places.random, &words)?;
        device.machine.write(device.places.weights, learner.parameters().data())?;
        let optimisers = learner.optimisers();
        for (index, optimiser) in [&optimisers.model, &optimisers.actor, &optimisers.value].into_iter().enumerate() {
            let places = device.places.optimisers[index];
            let (first, second) = optimiser.moments();
            device.machine.write(places.first, first)?;
            device.machine.write(places.second, second)?;
            device.write_words(places.state, &[optimiser.steps() as u32])?;
        }
        Ok(device)
    }

    /// One gradient step on a batch that fits the learner.
    pub fn step(&mut self, learner: &Learner<f32>, batch: BatchView<f32>) -> Result<StepMetrics, DreamerError> {
        let config = learner.config();
        batch.check(config, learner.action_size())?;
        self.machine.write_bytes(self.places.bytes, batch.image)?;
        self.write_sorted(self.places.action, batch.action, learner, learner.action_size(), 1.0)?;
        self.write_sorted(self.places.reward, batch.reward, learner, 1, 1.0)?;
        self.write_sorted(self.places.discount, batch.discount, learner, 1, config.discount as f32)?;
        if config.frozen_encoder && batch.embedding.is_empty() {
            self.machine.run(ENCODE)?;
        } else if config.frozen_encoder {
            self.write_sorted(self.places.embedding, batch.embedding, learner, config.embed(), 1.0)?;
        }
        self.machine.run(STEP)?;
        self.unsynced = true;
        let mut figures = [0.0; FIGURES];
        self.machine.read(self.places.figures, &mut figures)?;
        Ok(metrics(learner, &figures))
    }

    /// Copies parameters, moments and gradients back to the learner, if the device has taken steps.
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
            optimiser.set_steps(u64::from(steps[0].to_bits()));
        }
        let (model, behaviour) = learner.gradients_mut();
        self.machine.read(self.places.optimisers[0].gradient, model.finish())?;
        self.machine.read(self.places.optimisers[1].gradient, behaviour.finish())?;
        self.unsynced = false;
        Ok(())
    }

    /// Whether the device has taken steps that were not copied back to the learner.
    pub fn has_unsynced_steps(&self) -> bool {
        self.unsynced
    }

    /// Writes numbers of a batch [B, L, size], times `scale`, step by step.
    fn write_sorted(
        &mut self,
        place: Place,
        numbers: &[f32],
        learner: &Learner<f32>,
        size: usize,
        scale: f32,
    ) -> Result<(), DreamerError> {
        let config = learner.config();
        by_step(&mut self.sorted, numbers, size, config.length, 0, config.batch);
        self.sorted.iter_mut().for_each(|number| *number *= scale);
        Ok(self.machine.write(place, &self.sorted)?)
    }

    fn write_words(&mut self, place: Place, words: &[u32]) -> Result<(), DreamerError> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        Ok(self.machine.write_bytes(place, &bytes)?)
    }
}

/// A step's metrics from the sums that it left.
fn metrics(learner: &Learner<f32>, figures: &[f32; FIGURES]) -> StepMetrics {
    let of = |figure: Figure| f64::from(figures[figure as usize]);
    let config = learner.config();
    // A normal's entropy is its standard deviation's logarithm and this.
    let constant = 0.5 * (std::f64::consts::TAU.ln() + 1.0) * (config.batch * config.length * config.stoch) as f64;
    let sums = Sums {
        divergence: of(Figure::Divergence),
        prior_entropy: of(Figure::PriorLogStd) + constant,
        posterior_entropy: of(Figure::PosteriorLogStd) + constant,
        image: of(Figure::Image),
        reward: of(Figure::Reward),
        discount: of(Figure::Discount),
        actor: of(Figure::Actor),
        value: of(Figure::Value),
        imagined_reward: of(Figure::ImaginedReward),
        imagined_value: of(Figure::ImaginedValue),
        imagined_return: of(Figure::ImaginedReturn),
        action_square: of(Figure::ActionSquare),
        policy_entropy: of(Figure::PolicyEntropy),
    };
    StepMetrics {
        model_gradient_norm: of(Figure::ModelNorm),
        actor_gradient_norm: of(Figure::ActorNorm),
        value_gradient_norm: of(Figure::ValueNorm),
        ..learner.metrics(&sums)
    }
}
