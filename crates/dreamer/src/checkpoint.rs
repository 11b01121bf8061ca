//! The agent's checkpoint: one safetensors file. `docs/formats.md` describes it.
//!
//! Tensors: every parameter under its path, and, if it is learned, its two moments under `adam.first.PATH` and
//! `adam.second.PATH`. Metadata:
//! `format`, `config`, `action_size`, `updates`, `noise`.

use crate::agent::Agent;
use crate::learner::{Learner, Optimisers};
use crate::networks::is_frozen;
use crate::{AgentConfig, DreamerError};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use tape::random::{Stream, StreamState};

/// Version of the file's layout: a reader refuses any other.
const FORMAT: &str = "dreamgraft agent 1";
const MOMENTS: [&str; 2] = ["adam.first.", "adam.second."];

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
    let metadata = HashMap::from([
        ("format".to_owned(), FORMAT.to_owned()),
        ("config".to_owned(), json(learner.config())),
        ("action_size".to_owned(), learner.action_size().to_string()),
        ("updates".to_owned(), agent.updates.to_string()),
        ("noise".to_owned(), json(&agent.noise.state())),
    ]);
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

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data")
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
    let metadata = header.metadata().as_ref();
    let entry = |key: &str| metadata.and_then(|all| all.get(key)).map(String::as_str);
    match entry("format") {
        Some(FORMAT) => {}
        Some(other) => return Err(format!("its format is {other:?}, and this program reads {FORMAT:?}")),
        None => return Err("it is a safetensors file of another program".to_owned()),
    }
    let text = |key: &str| entry(key).ok_or_else(|| format!("its metadata lacks {key:?}"));
    let damaged = |key: &str, error: &dyn std::fmt::Display| format!("its metadata's {key:?} is damaged: {error}");
    let config: AgentConfig = serde_json::from_str(text("config")?).map_err(|error| damaged("config", &error))?;
    let action_size: usize = text("action_size")?.parse().map_err(|error| damaged("action_size", &error))?;
    if !(1..=65_536).contains(&action_size) {
        return Err(format!("its actions have {action_size} elements"));
    }
    let updates: u64 = text("updates")?.parse().map_err(|error| damaged("updates", &error))?;
    let noise: StreamState = serde_json::from_str(text("noise")?).map_err(|error| damaged("noise", &error))?;
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
    [model, actor, value].into_iter().for_each(|optimiser| optimiser.set_steps(updates));
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
