//! Learning: one gradient step on a batch from the replay memory, and the diagnosis if values become infinite or NaN.

use super::Run;
use crate::TrainError;
use crate::agent::Trainable;
use crate::events::Event;
use crate::run::diagnosis::Diagnosis;
use crate::run::schedule::Phase;
use std::time::Instant;

impl<L: Trainable> Run<'_, L> {
    /// One gradient step. If interrupted on the way, the agent and the streams are as before.
    pub(super) fn learn(&mut self, phase: Phase) -> Result<(), TrainError> {
        self.standardise_sources()?;
        self.predict_as_sources()?;
        // After the sources are standardised, since a reward head that reads them predicts otherwise before.
        self.fit_fractions()?;
        let (position, end) = (&self.position, self.config.steps);
        let left = self.speed.left(self.config, position);
        self.reporter.event(&Event::Progress { phase, position, end, left });
        let before = (self.streams.replay.clone(), self.streams.rehearsal.clone());
        let rehearsed = self.draw()?;
        let began = Instant::now();
        if let Some(embeddings) = &mut self.embeddings {
            let agent = &mut self.agent;
            embeddings
                .fill(&self.replay, self.rehearsal.as_ref(), &mut self.batch, |images, out| agent.embed(images, out));
        }
        let Some(metrics) = self.agent.learn(&self.batch, self.interrupted)? else {
            (self.streams.replay, self.streams.rehearsal) = before;
            return Ok(());
        };
        self.speed.learned(began.elapsed());
        self.position.updates += 1;
        if let Some(&(metric, value)) = metrics.iter().find(|(_, value)| !value.is_finite()) {
            let (update, frames) = (self.position.updates, self.position.frames);
            self.agent.sync_from_device()?;
            let gradient = self.agent.broken_gradient().map(Box::new);
            let diagnosis = Diagnosis { update, frames, metrics: &metrics, gradient: gradient.as_deref() };
            let batch = diagnosis.write(&self.folder.not_finite(), &self.batch).map_err(Box::new);
            let (metric, root) = (metric.to_owned(), self.folder.root().to_owned());
            let saved = self.saved.is_some();
            return Err(TrainError::NotFinite { metric, value, update, frames, gradient, batch, root, saved });
        }
        for (name, value) in metrics {
            self.meters.add(name, value);
        }
        if let Some(count) = rehearsed {
            self.meters.add("rehearsed_sequences", count as f64);
        }
        Ok(())
    }

    /// Draws the next batch. How many of its sequences are of the episodes of another run; `None` if none can be.
    fn draw(&mut self) -> Result<Option<usize>, TrainError> {
        let (starts, streams) = (self.config.replay.starts, &mut self.streams);
        match self.rehearsal.as_mut().zip(streams.rehearsal.as_mut()) {
            Some(rehearsal) => {
                Ok(Some(self.replay.sample_rehearsing(&mut streams.replay, starts, &mut self.batch, rehearsal)?))
            }
            None => {
                self.replay.sample(&mut streams.replay, starts, &mut self.batch)?;
                Ok(None)
            }
        }
    }
}
