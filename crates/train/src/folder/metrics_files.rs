//! The metrics of a run: `metrics.jsonl` and TensorBoard events.

use crate::folder::RunFolder;
use crate::output::{EventWriter, Meddled, MetricsLog, host_name};
use crate::units::unsigned_zero;
use crate::{Frames, TrainError};
use std::path::Path;
use std::time::SystemTime;
use wording::counted;

/// The files of the metrics of a run under way.
#[derive(Debug)]
pub(crate) struct MetricsFiles {
    metrics: MetricsLog,
    events: EventWriter,
}

/// That the metrics at `path` have `found` lines where the checkpoint counts `lines`.
pub(crate) fn missing_lines(path: &Path, found: u64, lines: u64) -> String {
    format!(
        "{} has {}, but the checkpoint counts {lines}: the file was shortened, and the missing lines cannot be restored",
        path.display(),
        counted(found, "line")
    )
}

impl MetricsFiles {
    /// Opens the metrics of a run of which `lines` lines are valid, and which resumes at `resumed` frames (`None` for a
    /// new run). Later lines are moved to another file. The second value is a note about moved or missing lines.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn open(folder: &RunFolder, lines: u64, resumed: Option<Frames>) -> Result<(Self, Option<String>), TrainError> {
        let (metrics, reopened) = MetricsLog::open(&folder.metrics(), Some(lines))?;
        let events = EventWriter::create(folder.root(), &host_name(), SystemTime::now(), resumed)?;
        let note = match reopened.aside {
            Some(aside) => {
                let moved = counted(reopened.moved, "line");
                Some(format!("moved {moved} of metrics from after the checkpoint to {}", aside.display()))
            }
            None if metrics.lines() < lines => Some(missing_lines(&folder.metrics(), metrics.lines(), lines)),
            None => None,
        };
        Ok((Self { metrics, events }, note))
    }

    /// Writes a line of metrics.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn line(&mut self, frames: Frames, values: &[(String, f64)]) -> Result<(), TrainError> {
        let pairs = || values.iter().map(|(name, value)| (name, unsigned_zero(*value)));
        self.metrics.write(frames, pairs())?;
        Ok(self.events.scalars(frames, SystemTime::now(), pairs())?)
    }

    /// Writes an image, `encoded` as a complete PNG or GIF file, for TensorBoard.
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

    /// Restores the metrics if their file was removed or changed; returns a note about it.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn check(&mut self) -> Result<Option<String>, TrainError> {
        let path = self.metrics.path().display().to_string();
        Ok(self.metrics.check()?.map(|meddled| match meddled {
            Meddled::Restored { aside: None } => {
                format!("{path} was removed during the run; it was written again, and no line is missing")
            }
            Meddled::Restored { aside: Some(aside) } => format!(
                "{path} was replaced during the run; the other file was moved to {}, and no line is missing",
                aside.display()
            ),
            Meddled::Changed { were, are } => format!(
                "{path} was changed during the run: it had {}, and has {are} now; missing lines cannot be restored",
                counted(were, "line")
            ),
        }))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::folder::Opened;

    #[test]
    fn nothing_is_written_as_minus_zero() {
        let root = tempfile::tempdir().unwrap();
        let config = Config { tasks: vec!["hopper".into()], ..Config::default() };
        let Opened::New(mut folder) = RunFolder::open(root.path(), &[]).unwrap() else { unreachable!("it is empty") };
        folder.create(&config).unwrap();
        let (mut files, _) = MetricsFiles::open(&folder, 0, None).unwrap();
        files.line(Frames(7), &[("loss".to_owned(), -0.0), ("kl".to_owned(), -1.5)]).unwrap();
        let text = std::fs::read_to_string(folder.metrics()).unwrap();
        assert_eq!(text, "{\"step\":7,\"loss\":0.0,\"kl\":-1.5}\n");
    }
}
