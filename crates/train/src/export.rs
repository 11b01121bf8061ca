//! Exports: folders with an agent that can act and be a source of a transfer, and nothing that only learning needs.
//!
//! Here: the agent's file and `config.json`. Not here: the page, the results and the animation that the program puts next to them.

use crate::agent::Actor;
use crate::agent::learned::{About, Learned};
use crate::{AgentConfig, TrainError};
use dreamer::Policy;
use files::layout::{EXPORTED_AGENT, EXPORTED_CONFIG};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::Path;

/// The version of `config.json`; another one is not read.
const FORMAT: u32 = 1;

/// The most bytes that a `config.json` may have.
const LONGEST_CONFIG: u64 = 1 << 20;

/// `config.json`.
#[derive(Serialize, Deserialize)]
struct ExportFile {
    format: u32,
    dreamgraft: String,
    model: ModelFile,
    #[serde(flatten)]
    about: About,
    updates: u64,
    agent: AgentConfig,
}

/// Shows whether the agent's file is as it was written.
#[derive(Serialize, Deserialize)]
struct ModelFile {
    bytes: u64,
    crc32: u32,
}

/// Whether the file at `path` is the agent of an export.
pub(crate) fn is_model(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == EXPORTED_AGENT) && path.parent().is_some_and(is_export)
}

/// Whether `folder` is an export.
pub(crate) fn is_export(folder: &Path) -> bool {
    folder.join(EXPORTED_AGENT).is_file() && folder.join(EXPORTED_CONFIG).is_file()
}

/// Writes an agent and its description into `folder`, which must exist.
///
/// # Errors
/// If a file cannot be written.
pub fn write(folder: &Path, learned: &Learned<Policy>) -> Result<(), TrainError> {
    let model = folder.join(EXPORTED_AGENT);
    learned.agent.save(&model)?;
    let (bytes, crc32) = files::crc32_of_file(&model).map_err(TrainError::io(&model))?;
    let file = ExportFile {
        format: FORMAT,
        dreamgraft: env!("CARGO_PKG_VERSION").to_owned(),
        model: ModelFile { bytes, crc32 },
        about: learned.about.clone(),
        updates: learned.agent.updates(),
        agent: learned.agent.config().clone(),
    };
    let path = folder.join(EXPORTED_CONFIG);
    let text = serde_json::to_string_pretty(&file).expect("plain data") + "\n";
    files::write_atomically(&path, |out| out.write_all(text.as_bytes())).map_err(TrainError::io(path))
}

/// Reads the agent of an export and its description.
///
/// # Errors
/// [`TrainError::Checkpoint`] names the file that is damaged or foreign.
pub(crate) fn load<L: Actor>(folder: &Path) -> Result<Learned<L>, TrainError> {
    let (path, model) = (folder.join(EXPORTED_CONFIG), folder.join(EXPORTED_AGENT));
    let text = files::read_bytes(&path, LONGEST_CONFIG).map_err(|error| TrainError::io(&path)(error.into()))?;
    let refuse = |path: &Path, why: String| TrainError::Checkpoint { path: path.to_owned(), why };
    let file: ExportFile = serde_json::from_slice(&text)
        .map_err(|error| refuse(&path, format!("it is not that of an export ({error}); export the run again")))?;
    if file.format != FORMAT {
        let why = format!("its format is {}, this version reads {FORMAT}; use the version that wrote it", file.format);
        return Err(refuse(&path, why));
    }
    let (bytes, crc32) = files::crc32_of_file(&model).map_err(TrainError::io(&model))?;
    if (bytes, crc32) != (file.model.bytes, file.model.crc32) {
        let why = format!(
            "it was changed: it has {bytes} bytes and the CRC-32 {crc32:08x}, but {EXPORTED_CONFIG} records {} and \
             {:08x}; export the run again",
            file.model.bytes, file.model.crc32
        );
        return Err(refuse(&model, why));
    }
    Ok(Learned { path: folder.to_owned(), about: file.about, agent: L::load(&model)? })
}
