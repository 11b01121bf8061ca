//! The folder of a run's episodes: its content, and filling a replay memory from it.
//!
//! Here: [`Replay::open`], its report, and moving files aside. Not here: reading one file, and sampling.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::error::Damage;
use crate::error::{FileError, ReplayError};
use crate::file::{encode_episode, write_encoded};
use crate::memory::{check_sizes, check_uncompressed};
use crate::name::EpisodeName;
use crate::{CompressedEpisode, Episode, Replay, Sizes, read_episode_of};
use environment::ObservationSpace;
use files::{create_folders, is_partial, sync_folder};

/// The report of [`Replay::open`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenReport {
    /// Episodes now in memory.
    pub loaded: usize,
    /// Older episodes that are not in memory because the budget is full.
    pub passed_over: usize,
    /// Files that look like episodes and could not be used, newest first.
    pub skipped: Vec<SkippedFile>,
    /// Names of the episodes from the number `upto` on, oldest first. They were not read; see [`set_aside`].
    pub newer: Vec<String>,
    /// The number of episodes below `upto` without a file.
    pub missing: u64,
    /// Transitions of all episodes below `upto`, or of all there are, counted by their names. Added episodes are not
    /// counted.
    pub transitions: u64,
    /// Episodes in the folder of added ones ([`ADDED`]).
    pub added: usize,
    /// Names of unfinished files, left by a program that was stopped while it wrote. They were not read.
    pub leftovers: Vec<String>,
}

/// The folder, inside a folder of episodes, of those that other programs collected. They count as older than all others, and are
/// numbered among themselves.
pub const ADDED: &str = "added";

/// A file that could not be used.
#[derive(Clone, Debug, PartialEq)]
pub struct SkippedFile {
    /// The file's name in its folder.
    pub name: String,
    /// The problem and the next step, as in [`FileError`].
    pub reason: String,
}

/// The limit for the uncompressed size of the episodes that are read at the same time, unless a single one is larger.
/// Opening a folder needs this memory in addition to the episodes that it keeps.
const READ_TOGETHER: u64 = 256 << 20;

impl Replay {
    /// A memory for episodes whose transitions have these sizes, filled from `folder`: the newest episodes that fit into `budget` bytes,
    /// in the order in which they were collected. The files are read on the current thread pool.
    ///
    /// With `tasks`, episodes of other tasks cannot be used. With `upto`, only episodes with lower numbers are loaded:
    /// a checkpoint that counted `n` episodes opens its folder with `Some(n)`, and finds the same episodes as before.
    /// Files that cannot be used are skipped and reported.
    ///
    /// # Errors
    /// If the folder cannot be read, two files have one number, an episode has a name that claims more transitions than any
    /// memory accepts, or the newest episode alone is larger than the budget.
    pub fn open(
        folder: &Path,
        sizes: impl Into<Sizes>,
        budget: u64,
        upto: Option<u64>,
        tasks: Option<&[String]>,
    ) -> Result<(Self, OpenReport), ReplayError> {
        let sizes = sizes.into();
        // Refuses an impossible action size before anything is read.
        Self::new(sizes, budget)?;
        let (mut names, mut report) = list(folder)?;
        if let Some(upto) = upto {
            let newer = names.split_off(names.partition_point(|name| name.id < upto));
            report.newer = newer.iter().map(EpisodeName::to_string).collect();
            report.missing = upto - names.len() as u64;
        }
        report.transitions = names.iter().map(|name| name.length as u64).fold(0, u64::saturating_add);
        let mut names: Vec<Listed> = names.into_iter().map(|name| Listed { name, added: false }).collect();
        let (added, added_report) = list_added(folder)?;
        report.added = added.len();
        report.skipped.extend(added_report.skipped);
        names.splice(0..0, added.into_iter().map(|name| Listed { name, added: true }));
        let reading = Reading { folder, sizes, budget, tasks };
        let mut newest_first = Vec::new();
        let mut bytes = 0u64;
        'full: while !names.is_empty() {
            let group = &names[first_of_group(&names, &sizes)..];
            let read: Vec<_> = group.par_iter().rev().map(|name| reading.read(name)).collect();
            for (path, outcome) in read {
                match outcome? {
                    Ok(episode) if bytes + episode.bytes() <= budget => {
                        bytes += episode.bytes();
                        newest_first.push(episode);
                    }
                    Ok(episode) if newest_first.is_empty() => {
                        return Err(ReplayError::Budget { path: Some(path), bytes: episode.bytes(), budget });
                    }
                    Ok(_) => break 'full,
                    Err(skipped) => report.skipped.push(skipped),
                }
                names.pop();
            }
        }
        report.loaded = newest_first.len();
        report.passed_over = names.len();
        let mut replay = Self::after(sizes, budget, names.len() as u64)?;
        for episode in newest_first.into_iter().rev() {
            replay.push(episode)?;
        }
        Ok((replay, report))
    }
}

/// Index of the oldest of the newest episodes that are read together; `names` are oldest first, and not empty.
fn first_of_group(names: &[Listed], sizes: &Sizes) -> usize {
    let mut bytes = 0u64;
    let fits = |listed: &&Listed| {
        bytes = bytes.saturating_add(uncompressed(&listed.name, sizes));
        bytes <= READ_TOGETHER
    };
    names.len() - names.iter().rev().take_while(fits).count().max(1)
}

/// Bytes of the uncompressed episode of this name.
fn uncompressed(name: &EpisodeName, sizes: &Sizes) -> u64 {
    (name.length as u64).saturating_mul(sizes.bytes() as u64)
}

/// An episode's file.
struct Listed {
    name: EpisodeName,
    /// Whether it is in the folder of added episodes.
    added: bool,
}

/// The folder that episodes are read from, and the memory that they are read for.
struct Reading<'a> {
    folder: &'a Path,
    sizes: Sizes,
    budget: u64,
    tasks: Option<&'a [String]>,
}

impl Reading<'_> {
    /// Reads and compresses an episode; its path, and the episode or why its file is skipped.
    fn read(&self, listed: &Listed) -> (PathBuf, Result<Result<CompressedEpisode, SkippedFile>, ReplayError>) {
        let folder = if listed.added { self.folder.join(ADDED) } else { self.folder.to_owned() };
        let path = folder.join(listed.name.to_string());
        let outcome = self.read_at(&listed.name, &path);
        (path, outcome)
    }

    fn read_at(&self, name: &EpisodeName, path: &Path) -> Result<Result<CompressedEpisode, SkippedFile>, ReplayError> {
        check_uncompressed(uncompressed(name, &self.sizes), self.budget, Some(path))?;
        let skipped = |error: FileError| SkippedFile { name: name.to_string(), reason: error.to_string() };
        // With other sizes, the file may be larger; it is read to report them, as long as any memory could hold it.
        let images = Sizes { observations: ObservationSpace::IMAGE, ..self.sizes };
        let own = Sizes { action: crate::LARGEST_ACTION, ..self.sizes };
        let limit = uncompressed(name, &images.largest()).min(uncompressed(name, &own).max(crate::LARGEST_EPISODE));
        // Files of other programs often do not name a task. If a run has one task, it is clear which is meant.
        let only = self.tasks.and_then(|tasks| if let [one] = tasks { Some(one.as_str()) } else { None });
        let episode = match read_episode_of(path, limit, only) {
            Ok(episode) => episode,
            Err(error @ FileError::Damaged { .. }) => return Ok(Err(skipped(error))),
            Err(error) => return Err(error.into()),
        };
        if let Some(tasks) = self.tasks
            && tasks.iter().all(|task| task != episode.task())
        {
            let (task, learned) = (episode.task().to_owned(), tasks.to_vec());
            return Ok(Err(skipped(FileError::OtherTask { path: path.to_owned(), task, learned })));
        }
        if let Err(error) = check_sizes(&self.sizes, &episode, Some(path)) {
            return Ok(Err(SkippedFile { name: name.to_string(), reason: error.to_string() }));
        }
        Ok(Ok(CompressedEpisode::new(episode)))
    }
}

/// The added episodes in `folder`; empty if there is no folder of them.
fn list_added(folder: &Path) -> Result<(Vec<EpisodeName>, OpenReport), ReplayError> {
    let added = folder.join(ADDED);
    if added.is_dir() { list(&added) } else { Ok((Vec::new(), OpenReport::default())) }
}

/// The result of [`add_episodes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// The folder of added episodes.
    pub folder: PathBuf,
    /// The episodes that were not written because the run has them already: their indices, and the files that are equal.
    pub known: Vec<(usize, PathBuf)>,
}

/// Writes episodes that another program collected to those of a run in `folder`, after the ones that were added before. An episode
/// that the run has already, its own or an added one, is not written again.
///
/// # Errors
/// If a file cannot be read or written; those written before it stay.
pub fn add_episodes(folder: &Path, stamp: &str, episodes: &[Episode]) -> Result<Addition, ReplayError> {
    let added = folder.join(ADDED);
    create_folders(&added).map_err(|source| FileError::Io {
        action: "make the folder",
        path: added.clone(),
        source,
    })?;
    let (names, _) = list(&added)?;
    let mut next = names.last().map_or(0, |name| name.id.saturating_add(1));
    let of = |folder: &Path, names: Vec<EpisodeName>| -> Vec<(PathBuf, usize)> {
        names.into_iter().map(|name| (folder.join(name.to_string()), name.length)).collect()
    };
    let mut all = of(&added, names);
    all.extend(of(folder, list(folder)?.0));
    let mut known = Vec::new();
    for (index, episode) in episodes.iter().enumerate() {
        let bytes = encode_episode(episode).map_err(|error| FileError::Io {
            action: "write the episode",
            path: added.clone(),
            source: error.into(),
        })?;
        let of_length = all.iter().filter(|(_, length)| *length == episode.len()).map(|(path, _)| path);
        if let Some(path) = first_with_content(of_length, &bytes)? {
            known.push((index, path.clone()));
            continue;
        }
        let name = EpisodeName { stamp: stamp.to_owned(), id: next, length: episode.len() };
        all.push((write_encoded(&added, name, || Ok(bytes))?, episode.len()));
        next = next.saturating_add(1);
    }
    Ok(Addition { folder: added, known })
}

/// The first of these files that has these bytes.
fn first_with_content<'a>(
    paths: impl Iterator<Item = &'a PathBuf>,
    bytes: &[u8],
) -> Result<Option<&'a PathBuf>, FileError> {
    for path in paths {
        if has_content(path, bytes)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Whether the file at `path` has these bytes.
fn has_content(path: &Path, bytes: &[u8]) -> Result<bool, FileError> {
    let io_error = |source| FileError::Io { action: "read the episode", path: path.to_owned(), source };
    let size = bytes.len() as u64;
    if path.metadata().map_err(io_error)?.len() != size {
        return Ok(false);
    }
    Ok(files::read_bytes(path, size).map_err(|error| io_error(error.into()))? == bytes)
}

/// The folder's episodes by number, and a report of the names that are none.
pub(crate) fn list(folder: &Path) -> Result<(Vec<EpisodeName>, OpenReport), ReplayError> {
    let io_error = |source| FileError::Io { action: "list the episodes in", path: folder.to_owned(), source };
    let mut names = Vec::new();
    let mut report = OpenReport::default();
    for entry in fs::read_dir(folder).map_err(io_error)? {
        let name = entry.map_err(io_error)?.file_name();
        let name = name.to_string_lossy();
        match EpisodeName::parse(&name) {
            Some(parsed) => names.push(parsed),
            None if is_partial(&name) => report.leftovers.push(name.into_owned()),
            None if name.ends_with(".npz") => {
                let error = FileError::Damaged { path: folder.join(&*name), damage: Damage::Name };
                report.skipped.push(SkippedFile { name: name.into_owned(), reason: error.to_string() });
            }
            None => {}
        }
    }
    names.sort_by(|a, b| (a.id, &a.stamp).cmp(&(b.id, &b.stamp)));
    report.skipped.sort_by(|a, b| b.name.cmp(&a.name));
    report.leftovers.sort();
    if let Some(pair) = names.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(ReplayError::TwoOfANumber {
            folder: folder.to_owned(),
            id: pair[0].id,
            first: pair[0].to_string(),
            second: pair[1].to_string(),
        });
    }
    Ok((names, report))
}

/// Moves the files `names` of `folder` into a new folder in it, `aside-1` or the next number that is free, and returns
/// that folder; `None` if there is nothing to move. Nothing is ever deleted.
///
/// # Errors
/// If the folder cannot be made or a file cannot be moved; files moved before stay moved.
pub fn set_aside(folder: &Path, names: &[String]) -> Result<Option<PathBuf>, FileError> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut number = 1u64;
    let aside = loop {
        let aside = folder.join(format!("aside-{number}"));
        match fs::create_dir(&aside) {
            Ok(()) => break aside,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(source) => return Err(FileError::Io { action: "create the folder", path: aside, source }),
        }
    };
    for name in names {
        let path = folder.join(name);
        fs::rename(&path, aside.join(name)).map_err(|source| FileError::Io { action: "move aside", path, source })?;
    }
    for changed in [&aside, folder] {
        sync_folder(changed).map_err(|source| FileError::Io { action: "sync", path: changed.to_owned(), source })?;
    }
    Ok(Some(aside))
}
