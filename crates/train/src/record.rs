//! What a run writes down for people and plots: `metrics.jsonl` and TensorBoard events, side by side.

use crate::folder::RunFolder;
use crate::output::{EventWriter, MetricsLog, host_name};
use crate::{Frames, TrainError};
use std::time::SystemTime;

/// The record of a run under way.
#[derive(Debug)]
pub(crate) struct Record {
    metrics: MetricsLog,
    events: EventWriter,
}

impl Record {
    /// Opens the record of a run of which `lines` lines of metrics are valid, as it stands at `resumed` frames; no frames
    /// for a run that begins. Later lines are moved aside, of which the second value tells.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn open(folder: &RunFolder, lines: u64, resumed: Option<Frames>) -> Result<(Self, Option<String>), TrainError> {
        let (metrics, reopened) = MetricsLog::open(&folder.metrics(), Some(lines))?;
        let events = EventWriter::create(folder.root(), &host_name(), SystemTime::now(), resumed)?;
        let note = reopened.aside.map(|aside| {
            format!("{} lines of metrics from after the checkpoint moved to {}", reopened.moved, aside.display())
        });
        Ok((Self { metrics, events }, note))
    }

    /// Writes a line of metrics.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn line(&mut self, frames: Frames, values: &[(String, f64)]) -> Result<(), TrainError> {
        let pairs = || values.iter().map(|(name, value)| (name, *value));
        self.metrics.write(frames, pairs())?;
        Ok(self.events.scalars(frames, SystemTime::now(), pairs())?)
    }

    /// Writes a picture, `encoded` as a whole PNG or GIF file, for TensorBoard.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn image(
        &mut self,
        frames: Frames,
        name: &str,
        width: usize,
        height: usize,
        encoded: Vec<u8>,
    ) -> Result<(), TrainError> {
        Ok(self.events.image(frames, SystemTime::now(), name, width, height, encoded)?)
    }

    /// Lines of metrics written so far.
    pub fn lines(&self) -> u64 {
        self.metrics.lines()
    }

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// If a file cannot be synced.
    pub fn sync(&mut self) -> Result<(), TrainError> {
        self.metrics.sync()?;
        Ok(self.events.sync()?)
    }
}
