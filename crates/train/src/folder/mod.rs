//! The folder of a run: where everything lies, and whether a run of this configuration may continue in it.
//!
//! Here: paths, the resolved configuration `config.toml`, the lock. Not here: the content of the files.

pub mod checkpoint;
mod config_file;
mod fingerprint;
pub(crate) mod lock;
pub(crate) mod metrics_files;
mod partial_files;
pub(crate) mod provenance;
mod run_state;

pub(crate) use config_file::{config_of_run, is_run, no_folder, run_below, stored_arithmetic};
pub use config_file::{config_text, stored_config};

use crate::TrainError;
use crate::agent::environments::ExternalEnvironment;
use crate::config::{Config, difference};
use files::layout::{CHECKPOINTS, CONFIG, EPISODES, METRICS, RUN_LOCK, VIDEOS};
use lock::RunLock;
pub use partial_files::{Left, remove_unfinished};
use replay::EpisodeName;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A run's folder, locked for this process.
#[derive(Debug)]
pub struct RunFolder {
    root: PathBuf,
    lock: RunLock,
    /// The text of `config.toml`, once this process has written it.
    config: Option<String>,
    /// Whether this was a run's folder, but had none for checkpoints.
    checkpoints_gone: bool,
}

/// A folder that was opened for a run.
#[derive(Debug)]
pub(crate) enum Opened {
    /// One without a run. [`RunFolder::create`] makes it a run's.
    New(RunFolder),
    /// One with a run, and the configuration that this was created with. [`RunFolder::reopen`] comes next.
    Existing(RunFolder, Box<Config>),
}

impl RunFolder {
    /// Opens the folder `root` for a run and locks it; it is made if it is missing. `leftovers` are files that an interrupted
    /// start may have left in a folder without a run.
    ///
    /// # Errors
    /// If the folder cannot be made or written, holds foreign files, is in use, or has a configuration that cannot be
    /// read.
    pub fn open(root: &Path, leftovers: &[&str]) -> Result<Opened, TrainError> {
        let unusable = |source| TrainError::Folder { path: root.to_owned(), source };
        check_length(root).map_err(unusable)?;
        files::create_folders(root).map_err(unusable)?;
        if !is_run(root) {
            refuse_foreign(root, leftovers)?;
        }
        let lock = RunLock::take(root)?;
        // Looked at again under the lock: another process may have made it a run folder meanwhile.
        let existing = is_run(root);
        let checkpoints_gone = existing && !checkpoints_of(root).exists();
        let folder = Self { root: root.to_owned(), lock, config: None, checkpoints_gone };
        Ok(if existing { Opened::Existing(folder, Box::new(stored_config(root)?)) } else { Opened::New(folder) })
    }

    /// Makes it the folder of a run of `config`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(&mut self, config: &Config) -> Result<(), TrainError> {
        self.write_config(config, None, &[])?;
        self.make_folders()
    }

    /// Prepares a folder that was created with the configuration `stored` for a run of `config`.
    ///
    /// # Errors
    /// If the two differ in a key that must not change ([`Config::may_change`]), or the folder cannot be written.
    pub fn reopen(&self, stored: &Config, config: &Config) -> Result<(), TrainError> {
        let mut differences = difference(stored, config);
        differences.retain(|difference| !Config::may_change(&difference.path));
        if !differences.is_empty() {
            return Err(TrainError::Differs { path: self.root.clone(), differences });
        }
        self.make_folders()
    }

    fn make_folders(&self) -> Result<(), TrainError> {
        for path in [self.episodes(), self.checkpoints(), self.videos()] {
            if path.is_file() {
                return Err(TrainError::WrongKind { path, found: "file", needed: "folder" });
            }
            files::create_folders(&path).map_err(TrainError::io(path))?;
        }
        Ok(())
    }

    /// Removes what an earlier process left unfinished; what cannot be removed is returned.
    ///
    /// # Errors
    /// If a folder cannot be listed.
    pub(crate) fn clean(&self) -> Result<Vec<Left>, TrainError> {
        let added = Some(self.episodes().join(replay::ADDED)).filter(|folder| folder.is_dir());
        let folders = [self.root.clone(), self.episodes(), self.checkpoints(), self.videos()].into_iter().chain(added);
        remove_unfinished(folders)
    }

    /// Removes the run's own episodes: not those of other programs, nor those that were moved aside. What cannot be removed is
    /// returned.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub(crate) fn remove_episodes(&self) -> Result<Vec<Left>, TrainError> {
        let removed = |(path, _): (PathBuf, _)| std::fs::remove_file(&path).err().map(|why| Left { path, why });
        Ok(self.own_episodes()?.into_iter().filter_map(removed).collect())
    }

    /// Checks that not all of the `count` episodes of a run that is made longer are gone.
    ///
    /// # Errors
    /// [`TrainError::EpisodesGone`].
    pub(crate) fn refuse_gone_episodes(&self, count: u64) -> Result<(), TrainError> {
        let some = self.own_episodes()?.iter().any(|(_, name)| name.id < count);
        match count > 0 && !some {
            true => {
                let (path, root) = (self.episodes(), self.root.clone());
                Err(TrainError::EpisodesGone { path, root, episodes: count })
            }
            false => Ok(()),
        }
    }

    /// The files of the run's own episodes.
    fn own_episodes(&self) -> Result<Vec<(PathBuf, EpisodeName)>, TrainError> {
        let folder = self.episodes();
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(TrainError::io(&folder))? {
            let entry = entry.map_err(TrainError::io(&folder))?;
            let name = entry.file_name().to_str().and_then(EpisodeName::parse);
            found.extend(name.map(|name| (entry.path(), name)));
        }
        Ok(found)
    }

    /// Checks that a run of `config` without any checkpoint, created with `stored`, has not come so far that it must have had one.
    /// An action is held for `action_repeat` frames or more.
    ///
    /// # Errors
    /// [`TrainError::CheckpointsGone`].
    pub(crate) fn refuse_lost_checkpoints(
        &self,
        stored: &Config,
        config: &Config,
        action_repeat: u32,
    ) -> Result<(), TrainError> {
        let mut steps: Vec<u64> = Vec::new();
        let folder = self.episodes();
        for entry in std::fs::read_dir(&folder).map_err(TrainError::io(&folder))? {
            let name = entry.map_err(TrainError::io(&folder))?.file_name();
            let episode = name.to_str().and_then(EpisodeName::parse);
            steps.extend(episode.map(|episode| episode.length.saturating_sub(1) as u64));
        }
        steps.sort_unstable();
        // A checkpoint is due before the next episode, after any of them: the longest may have come last. The last step
        // of an episode may have fewer frames than the others.
        let earlier = steps.iter().rev().skip(1).map(|steps| steps.saturating_sub(1));
        let frames = earlier.fold(0, u64::saturating_add).saturating_mul(u64::from(action_repeat));
        // The setting may have changed since.
        let due = config.checkpoint.every.max(stored.checkpoint.every);
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

    /// The folder of episodes.
    pub fn episodes(&self) -> PathBuf {
        episodes_of(&self.root)
    }

    /// The folder of checkpoints, each of which is a folder.
    pub fn checkpoints(&self) -> PathBuf {
        checkpoints_of(&self.root)
    }

    /// The folder of videos and open-loop plots.
    pub fn videos(&self) -> PathBuf {
        self.root.join(VIDEOS)
    }

    /// The folder of batches with infinite or NaN values.
    pub(crate) fn not_finite(&self) -> PathBuf {
        self.root.join("not-finite")
    }

    /// The metrics, a JSON object a line.
    pub fn metrics(&self) -> PathBuf {
        self.root.join(METRICS)
    }

    /// Writes the resolved configuration of the run for this session, with the name of the device if there is one, and with the
    /// environments of other programs.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_config(
        &mut self,
        config: &Config,
        device: Option<&str>,
        external: &[ExternalEnvironment],
    ) -> Result<(), TrainError> {
        let text = config_text(config, device, external);
        self.write_text(&text)?;
        self.config = Some(text);
        Ok(())
    }

    fn write_text(&self, text: &str) -> Result<(), TrainError> {
        let path = self.root.join(CONFIG);
        files::write_atomically(&path, |file| file.write_all(text.as_bytes())).map_err(TrainError::io(path))
    }

    /// Creates the files and folders again that were removed while a run works in the folder and that the run needs
    /// to continue and to be resumed: its lock, its configuration and its folders. Returns notes about them. If the run
    /// folder itself was removed, it is not created again.
    ///
    /// # Errors
    /// If another process has the lock by now, or a file cannot be written.
    pub(crate) fn keep(&mut self) -> Result<Vec<String>, TrainError> {
        let mut notes = Vec::new();
        if !self.root.is_dir() {
            return Ok(notes);
        }
        let mut note =
            |path: &Path, what: &str| notes.push(format!("{} was removed during the run; {what}", path.display()));
        if self.lock.keep()? {
            note(&self.root.join(RUN_LOCK), "it was created and locked again");
        }
        if let Some(text) = self.config.as_ref().filter(|_| !is_run(&self.root)) {
            self.write_text(text)?;
            note(&self.root.join(CONFIG), "it was written again");
        }
        for path in [self.episodes(), self.checkpoints(), self.videos()] {
            if path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
                files::create_folders(&path).map_err(TrainError::io(&path))?;
                note(&path, "it was created again, but its contents are lost");
            }
        }
        Ok(notes)
    }
}

/// The folder of the episodes of the run in `root`.
pub(crate) fn episodes_of(root: &Path) -> PathBuf {
    root.join(EPISODES)
}

/// The folder of the checkpoints of the run in `root`.
pub(crate) fn checkpoints_of(root: &Path) -> PathBuf {
    root.join(CHECKPOINTS)
}

/// Refuses a folder in which the paths of a run's files would be too long for the system, such as that of its first
/// checkpoint.
fn check_length(root: &Path) -> std::io::Result<()> {
    /// Characters, as many as no name in a folder of a run has.
    const LONGEST: usize = 200;
    match root.join(CHECKPOINTS).join("x".repeat(LONGEST)).symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::InvalidFilename => Err(error),
        _ => Ok(()),
    }
}

/// Refuses a folder without `config.toml` that holds more than an interrupted start leaves: a lock, partial files, `leftovers`.
fn refuse_foreign(root: &Path, leftovers: &[&str]) -> Result<(), TrainError> {
    // Another process may make it a run folder meanwhile.
    let still_none = || !is_run(root);
    if checkpoints_of(root).is_dir() && episodes_of(root).is_dir() && still_none() {
        let why = format!(
            "has the checkpoints and episodes of a run, but no {CONFIG}: restore that file from a copy, or choose another folder with \
             --logdir"
        );
        return Err(TrainError::NotARunFolder { path: root.to_owned(), why });
    }
    for entry in std::fs::read_dir(root).map_err(TrainError::io(root))? {
        let name = entry.map_err(TrainError::io(root))?.file_name().to_string_lossy().into_owned();
        if name != RUN_LOCK && !leftovers.contains(&&*name) && !files::is_partial(&name) && still_none() {
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

    /// The folder `root` for a run of `config`, new or not.
    fn open(root: &Path, config: &Config) -> Result<RunFolder, TrainError> {
        match RunFolder::open(root, &[])? {
            Opened::New(mut folder) => folder.create(config).map(|()| folder),
            Opened::Existing(folder, stored) => folder.reopen(&stored, config).map(|()| folder),
        }
    }

    #[test]
    fn the_written_configuration_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a/b");
        let run = open(&root, &config()).unwrap();
        assert_eq!(stored_config(&root).unwrap(), config());
        let text = std::fs::read_to_string(root.join(CONFIG)).unwrap();
        assert!(text.contains("[made_by]") && text.contains(env!("CARGO_PKG_VERSION")), "{text}");
        assert!(run.episodes().is_dir() && run.checkpoints().is_dir() && run.videos().is_dir());
    }

    #[test]
    fn a_run_that_another_process_made_meanwhile_is_not_foreign() {
        let folder = tempfile::tempdir().unwrap();
        for name in [CHECKPOINTS, EPISODES, VIDEOS] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        refuse_foreign(folder.path(), &[]).unwrap_err();
        std::fs::write(folder.path().join(CONFIG), "").unwrap();
        refuse_foreign(folder.path(), &[]).unwrap();
    }

    #[test]
    fn what_somebody_removes_is_put_back() {
        let root = tempfile::tempdir().unwrap();
        let mut run = open(root.path(), &config()).unwrap();
        assert_eq!(run.keep().unwrap(), Vec::<String>::new());
        for name in [CONFIG, RUN_LOCK] {
            std::fs::remove_file(root.path().join(name)).unwrap();
        }
        for name in [EPISODES, CHECKPOINTS, VIDEOS] {
            std::fs::remove_dir(root.path().join(name)).unwrap();
        }
        let notes = run.keep().unwrap();
        for (note, name) in notes.iter().zip([RUN_LOCK, CONFIG, EPISODES, CHECKPOINTS, VIDEOS]) {
            assert!(note.contains(&format!("/{name} was removed during the run")), "{note}");
        }
        assert_eq!((notes.len(), run.keep().unwrap().len()), (5, 0));
        assert_eq!(stored_config(root.path()).unwrap(), config());
        assert!(open(root.path(), &config()).is_err(), "the lock is held");
        // A folder that is gone as a whole is not made again.
        std::fs::remove_dir_all(root.path()).unwrap();
        assert_eq!(run.keep().unwrap(), Vec::<String>::new());
        assert!(!root.path().exists());
    }

    #[test]
    fn only_settings_that_do_not_change_results_may_change() {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path(), &config()).unwrap());
        let mut longer = Config { steps: Frames(9), threads: 7, ..config() };
        longer.log.every = Frames(3);
        longer.checkpoint.kept = 4;
        open(folder.path(), &longer).unwrap().write_config(&longer, None, &[]).unwrap();
        assert_eq!(stored_config(folder.path()).unwrap(), longer);
        let mut other = Config { seed: 5, ..longer.clone() };
        other.agent.horizon = 4;
        let message = open(folder.path(), &other).unwrap_err().to_string();
        assert!(message.contains("agent.horizon: was 15, now 4; seed: was 0, now 5"), "{message}");
        assert_eq!(stored_config(folder.path()).unwrap(), longer);
    }

    #[test]
    fn a_folder_of_other_things_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("thesis.tex"), "").unwrap();
        let message = open(folder.path(), &config()).unwrap_err().to_string();
        assert!(message.contains("thesis.tex") && message.contains("--logdir"), "{message}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let root = folder.path().join("file/run");
        let message = open(&root, &config()).unwrap_err().to_string();
        assert!(message.contains(&root.display().to_string()) && message.contains("--logdir"), "{message}");
    }

    #[test]
    fn unfinished_files_are_removed_wherever_a_run_writes() {
        let root = tempfile::tempdir().unwrap();
        let run = open(root.path(), &config()).unwrap();
        let added = run.episodes().join(replay::ADDED);
        std::fs::create_dir(&added).unwrap();
        let folders = [root.path().to_owned(), run.episodes(), run.checkpoints(), run.videos(), added];
        let unfinished = folders.map(|folder| folder.join(".name.77-0.partial"));
        unfinished.iter().for_each(|path| std::fs::write(path, "half").unwrap());
        assert!(run.clean().unwrap().is_empty());
        assert_eq!(unfinished.iter().filter(|path| path.exists()).count(), 0);
    }

    #[test]
    fn two_processes_do_not_share_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let _first = open(folder.path(), &config()).unwrap();
        assert!(matches!(open(folder.path(), &config()), Err(TrainError::Busy { .. })));
    }
}
