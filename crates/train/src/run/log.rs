//! A line of metrics: the means since the last one, speeds, counts and sizes.

use super::Run;
use crate::agent::Trainable;
use crate::events::{Episodes, Event};
use crate::{Frames, TrainError, system};
use replay::WindowStarts;

impl<L: Trainable> Run<'_, L> {
    /// A line of metrics.
    pub(super) fn log(&mut self) -> Result<(), TrainError> {
        let is_stream = self.config.replay.starts == WindowStarts::Stream;
        let stats = self.replay.stats(if is_stream { 1 } else { self.config.agent.length });
        let mut values = self.meters.take();
        values.extend(self.speed.take());
        let counts = [
            ("updates", Some(self.position.updates as f64)),
            ("agent_steps", Some(self.position.agent_steps.0 as f64)),
            ("episodes", Some(self.position.episodes as f64)),
            ("replay_episodes", Some(stats.episodes as f64)),
            ("replay_transitions", Some(stats.transitions as f64)),
            ("replay_too_short", Some(stats.too_short as f64)),
            ("replay_bytes", Some(stats.bytes as f64)),
            ("replay_dropped", Some(stats.dropped as f64)),
            ("replay_embedding_bytes", self.embeddings.as_ref().map(|embeddings| embeddings.bytes() as f64)),
            ("resident_bytes", system::resident_bytes().map(|bytes| bytes as f64)),
            ("seconds", Some(self.seconds())),
            ("cpu_seconds", self.cpu_seconds()),
        ];
        values.extend(counts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let (frames, before) = (self.position.frames, self.position.logged);
        self.metrics_files.line(frames, &values)?;
        let episodes = self.episodes_since(before);
        self.position.logged = frames;
        let left = self.speed.left(self.config, &self.position);
        self.reporter.event(&Event::Metrics { frames, values: &values, episodes, left });
        let rms = values.iter().find(|(name, _)| name == "action_rms").map(|(_, value)| *value);
        self.warn(rms, before);
        Ok(())
    }

    /// Which episodes were collected since the line of metrics at `before` frames. No line comes before the prefill's end.
    fn episodes_since(&self, before: Frames) -> Episodes {
        let guided = self.support.guided_by.is_some();
        match (before, self.position.own_episodes()) {
            (Frames(0), 0) if guided => Episodes::Guided,
            (Frames(0), _) if guided => Episodes::MixedGuided,
            (Frames(0), 0) => Episodes::Random,
            (Frames(0), _) => Episodes::Mixed,
            _ => Episodes::Own,
        }
    }

    /// Warns of a run that does not learn, at a line of metrics with this root mean square of actions.
    fn warn(&mut self, rms: Option<f64>, before: Frames) {
        let frames = self.position.frames;
        let tasks = &self.config.tasks;
        let own = Frames(self.position.own_frames().0 / tasks.len().max(1) as u64);
        let mut all = Vec::from_iter(self.warnings.saturation(rms, before, frames));
        for (index, name) in tasks.iter().enumerate() {
            all.extend(self.warnings.chance(index, name, own, self.returns.of_random(index)));
        }
        all.iter().for_each(|warning| self.reporter.event(&Event::Warning(warning)));
    }
}
