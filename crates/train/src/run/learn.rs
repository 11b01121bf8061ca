//! Learning: one gradient step on a batch from the replay memory, and the diagnosis if values become infinite or NaN.

use super::Run;
use crate::TrainError;
use crate::agent::Trainable;
use crate::events::Event;
use crate::run::diagnosis::Diagnosis;
use crate::run::schedule::Phase;
use dreamer::Given;
use random::Stream;
use replay::Batch;
use std::time::Instant;

/// How a batch was drawn from the replay memory.
#[derive(Debug)]
pub(super) struct Drawn {
    /// The streams before.
    before: (Stream, Option<Stream>),
    /// How many of its sequences are of the episodes of another run; `None` if none can be.
    rehearsed: Option<usize>,
}

/// The batch of a step that is not taken yet.
#[derive(Debug)]
pub(super) struct Ahead {
    batch: Batch,
    drawn: Drawn,
}

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
        let began = Instant::now();
        let (Drawn { before, rehearsed }, prepared) = match self.ahead.take() {
            Some(Ahead { batch, drawn }) => {
                self.spare = std::mem::replace(&mut self.batch, batch);
                (drawn, true)
            }
            None => (self.draw()?, false),
        };
        let batch = if prepared { Given::Prepared } else { Given::Batch(&self.batch) };
        let started = self.agent.start(batch, self.interrupted)?;
        if started && self.is_followed_by_a_step(phase) {
            self.draw_ahead()?;
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

    /// Whether the step that is under way is followed by another one, with nothing in between that could change what is
    /// drawn.
    fn is_followed_by_a_step(&self, phase: Phase) -> bool {
        matches!(phase, Phase::Learn { due } if self.position.updates + 1 < due)
    }

    /// Draws the batch of the next step while a device computes this one, and begins to copy it there.
    fn draw_ahead(&mut self) -> Result<(), TrainError> {
        let spare = std::mem::replace(&mut self.spare, Batch::new(self.config.agent.batch, self.config.agent.length));
        let present = std::mem::replace(&mut self.batch, spare);
        let drawn = self.draw();
        let batch = std::mem::replace(&mut self.batch, present);
        let drawn = drawn?;
        self.agent.prepare(&batch)?;
        self.ahead = Some(Ahead { batch, drawn });
        Ok(())
    }

    /// Takes back what was drawn for a step that is not taken now.
    pub(super) fn give_up_ahead(&mut self) {
        if let Some(Ahead { batch, drawn: Drawn { before, .. } }) = self.ahead.take() {
            (self.streams.replay, self.streams.rehearsal) = before;
            self.spare = batch;
        }
    }

    /// Draws the next batch, with embeddings of its images if the encoder is frozen and they are kept.
    fn draw(&mut self) -> Result<Drawn, TrainError> {
        let before = (self.streams.replay.clone(), self.streams.rehearsal.clone());
        let (starts, streams) = (self.config.replay.starts, &mut self.streams);
        let rehearsed = match self.rehearsal.as_mut().zip(streams.rehearsal.as_mut()) {
            Some(rehearsal) => {
                Some(self.replay.sample_rehearsing(&mut streams.replay, starts, &mut self.batch, rehearsal)?)
            }
            None => {
                self.replay.sample(&mut streams.replay, starts, &mut self.batch)?;
                None
            }
        };
        if let Some(embeddings) = &mut self.embeddings {
            let agent = &mut self.agent;
            embeddings
                .fill(&self.replay, self.rehearsal.as_ref(), &mut self.batch, |images, out| agent.embed(images, out));
        }
        Ok(Drawn { before, rehearsed })
    }
}
