//! The manifest in a study's folder: whether it is that of a study file, and writing it into a folder that may be used.
//!
//! Not here: which runs a study file stands for (`expand`), and the manifest's format (`manifest`).

use crate::expand::{EARLIER_SOURCE_SEED, agents_of, check_transfers, manifest_of, manifest_with};
use crate::manifest::{FILE, Manifest};
use crate::study_file::{LoadedStudy, StudyFile, read};
use crate::{StudyError, layout};
use environment::Catalogue;
use std::path::{Path, PathBuf};
use train::TrainError;

/// The manifest in the study's folder, if it was made from this study file, by this version or by an earlier one, whose
/// sources had other seeds; `None` if there is no manifest, or one of another study file.
///
/// # Errors
/// If the study file cannot be used, or the manifest was changed.
pub fn recorded(read: &LoadedStudy, catalogue: &dyn Catalogue, folder: &Path) -> Result<Option<Manifest>, StudyError> {
    let Some(recorded) = Manifest::find(folder)? else { return Ok(None) };
    of_document(read, catalogue, recorded)
}

/// A manifest, if it was made from this study file.
fn of_document(
    read: &LoadedStudy,
    catalogue: &dyn Catalogue,
    recorded: Manifest,
) -> Result<Option<Manifest>, StudyError> {
    let same =
        manifest_of(read, catalogue)? == recorded || manifest_with(read, catalogue, EARLIER_SOURCE_SEED)? == recorded;
    Ok(same.then_some(recorded))
}

/// The manifest in the study's folder, if its first line states that it was made from exactly this study file. Nothing
/// is expanded.
///
/// # Errors
/// If the manifest is not as it was written.
pub fn unchanged(read: &LoadedStudy, folder: &Path) -> Result<Option<Manifest>, StudyError> {
    let Some(recorded) = Manifest::find(folder)? else { return Ok(None) };
    let same = recorded.header.document == read.checksum && recorded.header.study == read.study.name;
    Ok(same.then_some(recorded))
}

/// Checks that a study file, its plans and the agents that it names still are what a manifest was made from.
///
/// # Errors
/// If they are not, or cannot be read.
pub fn check_unchanged(file: &Path, folder: &Path, manifest: &Manifest) -> Result<(), StudyError> {
    match read(file)?.checksum == manifest.header.document {
        true => Ok(()),
        false => Err(StudyError::Changed { folder: folder.to_owned(), file: file.to_owned() }),
    }
}

/// Writes the manifest of a study file into the study's folder, which is made; one that is there must be of the same
/// file, and is kept, with the seeds that it gives to sources.
///
/// # Errors
/// If the folder was created from another study file, or cannot be written.
pub fn prepare(read: &LoadedStudy, catalogue: &dyn Catalogue, folder: &Path) -> Result<Manifest, StudyError> {
    let manifest = manifest_of(read, catalogue)?;
    if let Some(found) = written(read, catalogue, folder)? {
        return Ok(found);
    }
    check_transfers(read, catalogue, &manifest)?;
    files::create_folders(folder).map_err(StudyError::io(folder))?;
    refuse_foreign(folder)?;
    // Another process may have written it meanwhile.
    if let Some(found) = written(read, catalogue, folder)? {
        return Ok(found);
    }
    // Runs from before the manifest was removed: they count as this study's, so they must match it.
    for entry in &manifest.entries {
        let path = folder.join(&entry.folder);
        let agents = agents_of(&entry.request.origin);
        let exist = !agents.is_empty() && agents.iter().all(|agent| agent.is_absolute());
        train::check_run_of(&path, &entry.request, exist).map_err(|error| match error {
            TrainError::Differs { differences, .. } | TrainError::OtherTransfer { differences, .. } => {
                let each: Vec<String> = differences.iter().map(ToString::to_string).collect();
                let why = format!(
                    "{} was trained with other settings ({})",
                    path.display(),
                    wording::first_of(&each, "; ", "settings")
                );
                StudyError::OtherRun { path: path.clone(), why }
            }
            error => error.into(),
        })?;
    }
    manifest.write(folder)?;
    Ok(manifest)
}

/// The manifest in the folder, which must be of this study file; `None` if there is none.
fn written(read: &LoadedStudy, catalogue: &dyn Catalogue, folder: &Path) -> Result<Option<Manifest>, StudyError> {
    let Some(found) = Manifest::find(folder)? else { return Ok(None) };
    let changed = || StudyError::Changed { folder: folder.to_owned(), file: read.path.clone() };
    of_document(read, catalogue, found)?.map(Some).ok_or_else(changed)
}

/// Checks that a study could be made in the folder, if it exists.
///
/// # Errors
/// If it contains something else.
pub fn check_folder(folder: &Path) -> Result<(), StudyError> {
    if folder.is_dir() { refuse_foreign(folder) } else { Ok(()) }
}

/// Refuses a folder that contains other files than a study's.
fn refuse_foreign(folder: &Path) -> Result<(), StudyError> {
    let refuse = |why: String| Err(StudyError::NotAStudy { path: folder.to_owned(), why });
    if folder.join(files::layout::CONFIG).exists() {
        return refuse("is a run folder, not the folder of a study".to_owned());
    }
    for entry in std::fs::read_dir(folder).map_err(StudyError::io(folder))? {
        let name = entry.map_err(StudyError::io(folder))?.file_name().to_string_lossy().into_owned();
        if name != FILE && !layout::ALL.contains(&&*name) && !files::is_partial(&name) {
            return refuse(format!("contains {name:?} but no {FILE}, so it is not the folder of a study"));
        }
    }
    Ok(())
}

/// The study's folder that is used if none is given.
pub fn default_folder(study: &StudyFile) -> PathBuf {
    Path::new("studies").join(&study.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_that_another_process_wrote_meanwhile_is_not_foreign() {
        let folder = tempfile::tempdir().unwrap();
        for name in [FILE, layout::RUNS, layout::LOCK] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        refuse_foreign(folder.path()).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "").unwrap();
        assert!(refuse_foreign(folder.path()).unwrap_err().to_string().contains("notes.txt"));
    }
}
