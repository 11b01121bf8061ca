//! The results of runs: returns, images, transfers and settings, read from their folders.
//!
//! Runs come from the manifest of a study or are found in any folder. Unreadable files are named and left out, and
//! never prevent the rest. Here: [`Results`] and how they are gathered. Not here: statistics over them (`statistics`,
//! `report`).

mod ancestry;
mod clock;
mod discover;
mod error;
mod folder;
mod line;
mod lineage;
mod metrics;
mod opening;
mod pilots;
mod settings;
mod shares;
mod transfer_record;

use crate::copied::CopiedRun;
use crate::manifest::{FILE, Manifest, Role};
use crate::statistics::Curve;
use crate::status::failure;
use lineage::Lineage;
use settings::Texts;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use train::Origin;
use transfer_record::TransferRecord;

pub use ancestry::Ancestry;
pub use clock::{Clock, Cost};
pub use discover::run_folders;
pub use error::ResultsError;
pub use metrics::{Metrics, decode_metrics, read_metrics};
pub use opening::FirstLine;
pub use pilots::{PilotEnd, PilotRow};
pub use settings::Settings;

/// The name of the method of runs without transfer, unless the study file gives it another.
pub const BASELINE: &str = "baseline";

/// The runs of a folder.
#[derive(Debug)]
pub struct Results {
    /// The study's name, or the folder's.
    pub name: String,
    /// The folder that all others are relative to.
    pub root: PathBuf,
    /// The checksum of the study file; `None` for a folder that does not belong to a study.
    pub document: Option<String>,
    /// The method that the others are compared with, by its name in tables; if there is none, the one that starts from scratch.
    pub baseline: Option<String>,
    /// The runs: in the manifest's order, or in that of their folders' names.
    pub runs: Vec<RunResult>,
    /// The choices by pilot runs, a row for each candidate.
    pub pilots: Vec<PilotRow>,
    /// Notes, for example about runs that were left out.
    pub notes: Vec<String>,
}

/// The results of a run.
#[derive(Debug)]
pub struct RunResult {
    /// Its folder, relative to [`Results::root`].
    pub folder: PathBuf,
    /// Its role.
    pub role: Role,
    /// The tasks it learns.
    pub tasks: Vec<String>,
    /// Its method.
    pub method: String,
    /// The name of its source, or its own name if it is a source.
    pub source: Option<String>,
    /// Whether it starts without transfer.
    pub from_scratch: bool,
    /// The agents that it learns from, directly or through others.
    pub ancestry: Ancestry,
    /// Its seed.
    pub seed: u64,
    /// Environment frames at its end.
    pub steps: u64,
    /// The command that repeats it in [`Results::root`]; for discovered runs, as far as their folder shows it.
    pub command: String,
    /// How far it is.
    pub progress: Progress,
    /// Why it failed when its launcher last started it; `None` if it did not, or is finished, or a process works on it.
    pub failure: Option<String>,
    /// The returns of each of its tasks.
    pub series: Vec<Series>,
    /// Why the return of its random episodes is not known; `None` if the first point of each training curve is of these
    /// episodes alone.
    pub random_unknown: Option<String>,
    /// How much its reward meta-model reads from each source, and from the latent state, over time.
    pub source_use: Vec<SourceUse>,
    /// Seconds worked on it.
    pub seconds: Option<f64>,
    /// The threads that worked on it in its last session; `None` if its folder does not record them.
    pub threads: Option<f64>,
    /// Its gradient steps and seconds at each of its frames.
    pub clock: Clock,
    /// Its settings, each under its path, such as `agent.horizon`.
    pub settings: Settings,
    /// The program and machine of its last session, with keys such as `processor`.
    pub provenance: Settings,
    /// The store that it was copied from, if it was not trained here.
    pub shared: Option<CopiedRun>,
    /// Its transfer, without single parameters.
    pub transfer: Option<transfer::Report>,
    /// The agent that played its first episodes.
    pub guide: Option<train::GuideRecord>,
    /// The episodes of another run that it rehearses.
    pub rehearsal: Option<train::RehearsalRecord>,
    /// The last images of each task.
    pub images: Vec<Image>,
    /// Problems with reading.
    pub problems: Vec<String>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Its folder holds no metrics yet.
    NotBegun,
    /// It has come so many frames.
    Underway(u64),
    /// It was one of several candidates, and others were better after so many frames.
    Dropped(u64),
    /// It has all its frames.
    Finished,
}

/// The returns of a task in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The task.
    pub task: String,
    /// Returns of training episodes, with exploration noise.
    pub training: Curve,
    /// Returns of evaluation episodes, without it.
    pub evaluation: Curve,
}

/// How much a reward meta-model reads from one of its inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceUse {
    /// The source's name in the plan, or `stoch` and `deter` of the latent state.
    pub name: String,
    /// Whether it is the latent state.
    pub latent: bool,
    /// Frames, and the norm of the kernel's row (of the latent state: the mean of the rows).
    pub points: Vec<(f64, f64)>,
}

/// An image of a run's last evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its file.
    pub path: PathBuf,
    /// Its kind.
    pub kind: ImageKind,
    /// The task.
    pub task: String,
    /// Environment frames of the run when it was made.
    pub frames: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// The kinds of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageKind {
    /// An evaluation episode, animated.
    Episode,
    /// The predictions of the world model.
    OpenLoop,
}

impl Results {
    /// The runs of the study in `root`, or, if there is no manifest, every run in it.
    ///
    /// # Errors
    /// If the folder or its manifest cannot be read, or holds no run.
    pub fn read(root: &Path) -> Result<Self, ResultsError> {
        if root.join(FILE).exists() {
            return Ok(Self::of_study(root, &Manifest::read(root)?));
        }
        discover::runs_in(root)
    }

    /// The runs of a manifest, in the study's folder `root`.
    fn of_study(root: &Path, manifest: &Manifest) -> Self {
        let (lineage, mut texts) = (Lineage::new(&manifest.entries), Texts::default());
        let runs = manifest.entries.iter().map(|entry| {
            let mut run = folder::read_run(root, &entry.folder, &entry.tasks, entry.steps);
            run.role = entry.role;
            run.method.clone_from(&entry.method);
            run.source.clone_from(&entry.source);
            run.from_scratch = entry.request.origin == Origin::Random
                && entry.request.guide.is_none()
                && entry.request.rehearse.is_none();
            // The manifest does not know the agents from before the study, and the sources that a plan of the user's names itself.
            let record = || TransferRecord::read(&root.join(&entry.folder), run.transfer.as_ref());
            run.ancestry = match lineage.is_incomplete(entry).then(record) {
                Some(Ok(Some(record))) => Ancestry::new(root, &record),
                _ => lineage.ancestry(entry),
            };
            texts.share(&mut run);
            run.problems.extend(run.ancestry.gaps.iter().cloned());
            run.seed = entry.seed;
            run.command = command(&entry.arguments);
            run.failure = failure(root, entry);
            run
        });
        let mut runs: Vec<RunResult> = runs.collect();
        count_played_frames(&mut runs);
        let pilots = pilots::choose(root, manifest, &mut runs);
        Self {
            name: manifest.header.study.clone(),
            root: root.to_owned(),
            document: Some(manifest.header.document.clone()),
            baseline: manifest.header.baseline.clone(),
            runs,
            pilots,
            notes: Vec::new(),
        }
    }

    /// The runs whose returns are compared.
    pub fn targets(&self) -> impl Iterator<Item = &RunResult> {
        self.runs.iter().filter(|run| run.role == Role::Target)
    }
}

impl RunResult {
    /// Whether it has all its frames.
    pub fn finished(&self) -> bool {
        self.progress == Progress::Finished
    }

    /// Environment frames of the whole run, once it has finished: those that it was asked for or, if its random episodes took longer,
    /// those that it has played.
    pub fn all_frames(&self) -> u64 {
        let last = self.series.iter().filter_map(|series| series.training.points().last());
        last.map(|point| point.frames as u64).fold(self.steps, u64::max)
    }

    /// The returns of `task`, if it learns that.
    pub fn series(&self, task: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.task == task)
    }
}

/// Counts all frames of finished sources, in place of those that they were asked for.
fn count_played_frames(runs: &mut [RunResult]) {
    let sources = runs.iter().filter(|run| run.role == Role::Source && run.finished());
    let all: BTreeMap<String, u64> = sources.map(|run| (run.folder.display().to_string(), run.all_frames())).collect();
    for (agent, frames) in runs.iter_mut().flat_map(|run| &mut run.ancestry.agents) {
        *frames = all.get(agent).copied().unwrap_or(*frames);
    }
}

/// `dreamgraft` with these arguments, as a shell reads them.
fn command(arguments: &[impl AsRef<OsStr>]) -> String {
    let words: Vec<String> = arguments.iter().map(wording::shell_word).collect();
    format!("dreamgraft {}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_typed_as_shells_take_them() {
        let words = ["train", "hopper", "--set", "a=[1, 2]", "it's", ""].map(str::to_owned);
        assert_eq!(command(&words), r"dreamgraft train hopper --set 'a=[1, 2]' 'it'\''s' ''");
    }
}
