//! Checkpoints of a run under way, and its end: finished, interrupted or halted.

use super::session::note_left;
use super::{End, Run};
use crate::agent::Trainable;
use crate::config::KeptFiles;
use crate::events::Event;
use crate::folder::checkpoint::{self, FORMAT, RunState, Saved};
use crate::run::returns::BestEvaluation;
use crate::run::schedule::Position;
use crate::run::speed::Work;
use crate::support::remove_episodes;
use crate::{Frames, TrainError};
use std::path::PathBuf;

impl<L: Trainable> Run<'_, L> {
    /// The last line of metrics, the last evaluations, and the last checkpoint. The checkpoint contains the run before
    /// that line and those evaluations, so that a run that is made longer resumes as if it had never ended here.
    pub(super) fn finish(&mut self) -> Result<End, TrainError> {
        let state = self.state();
        let frames = self.position.frames;
        if frames > self.position.logged {
            self.log()?;
        }
        let rule = if frames >= self.config.steps { None } else { self.rule() };
        let last = match self.position.evaluated == Some(frames) {
            true => Some(Vec::new()),
            false => self.timed(Work::Evaluating, Self::evaluate)?,
        };
        let finished = last.is_some() && self.timed(Work::Evaluating, Self::evaluate_otherwise)?;
        let checkpoint = self.save(RunState { finished, ..state })?;
        if finished {
            self.report_best(&last.unwrap_or_default());
        }
        if finished && self.config.replay.files == KeptFiles::UntilFinished {
            note_left(self.folder.remove_episodes()?, &mut self.left, self.reporter);
            remove_episodes(self.folder.root())?;
        }
        Ok(if finished { End::Finished { frames, rule } } else { End::Stopped { frames, checkpoint } })
    }

    /// Reports the checkpoint of the best evaluation of each task, unless the last evaluation, with the returns `last` if it was
    /// not a scheduled one, was better.
    fn report_best(&mut self, last: &[f64]) {
        if !self.config.checkpoint.best {
            return;
        }
        let tasks = &self.config.tasks;
        for (index, task) in tasks.iter().enumerate() {
            let Some(BestEvaluation { mean, frames }) = self.returns.best_evaluation(index) else { continue };
            let path = checkpoint::at(&self.folder.checkpoints(), frames);
            let is_last = frames == self.position.frames || last.get(index).is_some_and(|last| *last >= mean);
            if !is_last && checkpoint::is_whole(&path) {
                let task = (tasks.len() > 1).then_some(task.as_str());
                self.reporter.event(&Event::Best { frames, task, mean, path: &path });
            }
        }
    }

    /// Writes a checkpoint if the evaluation that has just ended is the best one of a task so far.
    pub(super) fn save_if_best(&mut self) -> Result<(), TrainError> {
        let frames = self.position.frames;
        if self.config.checkpoint.best && self.returns.best_evaluations().any(|best| best.frames == frames) {
            self.save(self.state())?;
        }
        Ok(())
    }

    /// Ends an interrupted run with a checkpoint of where it stands.
    pub(super) fn stop(&mut self) -> Result<End, TrainError> {
        self.keep_files()?;
        let checkpoint = match &self.saved {
            Some((path, position)) if *position == self.position => path.clone(),
            _ => self.save(self.state())?,
        };
        Ok(End::Stopped { frames: self.position.frames, checkpoint })
    }

    /// Restores the files that somebody removed from the folder, and reports it: before the state for a checkpoint is
    /// taken, which counts the lines of metrics.
    pub(super) fn keep_files(&mut self) -> Result<(), TrainError> {
        let notes = self.folder.keep()?.into_iter().chain(self.metrics_files.check()?);
        notes.for_each(|note| self.reporter.event(&Event::Note(&note)));
        Ok(())
    }

    pub(super) fn save_if_due(&mut self) -> Result<(), TrainError> {
        let saved = self.saved.as_ref().map_or(Frames(0), |(_, position)| position.frames);
        if self.position.frames.since(saved) >= self.config.checkpoint.every {
            self.save(self.state())?;
        }
        Ok(())
    }

    /// Writes a checkpoint, but none that could not be read again.
    fn save(&mut self, state: RunState) -> Result<PathBuf, TrainError> {
        let saved = self.timed(Work::Saving, |run| run.write(&state));
        self.speed.saved();
        saved
    }

    fn write(&mut self, state: &RunState) -> Result<PathBuf, TrainError> {
        if let Some(broken) = self.agent.broken_parameter().map(Box::new) {
            let Position { updates: update, frames, .. } = self.position;
            let (root, saved) = (self.folder.root().to_owned(), self.saved.is_some());
            return Err(TrainError::Diverged { broken, update, frames, root, saved });
        }
        self.metrics_files.sync()?;
        let best = self.returns.best_evaluations().filter(|_| self.config.checkpoint.best);
        let best: Vec<Frames> = best.map(|best| best.frames).collect();
        let Saved { path, left } =
            checkpoint::save(&self.folder.checkpoints(), self.config.checkpoint.kept, &best, state, &self.agent)?;
        note_left(left, &mut self.left, self.reporter);
        self.saved = Some((path.clone(), state.position.clone()));
        self.reporter.event(&Event::Saved { path: &path });
        Ok(path)
    }

    /// The error that stopped the run, with the state of the run and how to resume it.
    pub(super) fn halted(&self, error: TrainError) -> TrainError {
        // A checkpoint may be whole although writing it was reported to have failed.
        let after = match (&self.saved, checkpoint::newest_whole(&self.folder.checkpoints())) {
            (_, Some(path)) => format!(
                "its last checkpoint, {}, is not affected: after fixing the cause, run the same command to resume from \
                 it",
                path.display()
            ),
            (Some((path, _)), None) => format!("its last checkpoint, {}, was removed", path.display()),
            (None, None) => {
                "it did not have a checkpoint yet: after fixing the cause, run the same command to start from the beginning"
                    .to_owned()
            }
        };
        TrainError::Halted { source: Box::new(error), frames: self.position.frames, after }
    }

    /// The position of the run, as a checkpoint keeps it.
    fn state(&self) -> RunState {
        RunState {
            format: FORMAT,
            dreamgraft: env!("CARGO_PKG_VERSION").to_owned(),
            tasks: self.config.tasks.clone(),
            task: self.config.task.rules(),
            external: self.environments.external.clone(),
            position: self.position.clone(),
            streams: self.streams.state(),
            meters: self.meters.clone(),
            returns: self.returns.clone(),
            metrics_lines: self.metrics_files.lines(),
            seconds: self.seconds(),
            cpu_seconds: self.cpu_seconds(),
            finished: false,
        }
    }
}
