//! The folders of a store: one for each run, named by the checksum of the run's identity.
//!
//! Each has `identity.json` and the folder `run`, and appears as a whole or not at all. Not here: what a run is (`identity`), and
//! whether it may be shared (`share`).

use super::identity::Identity;
use crate::StudyError;
use crate::copied::{COPIED_FILE, CopiedRun};
use crate::manifest::Entry;
use files::{Checksums, layout};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use train::Frames;
use train::checkpoint::finished_checkpoint;

/// The file of a stored run.
const RECORD_FILE: &str = "identity.json";

/// The folder of a stored run's files.
const RUN_FOLDER: &str = "run";

/// The most bytes of a record.
const LARGEST: u64 = 16 << 20;

/// A store of finished runs.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
}

/// The record of a stored run.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRun {
    /// The study that trained it.
    study: String,
    /// The run's folder there.
    #[serde(with = "files::path_text")]
    folder: PathBuf,
    /// The identity: JSON with the checksum that is the name of its folder.
    identity: String,
    /// SHA-256 of its files, by their paths.
    files: BTreeMap<String, String>,
}

impl Store {
    /// The store in `folder`, which is made.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn open(folder: &Path) -> Result<Self, StudyError> {
        Self::check(folder)?;
        files::create_folders(folder).map_err(StudyError::io(folder))?;
        let folder = folder.canonicalize().map_err(StudyError::io(folder))?;
        Ok(Self { folder })
    }

    /// The absolute path of the folder of a store, which may not be there yet. Nothing is written.
    ///
    /// # Errors
    /// If it is the folder of another program.
    pub fn check(folder: &Path) -> Result<PathBuf, StudyError> {
        let occupied = |what| Err(StudyError::ShareIsOccupied { path: folder.to_owned(), what });
        if folder.join(layout::CONFIG).exists() {
            return occupied("a run folder");
        }
        let absolute = std::path::absolute(folder).map_err(StudyError::io(folder))?;
        for above in absolute.ancestors() {
            if above.join(crate::manifest::FILE).exists() {
                return occupied("the folder of a study, or lies in one");
            }
        }
        if folder.exists() && !folder.is_dir() {
            return occupied("a file");
        }
        Ok(absolute)
    }

    fn of(&self, identity: &Identity) -> PathBuf {
        self.folder.join(&identity.checksum)
    }

    /// Whether it has a run.
    pub fn has(&self, identity: &Identity) -> bool {
        self.of(identity).join(RECORD_FILE).is_file()
    }

    /// Copies a stored run of `steps` frames to the folder `root`, in which no run has begun; `None` if it is not here, or if another
    /// process began the run meanwhile.
    ///
    /// # Errors
    /// If it is damaged or cannot be copied. Nothing is left behind then.
    pub fn fetch(&self, identity: &Identity, root: &Path, steps: u64) -> Result<Option<CopiedRun>, StudyError> {
        let stored = self.of(identity);
        let text = match files::read_text(&stored.join(RECORD_FILE), LARGEST) {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other.map_err(|error| StudyError::io(stored.join(RECORD_FILE))(error.into()))?,
        };
        let damaged = |why: String| StudyError::Shared { path: stored.clone(), why };
        let record: StoredRun =
            serde_json::from_str(&text).map_err(|error| damaged(format!("{RECORD_FILE}: {error}")))?;
        if record.identity != identity.text {
            return Err(damaged(format!("{RECORD_FILE} describes another run")));
        }
        let (above, name) = (root.parent().unwrap_or(Path::new("")), root.file_name().unwrap_or_default());
        files::create_folders(above).map_err(StudyError::io(above))?;
        let copy = above.join(format!(".{}.{}.partial", name.to_string_lossy(), std::process::id()));
        // Left by a killed process with the same number.
        let _ = fs::remove_dir_all(&copy);
        let filled = || -> Result<CopiedRun, StudyError> {
            let found = copy_run(&stored.join(RUN_FOLDER), &copy, steps)?;
            if let Some(path) =
                record.files.iter().find(|(path, sum)| found.get(*path) != Some(*sum)).map(|(path, _)| path)
            {
                return Err(damaged(format!("{RUN_FOLDER}/{path} was changed or is missing")));
            }
            if finished_checkpoint(&copy, Frames(steps)).is_none() {
                return Err(damaged(format!("its run has no intact checkpoint of its end, at {steps} frames")));
            }
            let (store, StoredRun { study, folder, .. }) = (self.folder.clone(), &record);
            let identity = identity.checksum.clone();
            let copied = CopiedRun { store, study: study.clone(), folder: folder.clone(), identity };
            write_json(&copy.join(COPIED_FILE), &copied)?;
            Ok(copied)
        };
        let copied = filled();
        match copied {
            Ok(copied) => Ok(place(&copy, root)?.then_some(copied)),
            Err(error) => {
                // The first error is the one to report.
                let _ = fs::remove_dir_all(&copy);
                Err(error)
            }
        }
    }

    /// Copies a finished run of the study `study` in `folder` into the store; `false` if another process did so meanwhile, or if the
    /// run also learned from episodes of other programs.
    ///
    /// # Errors
    /// If it cannot be copied. Nothing is left behind then.
    pub fn put(&self, identity: &Identity, study: &str, folder: &Path, entry: &Entry) -> Result<bool, StudyError> {
        let root = folder.join(&entry.folder);
        let is_added = root.join(layout::EPISODES).join(replay::ADDED).exists();
        if is_added || train::in_use(&root) || finished_checkpoint(&root, Frames(entry.steps)).is_none() {
            return Ok(false);
        }
        let copy = self.folder.join(format!(".{}.{}.partial", identity.checksum, std::process::id()));
        let _ = fs::remove_dir_all(&copy);
        let filled = || -> Result<(), StudyError> {
            fs::create_dir(&copy).map_err(StudyError::io(&copy))?;
            let files = copy_run(&root, &copy.join(RUN_FOLDER), entry.steps)?;
            let folder = root.canonicalize().map_err(StudyError::io(&root))?;
            let record = StoredRun { study: study.to_owned(), folder, identity: identity.text.clone(), files };
            write_json(&copy.join(RECORD_FILE), &record)
        };
        match filled() {
            Ok(()) => place(&copy, &self.of(identity)),
            Err(error) => {
                let _ = fs::remove_dir_all(&copy);
                Err(error)
            }
        }
    }
}

/// Gives the folder `copy` the name `root`, unless that is a folder that is not empty; returns whether it did.
/// Otherwise, the copy is removed.
fn place(copy: &Path, root: &Path) -> Result<bool, StudyError> {
    match fs::rename(copy, root) {
        Ok(()) => {
            let above = root.parent().unwrap_or(Path::new("."));
            files::sync_folder(above).map_err(StudyError::io(above))?;
            Ok(true)
        }
        Err(error) => {
            let _ = fs::remove_dir_all(copy);
            let occupied = matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists);
            if occupied { Ok(false) } else { Err(StudyError::io(root)(error)) }
        }
    }
}

fn write_json(path: &Path, content: &impl Serialize) -> Result<(), StudyError> {
    let text = serde_json::to_string_pretty(content).expect("texts");
    files::write_atomically(path, |file| writeln!(file, "{text}")).map_err(StudyError::io(path))
}

/// Copies the parts of a finished run that others need: settings, metrics, images and its last checkpoint, but no
/// episodes. Returns the SHA-256 of each file.
fn copy_run(from: &Path, to: &Path, steps: u64) -> Result<BTreeMap<String, String>, StudyError> {
    let none =
        || StudyError::Shared { path: from.to_owned(), why: "it has no intact checkpoint of its end".to_owned() };
    let checkpoint = finished_checkpoint(from, Frames(steps)).ok_or_else(none)?;
    let checkpoint = Path::new(layout::CHECKPOINTS).join(checkpoint.file_name().unwrap_or_default());
    for folder in [Path::new(""), Path::new(layout::EPISODES), Path::new(layout::VIDEOS), &checkpoint] {
        files::create_folders(&to.join(folder)).map_err(StudyError::io(to.join(folder)))?;
    }
    let mut sums = BTreeMap::new();
    for folder in [Path::new(""), Path::new(layout::VIDEOS), &checkpoint] {
        let all = match fs::read_dir(from.join(folder)) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            other => other.map_err(StudyError::io(from.join(folder)))?,
        };
        for entry in all {
            let entry = entry.map_err(StudyError::io(from.join(folder)))?;
            let name = entry.file_name();
            let path = folder.join(&name);
            // Links could lead anywhere, and a lock is of the process that holds it.
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let own = [layout::RUN_LOCK, COPIED_FILE].iter().any(|own| name == *own);
            if !is_file || own || files::is_partial(&name.to_string_lossy()) {
                continue;
            }
            let copied = to.join(&path);
            fs::copy(from.join(&path), &copied).map_err(StudyError::io(from.join(&path)))?;
            File::open(&copied).and_then(|file| file.sync_all()).map_err(StudyError::io(&copied))?;
            let sum = Checksums::of_file(&copied).map_err(StudyError::io(&copied))?.sha256;
            sums.insert(files::path_text::encode(&path).into_owned(), sum);
        }
        files::sync_folder(&to.join(folder)).map_err(StudyError::io(to.join(folder)))?;
    }
    Ok(sums)
}
