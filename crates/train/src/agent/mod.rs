//! What a run needs of an agent.
//!
//! Here: the traits [`Actor`] and [`Trainable`]; in `dreamer_agent`, that Dreamer's agent has them. A run is written against the
//! traits, so that its tests can bring an agent of their own: one that diverges at a chosen step, for example. In `learned`, finding
//! what a run has learned. Not here: how an agent learns.

mod dreamer_agent;
pub(crate) mod environments;
pub(crate) mod footprint;
pub(crate) mod learned;
pub(crate) mod play;

use crate::run::diagnosis::Broken;
use dreamer::{ActMode, AgentConfig, DreamerError, Evaluation, SourceAblation};
use random::Stream;
use replay::Batch;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tape::plan::Device;
use transfer::InputUse;

/// Losses, norms and averages of a gradient step, by name.
pub type Metrics = Vec<(&'static str, f64)>;

/// Something that acts from images.
pub trait Actor: Send + Sized {
    /// What acting remembers within an episode.
    type State;

    /// Numbers in an action, A.
    fn action_size(&self) -> usize;

    /// Gradient steps so far.
    fn updates(&self) -> u64;

    /// Which action it takes in evaluations; none if it has no choice.
    fn evaluation(&self) -> Option<Evaluation> {
        None
    }

    /// Takes this action in evaluations from now on; one without a choice stays as it is.
    fn evaluate_by(&mut self, _evaluation: Evaluation) {}

    /// The state at an episode's start.
    fn begin(&self) -> Self::State;

    /// The action, `[A]`, after seeing `image`, `[64, 64, 3]`.
    fn act(&self, state: &mut Self::State, image: &[u8], mode: ActMode, random: &mut Stream, action: &mut [f32]);

    /// The agent that was saved at `path`.
    ///
    /// # Errors
    /// If the file cannot be read or is no checkpoint.
    fn load(path: &Path) -> Result<Self, DreamerError>;
}

/// Something that learns from batches, too.
pub trait Trainable: Actor {
    /// Whether it is an agent of this configuration, but for how it is evaluated; one that cannot tell says yes.
    fn is_of(&self, _config: &AgentConfig) -> bool {
        true
    }

    /// One gradient step; its metrics by name. `None` if `interrupted` was set on the way: it is then as it was before.
    ///
    /// # Errors
    /// If the batch does not fit the agent.
    fn learn(&mut self, batch: &Batch, interrupted: &AtomicBool) -> Result<Option<Metrics>, DreamerError>;

    /// Takes gradient steps on `device` from now on.
    ///
    /// # Errors
    /// If the device fails, its memory is too small, or the agent cannot learn there.
    fn move_to(&mut self, device: &dyn Device) -> Result<(), DreamerError>;

    /// Brings here what was learned elsewhere, if it learns elsewhere: comes before acting, saving and looking at parameters.
    ///
    /// # Errors
    /// If the device that it learns on fails.
    fn sync_from_device(&mut self) -> Result<(), DreamerError> {
        Ok(())
    }

    /// The first parameter with a number that is not finite.
    fn broken_parameter(&self) -> Option<Broken> {
        None
    }

    /// The first parameter with a number in its gradient, of the last step, that is not finite.
    fn broken_gradient(&self) -> Option<Broken> {
        None
    }

    /// Numbers in what a frozen encoder makes of an image, E; none if the encoder is learned.
    fn embedding_size(&self) -> Option<usize> {
        None
    }

    /// What the encoder makes of images `[N, 64, 64, 3]`: embeddings `[N, E]`. Asked for if there is an embedding size.
    fn embed(&mut self, _images: &[u8], _embeddings: &mut [f32]) {}

    /// The agent's own pictures of an episode, `[T, 64, 64, 3]`: told the first `context` of the images
    /// `[T, 64, 64, 3]`, then only the actions `[T, A]`.
    fn open_loop(&self, image: &[u8], action: &[f32], context: usize, random: &mut Stream) -> Vec<u8>;

    /// How much its reward meta-model uses each of its inputs; none if it has no such model.
    fn reward_use(&self) -> Option<InputUse> {
        None
    }

    /// How much its reward meta-model's prediction depends on each source, in the states of an episode: images
    /// `[T, 64, 64, 3]` and the actions that led to them `[T, A]`; none if it has no such model.
    fn ablate_sources(&self, _image: &[u8], _action: &[f32]) -> Option<SourceAblation> {
        None
    }

    /// Writes everything that going on needs into the file at `path`, synced.
    ///
    /// # Errors
    /// If the file cannot be written.
    fn save(&self, path: &Path) -> Result<(), DreamerError>;
}
