//! A line of metrics: the means since the last one, speeds, counts and sizes.

use super::Run;
use crate::agent::Trainable;
use crate::events::Event;
use crate::{TrainError, system};

impl<L: Trainable> Run<'_, L> {
    /// A line of metrics.
    pub(super) fn log(&mut self) -> Result<(), TrainError> {
        let stats = self.replay.stats(self.config.agent.length);
        let mut values = self.meters.take();
        values.extend(self.speed.take());
        let counts = [
            ("updates", Some(self.position.updates as f64)),
            ("agent_steps", Some(self.position.steps.0 as f64)),
            ("episodes", Some(self.position.episodes as f64)),
            ("replay_episodes", Some(stats.episodes as f64)),
            ("replay_transitions", Some(stats.transitions as f64)),
            ("replay_too_short", Some(stats.too_short as f64)),
            ("replay_bytes", Some(stats.bytes as f64)),
            ("replay_dropped", Some(stats.dropped as f64)),
            ("replay_embedding_bytes", self.embeddings.as_ref().map(|embeddings| embeddings.bytes() as f64)),
            ("resident_bytes", system::resident_bytes().map(|bytes| bytes as f64)),
            ("seconds", Some(self.seconds())),
        ];
        values.extend(counts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let frames = self.position.frames;
        self.record.line(frames, &values)?;
        self.position.logged = frames;
        let left = self.speed.left(frames, self.config.steps);
        self.reporter.event(&Event::Metrics { frames, values: &values, left });
        Ok(())
    }
}
