//! Which program worked on a run, so that a run of two programs is never shared as one of the last.
//!
//! A file for each run in the folder `identities` of a study: the checksum of the run's identity, or that it is mixed.

use super::identity::Identity;
use crate::manifest::Entry;
use crate::{StudyError, layout};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The records of a study.
#[derive(Debug)]
pub(super) struct Ledger {
    folder: PathBuf,
}

/// The record of a run that several programs, or unknown ones, worked on.
const MIXED: &str = "mixed";

/// The most bytes of a record.
const LARGEST: u64 = 1000;

impl Ledger {
    /// That of the study in `folder`.
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.join(layout::IDENTITIES) }
    }

    /// Records that a run is started or resumed as `identity`, which is `None` if that is not known.
    ///
    /// # Errors
    /// If the record cannot be read or written.
    pub fn begin(&self, study: &Path, entry: &Entry, identity: Option<&Identity>) -> Result<(), StudyError> {
        let now = identity.map_or(MIXED, |identity| &identity.checksum);
        let recorded = self.read(entry)?;
        let before = if super::is_begun(study, entry) { recorded.as_deref().or(Some(MIXED)) } else { None };
        let text = if before.is_none_or(|before| before == now) { now } else { MIXED };
        if recorded.as_deref() == Some(text) { Ok(()) } else { self.write(entry, text) }
    }

    /// Records that a run is a copy of one that is `identity`.
    ///
    /// # Errors
    /// If the record cannot be written.
    pub fn set(&self, entry: &Entry, identity: &Identity) -> Result<(), StudyError> {
        self.write(entry, &identity.checksum)
    }

    /// Whether a run was made as `identity` from its beginning to its end.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn is_pure(&self, entry: &Entry, identity: &Identity) -> Result<bool, StudyError> {
        Ok(self.read(entry)?.is_some_and(|recorded| recorded == identity.checksum))
    }

    fn path(&self, entry: &Entry) -> PathBuf {
        self.folder.join(&entry.folder)
    }

    fn read(&self, entry: &Entry) -> Result<Option<String>, StudyError> {
        let path = self.path(entry);
        match files::read_text(&path, LARGEST) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(StudyError::io(path)(error.into())),
        }
    }

    fn write(&self, entry: &Entry, text: &str) -> Result<(), StudyError> {
        let path = self.path(entry);
        if let Some(folder) = path.parent() {
            files::create_folders(folder).map_err(StudyError::io(folder))?;
        }
        files::write_atomically(&path, |file| writeln!(file, "{text}")).map_err(StudyError::io(path))
    }
}
