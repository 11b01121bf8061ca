//! What supports a run besides the parameters that a transfer gives it: a guide, an earlier agent that plays its first episodes.
//!
//! Here: [`Support`], what of it a run is asked for, and whether it is what the run began with. Not here: transfers (`beginning`).

mod guide;

pub(crate) use guide::Guide;
pub use guide::GuideRecord;

use crate::TrainError;
use crate::agent::environments::TaskShape;
use crate::config::{Config, Difference};
use crate::request::RunRequest;
use crate::run::schedule::{Phase, Position, next};
use files::layout::GUIDE;
use std::path::Path;

/// What a run is asked to be supported by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The agent that plays the episodes before the first gradient step: its run folder, a checkpoint, its file, or an export.
    pub guide: Option<&'a Path>,
}

/// What supports a run.
#[derive(Default)]
pub(crate) struct Support {
    /// The record of the guide; `None` if its first episodes have random actions.
    pub guided_by: Option<GuideRecord>,
    /// The guide; `None` if there is none, or the first episodes are all collected.
    pub guide: Option<Guide>,
}

impl Support {
    /// That of a new run of tasks with these shapes. Nothing is written.
    ///
    /// # Errors
    /// If the guide cannot be read, or does not fit every task.
    pub fn of_new_run(asked: Asked<'_>, shapes: &[TaskShape]) -> Result<Self, TrainError> {
        let guide = asked.guide.map(|path| opened(path, shapes)).transpose()?;
        Ok(Self { guided_by: guide.as_ref().map(|guide| guide.record.clone()), guide })
    }

    /// That of the run in `root`, which resumes at `position`.
    ///
    /// # Errors
    /// [`TrainError::OtherTransfer`] if it began with something else than is asked for; [`TrainError::GuideNeeded`] if its guide still
    /// has episodes to play, and is not there.
    pub fn of_resumed_run(
        root: &Path,
        asked: Asked<'_>,
        (config, position): (&Config, &Position),
        shapes: &[TaskShape],
    ) -> Result<Self, TrainError> {
        let record = GuideRecord::read(root)?;
        crate::beginning::refuse(root, differences(record.as_ref(), asked))?;
        let is_needed = matches!(next(config, position), Phase::Prefill { .. });
        let needed = record.as_ref().zip(asked.guide).filter(|_| is_needed);
        let guide = needed.map(|(record, path)| again(record, path, shapes)).transpose();
        let guide = guide.map_err(|why| TrainError::GuideNeeded(Box::new(why)))?;
        Ok(Self { guided_by: record, guide })
    }

    /// What the episodes before the first gradient step are called: random ones, or guided ones.
    pub fn first_episodes(&self) -> &'static str {
        if self.guided_by.is_some() { "guided" } else { "random" }
    }

    /// Writes the record of a new run into `root`, or removes what an interrupted start left of one.
    ///
    /// # Errors
    /// If a file cannot be written or removed.
    pub fn record(&self, root: &Path) -> Result<(), TrainError> {
        match &self.guided_by {
            Some(record) => record.write(root),
            None => crate::beginning::remove(root.join(GUIDE)),
        }
    }
}

/// The agent at `path`, which fits these tasks.
fn opened(path: &Path, shapes: &[TaskShape]) -> Result<Guide, TrainError> {
    let guide = Guide::open(path)?;
    guide.check(shapes)?;
    Ok(guide)
}

/// The agent at `path`, which is the one of the record.
fn again(record: &GuideRecord, path: &Path, shapes: &[TaskShape]) -> Result<Guide, TrainError> {
    let guide = opened(path, shapes)?;
    if guide.record.guide.sha256 != record.guide.sha256 {
        let was = record.guide.file.display();
        let why = format!("it was trained further since this run began with {was}; restore that file");
        return Err(TrainError::Guide { path: path.to_owned(), why });
    }
    Ok(guide)
}

/// The differences between what a run began with and what is asked for now.
fn differences(guide: Option<&GuideRecord>, asked: Asked<'_>) -> Vec<Difference> {
    let guide = match (guide, asked.guide) {
        (Some(record), now) => record.difference(now),
        (None, Some(now)) => {
            Some(Difference { path: "guide".to_owned(), was: "nothing".to_owned(), now: now.display().to_string() })
        }
        (None, None) => None,
    };
    Vec::from_iter(guide)
}

/// What the run in `root` has and `request` does not ask for, or the other way round. Agents are not compared.
///
/// # Errors
/// If a record is damaged.
pub(crate) fn missing(root: &Path, request: &RunRequest) -> Result<Vec<Difference>, TrainError> {
    let of = |there: bool| if there { "an agent" } else { "nothing" }.to_owned();
    let (was, now) = (GuideRecord::read(root)?.is_some(), request.guide.is_some());
    let guide = Difference { path: "guide".to_owned(), was: of(was), now: of(now) };
    Ok(Vec::from_iter((was != now).then_some(guide)))
}

/// Names of the files that an interrupted start leaves of it in `root`. Another file of that name is the user's.
pub(crate) fn leftovers(root: &Path) -> Vec<&'static str> {
    let is_ours = matches!(GuideRecord::read(root), Ok(Some(_)));
    Vec::from_iter(is_ours.then_some(GUIDE))
}

/// The arguments that ask for what the run in `root` began with, as its records say; none for a record that cannot be read.
pub(crate) fn arguments(root: &Path) -> Vec<String> {
    let guide = GuideRecord::read(root).ok().flatten();
    Vec::from_iter(guide.map(|record| format!("--guide {}", wording::shell_word(record.guide.file))))
}
