//! A source: an agent's parameters and where they came from.

use crate::error::{SourceError, TransferError};
use crate::locate::{AGENT_FILE, RUN_FILE, locate};
use crate::plan::{Plan, SourceRef};
use dreamer::{Agent, AgentConfig, Learner, footprint};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use tape::{Parameters, Real};

/// An agent to take parameters from.
#[derive(Clone, Debug)]
pub struct Source<F> {
    config: AgentConfig,
    action_size: usize,
    parameters: Parameters<F>,
    provenance: Provenance,
}

/// Where a source came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The path as the plan has it.
    pub path: PathBuf,
    /// The agent's file, absolute.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its checksum.
    pub sha256: String,
    /// The tasks it was trained on, if a run's state lies beside it.
    pub tasks: Vec<String>,
    /// The environment frames it was trained for, if a run's state lies beside it.
    pub frames: Option<u64>,
    /// The gradient steps it has taken.
    pub updates: u64,
}

impl<F: Real> Source<F> {
    /// A source from memory, without a file.
    pub fn of_learner(learner: &Learner<F>) -> Self {
        Self {
            config: learner.config().clone(),
            action_size: learner.action_size(),
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

    /// Its parameters.
    pub fn parameters(&self) -> &Parameters<F> {
        &self.parameters
    }

    /// Where it came from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}

/// The checksum of the agent's file that a plan calls `name`, without reading it as an agent.
///
/// # Errors
/// [`SourceError`] if there is no such file, or it cannot be read.
pub fn sha256_of(name: &str, path: &Path) -> Result<String, SourceError> {
    let file =
        locate(path).map_err(|why| SourceError::NotFound { name: name.to_owned(), path: path.to_owned(), why })?;
    let read = |source| SourceError::Read { name: name.to_owned(), path: file.clone(), source };
    checksums(&file).map(|(_, sha256, _)| sha256).map_err(read)
}

impl Source<f32> {
    /// Reads the agent that a plan calls `name`: a run's newest checkpoint, a checkpoint, or an agent's file.
    ///
    /// # Errors
    /// [`SourceError`] names the path and what is wrong: no agent there, a damaged file, another checksum than the plan's.
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
            let why = format!("has {size:.1} GB, and {available:.1} GB of memory are available; use a larger computer");
            return Err(SourceError::Damaged { name: name.to_owned(), path: file, why });
        }
        let (bytes, sha256, crc32) = checksums(&file).map_err(read(&file))?;
        if let Some(expected) = at.sha256.as_ref().filter(|expected| **expected != sha256) {
            let (name, expected) = (name.to_owned(), expected.clone());
            return Err(SourceError::Checksum { name, path: file, found: sha256, expected });
        }
        let run = run_beside(&file)
            .and_then(|run| match run {
                Some(run) if (run.agent_bytes, run.agent_crc32) != (bytes, crc32) => Err(format!(
                    "is damaged: it has {bytes} bytes and the CRC-32 {crc32}, the {RUN_FILE} beside it says {} and {}; \
                     use another checkpoint",
                    run.agent_bytes, run.agent_crc32
                )),
                run => Ok(run.map(|run| run.run)),
            })
            .map_err(|why| SourceError::Damaged { name: name.to_owned(), path: file.clone(), why })?;
        let agent = Agent::load(&file).map_err(|source| SourceError::Agent { name: name.to_owned(), source })?;
        if agent.updates() == 0 {
            return Err(SourceError::Untrained { name: name.to_owned(), path: file });
        }
        let mut source = Self::of_learner(agent.learner());
        let (tasks, frames) = run.map_or((Vec::new(), None), |run| (run.tasks, Some(run.position.frames)));
        source.provenance =
            Provenance { path: at.path.clone(), file, bytes, sha256, tasks, frames, updates: agent.updates() };
        Ok(source)
    }
}

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
    /// A checksum of all sources' checksums, whatever the sources are called.
    pub(crate) fn fingerprint(&self) -> String {
        let mut checksums: Vec<&str> = self.0.values().map(|source| source.provenance.sha256.as_str()).collect();
        checksums.sort_unstable();
        hex(&Sha256::digest(checksums.join(" ")))
    }
}

/// What is read of the run's state beside an agent: other keys are none of ours.
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
const LARGEST_RUN_FILE: u64 = 1 << 20;

/// The run's state beside an agent's file; `None` if there is none.
fn run_beside(file: &Path) -> Result<Option<RunFile>, String> {
    if file.file_name() != Some(AGENT_FILE.as_ref()) {
        return Ok(None);
    }
    let mut text = Vec::new();
    let path = file.with_file_name(RUN_FILE);
    match File::open(path).and_then(|run| run.take(LARGEST_RUN_FILE).read_to_end(&mut text)) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("lies beside a {RUN_FILE} that cannot be read ({error})")),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| format!("lies beside a damaged {RUN_FILE} ({error}); use another checkpoint"))
}

/// A file's size, SHA-256 and CRC-32, piece by piece.
fn checksums(path: &Path) -> std::io::Result<(u64, String, u32)> {
    let mut file = File::open(path)?;
    let (mut sha256, mut crc32, mut bytes) = (Sha256::new(), crc32fast::Hasher::new(), 0);
    let mut piece = vec![0; 1 << 16];
    loop {
        let read = match file.read(&mut piece) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if read == 0 {
            break;
        }
        sha256.update(&piece[..read]);
        crc32.update(&piece[..read]);
        bytes += read as u64;
    }
    Ok((bytes, hex(&sha256.finalize()), crc32.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a text takes everything");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_published_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "abc").unwrap();
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(checksums(&path).unwrap(), (3, sha256.to_owned(), 0x3524_41c2));
        std::fs::write(&path, vec![b'a'; 1_000_000]).unwrap();
        let sha256 = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
        assert_eq!(checksums(&path).unwrap().1, sha256);
    }
}
