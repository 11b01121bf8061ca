//! The interface between a run and its agent.
//!
//! Here: the traits [`Actor`] and [`Trainable`]; in `dreamer_agent`, that Dreamer's agent has them. A run is written against the
//! traits, so that its tests can bring an agent of their own: one that diverges at a chosen step, for example. In `learned`, finding
//! what a run has learned. Not here: how an agent learns.

mod dreamer_agent;
pub(crate) mod environments;
pub(crate) mod footprint;
pub(crate) mod imagined;
pub(crate) mod learned;
pub(crate) mod play;

use crate::run::broken::Broken;
use dreamer::{ActMode, AgentConfig, DreamerError, Evaluation, Given, SourceAblation, SourceStandard};
use environment::{Observation, ObservationSpace};
use random::Stream;
use replay::{Batch, CompressedEpisode, Episode};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tape::plan::Device;
use transfer::{InputUse, Plan, Report, Sources, TransferError};

/// Losses, norms and averages of a gradient step, by name.
pub type Metrics = Vec<(&'static str, f64)>;

/// An agent that acts on its observations.
pub trait Actor: Send + Sized {
    /// The state of acting within an episode.
    type State;

    /// Numbers in an action, A.
    fn action_size(&self) -> usize;

    /// Its observations; images of the standard shape by default.
    fn observation_space(&self) -> ObservationSpace {
        ObservationSpace::IMAGE
    }

    /// Gradient steps so far.
    fn updates(&self) -> u64;

    /// How the agent acts in evaluations; `None` if it cannot be chosen.
    fn evaluation(&self) -> Option<Evaluation> {
        None
    }

    /// Uses this evaluation from now on; an agent without a choice does not change.
    fn evaluate_by(&mut self, _evaluation: Evaluation) {}

    /// The state at an episode's start.
    fn begin(&self) -> Self::State;

    /// The action, `[A]`, after an observation.
    fn act(
        &self,
        state: &mut Self::State,
        observation: Observation<'_>,
        mode: ActMode,
        random: &mut Stream,
        action: &mut [f32],
    );

    /// Whether its world model predicts images; by default, if it observes any.
    fn predicts_images(&self) -> bool {
        self.observation_space().image.is_some()
    }

    /// The agent's predicted images of an episode, `[T, 64, 64, 3]`, from the first `context` of its T observations and
    /// then from the actions `[T, A]` alone; none if it does not predict images.
    fn open_loop(&self, observations: Observation<'_>, action: &[f32], context: usize, random: &mut Stream) -> Vec<u8>;

    /// The agent that was saved at `path`.
    ///
    /// # Errors
    /// If the file cannot be read or is not a checkpoint.
    fn load(path: &Path) -> Result<Self, DreamerError>;
}

/// An agent that also learns from batches.
pub trait Trainable: Actor {
    /// Whether the agent has this configuration, apart from how it is evaluated; true by default.
    fn is_of(&self, _config: &AgentConfig) -> bool {
        true
    }

    /// One gradient step; its metrics by name. `None` if `interrupted` was set on the way: it is then as it was before.
    ///
    /// # Errors
    /// If the batch does not fit the agent.
    fn learn(&mut self, batch: &Batch, interrupted: &AtomicBool) -> Result<Option<Metrics>, DreamerError>;

    /// Starts a gradient step on a device, which the next call of [`Trainable::learn`] finishes. Returns whether it was
    /// started: by default, and without a device, it is not.
    ///
    /// # Errors
    /// If the batch does not fit the agent.
    fn start(&mut self, _batch: Given<'_>, _interrupted: &AtomicBool) -> Result<bool, DreamerError> {
        Ok(false)
    }

    /// Begins to copy the batch of the next step to the device; nothing by default.
    ///
    /// # Errors
    /// If the batch does not fit the agent.
    fn prepare(&mut self, _batch: &Batch) -> Result<(), DreamerError> {
        Ok(())
    }

    /// Computes gradient steps on `device` from now on.
    ///
    /// # Errors
    /// If the device fails, its memory is too small, or the agent cannot learn there.
    fn move_to(&mut self, device: &dyn Device) -> Result<(), DreamerError>;

    /// Copies the agent back from its device, if it learns on one. Called before acting, saving and reading parameters.
    ///
    /// # Errors
    /// If the device that it learns on fails.
    fn sync_from_device(&mut self) -> Result<(), DreamerError> {
        Ok(())
    }

    /// Its parts and their numbers of parameters; nothing by default.
    fn parameter_counts(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// The first parameter with a number that is not finite.
    fn broken_parameter(&self) -> Option<Broken> {
        None
    }

    /// The first parameter with a number in its gradient, of the last step, that is not finite.
    fn broken_gradient(&self) -> Option<Broken> {
        None
    }

    /// The size E of the embedding of an image by a frozen encoder; `None` if the encoder is trained, or reads more than images.
    fn embedding_size(&self) -> Option<usize> {
        None
    }

    /// The embeddings `[N, E]` of images `[N, 64, 64, 3]`. Called only if there is an embedding size.
    fn embed(&mut self, _images: &[u8], _embeddings: &mut [f32]) {}

    /// Adds the fractions of earlier agents that predict `episodes` best, where `plan` leaves them to these, and writes them into the
    /// report of the transfer; an agent without transfer by default.
    ///
    /// # Errors
    /// If the sources do not match the plan and the agent, or there is no episode.
    fn fit_fractions(
        &mut self,
        _plan: &Plan,
        _sources: &Sources<f32>,
        _episodes: &mut dyn Iterator<Item = Episode>,
        _report: &mut Report,
    ) -> Result<(), TransferError> {
        Ok(())
    }

    /// Standardises the predictions of the reward meta-model's sources from now on, by their mean and deviation in these episodes;
    /// nothing without a meta-model that does so. Called before the first gradient step only.
    ///
    /// # Errors
    /// If the device that it learns on fails.
    fn standardise_sources(&mut self, _episodes: &[&CompressedEpisode]) -> Result<Vec<SourceStandard>, DreamerError> {
        Ok(Vec::new())
    }

    /// How much the reward meta-model uses each of its inputs; `None` without a meta-model.
    fn reward_use(&self) -> Option<InputUse> {
        None
    }

    /// The predictions of each source of the reward meta-model in the states of an episode: T observations and the
    /// actions that led to them `[T, A]`; nothing without a meta-model.
    fn source_predictions(&self, _observations: Observation<'_>, _action: &[f32]) -> Vec<Vec<f64>> {
        Vec::new()
    }

    /// How much the prediction of the reward meta-model depends on each source, in the states of an episode: T
    /// observations and the actions that led to them `[T, A]`; `None` without a meta-model.
    fn ablate_sources(&self, _observations: Observation<'_>, _action: &[f32]) -> Option<SourceAblation> {
        None
    }

    /// Writes everything that is needed to resume to the file at `path`, synced.
    ///
    /// # Errors
    /// If the file cannot be written.
    fn save(&self, path: &Path) -> Result<(), DreamerError>;
}
