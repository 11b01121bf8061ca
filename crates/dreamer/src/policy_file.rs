//! A policy in a file: the parameters of a checkpoint, or of an export, which has nothing else.
//!
//! Of a checkpoint, only the parameters are read: a third of the file. Not here: the layout of the whole file
//! (`checkpoint`).

use crate::checkpoint::{Declared, FORMAT, Metadata, foreign, header_length, open};
use crate::tensor_file::write;
use crate::{DreamerError, Policy};
use serde::Deserialize;
use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Where a tensor stands in a file.
#[derive(Deserialize)]
struct Place {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [u64; 2],
}

impl Policy {
    /// Reads the parameters that [`Agent::save`](crate::Agent::save) or [`Policy::save`] wrote.
    ///
    /// # Errors
    /// [`DreamerError::Io`] if the file cannot be read, [`DreamerError::Checkpoint`] if it holds no whole agent.
    pub fn load(path: &Path) -> Result<Self, DreamerError> {
        let io = |source| DreamerError::Io { path: path.to_owned(), source };
        let refuse = |why| DreamerError::Checkpoint { path: path.to_owned(), why };
        let (mut file, length) = open(path)?;
        Self::read(&mut file, length).map_err(|error| match error {
            Unreadable::System(source) => io(source),
            Unreadable::Content(why) => refuse(why),
        })
    }

    /// The policy that a file of these bytes holds, whatever they are. Files are read by [`Policy::load`].
    ///
    /// # Errors
    /// The fault, as text.
    pub fn from_bytes(file: &[u8]) -> Result<Self, String> {
        Self::read(&mut std::io::Cursor::new(file), file.len() as u64).map_err(|error| match error {
            Unreadable::System(error) => error.to_string(),
            Unreadable::Content(why) => why,
        })
    }

    fn read(file: &mut (impl Read + Seek), length: u64) -> Result<Self, Unreadable> {
        let mut header = Vec::new();
        file.take(8).read_to_end(&mut header)?;
        let header_length = header_length(&header, length)?;
        header.clear();
        file.take(header_length).read_to_end(&mut header)?;
        let Declared { mut learner, updates, noise, .. } = Declared::read(&header)?;
        let mut places: HashMap<String, serde_json::Value> =
            serde_json::from_slice(&header).map_err(|error| foreign(&error))?;
        let mut place = |name: &str| -> Result<Place, String> {
            let place = places.remove(name).ok_or_else(|| format!("it lacks the tensor {name}"))?;
            serde_json::from_value(place).map_err(|error| foreign(&error))
        };
        let parameters: Vec<_> = learner.parameters().iter().collect();
        let data = 8 + header_length;
        let mut found = Vec::new();
        for &parameter in &parameters {
            let (name, shape) = (learner.parameters().path(parameter), learner.parameters().shape(parameter));
            let Place { dtype, shape: own, data_offsets: [begin, end] } = place(name)?;
            if dtype != "F32" || own != shape {
                return Err(Unreadable::Content(format!("its {name} is {dtype} {own:?} instead of F32 {shape:?}")));
            }
            let bytes = shape.iter().fold(4u64, |size, &side| size.saturating_mul(side as u64));
            if begin.checked_add(bytes) != Some(end) || data.checked_add(end).is_none_or(|end| end > length) {
                return Err(Unreadable::Content(format!(
                    "it is truncated: it has {length} bytes, and {name} is beyond them"
                )));
            }
            found.push(data + begin);
        }
        // Only now is it certain that the file is as large as the agent that memory is taken for.
        learner.parameters_mut().allocate();
        let mut raw = Vec::new();
        for (parameter, begin) in parameters.into_iter().zip(found) {
            let values = learner.parameters_mut().values_mut(parameter);
            file.seek(SeekFrom::Start(begin))?;
            raw.resize(4 * values.len(), 0);
            file.read_exact(&mut raw)?;
            for (value, bytes) in values.iter_mut().zip(raw.as_chunks::<4>().0) {
                *value = f32::from_le_bytes(*bytes);
            }
            if let Some(value) = values.iter().find(|value| !value.is_finite()).copied() {
                let why =
                    format!("its {} contains {value}; use another checkpoint", learner.parameters().path(parameter));
                return Err(Unreadable::Content(why));
            }
        }
        Ok(Policy::of(learner, updates, noise.state()))
    }

    /// Writes everything needed to act and to be a source of transfer, and nothing that only learning needs, and syncs
    /// it to the disk.
    ///
    /// # Errors
    /// [`DreamerError::Io`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), DreamerError> {
        let parameters = &self.parameters;
        let tensors: Vec<_> = parameters
            .iter()
            .map(|one| (parameters.path(one).to_owned(), parameters.shape(one), parameters.values(one)))
            .collect();
        let metadata = Metadata {
            format: FORMAT,
            config: self.config.clone(),
            action_size: self.action_size,
            updates: self.updates,
            noise: self.noise.clone(),
        };
        write(path, tensors, &metadata)
    }
}

/// Why there is no policy.
enum Unreadable {
    /// The system did not read.
    System(std::io::Error),
    /// The file does not hold a policy.
    Content(String),
}

impl From<std::io::Error> for Unreadable {
    fn from(error: std::io::Error) -> Self {
        Self::System(error)
    }
}

impl From<String> for Unreadable {
    fn from(why: String) -> Self {
        Self::Content(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ActMode, Agent, AgentConfig};
    use random::Stream;

    fn agent() -> Agent {
        let config = AgentConfig { depth: 2, stoch: 3, deter: 4, hidden: 5, units: 6, ..AgentConfig::default() };
        Agent::new(&config, 2, 7).unwrap()
    }

    #[test]
    fn a_policy_of_a_checkpoint_or_an_export_acts_as_the_agent() {
        let folder = tempfile::tempdir().unwrap();
        let (whole, export) = (folder.path().join("whole"), folder.path().join("export"));
        let agent = agent();
        agent.save(&whole).unwrap();
        Policy::load(&whole).unwrap().save(&export).unwrap();
        let sizes = [&whole, &export].map(|path| path.metadata().unwrap().len() as f64);
        assert!(sizes[1] < 0.4 * sizes[0], "{sizes:?}");
        let image: Vec<u8> = (0..64 * 64 * 3).map(|byte| (byte % 251) as u8).collect();
        let mut expected = vec![0.0; 2];
        agent.act(&mut agent.begin(), (&image).into(), ActMode::Evaluate, &mut Stream::new(1, "act"), &mut expected);
        for path in [&whole, &export] {
            let policy = Policy::load(path).unwrap();
            let mut state = policy.begin();
            policy.act(&mut state, (&image).into(), ActMode::Evaluate, &mut Stream::new(1, "act"));
            assert_eq!((&state.action, policy.updates()), (&expected, 0));
        }
        let message = Agent::load(&export).unwrap_err().to_string();
        assert!(message.contains("it is an export") && message.contains("--from"), "{message}");
    }

    #[test]
    fn files_that_are_cut_or_of_something_else_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("whole");
        agent().save(&path).unwrap();
        Policy::load(&path).unwrap().save(&path).unwrap();
        let file = std::fs::read(&path).unwrap();
        for length in [0, 7, 8, 200, file.len() / 2, file.len() - 1] {
            assert!(Policy::from_bytes(&file[..length]).is_err(), "{length}");
        }
        let mut broken = file.clone();
        broken[file.len() - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(Policy::from_bytes(&broken).unwrap_err().contains("NaN"));
        assert!(Policy::load(folder.path()).is_err());
    }
}
