//! The folder of a run: where everything lies, and whether this configuration may go on in it.
//!
//! Here: paths, the resolved configuration `config.toml`, the lock. Not here: what the files in it hold.

pub mod checkpoint;
mod config_file;
mod fingerprint;
pub(crate) mod lock;
mod partial_files;
pub(crate) mod provenance;
pub(crate) mod record;

pub use config_file::{config_text, stored_config};
pub(crate) use config_file::{is_run, stored_arithmetic};

use crate::TrainError;
use crate::config::{Config, difference};
use crate::origin::{self, Heritage};
use config_file::CONFIG_FILE;
use environment::Timing;
use lock::{LOCK_FILE, RunLock};
use replay::EpisodeName;
use std::io::Write;
use std::path::{Path, PathBuf};
use transfer::{PLAN_FILE, REPORT_FILE};

/// A run's folder, locked for this process.
#[derive(Debug)]
pub struct RunFolder {
    root: PathBuf,
    _lock: RunLock,
    /// Whether this was a run's folder, but had none for checkpoints.
    checkpoints_gone: bool,
}

impl RunFolder {
    /// Makes the run folder `root` for a run of `config`, or opens it if it was made with the same configuration, but for
    /// the keys that [`Config::may_change`].
    ///
    /// # Errors
    /// If the folder cannot be made or written, holds something else, is in use, or was made with another configuration.
    pub fn open(root: &Path, config: &Config) -> Result<Self, TrainError> {
        Self::open_with(root, config, None)
    }

    /// As [`RunFolder::open`], for a run that takes something from other agents: a folder that is made keeps what, one
    /// that was made must have been made with the same.
    ///
    /// # Errors
    /// As [`RunFolder::open`].
    pub(crate) fn open_with(root: &Path, config: &Config, heritage: Option<&Heritage>) -> Result<Self, TrainError> {
        std::fs::create_dir_all(root).map_err(|source| TrainError::Folder { path: root.to_owned(), source })?;
        let config_file = root.join(CONFIG_FILE);
        if !config_file.exists() {
            refuse_foreign(root)?;
        }
        let lock = RunLock::take(root)?;
        // Looked at again under the lock: another process may have made it a run folder meanwhile.
        if config_file.exists() {
            origin::check(root, heritage.map(Heritage::plan))?;
            let was = stored_config(root)?;
            let mut differences = difference(&was, config);
            differences.retain(|difference| !Config::may_change(&difference.path));
            if !differences.is_empty() {
                return Err(TrainError::Differs { path: root.to_owned(), differences });
            }
        }
        let checkpoints_gone = config_file.exists() && !checkpoints_of(root).exists();
        let folder = Self { root: root.to_owned(), _lock: lock, checkpoints_gone };
        if !config_file.exists() {
            // The configuration is the last of these: it makes the folder a run's.
            origin::write(root, heritage)?;
            folder.write_config(config, None)?;
        }
        for path in [folder.episodes(), folder.checkpoints(), folder.videos()] {
            std::fs::create_dir_all(&path).map_err(TrainError::io(path))?;
        }
        Ok(folder)
    }

    /// Removes what an earlier process left unfinished.
    ///
    /// # Errors
    /// If a folder cannot be listed, or something in it not be removed.
    pub(crate) fn clean(&self) -> Result<(), TrainError> {
        let folders = [self.root.clone(), self.episodes(), self.checkpoints(), self.videos()];
        partial_files::clean(folders.iter().map(PathBuf::as_path))
    }

    /// Checks that a run of `config` without any checkpoint has not come so far that it must have had one.
    ///
    /// # Errors
    /// [`TrainError::CheckpointsGone`].
    pub(crate) fn refuse_lost_checkpoints(&self, config: &Config) -> Result<(), TrainError> {
        let mut steps: Vec<u64> = Vec::new();
        let folder = self.episodes();
        for entry in std::fs::read_dir(&folder).map_err(TrainError::io(&folder))? {
            let name = entry.map_err(TrainError::io(&folder))?.file_name();
            let episode = name.to_str().and_then(EpisodeName::parse);
            steps.extend(episode.map(|episode| episode.length.saturating_sub(1) as u64));
        }
        steps.sort_unstable();
        // A checkpoint is due before the next episode, whichever that was: the longest may have come last. The last step
        // of an episode may have fewer frames than the others.
        let earlier = steps.iter().rev().skip(1).map(|steps| steps.saturating_sub(1));
        let frames = earlier.fold(0, u64::saturating_add).saturating_mul(u64::from(Timing::STANDARD.action_repeat));
        // The setting may have changed since.
        let due = config.checkpoint.every.max(stored_config(&self.root)?.checkpoint.every);
        if steps.is_empty() || !(self.checkpoints_gone || frames >= due.0) {
            return Ok(());
        }
        let (path, root) = (self.checkpoints(), self.root.clone());
        Err(TrainError::CheckpointsGone { path, root, episodes: steps.len() })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where episodes lie.
    pub fn episodes(&self) -> PathBuf {
        self.root.join("episodes")
    }

    /// Where checkpoints lie, a folder each.
    pub fn checkpoints(&self) -> PathBuf {
        checkpoints_of(&self.root)
    }

    /// Where videos and open-loop pictures lie.
    pub fn videos(&self) -> PathBuf {
        self.root.join("videos")
    }

    /// Where batches lie whose numbers went wrong.
    pub(crate) fn not_finite(&self) -> PathBuf {
        self.root.join("not-finite")
    }

    /// The metrics, a JSON object a line.
    pub fn metrics(&self) -> PathBuf {
        self.root.join("metrics.jsonl")
    }

    /// Writes the resolved configuration of the run as it goes on, on a device if one is named.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_config(&self, config: &Config, device: Option<&str>) -> Result<(), TrainError> {
        let path = self.root.join(CONFIG_FILE);
        let text = config_text(config, device);
        files::write_atomically(&path, |file| file.write_all(text.as_bytes())).map_err(TrainError::io(path))
    }
}

/// Where the checkpoints of the run in `root` lie.
pub(crate) fn checkpoints_of(root: &Path) -> PathBuf {
    root.join("checkpoints")
}

/// Refuses a folder without `config.toml` that holds more than an interrupted start leaves.
fn refuse_foreign(root: &Path) -> Result<(), TrainError> {
    // What a start leaves of its transfer. A plan alone is one of the user's.
    let reported = root.join(REPORT_FILE).exists();
    for entry in std::fs::read_dir(root).map_err(TrainError::io(root))? {
        let name = entry.map_err(TrainError::io(root))?.file_name().to_string_lossy().into_owned();
        let of_transfer = reported && (name == REPORT_FILE || name == PLAN_FILE);
        if name != LOCK_FILE && !of_transfer && !files::is_partial(&name) {
            return Err(TrainError::NotARun { path: root.to_owned(), example: name });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frames;

    fn config() -> Config {
        Config { tasks: vec!["hopper".into()], ..Config::default() }
    }

    #[test]
    fn the_written_configuration_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a/b");
        let run = RunFolder::open(&root, &config()).unwrap();
        assert_eq!(stored_config(&root).unwrap(), config());
        let text = std::fs::read_to_string(root.join(CONFIG_FILE)).unwrap();
        assert!(text.contains("[made_by]") && text.contains(env!("CARGO_PKG_VERSION")), "{text}");
        assert!(run.episodes().is_dir() && run.checkpoints().is_dir() && run.videos().is_dir());
    }

    #[test]
    fn only_what_does_not_change_the_result_may_change() {
        let folder = tempfile::tempdir().unwrap();
        drop(RunFolder::open(folder.path(), &config()).unwrap());
        let mut longer = Config { steps: Frames(9), threads: 7, ..config() };
        longer.log.every = Frames(3);
        longer.checkpoint.kept = 4;
        RunFolder::open(folder.path(), &longer).unwrap().write_config(&longer, None).unwrap();
        assert_eq!(stored_config(folder.path()).unwrap(), longer);
        let mut other = Config { seed: 5, ..longer.clone() };
        other.agent.horizon = 4;
        let message = RunFolder::open(folder.path(), &other).unwrap_err().to_string();
        assert!(message.contains("agent.horizon: was 15, now 4; seed: was 0, now 5"), "{message}");
        assert_eq!(stored_config(folder.path()).unwrap(), longer);
    }

    #[test]
    fn a_folder_of_other_things_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("thesis.tex"), "").unwrap();
        let message = RunFolder::open(folder.path(), &config()).unwrap_err().to_string();
        assert!(message.contains("thesis.tex") && message.contains("--logdir"), "{message}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let root = folder.path().join("file/run");
        let message = RunFolder::open(&root, &config()).unwrap_err().to_string();
        assert!(message.contains(&root.display().to_string()) && message.contains("--logdir"), "{message}");
    }

    #[test]
    fn two_processes_do_not_share_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let _first = RunFolder::open(folder.path(), &config()).unwrap();
        assert!(matches!(RunFolder::open(folder.path(), &config()), Err(TrainError::Busy { .. })));
    }
}
