//! Evaluations within a run: episodes of every task, images, and the use of reward sources.

use super::{Run, of_task};
use crate::TrainError;
use crate::agent::Trainable;
use crate::events::Event;
use crate::run::episode::{Played, evaluate_episode};
use crate::run::images;
use crate::run::schedule::Phase;
use crate::streams::{self, EvaluationStreams};
use std::sync::atomic::Ordering;

impl<L: Trainable> Run<'_, L> {
    /// Evaluates the agent on every task, with streams of the evaluation's own: the mean return of each. `None` if interrupted,
    /// after which nothing was written.
    pub(super) fn evaluate(&mut self) -> Result<Option<Vec<f64>>, TrainError> {
        let frames = self.position.frames;
        let mut random = EvaluationStreams::scheduled(self.streams.key(), frames);
        let (mut values, mut scores, mut last) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..self.environments.evaluation.len() {
            let Some(mut played) = self.episodes(index, &mut random)? else { return Ok(None) };
            let task = self.environments.evaluation[index].task();
            let (score, length) = (mean_return(&played), mean(&played, |one| one.frames.0 as f64));
            values.push((of_task(self.config, "eval_return", task), score));
            values.push((of_task(self.config, "eval_length", task), length));
            self.reporter.event(&Event::Evaluated { frames, task, mean: score });
            scores.push(score);
            last.extend(played.pop());
        }
        values.extend(self.reward_use(&last));
        self.metrics_files.line(frames, &values)?;
        if self.config.films(self.position.evaluated, frames) {
            let mut random = streams::open_loop(self.streams.key(), frames);
            for played in &last {
                images::write(
                    &self.folder.videos(),
                    frames,
                    &self.agent,
                    played,
                    &mut random,
                    &mut self.metrics_files,
                )?;
            }
        }
        self.speed.evaluated();
        Ok(Some(scores))
    }

    /// Evaluates the agent once more, from the same starts, with the action that its setting does not take, and writes a line
    /// of returns so that both can be compared; `false` if interrupted, after which nothing was written. An agent without a
    /// choice is left alone.
    pub(super) fn evaluate_otherwise(&mut self) -> Result<bool, TrainError> {
        let Some(own) = self.agent.evaluation() else { return Ok(true) };
        self.agent.evaluate_by(own.other());
        let values = self.returns(&format!("eval_return_by_{}", own.other().name()));
        self.agent.evaluate_by(own);
        let Some(values) = values? else { return Ok(false) };
        self.metrics_files.line(self.position.frames, &values)?;
        Ok(true)
    }

    /// The mean return of an evaluation of every task, as the metric `name`; `None` if interrupted.
    fn returns(&mut self, name: &str) -> Result<Option<Vec<(String, f64)>>, TrainError> {
        let mut random = EvaluationStreams::scheduled(self.streams.key(), self.position.frames);
        let mut values = Vec::new();
        for index in 0..self.environments.evaluation.len() {
            let Some(played) = self.episodes(index, &mut random)? else { return Ok(None) };
            values.push((of_task(self.config, name, self.environments.evaluation[index].task()), mean_return(&played)));
        }
        Ok(Some(values))
    }

    /// The episodes of one evaluation of the task with index `index`; `None` if interrupted.
    fn episodes(&mut self, index: usize, random: &mut EvaluationStreams) -> Result<Option<Vec<Played>>, TrainError> {
        let mut played = Vec::new();
        for _ in 0..self.config.schedule.eval_episodes {
            let (position, end) = (&self.position, self.config.steps);
            let left = self.speed.left(self.config, position);
            let interrupted = || {
                self.reporter.event(&Event::Progress { phase: Phase::Evaluate, position, end, left });
                self.interrupted.load(Ordering::SeqCst)
            };
            match evaluate_episode(self.environments.evaluation[index].as_mut(), &self.agent, random, interrupted)? {
                Some(one) => played.push(one),
                None => return Ok(None),
            }
        }
        Ok(Some(played))
    }

    /// The name of a source of the reward meta-model; its index if it is not known.
    pub(super) fn reward_source(&self, index: usize) -> String {
        self.reward_sources.get(index).cloned().unwrap_or_else(|| index.to_string())
    }

    /// How much the agent's reward meta-model uses each of its inputs, by name; and each of its sources, in the episodes.
    fn reward_use(&self, episodes: &[Played]) -> Vec<(String, f64)> {
        let Some(used) = self.agent.reward_use() else { return Vec::new() };
        let of = |metric: &str, values: Vec<f64>| -> Vec<(String, f64)> {
            let named = |(index, x)| (format!("{metric}/{}", self.reward_source(index)), x);
            values.into_iter().enumerate().map(named).collect()
        };
        let mut values = of("reward_source_use", used.predictions);
        values.push(("reward_latent_use/stoch".to_owned(), used.stoch));
        values.push(("reward_latent_use/deter".to_owned(), used.deter));
        for Played { episode, .. } in episodes {
            let Some(ablation) = self.agent.ablate_sources(episode.observations(), episode.action()) else { continue };
            let task = |name: &str| of_task(self.config, name, episode.task());
            values.extend(of(&task("reward_source_silenced"), ablation.changes));
            values.push((task("reward_spread"), ablation.spread));
        }
        values.extend(self.source_correlations());
        values
    }
}

fn mean(played: &[Played], of: impl Fn(&Played) -> f64) -> f64 {
    played.iter().map(of).sum::<f64>() / played.len() as f64
}

fn mean_return(played: &[Played]) -> f64 {
    mean(played, |one| one.episode.score())
}
