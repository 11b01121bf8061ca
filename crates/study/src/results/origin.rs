//! What a run took from other agents, as its folder says: which sources there are, and what each is for.
//!
//! `transfer.json`, the report, says it all. Runs of which only `transfer.toml`, the plan, is left have less to say. Not here:
//! where the sources' knowledge came from (`ancestry`).

use std::path::{Path, PathBuf};
use transfer::{PLAN_FILE, Plan, REPORT_FILE, Report};

/// What a run took from other agents.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The agents that it took from.
    pub sources: Vec<Given>,
    /// Names of those whose reward models a meta-model reads; `None` if there is no meta-model.
    rewards: Option<Vec<String>>,
}

/// A source of a run.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its name in the plan.
    pub name: String,
    /// The agent's file.
    pub file: PathBuf,
    /// The tasks it learned; empty if that is not recorded.
    pub tasks: Vec<String>,
    /// Environment frames that it was trained for, if that is recorded.
    pub frames: Option<u64>,
}

impl Origin {
    /// What the run in `folder` took; `None` if it took nothing.
    ///
    /// # Errors
    /// Why that cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, String> {
        if is_file(&folder.join(REPORT_FILE))? {
            let report = transfer::read_report(folder).map_err(|error| error.to_string())?;
            return Ok(report.map(|report| Self::of_report(&report)));
        }
        let path = folder.join(PLAN_FILE);
        if is_file(&path)? {
            let plan = Plan::read(&path).map_err(|error| error.to_string())?;
            return Ok(Some(Self::of_plan(&plan)));
        }
        Ok(None)
    }

    fn of_report(report: &Report) -> Self {
        let sources = report.sources.iter().map(|source| {
            let at = source.provenance.clone();
            Given { name: source.name.clone(), file: at.file, tasks: at.tasks, frames: at.frames }
        });
        let rewards = report.meta_model.as_ref().map(|meta_model| meta_model.sources.clone());
        Self { sources: sources.collect(), rewards }
    }

    fn of_plan(plan: &Plan) -> Self {
        let sources = plan.sources().iter().map(|(name, at)| Given {
            name: name.clone(),
            file: at.path.clone(),
            tasks: Vec::new(),
            frames: frames_of(&at.path),
        });
        let rewards = plan.meta_model().map(|meta_model| meta_model.sources.clone());
        Self { sources: sources.collect(), rewards }
    }

    /// The sources whose tasks count as what the run learned from: those whose reward models it reads, or all if it has no
    /// reward meta-model.
    pub fn own(&self) -> impl Iterator<Item = &Given> {
        self.sources.iter().filter(|source| self.rewards.as_ref().is_none_or(|names| names.contains(&source.name)))
    }
}

/// Frames of the checkpoint that an agent's file lies in: it is named after them.
fn frames_of(file: &Path) -> Option<u64> {
    let checkpoint = file.parent()?;
    let in_run = checkpoint.parent()?.ends_with("checkpoints");
    checkpoint.file_name()?.to_str()?.parse().ok().filter(|_| in_run)
}

/// Whether there is a file at `path`.
///
/// # Errors
/// If there is something else, for opening that could wait for ever.
fn is_file(path: &Path) -> Result<bool, String> {
    match path.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(format!("{}: {error}", path.display())),
        Ok(metadata) if !metadata.is_file() => Err(format!("{} is not a file", path.display())),
        Ok(_) => Ok(true),
    }
}
