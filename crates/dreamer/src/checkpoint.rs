//! The agent's checkpoint: one safetensors file. `docs/formats.md` describes it.
//!
//! Tensors: every parameter under its path, and, if it is learned, its two moments under `adam.first.PATH` and
//! `adam.second.PATH`. Metadata: one entry, `dreamgraft`, which holds [`Metadata`] as JSON. Equal agents give equal bytes:
//! with several entries, their order would be left to chance.

use crate::agent::Agent;
use crate::learner::{Learner, Optimisers};
use crate::networks::is_frozen;
use crate::{AgentConfig, DreamerError};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use tape::random::{Stream, StreamState};

/// The one entry of the file's metadata.
const ENTRY: &str = "dreamgraft";
/// Version of the file's layout: a reader refuses any other.
const FORMAT: u64 = 1;
const MOMENTS: [&str; 2] = ["adam.first.", "adam.second."];

/// What the file tells beside the tensors, written in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    /// [`FORMAT`].
    format: u64,
    /// What gives the tensors their shapes, and all else that defines the agent.
    config: AgentConfig,
    /// Elements of an action.
    action_size: usize,
    /// Gradient steps taken.
    updates: u64,
    /// The random stream of learning.
    noise: StreamState,
}

/// The part of [`Metadata`] that is read first.
#[derive(Deserialize)]
struct Version {
    format: u64,
}

pub(crate) fn save(agent: &Agent, path: &Path) -> Result<(), DreamerError> {
    let learner = &agent.learner;
    let parameters = learner.parameters();
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for parameter in parameters.iter() {
        let shape = parameters.shape(parameter).to_vec();
        tensors.push((parameters.path(parameter).to_owned(), shape, bytes(parameters.values(parameter))));
    }
    let Optimisers { model, actor, value } = learner.optimisers();
    for optimiser in [model, actor, value] {
        let (first, second) = optimiser.moments();
        for parameter in optimiser.set().iter() {
            let place = optimiser.set().place(parameter).expect("a parameter of the set");
            for (prefix, moments) in MOMENTS.iter().zip([first, second]) {
                let name = format!("{prefix}{}", parameters.path(parameter));
                tensors.push((name, parameters.shape(parameter).to_vec(), bytes(&moments[place.clone()])));
            }
        }
    }
    let metadata = Metadata {
        format: FORMAT,
        config: learner.config().clone(),
        action_size: learner.action_size(),
        updates: agent.updates,
        noise: agent.noise.state(),
    };
    let metadata = serde_json::to_string(&metadata).expect("plain data");
    let metadata = HashMap::from([(ENTRY.to_owned(), metadata)]);
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).expect("four bytes a number");
        (name.as_str(), view)
    });
    let file = safetensors::serialize(views, Some(metadata)).expect("distinct names and whole tensors");
    let write = || {
        let mut out = File::create(path)?;
        out.write_all(&file)?;
        out.sync_all()
    };
    write().map_err(|source| DreamerError::Io { path: path.to_owned(), source })
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

pub(crate) fn load(path: &Path) -> Result<Agent, DreamerError> {
    let mut file = Vec::new();
    File::open(path)
        .and_then(|mut input| input.read_to_end(&mut file))
        .map_err(|source| DreamerError::Io { path: path.to_owned(), source })?;
    read(&file).map_err(|why| DreamerError::Checkpoint { path: path.to_owned(), why })
}

/// What [`load`] reads, from memory; the error says what is wrong with it.
fn read(file: &[u8]) -> Result<Agent, String> {
    let foreign = |error: &dyn std::fmt::Display| {
        format!("it is not a whole safetensors file ({error}); use an earlier checkpoint")
    };
    let (_, header) = SafeTensors::read_metadata(file).map_err(|error| foreign(&error))?;
    let tensors = SafeTensors::deserialize(file).map_err(|error| foreign(&error))?;
    let text = header.metadata().as_ref().and_then(|all| all.get(ENTRY));
    let text = text.ok_or_else(|| "it is a safetensors file of another program".to_owned())?;
    let damaged = |error: serde_json::Error| format!("its metadata is damaged ({error}); use an earlier checkpoint");
    let Version { format } = serde_json::from_str(text).map_err(damaged)?;
    if format != FORMAT {
        return Err(format!("its format is {format}, and this program reads {FORMAT}; use the version that wrote it"));
    }
    let Metadata { config, action_size, updates, noise, .. } = serde_json::from_str(text).map_err(damaged)?;
    if !(1..=65_536).contains(&action_size) {
        return Err(format!("its actions have {action_size} elements"));
    }
    let noise = Stream::resume(&noise).ok_or_else(|| "its random stream is damaged".to_owned())?;

    // The configuration says how large the agent is; the file must be as large before any room is made.
    let mut learner = Learner::<f32>::declared(&config, action_size).map_err(|error| error.to_string())?;
    let parameters = learner.parameters();
    let learned = |path: &str| !is_frozen(&config, path);
    let expected: usize = parameters.iter().map(|p| if learned(parameters.path(p)) { 3 } else { 1 }).sum();
    if tensors.len() != expected {
        return Err(format!("it holds {} tensors, and its configuration needs {expected}", tensors.len()));
    }
    for parameter in parameters.iter() {
        let prefixes = ["", MOMENTS[0], MOMENTS[1]];
        let kinds = if learned(parameters.path(parameter)) { 3 } else { 1 };
        for prefix in &prefixes[..kinds] {
            let name = format!("{prefix}{}", parameters.path(parameter));
            let tensor = tensors.tensor(&name).map_err(|_| format!("it lacks the tensor {name}"))?;
            let shape = parameters.shape(parameter);
            if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
                let (dtype, found) = (tensor.dtype(), tensor.shape());
                return Err(format!("its {name} is {dtype:?} {found:?}, and should be F32 {shape:?}"));
            }
        }
    }
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
    model.set_steps(updates);
    value.set_steps(updates);
    actor.set_steps(updates.saturating_sub(config.actor_warmup));
    Ok(Agent { learner, noise, updates })
}

fn fill(values: &mut [f32], tensors: &SafeTensors, name: &str) -> Result<(), String> {
    let tensor = tensors.tensor(name).map_err(|_| format!("it lacks the tensor {name}"))?;
    for (value, bytes) in values.iter_mut().zip(tensor.data().as_chunks::<4>().0) {
        *value = f32::from_le_bytes(*bytes);
        if !value.is_finite() {
            return Err(format!("its {name} holds {value}; use an earlier checkpoint"));
        }
    }
    Ok(())
}
