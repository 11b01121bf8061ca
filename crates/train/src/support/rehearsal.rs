//! Rehearsal: episodes of another run, of which a run learns a share of its sequences.
//!
//! Here: which episodes fit, their copies in the run's folder, and the record of where they come from. Not here:
//! drawing from them (`replay`), and when (`run::learn`).

use super::record::{self, FORMAT, Record};
use crate::TrainError;
use crate::config::{Config, Difference};
use crate::folder::checkpoint::newest_state;
use crate::folder::{config_of_run, episodes_of, is_run, stored_config};
use environment::{Catalogue, ObservationSpace};
use files::layout::{REHEARSAL, REHEARSED_EPISODES};
use replay::{Episode, Rehearsal, Sizes, WindowStarts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use wording::counted;

/// The share of sequences if none is given.
pub(crate) const DEFAULT_SHARE: f64 = 0.2;

/// The episodes of another run that a run is asked to rehearse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearse {
    /// The folder of that run.
    #[serde(with = "files::path_text")]
    pub from: PathBuf,
    /// The probability with which a sequence is drawn from them; if none is given, 0.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

/// The episodes of another run that a run rehearses, as its folder records them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RehearsalRecord {
    format: u32,
    /// Version of the program that wrote it.
    dreamgraft: String,
    /// The folder of that run, as it was typed.
    #[serde(with = "files::path_text")]
    pub path: PathBuf,
    /// The same, absolute.
    #[serde(with = "files::path_text")]
    pub folder: PathBuf,
    /// The tasks that it learned.
    pub tasks: Vec<String>,
    /// Environment frames that it had collected, if that is known.
    pub frames: Option<u64>,
    /// The probability with which a sequence is drawn from its episodes.
    pub share: f64,
    /// The number of episodes that were copied.
    pub episodes: u64,
    /// Their transitions.
    pub transitions: u64,
}

/// The rehearsal of a run.
pub(crate) struct Rehearsed {
    pub record: RehearsalRecord,
    /// The episodes; `None` until they are read from the run's folder.
    pub memory: Option<Rehearsal>,
}

impl Rehearse {
    /// The share, or the default one.
    pub fn share(&self) -> f64 {
        self.share.unwrap_or(DEFAULT_SHARE)
    }

    /// Bytes of `budget`, that of the replay memory, that the episodes may take.
    pub fn budget(&self, budget: u64) -> u64 {
        // A share of a number of bytes that exists is exact enough as a real number.
        (budget as f64 * self.share()) as u64
    }

    /// Checks that the share is one.
    ///
    /// # Errors
    /// [`TrainError::Share`].
    pub fn check(&self) -> Result<(), TrainError> {
        let share = self.share();
        if share > 0.0 && share < 1.0 { Ok(()) } else { Err(TrainError::Share { share }) }
    }

    /// Reads the newest episodes that fit into their part of the memory, for a new run of `config` whose transitions
    /// have these sizes. Nothing is written.
    ///
    /// # Errors
    /// If there is no run or it has no episodes, or this run cannot learn from them.
    pub(crate) fn gather(
        &self,
        catalogue: &dyn Catalogue,
        config: &Config,
        sizes: Sizes,
    ) -> Result<Rehearsed, TrainError> {
        self.check()?;
        let refuse = |why: String| TrainError::Rehearsal { path: self.from.clone(), why };
        if !is_run(&self.from) {
            if crate::export::is_export(&self.from) {
                let why = "is an export, which has no episodes; give the run folder that it was made from";
                return Err(refuse(why.to_owned()));
            }
            config_of_run(&self.from)?;
        }
        let (other, folder) = (stored_config(&self.from)?, episodes_of(&self.from));
        if other.agent.actor != config.agent.actor {
            let why = "the actions of its tasks are of another kind than those of this run: one has continuous and the other discrete \
                       ones; choose a run with the same kind of actions";
            return Err(refuse(format!("does not fit: {why}")));
        }
        let own = OwnSizes::of(catalogue, &self.from, &other);
        let budget = self.budget(config.replay.budget.0);
        let adapt = |episode: Episode, _: &Path| {
            own.adapted(episode, &sizes).map_err(|why| refuse(format!("does not fit: {why}")))
        };
        let gathered = match folder.is_dir() {
            true => Some(Rehearsal::gather(&folder, sizes, budget, self.share(), adapt)?),
            false => None,
        };
        let Some(memory) = gathered.filter(|memory| memory.episodes() > 0) else {
            let why = "has no episodes: they were removed, or none was collected yet; choose another run";
            return Err(refuse(why.to_owned()));
        };
        let is_stream = config.replay.starts == WindowStarts::Stream;
        if is_stream && memory.transitions() < config.agent.length as u64 {
            let why = format!(
                "does not fit: all of its episodes together have {} transitions, fewer than the {} of agent.length; choose another run",
                memory.transitions(),
                config.agent.length
            );
            return Err(refuse(why));
        }
        if !is_stream && memory.longest() < config.agent.length {
            let why = format!(
                "does not fit: none of its {} has the {} transitions of agent.length, the longest has {}; choose another run",
                counted(memory.episodes() as u64, "episode"),
                config.agent.length,
                memory.longest()
            );
            return Err(refuse(why));
        }
        let record = RehearsalRecord {
            format: FORMAT,
            dreamgraft: env!("CARGO_PKG_VERSION").to_owned(),
            path: self.from.clone(),
            folder: std::path::absolute(&self.from).map_err(TrainError::io(&self.from))?,
            frames: newest_state(&self.from).map(|state| state.position.frames.0),
            tasks: other.tasks,
            share: self.share(),
            episodes: memory.episodes() as u64,
            transitions: memory.transitions(),
        };
        Ok(Rehearsed { record, memory: Some(memory) })
    }
}

/// The sizes that the tasks of another run have by themselves: its episodes may have longer actions and vectors, those
/// of the largest of its tasks.
struct OwnSizes(BTreeMap<String, (usize, usize)>);

impl OwnSizes {
    /// Those of the run in `root`, of this configuration.
    fn of(catalogue: &dyn Catalogue, root: &Path, config: &Config) -> Self {
        let mut sizes = BTreeMap::new();
        // With one task, its episodes have its sizes.
        if config.tasks.len() > 1 {
            let state = newest_state(root);
            let external = state.iter().flat_map(|state| &state.external);
            sizes.extend(external.map(|one| (one.task.clone(), (one.actions.size, one.observations.vector))));
            for task in config.tasks.iter().filter(|task| !task.contains(':')) {
                let info = catalogue.info(task, &config.task);
                sizes
                    .extend(info.into_iter().map(|info| (task.clone(), (info.actions.size, info.observations.vector))));
            }
        }
        Self(sizes)
    }

    /// The episode as one of these sizes: shorter actions and vectors are padded with zeros, as those of several tasks
    /// are, and what has no meaning for its task is cut off.
    ///
    /// # Errors
    /// Why that is not possible.
    fn adapted(&self, episode: Episode, sizes: &Sizes) -> Result<Episode, String> {
        let (found, task) = (episode.sizes(), episode.task().to_owned());
        let kind = |space: &ObservationSpace| (space.image, space.vector > 0);
        if kind(&found.observations) != kind(&sizes.observations) {
            let (found, shown) = (found.observations, sizes.observations);
            return Err(format!(
                "its episodes show {found}, and this run observes {shown}; choose a run that observes the same"
            ));
        }
        let (action, vector) = self.0.get(&task).copied().unwrap_or((found.action, found.vector()));
        if action > sizes.action {
            let action = counted(action as u64, "action element");
            return Err(format!(
                "its task {task} has {action}, and this run has {}; choose a run with at most as many",
                sizes.action
            ));
        }
        if vector > sizes.vector() {
            let (vector, own) = (counted(vector as u64, "number"), sizes.vector());
            return Err(format!(
                "its task {task} shows vectors of {vector}, and this run observes {own}; choose a run with shorter ones"
            ));
        }
        let episode = episode.with_actions_cut(sizes.action).with_actions_padded(sizes.action);
        Ok(episode.with_vectors_cut(sizes.vector()).with_vectors_padded(sizes.vector()))
    }
}

impl Rehearsed {
    /// Writes the record of a new run and copies of the episodes into its folder, which then needs the other run no more.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, root: &Path) -> Result<(), TrainError> {
        // Of an interrupted start.
        remove(root)?;
        // The record first: with it, the episodes are recognised as those of an interrupted start.
        record::write(&self.record, root)?;
        if let Some(memory) = &self.memory {
            memory.write(&root.join(REHEARSED_EPISODES), &replay::stamp(SystemTime::now()))?;
        }
        Ok(())
    }

    /// The episodes, for a run in `root` whose transitions have these sizes: those in memory, or those in its folder.
    ///
    /// # Errors
    /// [`TrainError::RehearsalGone`] if they are not as they were copied; or they cannot be read.
    pub fn load(self, root: &Path, sizes: Sizes) -> Result<Rehearsal, TrainError> {
        let Self { record, memory } = self;
        if let Some(memory) = memory {
            return Ok(memory);
        }
        let path = root.join(REHEARSED_EPISODES);
        let gone = |why: String| TrainError::RehearsalGone { path: path.clone(), why };
        if !path.is_dir() {
            return Err(gone("the folder is missing".to_owned()));
        }
        let (memory, report) = Rehearsal::open(&path, sizes, record.share)?;
        if let Some(skipped) = report.skipped.first() {
            return Err(gone(skipped.reason.clone()));
        }
        if (memory.episodes() as u64, memory.transitions()) != (record.episodes, record.transitions) {
            let [was, now] = [(record.episodes, record.transitions), (memory.episodes() as u64, memory.transitions())]
                .map(|(episodes, transitions)| {
                    format!("{} of {transitions} transitions", counted(episodes, "episode"))
                });
            return Err(gone(format!("it has {now} instead of {was}")));
        }
        Ok(memory)
    }
}

/// Removes the copies of a run in `root` that is finished, and needs them no more.
///
/// # Errors
/// If a file cannot be removed.
pub(crate) fn remove_episodes(root: &Path) -> Result<(), TrainError> {
    let folder = root.join(REHEARSED_EPISODES);
    if RehearsalRecord::read(root)?.is_some() && folder.is_dir() { Ok(Rehearsal::remove(&folder)?) } else { Ok(()) }
}

/// Removes the rest of an interrupted start of a rehearsal in `root`. A folder without a record is the user's.
///
/// # Errors
/// If a file cannot be removed.
pub(crate) fn remove(root: &Path) -> Result<(), TrainError> {
    let (record, folder) = (root.join(REHEARSAL), root.join(REHEARSED_EPISODES));
    if !record.exists() {
        return Ok(());
    }
    if folder.is_dir() {
        std::fs::remove_dir_all(&folder).and_then(|()| files::sync_folder(root)).map_err(TrainError::io(folder))?;
    }
    crate::beginning::remove(record)
}

impl Record for RehearsalRecord {
    const FILE: &'static str = REHEARSAL;
    const WHAT: &'static str = "a rehearsal";

    fn format(&self) -> u32 {
        self.format
    }

    fn check(&self) -> Result<(), String> {
        match self.share > 0.0 && self.share < 1.0 {
            true => Ok(()),
            false => Err(format!("its share is {}, which is not between 0 and 1", self.share)),
        }
    }
}

impl RehearsalRecord {
    /// The record in the folder of a run; `None` if it rehearses nothing.
    ///
    /// # Errors
    /// [`TrainError::TransferRecord`] if it is damaged; or it cannot be read.
    pub fn read(root: &Path) -> Result<Option<Self>, TrainError> {
        record::read(root)
    }

    /// The record in a `rehearsal.json` with these arbitrary bytes.
    ///
    /// # Errors
    /// A description of the problem.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        record::decode(bytes)
    }

    /// The differences between this record and the present request. The episodes are copies, so the other run may
    /// have changed.
    pub fn differences(&self, now: Option<&Rehearse>) -> Vec<Difference> {
        let Some(now) = now else {
            let (path, was) = ("rehearse".to_owned(), self.path.display().to_string());
            return vec![Difference { path, was, now: "nothing".to_owned() }];
        };
        let mut differences = Vec::new();
        let is_same = now.from == self.path || std::path::absolute(&now.from).is_ok_and(|folder| folder == self.folder);
        if !is_same {
            let (was, now) = (self.path.display().to_string(), now.from.display().to_string());
            differences.push(Difference { path: "rehearse".to_owned(), was, now });
        }
        if now.share() != self.share {
            let (was, now) = (self.share.to_string(), now.share().to_string());
            differences.push(Difference { path: "share".to_owned(), was, now });
        }
        differences
    }
}
