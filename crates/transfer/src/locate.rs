//! Finds the agent's file of a source in a plan.
//!
//! A path can be an agent's file, the folder of a checkpoint or of an export, or a run folder, which stands for its
//! newest checkpoint (`docs/formats.md`). The newest checkpoint is used or refused, and never replaced by an older one, so that the
//! source of a transfer does not depend on damage.

use files::layout::{AGENT, CHECKPOINTS, EXPORTED_AGENT, EXPORTED_CONFIG, REPLACED};
use std::fs::Metadata;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Why no agent's file was found.
pub(crate) enum NotFound {
    /// There is none: the fault of the path.
    No(String),
    /// The system refuses access: the file or folder, and its error.
    Unknown(PathBuf, io::Error),
}

/// The agent's file that `path` refers to, or the problem.
pub(crate) fn locate(path: &Path) -> Result<PathBuf, NotFound> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return Err(NotFound::Unknown(path.to_owned(), error));
        }
        Err(error) => return Err(NotFound::No(format!("cannot be read ({error}); check the path"))),
    };
    if metadata.is_file() {
        return if is_agents(path) { Ok(path.to_owned()) } else { Err(NotFound::No(no_agent(path))) };
    }
    let agent = path.join(AGENT);
    if is(&agent, Metadata::is_file)? {
        return Ok(agent);
    }
    let exported = path.join(EXPORTED_AGENT);
    if is(&exported, Metadata::is_file)? && is(&path.join(EXPORTED_CONFIG), Metadata::is_file)? {
        return Ok(exported);
    }
    let checkpoints = path.join(CHECKPOINTS);
    if !is(&checkpoints, Metadata::is_dir)? {
        return Err(NotFound::No(format!(
            "is not the file of an agent, a checkpoint (a folder with {AGENT}), an export (a folder with \
             {EXPORTED_AGENT}) or a run (a folder with checkpoints)"
        )));
    }
    match newest(&checkpoints).map_err(|error| NotFound::Unknown(checkpoints, error))? {
        Some(checkpoint) => Ok(checkpoint.join(AGENT)),
        None => Err(NotFound::No("is a run without a checkpoint; train it for longer".to_owned())),
    }
}

/// Whether there is a file or folder of a kind at `path`.
fn is(path: &Path, kind: fn(&Metadata) -> bool) -> Result<bool, NotFound> {
    match path.metadata() {
        Ok(metadata) => Ok(kind(&metadata)),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(NotFound::Unknown(path.to_owned(), error)),
        Err(_) => Ok(false),
    }
}

/// Whether a file may be that of an agent: it has the name of one, so that damage to it is reported as such, or the beginning.
fn is_agents(path: &Path) -> bool {
    if path.file_name().is_some_and(|name| name == AGENT || name == EXPORTED_AGENT) {
        return true;
    }
    // The length of a header in JSON, then the header.
    let mut start = [0; 9];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    // The contents of a file that may not be read are unknown.
    read.is_err_and(|error| error.kind() != ErrorKind::UnexpectedEof) || start[8] == b'{'
}

/// That a file is none of an agent, and the run folder that it lies in.
fn no_agent(path: &Path) -> String {
    let run = path.ancestors().skip(1).take(3).find(|folder| folder.join(CHECKPOINTS).is_dir());
    match run.filter(|run| !run.as_os_str().is_empty()) {
        Some(run) => format!("is not the file of an agent; give the run folder, {}", run.display()),
        None => format!("is not the file of an agent; give a run folder, a checkpoint or its {AGENT}"),
    }
}

/// The checkpoint with the most frames; a new one comes before the one that it replaces.
fn newest(checkpoints: &Path) -> io::Result<Option<PathBuf>> {
    let mut newest: Option<((u64, bool), PathBuf)> = None;
    for entry in std::fs::read_dir(checkpoints)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name.strip_suffix(REPLACED).unwrap_or(&name);
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let Some(frames) = number.parse().ok().filter(|_| digits) else { continue };
        let rank = (frames, number == name);
        if newest.as_ref().is_none_or(|(best, _)| rank > *best) {
            newest = Some((rank, entry.path()));
        }
    }
    Ok(newest.map(|(_, path)| path))
}
