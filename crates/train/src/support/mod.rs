//! The support of a run besides the parameters that a transfer gives it: a guide, an earlier agent that plays its first
//! episodes, and a rehearsal, episodes of another run that it learns from.
//!
//! Here: [`Support`], the part of it that a run is asked for, and whether the run began with it. Not here: transfers
//! (`beginning`).

mod guide;
mod record;
mod rehearsal;

pub(crate) use guide::Guide;
pub use guide::GuideRecord;
pub(crate) use rehearsal::{DEFAULT_SHARE, Rehearsed, remove_episodes};
pub use rehearsal::{RehearsalRecord, Rehearse};

use crate::TrainError;
use crate::agent::environments::TaskShape;
use crate::config::{Config, Difference};
use crate::request::RunRequest;
use crate::run::schedule::{Phase, Position, next};
use environment::Catalogue;
use files::layout::{GUIDE, REHEARSAL, REHEARSED_EPISODES};
use replay::Sizes;
use std::path::Path;

/// The support that a run is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The agent that plays the episodes before the first gradient step: its run folder, a checkpoint, its file, or an
    /// export.
    pub guide: Option<&'a Path>,
    /// The run whose episodes it rehearses, and how often.
    pub rehearse: Option<&'a Rehearse>,
}

/// The support of a run.
#[derive(Default)]
pub(crate) struct Support {
    /// The record of the guide; `None` if its first episodes have random actions.
    pub guided_by: Option<GuideRecord>,
    /// The guide; `None` if there is none, or the first episodes are all collected.
    pub guide: Option<Guide>,
    /// Its rehearsal.
    pub rehearsed: Option<Rehearsed>,
}

impl Support {
    /// That of a new run of `config`, whose tasks have these shapes, and whose transitions have these sizes. Nothing is
    /// written.
    ///
    /// # Errors
    /// If the guide or the episodes to rehearse cannot be read, or do not fit every task.
    pub fn of_new_run(
        catalogue: &dyn Catalogue,
        asked: Asked<'_>,
        config: &Config,
        (shapes, sizes): (&[TaskShape], Sizes),
    ) -> Result<Self, TrainError> {
        let guide = asked.guide.map(|path| opened(path, shapes)).transpose()?;
        let rehearsed = asked.rehearse.map(|rehearse| rehearse.gather(catalogue, config, sizes)).transpose()?;
        Ok(Self { guided_by: guide.as_ref().map(|guide| guide.record.clone()), guide, rehearsed })
    }

    /// That of the run in `root`, which resumes at `position`.
    ///
    /// # Errors
    /// [`TrainError::OtherTransfer`] if it began with other support than is asked for; [`TrainError::GuideNeeded`] if
    /// its guide still has episodes to play, and is not there.
    pub fn of_resumed_run(
        root: &Path,
        asked: Asked<'_>,
        (config, position): (&Config, &Position),
        shapes: &[TaskShape],
    ) -> Result<Self, TrainError> {
        let (record, rehearsed) = (GuideRecord::read(root)?, RehearsalRecord::read(root)?);
        crate::beginning::refuse(root, differences(record.as_ref(), rehearsed.as_ref(), asked))?;
        let is_needed = matches!(next(config, position), Phase::Prefill { .. });
        let needed = record.as_ref().zip(asked.guide).filter(|_| is_needed);
        let guide = needed.map(|(record, path)| again(record, path, shapes)).transpose();
        let guide = guide.map_err(|why| TrainError::GuideNeeded(Box::new(why)))?;
        let rehearsed = rehearsed.map(|record| Rehearsed { record, memory: None });
        Ok(Self { guided_by: record, guide, rehearsed })
    }

    /// The name of the episodes before the first gradient step: random ones, or guided ones.
    pub fn first_episodes(&self) -> &'static str {
        if self.guided_by.is_some() { "guided" } else { "random" }
    }

    /// Writes the record of a new run into `root`, or removes the rest of an interrupted start.
    ///
    /// # Errors
    /// If a file cannot be written or removed.
    pub fn record(&self, root: &Path) -> Result<(), TrainError> {
        match &self.guided_by {
            Some(record) => record.write(root)?,
            None => crate::beginning::remove(root.join(GUIDE))?,
        }
        match &self.rehearsed {
            Some(rehearsed) => rehearsed.write(root),
            None => rehearsal::remove(root),
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

/// The differences between the support that a run began with and the one that is asked for now.
fn differences(guide: Option<&GuideRecord>, rehearsed: Option<&RehearsalRecord>, asked: Asked<'_>) -> Vec<Difference> {
    let guide = match (guide, asked.guide) {
        (Some(record), now) => record.difference(now),
        (None, Some(now)) => {
            Some(Difference { path: "guide".to_owned(), was: "nothing".to_owned(), now: now.display().to_string() })
        }
        (None, None) => None,
    };
    let mut differences = Vec::from_iter(guide);
    match (rehearsed, asked.rehearse) {
        (Some(record), now) => differences.extend(record.differences(now)),
        (None, Some(now)) => {
            let (was, now) = ("nothing".to_owned(), now.from.display().to_string());
            differences.push(Difference { path: "rehearse".to_owned(), was, now });
        }
        (None, None) => {}
    }
    differences
}

/// The support that the run in `root` has and `request` does not ask for, or the other way round. Agents are not
/// compared.
///
/// # Errors
/// If a record is damaged.
pub(crate) fn missing(root: &Path, request: &RunRequest) -> Result<Vec<Difference>, TrainError> {
    let of = |share: Option<f64>| share.map_or("nothing".to_owned(), |share| share.to_string());
    let guide = |there: bool| if there { "an agent" } else { "nothing" }.to_owned();
    let was = (GuideRecord::read(root)?.is_some(), RehearsalRecord::read(root)?.map(|record| record.share));
    let now = (request.guide.is_some(), request.rehearse.as_ref().map(Rehearse::share));
    let all = [("guide", guide(was.0), guide(now.0)), ("share", of(was.1), of(now.1))];
    let differing = all.into_iter().filter(|(_, was, now)| was != now);
    Ok(differing.map(|(path, was, now)| Difference { path: path.to_owned(), was, now }).collect())
}

/// Names of the files that an interrupted start leaves of it in `root`. Another file of that name is the user's.
pub(crate) fn leftovers(root: &Path) -> Vec<&'static str> {
    let mut ours = Vec::new();
    if matches!(GuideRecord::read(root), Ok(Some(_))) {
        ours.push(GUIDE);
    }
    if matches!(RehearsalRecord::read(root), Ok(Some(_))) {
        ours.extend([REHEARSAL, REHEARSED_EPISODES]);
    }
    ours
}

/// The arguments that ask for the support that the run in `root` began with, from its records; none for a record that
/// cannot be read.
pub(crate) fn arguments(root: &Path) -> Vec<String> {
    let guide = GuideRecord::read(root).ok().flatten();
    let guide = guide.map(|record| format!("--guide {}", wording::shell_word(record.guide.file)));
    let rehearsal = RehearsalRecord::read(root).ok().flatten();
    let rehearsal = rehearsal.map(|record| {
        let share = if record.share == DEFAULT_SHARE { String::new() } else { format!(" --share {}", record.share) };
        format!("--rehearse {}{share}", wording::shell_word(record.folder))
    });
    guide.into_iter().chain(rehearsal).collect()
}
