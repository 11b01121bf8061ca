//! A run's folder of episodes: what is in it, and filling a memory from it.
//!
//! Here: [`Replay::open`], its report, and moving files aside. Not here: reading one file, and sampling.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::damage::Damage;
use crate::error::{FileError, ReplayError};
use crate::name::EpisodeName;
use files::{is_partial, sync_folder};
use crate::{Episode, Replay, read_episode, transition_bytes};

/// What [`Replay::open`] found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenReport {
    /// Episodes now in memory.
    pub loaded: usize,
    /// Older episodes that the budget had no room for. They were not read.
    pub passed_over: usize,
    /// Files that look like episodes and could not be used, newest first.
    pub skipped: Vec<SkippedFile>,
    /// Names of the episodes from the number `upto` on, oldest first. They were not read; see [`set_aside`].
    pub newer: Vec<String>,
    /// Episode numbers below `upto` of which there is no file.
    pub missing: u64,
    /// Transitions of all episodes below `upto`, or of all there are, as their names tell.
    pub transitions: u64,
    /// Names of unfinished files, left by a program that was stopped while it wrote. They were not read.
    pub leftovers: Vec<String>,
}

/// A file that could not be used.
#[derive(Clone, Debug, PartialEq)]
pub struct SkippedFile {
    /// The file's name in its folder.
    pub name: String,
    /// What is wrong and what to do, as in [`FileError`].
    pub reason: String,
}

impl Replay {
    /// A memory for episodes of `action_size`, filled from `folder`: the newest episodes that `budget` bytes have room
    /// for, in the order in which they were collected.
    ///
    /// With `tasks`, an episode of any other task is one that cannot be used. With `upto`, only the episodes numbered below it are taken: a checkpoint that counted `n` episodes opens its
    /// folder with `Some(n)`, and sees what it saw then. Files that cannot be used are skipped and reported.
    ///
    /// # Errors
    /// If the folder cannot be read, two files have one number, an episode has another action size, or the newest
    /// episode alone is larger than the budget.
    pub fn open(
        folder: &Path,
        action_size: usize,
        budget: u64,
        upto: Option<u64>,
        tasks: Option<&[String]>,
    ) -> Result<(Self, OpenReport), ReplayError> {
        let mut replay = Self::new(action_size, budget)?;
        let (mut names, mut report) = list(folder)?;
        if let Some(upto) = upto {
            let newer = names.split_off(names.partition_point(|name| name.id < upto));
            report.newer = newer.iter().map(EpisodeName::to_string).collect();
            report.missing = upto - names.len() as u64;
        }
        report.transitions = names.iter().map(|name| name.length as u64).fold(0, u64::saturating_add);
        let mut newest_first = Vec::new();
        let mut bytes = 0u64;
        while let Some(name) = names.last() {
            let size = (name.length as u64).saturating_mul(transition_bytes(action_size) as u64);
            let path = folder.join(name.to_string());
            if bytes.saturating_add(size) > budget {
                if newest_first.is_empty() {
                    return Err(ReplayError::Budget { path: Some(path), bytes: size, budget });
                }
                break;
            }
            // With another action size it may be a little larger: it is read to say so.
            let limit = (name.length as u64).saturating_mul(transition_bytes(crate::LARGEST_ACTION) as u64);
            let foreign =
                |episode: &Episode| tasks.is_some_and(|tasks| tasks.iter().all(|task| task != episode.task()));
            match read_episode(&path, limit) {
                Ok(episode) if foreign(&episode) => {
                    let (task, learned) = (episode.task().to_owned(), tasks.unwrap_or_default().to_vec());
                    let reason = FileError::OtherTask { path, task, learned }.to_string();
                    report.skipped.push(SkippedFile { name: name.to_string(), reason });
                }
                Ok(episode) if episode.action_size() != action_size => {
                    let (task, found) = (episode.task().to_owned(), episode.action_size());
                    return Err(ReplayError::ActionSize { path: Some(path), task, expected: action_size, found });
                }
                Ok(episode) => {
                    bytes += episode.bytes();
                    newest_first.push(episode);
                }
                Err(error @ FileError::Damaged { .. }) => {
                    report.skipped.push(SkippedFile { name: name.to_string(), reason: error.to_string() });
                }
                Err(error) => return Err(error.into()),
            }
            names.pop();
        }
        report.loaded = newest_first.len();
        report.passed_over = names.len();
        for episode in newest_first.into_iter().rev() {
            replay.add(episode)?;
        }
        Ok((replay, report))
    }
}

/// The folder's episodes by number, and a report of the names that are none.
fn list(folder: &Path) -> Result<(Vec<EpisodeName>, OpenReport), ReplayError> {
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
            Err(source) => return Err(FileError::Io { action: "make the folder", path: aside, source }),
        }
    };
    for name in names {
        let path = folder.join(name);
        fs::rename(&path, aside.join(name)).map_err(|source| FileError::Io { action: "move aside", path, source })?;
    }
    for changed in [&aside, folder] {
        sync_folder(changed).map_err(|source| FileError::Io {
            action: "make durable",
            path: changed.to_owned(),
            source,
        })?;
    }
    Ok(Some(aside))
}
