//! The file next to that of an agent: the state of its run in a checkpoint, or the `config.json` of an export.
//!
//! Here: the parts of these files that transfer reads, and whether the agent's file is the one that they describe. Not here: the
//! agent itself (`source`), and finding its file (`locate`).

use files::layout::{AGENT, EXPORTED_AGENT, EXPORTED_CONFIG, RUN_STATE};
use serde::Deserialize;
use std::path::Path;

/// The most bytes that such a file may have.
const LONGEST: u64 = 1 << 20;

/// How an agent was trained; empty if nothing next to its file describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Training {
    /// The tasks.
    pub tasks: Vec<String>,
    /// The number of environment frames.
    pub frames: Option<u64>,
}

/// How the agent in `file` was trained. The file has `bytes` bytes and the checksum `crc32`.
///
/// # Errors
/// If the file, or the one next to it, is damaged.
pub(crate) fn training_of(file: &Path, bytes: u64, crc32: u32) -> Result<Training, String> {
    match file.file_name() {
        Some(name) if name == AGENT => of_checkpoint(file, bytes, crc32),
        Some(name) if name == EXPORTED_AGENT => of_export(file, bytes, crc32),
        _ => Ok(Training::default()),
    }
}

/// The part of a run's state that transfer reads; other keys are ignored.
#[derive(Deserialize)]
struct RunState {
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

fn of_checkpoint(file: &Path, bytes: u64, crc32: u32) -> Result<Training, String> {
    let Some(text) = text_next_to(file, RUN_STATE)
        .map_err(|error| format!("belongs to a {RUN_STATE} that cannot be read ({error})"))?
    else {
        return Ok(Training::default());
    };
    let RunState { agent_bytes, agent_crc32, run } = serde_json::from_slice(&text)
        .map_err(|error| format!("belongs to a damaged {RUN_STATE} ({error}); use another checkpoint"))?;
    if (agent_bytes, agent_crc32) != (bytes, crc32) {
        return Err(format!(
            "is damaged: it has {bytes} bytes and the CRC-32 {crc32:08x}, but its {RUN_STATE} records {agent_bytes} and \
             {agent_crc32:08x}; use another checkpoint"
        ));
    }
    Ok(Training { tasks: run.tasks, frames: Some(run.position.frames) })
}

/// The part of the `config.json` of an export that transfer reads; other keys are ignored.
#[derive(Deserialize)]
struct Export {
    model: Model,
    #[serde(default)]
    tasks: Vec<String>,
    frames: Option<u64>,
}

#[derive(Deserialize)]
struct Model {
    bytes: u64,
    crc32: u32,
}

fn of_export(file: &Path, bytes: u64, crc32: u32) -> Result<Training, String> {
    let Some(text) = text_next_to(file, EXPORTED_CONFIG)
        .map_err(|error| format!("is next to a {EXPORTED_CONFIG} that cannot be read ({error})"))?
    else {
        return Ok(Training::default());
    };
    let Export { model, tasks, frames } = serde_json::from_slice(&text).map_err(|error| {
        format!("belongs to an export whose {EXPORTED_CONFIG} cannot be used ({error}); export the run again")
    })?;
    if (model.bytes, model.crc32) != (bytes, crc32) {
        return Err(format!(
            "was changed: it has {bytes} bytes and the CRC-32 {crc32}, but its {EXPORTED_CONFIG} records {} and {}; \
             export the run again",
            model.bytes, model.crc32
        ));
    }
    Ok(Training { tasks, frames })
}

/// The content of the file `name` next to `file`; `None` if there is none.
fn text_next_to(file: &Path, name: &str) -> Result<Option<Vec<u8>>, files::ReadError> {
    match files::read_bytes(&file.with_file_name(name), LONGEST) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
