//! A source: an agent's parameters and where they came from.

use crate::error::{SourceError, TransferError};
use crate::locate::locate;
use crate::plan::{Plan, SourceRef};
use crate::rank::actions_of_size;
use dreamer::networks::Networks;
use dreamer::{AgentConfig, AgentView, Learner, Policy, footprint};
use files::Checksums;
use files::layout::{AGENT, EXPORTED_AGENT, EXPORTED_CONFIG, RUN_STATE};
use replay::Episode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tape::{Parameters, Real};

/// An agent to take parameters from.
#[derive(Clone, Debug)]
pub struct Source<F> {
    config: AgentConfig,
    action_size: usize,
    networks: Networks,
    parameters: Parameters<F>,
    provenance: Provenance,
}

/// Where a source came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The path as the plan has it.
    #[serde(with = "files::path_text")]
    pub path: PathBuf,
    /// The agent's file, absolute.
    #[serde(with = "files::path_text")]
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its checksum.
    pub sha256: String,
    /// The tasks on which it was trained, if the state of its run is next to it.
    pub tasks: Vec<String>,
    /// The number of environment frames for which it was trained, if the state of its run is next to it.
    pub frames: Option<u64>,
    /// The number of its gradient steps.
    pub updates: u64,
}

impl<F: Real> Source<F> {
    /// A source from memory, without a file.
    pub fn of_learner(learner: &Learner<F>) -> Self {
        Self {
            config: learner.config().clone(),
            action_size: learner.action_size(),
            networks: learner.networks().clone(),
            parameters: learner.parameters().clone(),
            provenance: Provenance { updates: learner.optimisers().model.steps(), ..Provenance::default() },
        }
    }

    /// The agent's configuration.
    pub fn config(&self) -> &AgentConfig {
        &self.config
    }

    /// Elements of its actions.
    pub fn action_size(&self) -> usize {
        self.action_size
    }

    /// Its networks, which define the meaning of its parameters.
    pub fn networks(&self) -> &Networks {
        &self.networks
    }

    /// Its parameters.
    pub fn parameters(&self) -> &Parameters<F> {
        &self.parameters
    }

    /// The rewards `[T]` that its agent predicts in the states of an episode of a target, whose actions are cut or filled up with zeros
    /// if its own have another length; `None` if it observes something else.
    pub fn predicted_rewards(&self, episode: &Episode) -> Option<Vec<f64>> {
        if self.config.observations() != episode.sizes().observations {
            return None;
        }
        let none = self.parameters.set(|_| false);
        let agent = AgentView {
            config: &self.config,
            networks: &self.networks,
            parameters: &self.parameters,
            trainable: &none,
        };
        let actions: Vec<F> = actions_of_size(self.action_size, episode).map(|x| F::of(f64::from(x))).collect();
        Some(agent.predicted_rewards(episode.observations(), &actions))
    }

    /// Where it came from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}

/// The checksum of the agent's file that a plan calls `name`, without reading it as an agent.
///
/// # Errors
/// [`SourceError`] if the file does not exist or cannot be read.
pub fn sha256_of(name: &str, path: &Path) -> Result<String, SourceError> {
    let file =
        locate(path).map_err(|why| SourceError::NotFound { name: name.to_owned(), path: path.to_owned(), why })?;
    let read = |source| SourceError::Read { name: name.to_owned(), path: file.clone(), source };
    Checksums::of_file(&file).map(|sums| sums.sha256).map_err(read)
}

impl Source<f32> {
    /// Reads the agent that a plan calls `name`: a run's newest checkpoint, a checkpoint, or an agent's file.
    ///
    /// # Errors
    /// [`SourceError`] names the path and the problem: a missing agent, a damaged file, a checksum that differs from
    /// the plan's.
    pub fn open(name: &str, at: &SourceRef) -> Result<Self, SourceError> {
        let not_found = |why: String| SourceError::NotFound { name: name.to_owned(), path: at.path.clone(), why };
        let found = locate(&at.path).map_err(not_found)?;
        let read = |path: &Path| {
            let path = path.to_owned();
            move |source| SourceError::Read { name: name.to_owned(), path, source }
        };
        let file = std::path::absolute(&found).map_err(read(&found))?;
        let size = file.metadata().map_err(read(&file))?.len();
        if let Some(available) = footprint::available_bytes().filter(|&available| available < size) {
            let [size, available] = [size, available].map(|bytes| bytes as f64 / 1e9);
            let why =
                format!("has {size:.1} GB, but only {available:.1} GB of memory are available; use a larger computer");
            return Err(SourceError::Damaged { name: name.to_owned(), path: file, why });
        }
        let Checksums { bytes, sha256, crc32 } = Checksums::of_file(&file).map_err(read(&file))?;
        if let Some(expected) = at.sha256.as_ref().filter(|expected| **expected != sha256) {
            let (name, expected) = (name.to_owned(), expected.clone());
            return Err(SourceError::Checksum { name, path: file, found: sha256, expected });
        }
        let run = run_next_to(&file)
            .and_then(|run| match run {
                Some(run) if (run.agent_bytes, run.agent_crc32) != (bytes, crc32) => Err(format!(
                    "is damaged: it has {bytes} bytes and the CRC-32 {crc32}, but its {RUN_STATE} records {} and {}; \
                     use another checkpoint",
                    run.agent_bytes, run.agent_crc32
                )),
                run => Ok(run.map(|run| run.run)),
            })
            .map_err(|why| SourceError::Damaged { name: name.to_owned(), path: file.clone(), why })?;
        if let Err(why) = check_export(&file, bytes, crc32) {
            return Err(SourceError::Damaged { name: name.to_owned(), path: file, why });
        }
        // The parameters alone: a source does not learn, and an export has nothing else.
        let policy = Policy::load(&file).map_err(|source| SourceError::Agent { name: name.to_owned(), source })?;
        if policy.updates() == 0 {
            return Err(SourceError::Untrained { name: name.to_owned(), path: file });
        }
        let (tasks, frames) = run.map_or((Vec::new(), None), |run| (run.tasks, Some(run.position.frames)));
        let updates = policy.updates();
        Ok(Self {
            config: policy.config().clone(),
            action_size: policy.action_size(),
            networks: policy.networks().clone(),
            parameters: policy.parameters().clone(),
            provenance: Provenance { path: at.path.clone(), file, bytes, sha256, tasks, frames, updates },
        })
    }
}

/// Checks an agent's file against the description next to it, if it is that of an export.
///
/// # Errors
/// What is wrong with the export.
fn check_export(file: &Path, bytes: u64, crc32: u32) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Described {
        model: Model,
    }
    #[derive(Deserialize)]
    struct Model {
        bytes: u64,
        crc32: u32,
    }
    let description = file.with_file_name(EXPORTED_CONFIG);
    if file.file_name().is_none_or(|name| name != EXPORTED_AGENT) || !description.is_file() {
        return Ok(());
    }
    let damaged = |why: &dyn std::fmt::Display| {
        format!("belongs to an export whose {EXPORTED_CONFIG} cannot be used ({why}); export the run again")
    };
    let text = files::read_bytes(&description, LONGEST_DESCRIPTION).map_err(|error| damaged(&error))?;
    let Described { model } = serde_json::from_slice(&text).map_err(|error| damaged(&error))?;
    if (model.bytes, model.crc32) == (bytes, crc32) {
        return Ok(());
    }
    Err(format!(
        "is changed: it has {bytes} bytes and the CRC-32 {crc32}, but its {EXPORTED_CONFIG} says {} and {}; export the run again",
        model.bytes, model.crc32
    ))
}

/// The most bytes that the description of an export may have.
const LONGEST_DESCRIPTION: u64 = 1 << 20;

/// The sources of a plan by name.
#[derive(Clone, Debug, Default)]
pub struct Sources<F>(BTreeMap<String, Source<F>>);

impl Sources<f32> {
    /// Reads every source of a plan.
    ///
    /// # Errors
    /// If the plan's rules and sources do not go together, or a source cannot be read.
    pub fn open(plan: &Plan) -> Result<Self, TransferError> {
        plan.check_sources()?;
        let mut sources = BTreeMap::new();
        for (name, at) in plan.sources() {
            sources.insert(name.clone(), Source::open(name, at)?);
        }
        Ok(Self(sources))
    }
}

impl<F> Sources<F> {
    /// The source of this name.
    pub fn get(&self, name: &str) -> Option<&Source<F>> {
        self.0.get(name)
    }

    /// Every source, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Source<F>)> {
        self.0.iter().map(|(name, source)| (name.as_str(), source))
    }
}

impl<F> FromIterator<(String, Source<F>)> for Sources<F> {
    fn from_iter<I: IntoIterator<Item = (String, Source<F>)>>(sources: I) -> Self {
        Self(sources.into_iter().collect())
    }
}

impl<F> Sources<F> {
    /// A checksum of the checksums of all sources, independent of their names.
    pub(crate) fn fingerprint(&self) -> String {
        let mut checksums: Vec<&str> = self.0.values().map(|source| source.provenance.sha256.as_str()).collect();
        checksums.sort_unstable();
        files::sha256(checksums.join(" ").as_bytes())
    }
}

/// The part of the `config.json` of an export that transfer reads.
#[derive(Deserialize)]
struct Export {
    model: Model,
    tasks: Vec<String>,
    frames: u64,
}

#[derive(Deserialize)]
struct Model {
    bytes: u64,
    crc32: u32,
}

/// The record of the agent's file in its export; `None` if it is not in an export.
fn export_next_to(file: &Path) -> Result<Option<RunFile>, String> {
    let text = match files::read_bytes(&file.with_file_name(EXPORTED_CONFIG), LARGEST_RUN_STATE) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(format!("is next to a {EXPORTED_CONFIG} that cannot be read ({error})")),
    };
    // Another program's folder may have such a file, too.
    let Ok(Export { model, tasks, frames }) = serde_json::from_slice(&text) else { return Ok(None) };
    let run = Run { tasks, position: Position { frames } };
    Ok(Some(RunFile { agent_bytes: model.bytes, agent_crc32: model.crc32, run }))
}

/// The part of a run's state that transfer reads; other keys are ignored.
#[derive(Deserialize)]
struct RunFile {
    agent_bytes: u64,
    agent_crc32: u32,
    run: Run,
}

#[derive(Deserialize)]
struct Run {
    tasks: Vec<String>,
    position: Position,
}

#[derive(Deserialize)]
struct Position {
    frames: u64,
}

/// The most bytes of a run's state that are read.
const LARGEST_RUN_STATE: u64 = 1 << 20;

/// The state of the run next to an agent's file; `None` if there is none.
fn run_next_to(file: &Path) -> Result<Option<RunFile>, String> {
    if file.file_name() == Some(EXPORTED_AGENT.as_ref()) {
        return export_next_to(file);
    }
    if file.file_name() != Some(AGENT.as_ref()) {
        return Ok(None);
    }
    let text = match files::read_bytes(&file.with_file_name(RUN_STATE), LARGEST_RUN_STATE) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(format!("belongs to a {RUN_STATE} that cannot be read ({error})")),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| format!("belongs to a damaged {RUN_STATE} ({error}); use another checkpoint"))
}
