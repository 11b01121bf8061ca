//! The agent's checkpoint: one safetensors file. `docs/formats.md` describes it.
//!
//! Tensors: every parameter under its path, and, if it is learned, its two moments under `adam.first.PATH` and
//! `adam.second.PATH`. Metadata: one entry, `dreamgraft`, which holds [`Metadata`] as JSON. Equal agents give equal
//! bytes: with several entries, their order would be left to chance.

use crate::agent::Agent;
use crate::footprint::available;
use crate::learner::{Learner, Optimisers};
use crate::tensor_file::{Tensor, write};
use crate::{AgentConfig, DreamerError};
use random::{Stream, StreamState};
use safetensors::tensor::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use tape::Parameter;
use tape::plan::MachineError;

/// The one entry of the file's metadata.
pub(crate) const ENTRY: &str = "dreamgraft";
/// Version of the file's layout: a reader refuses any other.
pub(crate) const FORMAT: u64 = 1;
const MOMENTS: [&str; 2] = ["adam.first.", "adam.second."];

/// The file's metadata, written in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metadata {
    /// [`FORMAT`].
    pub(crate) format: u64,
    /// The configuration, which gives the tensors their shapes.
    pub(crate) config: AgentConfig,
    /// Elements of an action.
    pub(crate) action_size: usize,
    /// The number of gradient steps so far.
    pub(crate) updates: u64,
    /// The random stream of learning.
    pub(crate) noise: StreamState,
}

/// The part of [`Metadata`] that is read first.
#[derive(Deserialize)]
struct Version {
    format: u64,
}

/// The longest header that is read: much longer than that of the largest configuration.
const LONGEST_HEADER: u64 = 64 << 20;

impl Agent {
    /// Writes everything needed to act, to resume learning, and to be a source of transfer, and syncs it to the disk.
    ///
    /// # Errors
    /// [`DreamerError::Io`] if the file cannot be written, [`DreamerError::Machine`] if the device has steps that were
    /// not copied back ([`Agent::sync_from_device`]).
    pub fn save(&self, path: &Path) -> Result<(), DreamerError> {
        if self.has_unsynced_steps() {
            return Err(MachineError::Failed {
                what: "the gradient steps taken on the device".to_owned(),
                why: "were not copied back before the agent was to be saved: a bug, please report it".to_owned(),
            }
            .into());
        }
        let learner = &self.learner;
        let parameters = learner.parameters();
        let mut tensors: Vec<Tensor<'_>> = parameters
            .iter()
            .map(|one| (parameters.path(one).to_owned(), parameters.shape(one), parameters.values(one)))
            .collect();
        let Optimisers { model, actor, value } = learner.optimisers();
        for optimiser in [model, actor, value] {
            let (first, second) = optimiser.moments();
            for parameter in optimiser.set().iter() {
                let place = optimiser.set().place(parameter).expect("a parameter of the set");
                for (prefix, moments) in MOMENTS.iter().zip([first, second]) {
                    let name = format!("{prefix}{}", parameters.path(parameter));
                    tensors.push((name, parameters.shape(parameter), &moments[place.clone()]));
                }
            }
        }
        let metadata = Metadata {
            format: FORMAT,
            config: learner.config().clone(),
            action_size: learner.action_size(),
            updates: self.updates,
            noise: self.noise.state(),
        };
        write(path, tensors, &metadata)
    }

    /// Reads a file of [`Agent::save`].
    ///
    /// # Errors
    /// [`DreamerError::Io`] if the file cannot be read, [`DreamerError::Checkpoint`] if it is not a whole checkpoint.
    pub fn load(path: &Path) -> Result<Self, DreamerError> {
        let io = |source| DreamerError::Io { path: path.to_owned(), source };
        let refuse = |why| DreamerError::Checkpoint { path: path.to_owned(), why };
        let (mut input, length) = open(path)?;
        let mut file = Vec::new();
        (&mut input).take(8).read_to_end(&mut file).map_err(io)?;
        let header = header_length(&file, length).map_err(refuse)?;
        (&mut input).take(header).read_to_end(&mut file).map_err(io)?;
        // The header gives the size of the agent; the file must have this size before memory for the rest is allocated.
        let declared = Declared::read(&file[8..]).map_err(refuse)?;
        let expected = declared.bytes().saturating_add(8 + header);
        if length != expected {
            if length < expected && declared.is_export(&file[8..]) {
                return Err(refuse(
                    "it is an export, without the optimisers' moments: it can act and be a source of a transfer \
                                   (--from), but training cannot resume from it"
                        .to_owned(),
                ));
            }
            let (what, found) = (if length < expected { "truncated" } else { "longer" }, length);
            return Err(refuse(format!(
                "it is {what}: it has {found} bytes, but its header requires {expected}; use another checkpoint"
            )));
        }
        // The file, parameters and moments, and their gradients.
        let needed = expected.saturating_mul(2).saturating_add(declared.bytes() / 3);
        if let Some(available) = available().filter(|available| available.bytes < needed) {
            return Err(DreamerError::Memory { path: path.to_owned(), needed, available: Box::new(available) });
        }
        (&mut input).take(expected.saturating_sub(file.len() as u64)).read_to_end(&mut file).map_err(io)?;
        declared.fill(&file).map_err(refuse)
    }

    /// The agent in a file with these arbitrary bytes. [`Agent::load`] reads files.
    ///
    /// # Errors
    /// A description of the problem.
    pub fn from_bytes(file: &[u8]) -> Result<Self, String> {
        let header = header_length(file, file.len() as u64)?;
        let end = file.len().min((8 + header) as usize);
        let declared = Declared::read(&file[8..end])?;
        if declared.bytes().saturating_add(8 + header) != file.len() as u64 {
            return Err(format!("it has {} bytes, but its header requires a different size", file.len()));
        }
        declared.fill(file)
    }
}

/// Opens the file of an agent; its length in bytes.
///
/// # Errors
/// [`DreamerError::Io`] if it cannot be opened, [`DreamerError::Checkpoint`] if it is not a regular file.
pub(crate) fn open(path: &Path) -> Result<(File, u64), DreamerError> {
    let io = |source| DreamerError::Io { path: path.to_owned(), source };
    // Checked before opening, because opening a pipe would block until it has a writer.
    let metadata = path.metadata().map_err(io)?;
    if !metadata.is_file() {
        let why = "it is not a regular file".to_owned();
        return Err(DreamerError::Checkpoint { path: path.to_owned(), why });
    }
    Ok((files::open_file(path).map_err(io)?, metadata.len()))
}

pub(crate) fn foreign(error: &dyn std::fmt::Display) -> String {
    format!("it is not a complete safetensors file ({error}); use another checkpoint")
}

/// The length of the header, as given by a file of `length` bytes that starts with `file`.
pub(crate) fn header_length(file: &[u8], length: u64) -> Result<u64, String> {
    let Some(first) = file.first_chunk::<8>() else {
        return Err(foreign(&format_args!("it has {length} bytes")));
    };
    let header = u64::from_le_bytes(*first);
    if header > LONGEST_HEADER || header > length.saturating_sub(8) {
        return Err(foreign(&format_args!("its header claims {header} bytes")));
    }
    Ok(header)
}

/// The part of a header that is read first: of the tensors, nothing.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "__metadata__", default)]
    metadata: HashMap<String, String>,
}

/// The information about an agent in a header: everything except its numbers.
pub(crate) struct Declared {
    pub(crate) learner: Learner<f32>,
    pub(crate) config: AgentConfig,
    pub(crate) updates: u64,
    pub(crate) noise: Stream,
}

impl Declared {
    /// From a header's JSON.
    pub(crate) fn read(header: &[u8]) -> Result<Self, String> {
        let Head { metadata } = serde_json::from_slice(header).map_err(|error| foreign(&error))?;
        let text =
            metadata.get(ENTRY).ok_or_else(|| "it is a safetensors file that another program wrote".to_owned())?;
        let damaged = |error: serde_json::Error| format!("its metadata is damaged ({error}); use another checkpoint");
        let Version { format } = serde_json::from_str(text).map_err(damaged)?;
        if format != FORMAT {
            return Err(format!(
                "its format is {format}, but this program reads format {FORMAT}; use the version that wrote it"
            ));
        }
        let Metadata { config, action_size, updates, noise, .. } = serde_json::from_str(text).map_err(damaged)?;
        if !(1..=65_536).contains(&action_size) {
            return Err(format!("its actions have {action_size} elements"));
        }
        let noise = Stream::resume(&noise).ok_or_else(|| "its random stream is damaged".to_owned())?;
        let learner = Learner::<f32>::declared(&config, action_size).map_err(|error| error.to_string())?;
        Ok(Self { learner, config, updates, noise })
    }

    /// How many tensors a parameter has: its values and, if it is trained, its two moments.
    fn kinds(&self, parameter: Parameter) -> usize {
        if self.learner.networks().role(parameter).is_frozen(&self.config) { 1 } else { 3 }
    }

    /// Whether a header has only the tensors of parameters: that of an export.
    fn is_export(&self, header: &[u8]) -> bool {
        let names: Option<HashMap<String, serde::de::IgnoredAny>> = serde_json::from_slice(header).ok();
        let moments = |name: &String| MOMENTS.iter().any(|prefix| name.starts_with(prefix));
        names.is_some_and(|names| {
            !names.keys().any(moments) && names.len() == self.learner.parameters().iter().count() + 1
        })
    }

    /// Bytes of all tensors.
    fn bytes(&self) -> u64 {
        let parameters = self.learner.parameters();
        parameters.iter().fold(0u64, |bytes, p| {
            let numbers = parameters.shape(p).iter().fold(4u64, |size, &side| size.saturating_mul(side as u64));
            bytes.saturating_add(numbers.saturating_mul(self.kinds(p) as u64))
        })
    }

    /// The agent, its numbers from the whole file.
    fn fill(self, file: &[u8]) -> Result<Agent, String> {
        let tensors = SafeTensors::deserialize(file).map_err(|error| foreign(&error))?;
        self.check(&tensors)?;
        let Self { mut learner, config, updates, noise } = self;
        learner.allocate();
        let parameters: Vec<_> = learner.parameters().iter().collect();
        for parameter in parameters {
            let path = learner.parameters().path(parameter).to_owned();
            fill(learner.parameters_mut().values_mut(parameter), &tensors, &path)?;
            let Optimisers { model, actor, value } = learner.optimisers_mut();
            let optimiser = [model, actor, value].into_iter().find(|optimiser| optimiser.set().contains(parameter));
            let Some(optimiser) = optimiser else { continue };
            let place = optimiser.set().place(parameter).expect("a parameter of the set");
            let (first, second) = optimiser.moments_mut();
            fill(&mut first[place.clone()], &tensors, &format!("{}{path}", MOMENTS[0]))?;
            fill(&mut second[place], &tensors, &format!("{}{path}", MOMENTS[1]))?;
        }
        let Optimisers { model, actor, value } = learner.optimisers_mut();
        model.set_updates(updates);
        value.set_updates(updates);
        actor.set_updates(updates.saturating_sub(config.actor_warmup));
        Ok(Agent { learner, noise, updates, device: None })
    }

    /// Checks that every tensor of the agent is there, of its type and shape, and no other.
    fn check(&self, tensors: &SafeTensors<'_>) -> Result<(), String> {
        let parameters = self.learner.parameters();
        let expected: usize = parameters.iter().map(|p| self.kinds(p)).sum();
        if tensors.len() != expected {
            return Err(format!("it contains {} tensors, but its configuration requires {expected}", tensors.len()));
        }
        for parameter in parameters.iter() {
            let prefixes = ["", MOMENTS[0], MOMENTS[1]];
            for prefix in &prefixes[..self.kinds(parameter)] {
                let name = format!("{prefix}{}", parameters.path(parameter));
                let tensor = tensors.tensor(&name).map_err(|_| format!("it lacks the tensor {name}"))?;
                let shape = parameters.shape(parameter);
                if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
                    let (dtype, found) = (tensor.dtype(), tensor.shape());
                    return Err(format!("its tensor {name} is {dtype:?} {found:?} instead of F32 {shape:?}"));
                }
            }
        }
        Ok(())
    }
}

fn fill(values: &mut [f32], tensors: &SafeTensors, name: &str) -> Result<(), String> {
    let tensor = tensors.tensor(name).map_err(|_| format!("it lacks the tensor {name}"))?;
    for (value, bytes) in values.iter_mut().zip(tensor.data().as_chunks::<4>().0) {
        *value = f32::from_le_bytes(*bytes);
        if !value.is_finite() {
            return Err(format!("its tensor {name} contains {value}; use another checkpoint"));
        }
    }
    Ok(())
}
