//! That Dreamer's agent is [`Trainable`], and its policy alone an [`Actor`].

use crate::Broken;
use crate::agent::{Actor, Metrics, Trainable};
use dreamer::{
    ActMode, ActionDistribution, Agent, AgentConfig, DreamerError, Evaluation, Given, Policy, PolicyState,
    SourceAblation, SourceStandard,
};
use environment::{Observation, ObservationSpace};
use random::Stream;
use replay::{Batch, CompressedEpisode, Episode};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tape::plan::Device;
use transfer::{InputUse, Plan, Report, Sources, TransferError};

impl Actor for Agent {
    type State = PolicyState;

    fn action_size(&self) -> usize {
        self.action_size()
    }

    fn observation_space(&self) -> ObservationSpace {
        self.config().observation_space()
    }

    fn updates(&self) -> u64 {
        self.updates()
    }

    fn evaluation(&self) -> Option<Evaluation> {
        evaluation_of(self.config())
    }

    fn evaluate_by(&mut self, evaluation: Evaluation) {
        self.evaluate_by(evaluation);
    }

    fn begin(&self) -> PolicyState {
        self.begin()
    }

    fn act(
        &self,
        state: &mut PolicyState,
        observation: Observation<'_>,
        mode: ActMode,
        random: &mut Stream,
        action: &mut [f32],
    ) {
        self.act(state, observation, mode, random, action);
    }

    fn predicts_images(&self) -> bool {
        self.config().predicts_images()
    }

    fn open_loop(&self, observations: Observation<'_>, action: &[f32], context: usize, random: &mut Stream) -> Vec<u8> {
        self.open_loop(observations, action, context, random)
    }

    fn load(path: &Path) -> Result<Self, DreamerError> {
        Self::load(path)
    }
}

impl Actor for Policy {
    type State = PolicyState;

    fn action_size(&self) -> usize {
        self.action_size()
    }

    fn observation_space(&self) -> ObservationSpace {
        self.config().observation_space()
    }

    fn updates(&self) -> u64 {
        self.updates()
    }

    fn evaluation(&self) -> Option<Evaluation> {
        evaluation_of(self.config())
    }

    fn evaluate_by(&mut self, evaluation: Evaluation) {
        self.evaluate_by(evaluation);
    }

    fn begin(&self) -> PolicyState {
        self.begin()
    }

    fn act(
        &self,
        state: &mut PolicyState,
        observation: Observation<'_>,
        mode: ActMode,
        random: &mut Stream,
        action: &mut [f32],
    ) {
        self.act(state, observation, mode, random);
        action.copy_from_slice(&state.action);
    }

    fn predicts_images(&self) -> bool {
        self.config().predicts_images()
    }

    fn open_loop(&self, observations: Observation<'_>, action: &[f32], context: usize, random: &mut Stream) -> Vec<u8> {
        self.open_loop(observations, action, context, random)
    }

    fn load(path: &Path) -> Result<Self, DreamerError> {
        Self::load(path)
    }
}

impl Trainable for Agent {
    fn is_of(&self, config: &AgentConfig) -> bool {
        *self.config() == AgentConfig { evaluation: self.config().evaluation, ..config.clone() }
    }

    fn learn(&mut self, batch: &Batch, interrupted: &AtomicBool) -> Result<Option<Metrics>, DreamerError> {
        Ok(self.learn_interruptible(interrupted, batch)?.map(|metrics| metrics.named().into_iter().collect()))
    }

    fn start(&mut self, batch: Given<'_>, interrupted: &AtomicBool) -> Result<bool, DreamerError> {
        self.start_on_device(interrupted, batch)
    }

    fn prepare(&mut self, batch: &Batch) -> Result<(), DreamerError> {
        self.prepare(batch)
    }

    fn move_to(&mut self, device: &dyn Device) -> Result<(), DreamerError> {
        self.move_to(device)
    }

    fn sync_from_device(&mut self) -> Result<(), DreamerError> {
        self.sync_from_device()
    }

    fn parameter_counts(&self) -> Vec<(&'static str, u64)> {
        let (parameters, networks) = (self.learner().parameters(), self.learner().networks());
        let mut parts: Vec<(&'static str, u64)> = Vec::new();
        for one in parameters.iter() {
            let (name, count) = (networks.role(one).name(), parameters.values(one).len() as u64);
            match parts.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += count,
                None => parts.push((name, count)),
            }
        }
        parts
    }

    fn broken_parameter(&self) -> Option<Broken> {
        let parameters = self.learner().parameters();
        parameters.iter().find_map(|one| Broken::find(parameters.path(one), parameters.values(one)))
    }

    fn broken_gradient(&self) -> Option<Broken> {
        let parameters = self.learner().parameters();
        let (model, behaviour) = self.learner().last_gradients();
        let of = |one| [model, behaviour].into_iter().find_map(|gradients| gradients.of(one)).unwrap_or_default();
        parameters.iter().find_map(|one| Broken::find(parameters.path(one), of(one)))
    }

    fn embedding_size(&self) -> Option<usize> {
        self.embedding_size()
    }

    fn embed(&mut self, images: &[u8], embeddings: &mut [f32]) {
        self.embed(images, embeddings);
    }

    fn fit_fractions(
        &mut self,
        plan: &Plan,
        sources: &Sources<f32>,
        episodes: &mut dyn Iterator<Item = Episode>,
        report: &mut Report,
    ) -> Result<(), TransferError> {
        transfer::fit_fractions(plan, self.learner_mut(), sources, episodes, report)
    }

    fn standardise_sources(&mut self, episodes: &[&CompressedEpisode]) -> Result<Vec<SourceStandard>, DreamerError> {
        self.standardise_sources(episodes)
    }

    fn source_predictions(&self, observations: Observation<'_>, action: &[f32]) -> Vec<Vec<f64>> {
        self.learner().source_predictions(observations, action)
    }

    fn reward_use(&self) -> Option<InputUse> {
        transfer::input_use(self.learner())
    }

    fn ablate_sources(&self, observations: Observation<'_>, action: &[f32]) -> Option<SourceAblation> {
        self.ablate_sources(observations, action)
    }

    fn save(&self, path: &Path) -> Result<(), DreamerError> {
        self.save(path)
    }
}

/// Of one-hot actions, evaluations take the most probable one: there is no choice.
fn evaluation_of(config: &AgentConfig) -> Option<Evaluation> {
    (config.actor == ActionDistribution::TanhNormal).then_some(config.evaluation)
}
