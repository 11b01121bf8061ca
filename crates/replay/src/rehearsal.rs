//! Rehearsal: a share of the sequences of batches is drawn from the episodes of another run.
//!
//! Here: [`Rehearsal`], the memory of these episodes and their share, and filling it from the other run's folder. Not
//! here: which episodes of another run fit, and copying a window into a batch (`memory`).

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::error::{FileError, ReplayError};
use crate::folder::list;
use crate::memory::LARGEST_EPISODE;
use crate::name::EpisodeName;
use crate::{CompressedEpisode, Episode, OpenReport, Replay, Sizes, read_episode, write_episode};
use files::create_folders;

/// Episodes that are read at the same time.
const READ_TOGETHER: usize = 16;

/// Episodes of another run, and the probability with which a sequence of a batch is drawn from them.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    pub(crate) memory: Replay,
    pub(crate) share: f64,
}

impl Rehearsal {
    /// The newest episodes in `folder` that `budget` bytes hold, each as `adapt` makes it for a memory of these sizes.
    /// They are read on the current thread pool.
    ///
    /// # Errors
    /// If the folder or an episode cannot be read, `adapt` refuses an episode, or the newest one alone is larger than the budget.
    pub fn gather<E: From<ReplayError> + Send>(
        folder: &Path,
        sizes: Sizes,
        budget: u64,
        share: f64,
        adapt: impl Fn(Episode, &Path) -> Result<Episode, E> + Sync,
    ) -> Result<Self, E> {
        let (mut names, _) = list(folder)?;
        let mut newest_first: Vec<CompressedEpisode> = Vec::new();
        let mut bytes = 0;
        'full: while !names.is_empty() {
            let group = names.split_off(names.len().saturating_sub(READ_TOGETHER));
            let read = |name: &EpisodeName| -> Result<(PathBuf, CompressedEpisode), E> {
                let path = folder.join(name.to_string());
                let episode = read_episode(&path, LARGEST_EPISODE).map_err(ReplayError::from)?;
                let episode = adapt(episode, &path)?;
                Ok((path, CompressedEpisode::new(episode)))
            };
            let read: Vec<_> = group.par_iter().rev().map(read).collect();
            for one in read {
                let (path, episode) = one?;
                bytes += episode.bytes();
                if bytes > budget && newest_first.is_empty() {
                    return Err(ReplayError::Budget { path: Some(path), bytes, budget }.into());
                }
                if bytes > budget {
                    break 'full;
                }
                newest_first.push(episode);
            }
        }
        let mut memory = Replay::new(sizes, budget)?;
        for episode in newest_first.into_iter().rev() {
            memory.push(episode)?;
        }
        Ok(Self { memory, share })
    }

    /// The episodes that [`Rehearsal::write`] wrote into `folder`, and a report of the files there.
    ///
    /// # Errors
    /// If the folder or a file cannot be read.
    pub fn open(folder: &Path, sizes: Sizes, share: f64) -> Result<(Self, OpenReport), ReplayError> {
        // Its size was decided when it was written.
        let (memory, report) = Replay::open(folder, sizes, u64::MAX, None, None)?;
        Ok((Self { memory, share }, report))
    }

    /// Writes the episodes into `folder`, which is made, oldest first.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path, stamp: &str) -> Result<(), FileError> {
        create_folders(folder).map_err(|source| {
            let (action, path) = ("make the folder", folder.to_owned());
            FileError::Io { action, path, source }
        })?;
        for (id, episode) in (0..).zip(self.memory.episodes()) {
            write_episode(folder, stamp, id, &episode.decompress())?;
        }
        Ok(())
    }

    /// How many episodes there are.
    pub fn episodes(&self) -> usize {
        self.memory.episodes().len()
    }

    /// Their transitions.
    pub fn transitions(&self) -> u64 {
        self.memory.stats(1).transitions
    }

    /// The memory that they take, with compressed images.
    pub fn bytes(&self) -> u64 {
        self.memory.stats(1).bytes
    }

    /// Transitions of the longest.
    pub fn longest(&self) -> usize {
        self.memory.episodes().map(CompressedEpisode::len).max().unwrap_or(0)
    }

    /// The probability with which a sequence is drawn from them.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// Removes the episodes that were written into `folder`; all other files stay.
    ///
    /// # Errors
    /// If the folder cannot be listed, or a file not be removed.
    pub fn remove(folder: &Path) -> Result<(), FileError> {
        let io_error = |path: &Path| {
            let (action, path) = ("remove", path.to_owned());
            move |source| FileError::Io { action, path, source }
        };
        for entry in fs::read_dir(folder).map_err(io_error(folder))? {
            let entry = entry.map_err(io_error(folder))?;
            if entry.file_name().to_str().is_some_and(|name| EpisodeName::parse(name).is_some()) {
                fs::remove_file(entry.path()).map_err(io_error(&entry.path()))?;
            }
        }
        Ok(())
    }
}
