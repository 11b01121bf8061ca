//! A source: an agent's parameters and where they came from.
//!
//! Not here: the contents of the files next to an agent's (`description`), and finding its file (`locate`).

use crate::description::{Training, training_of};
use crate::error::{SourceError, TransferError};
use crate::locate::{NotFound, locate};
use crate::plan::{Plan, SourceRef};
use crate::rank::actions_of_size;
use dreamer::networks::Networks;
use dreamer::{AgentConfig, AgentView, DreamerError, Learner, Policy, footprint};
use files::Checksums;
use replay::Episode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tape::{Parameters, Real};

/// An agent to transfer parameters from.
#[derive(Clone, Debug)]
pub struct Source<F> {
    config: AgentConfig,
    action_size: usize,
    networks: Networks,
    parameters: Parameters<F>,
    provenance: SourceProvenance,
}

/// The origin of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceProvenance {
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
            provenance: SourceProvenance {
                updates: learner.optimisers().model.updates(),
                ..SourceProvenance::default()
            },
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

    /// The rewards `[T]` that its agent predicts in the states of an episode of a target, whose actions are cut or
    /// filled up with zeros if its own have another length; `None` if its observations differ.
    pub fn predicted_rewards(&self, episode: &Episode) -> Option<Vec<f64>> {
        if self.config.observation_space() != episode.sizes().observations {
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

    /// Its origin.
    pub fn provenance(&self) -> &SourceProvenance {
        &self.provenance
    }
}

/// The checksum of the agent's file that a plan calls `name`, without reading it as an agent.
///
/// # Errors
/// [`SourceError`] if the file does not exist or cannot be read.
pub fn sha256_of(name: &str, path: &Path) -> Result<String, SourceError> {
    let file = locate(path).map_err(|problem| not_located(name, path, problem))?;
    let read = |source| SourceError::Read { name: name.to_owned(), path: file.clone(), source };
    Checksums::of_file(&file).map(|sums| sums.sha256).map_err(read)
}

/// The error of a source without an agent's file.
fn not_located(name: &str, path: &Path, problem: NotFound) -> SourceError {
    let name = name.to_owned();
    match problem {
        NotFound::No(why) => SourceError::NotFound { name, path: path.to_owned(), why },
        NotFound::Unknown(path, source) => SourceError::Read { name, path, source },
    }
}

impl Source<f32> {
    /// Reads the agent that a plan calls `name`: a run's newest checkpoint, a checkpoint, or an agent's file. One
    /// without any gradient step is refused unless it may be `untrained`.
    ///
    /// # Errors
    /// [`SourceError`] names the path and the problem: a missing agent, a damaged file, a checksum that differs from
    /// the plan's.
    pub fn open(name: &str, at: &SourceRef, untrained: bool) -> Result<Self, SourceError> {
        let found = locate(&at.path).map_err(|problem| not_located(name, &at.path, problem))?;
        let read = |path: &Path| {
            let path = path.to_owned();
            move |source| SourceError::Read { name: name.to_owned(), path, source }
        };
        let file = std::path::absolute(&found).map_err(read(&found))?;
        let size = file.metadata().map_err(read(&file))?.len();
        if let Some(available) = footprint::available().filter(|available| available.bytes < size) {
            let source = DreamerError::Memory { path: file, needed: size, available: Box::new(available) };
            return Err(SourceError::Agent { name: name.to_owned(), source });
        }
        let Checksums { bytes, sha256, crc32 } = Checksums::of_file(&file).map_err(read(&file))?;
        if let Some(expected) = at.sha256.as_ref().filter(|expected| **expected != sha256) {
            let (name, expected) = (name.to_owned(), expected.clone());
            return Err(SourceError::Checksum { name, path: file, found: sha256, expected });
        }
        let Training { tasks, frames } = training_of(&file, bytes, crc32).map_err(|why| SourceError::Damaged {
            name: name.to_owned(),
            path: file.clone(),
            why,
        })?;
        // The parameters alone: a source does not learn, and an export has nothing else.
        let policy = Policy::load(&file).map_err(|source| SourceError::Agent { name: name.to_owned(), source })?;
        if policy.updates() == 0 && !untrained {
            return Err(SourceError::Untrained { name: name.to_owned(), path: file });
        }
        let updates = policy.updates();
        Ok(Self {
            config: policy.config().clone(),
            action_size: policy.action_size(),
            networks: policy.networks().clone(),
            parameters: policy.parameters().clone(),
            provenance: SourceProvenance { path: at.path.clone(), file, bytes, sha256, tasks, frames, updates },
        })
    }
}

/// The sources of a plan by name.
#[derive(Clone, Debug, Default)]
pub struct Sources<F>(BTreeMap<String, Source<F>>);

impl Sources<f32> {
    /// Reads every source of a plan, but for candidates that were not chosen.
    ///
    /// # Errors
    /// If the plan's rules and sources do not go together, or a source cannot be read.
    pub fn open(plan: &Plan) -> Result<Self, TransferError> {
        let used = plan.used_sources()?;
        let mut sources = BTreeMap::new();
        for (name, at) in plan.sources().iter().filter(|(name, _)| used.contains(*name)) {
            sources.insert(name.clone(), Source::open(name, at, plan.allows_untrained(name))?);
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
