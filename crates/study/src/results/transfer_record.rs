//! The transfer of a run, as recorded in its folder: its sources and their purposes.
//!
//! The report `transfer.json` contains everything. If only the plan `transfer.toml` is left, less is known. Not here:
//! the sources of the sources (`ancestry`).

use files::layout::{AGENT, CHECKPOINTS, GUIDE, REHEARSAL, TRANSFER_PLAN, TRANSFER_REPORT};
use std::path::{Path, PathBuf};
use train::{GuideRecord, RehearsalRecord};
use transfer::{Plan, Report};

/// The transfer of a run.
#[derive(Clone, Debug)]
pub struct TransferRecord {
    /// The agents from which it transferred parameters, and those from which one was chosen.
    pub sources: Vec<RecordedSource>,
    /// The names of the sources whose tasks count as the run's source tasks; `None` if all of them do.
    own: Option<Vec<String>>,
    /// How many of the sources, the last ones, support the run in other ways than with parameters.
    supporting: usize,
}

/// A source of a run.
#[derive(Clone, Debug)]
pub struct RecordedSource {
    /// Its name in the plan.
    pub name: String,
    /// The agent's file.
    pub file: PathBuf,
    /// The tasks it learned; empty if that is not recorded.
    pub tasks: Vec<String>,
    /// Environment frames that it was trained for, if that is recorded.
    pub frames: Option<u64>,
}

impl TransferRecord {
    /// The transfer of the run in `folder`, with the agent that guides it and the run whose episodes it rehearses as
    /// sources; `None` if it has none of these. `report` is that of the transfer, if it was read before.
    ///
    /// # Errors
    /// Why that cannot be read.
    pub fn read(folder: &Path, report: Option<&Report>) -> Result<Option<Self>, String> {
        let transfer = match report {
            Some(report) => Some(Self::of_report(report)),
            None => Self::of_transfer(folder)?,
        };
        let mut supporting = Vec::new();
        if is_file(&folder.join(GUIDE))?
            && let Some(GuideRecord { guide: at, .. }) = GuideRecord::read(folder).map_err(|error| error.to_string())?
        {
            let (name, file) = ("guide".to_owned(), at.file);
            supporting.push(RecordedSource { name, file, tasks: at.tasks, frames: at.frames });
        }
        if is_file(&folder.join(REHEARSAL))?
            && let Some(record) = RehearsalRecord::read(folder).map_err(|error| error.to_string())?
        {
            // As if it were the file of an agent of that run.
            let (name, file) = ("rehearsal".to_owned(), record.folder.join(CHECKPOINTS).join("newest").join(AGENT));
            supporting.push(RecordedSource { name, file, tasks: record.tasks, frames: record.frames });
        }
        if supporting.is_empty() {
            return Ok(transfer);
        }
        let mut all = transfer.unwrap_or(Self { sources: Vec::new(), own: None, supporting: 0 });
        all.supporting = supporting.len();
        all.sources.extend(supporting);
        Ok(Some(all))
    }

    fn of_transfer(folder: &Path) -> Result<Option<Self>, String> {
        if is_file(&folder.join(TRANSFER_REPORT))? {
            let report = transfer::read_report(folder).map_err(|error| error.to_string())?;
            return Ok(report.map(|report| Self::of_report(&report)));
        }
        let path = folder.join(TRANSFER_PLAN);
        if is_file(&path)? {
            let plan = Plan::read(&path).map_err(|error| error.to_string())?;
            return Ok(Some(Self::of_plan(&plan)));
        }
        Ok(None)
    }

    fn of_report(report: &Report) -> Self {
        let sources = report.provenances().map(|(name, at)| {
            let at = at.clone();
            RecordedSource { name: name.to_owned(), file: at.file, tasks: at.tasks, frames: at.frames }
        });
        let used = || report.sources.iter().map(|source| source.name.clone()).collect();
        let rewards = report.meta_model.as_ref().map(|meta_model| meta_model.sources.clone());
        let own = rewards.or_else(|| report.choice.as_ref().map(|_| used()));
        Self { sources: sources.collect(), own, supporting: 0 }
    }

    fn of_plan(plan: &Plan) -> Self {
        let sources = plan.sources().iter().map(|(name, at)| RecordedSource {
            name: name.clone(),
            file: at.path.clone(),
            tasks: Vec::new(),
            frames: frames_of(&at.path),
        });
        let chosen = || plan.used_sources().ok().map(|used| used.into_iter().collect());
        let rewards = plan.meta_model().map(|meta_model| meta_model.sources.clone());
        let own = rewards.or_else(|| plan.choice().and_then(|_| chosen()));
        Self { sources: sources.collect(), own, supporting: 0 }
    }

    /// The sources whose tasks count as the source tasks of the run: those whose reward models it reads, the one that
    /// was chosen, or else all. Those that support it in other ways are always among them.
    pub fn own(&self) -> impl Iterator<Item = &RecordedSource> {
        let transferred = self.sources.len() - self.supporting;
        let is_own = move |(index, source): &(usize, &RecordedSource)| {
            *index >= transferred || self.own.as_ref().is_none_or(|names| names.contains(&source.name))
        };
        self.sources.iter().enumerate().filter(is_own).map(|(_, source)| source)
    }
}

/// Frames of the checkpoint that an agent's file lies in: it is named after them.
fn frames_of(file: &Path) -> Option<u64> {
    let checkpoint = file.parent()?;
    let in_run = checkpoint.parent()?.ends_with(CHECKPOINTS);
    checkpoint.file_name()?.to_str()?.parse().ok().filter(|_| in_run)
}

/// Whether there is a file at `path`.
///
/// # Errors
/// If the path is not a regular file, because opening it could block.
fn is_file(path: &Path) -> Result<bool, String> {
    match path.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(format!("{}: {error}", path.display())),
        Ok(metadata) if !metadata.is_file() => Err(format!("{} is not a file", path.display())),
        Ok(_) => Ok(true),
    }
}
