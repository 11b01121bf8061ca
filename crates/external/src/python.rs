//! The interpreter that serves Gymnasium's environments.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable that names it.
const VARIABLE: &str = "DREAMGRAFT_PYTHON";

/// Runs the adapter. If the package cannot be imported, the answer is a message as the protocol has it, and not Python's.
const LAUNCH: &str = r#"
import os, struct, sys
try:
    from dreamgraft.serve import main
except ImportError as error:
    text = f'{sys.executable} cannot import {error.name}: in a clone of the repository of dreamgraft, install it for this '
    text += f"interpreter with `{sys.executable} -m pip install '.[gymnasium]'`, or set DREAMGRAFT_PYTHON to an interpreter that has it"
    os.write(1, struct.pack('<IB', len(text.encode()), 20) + text.encode())
    sys.exit(1)
main(sys.argv[1:])
"#;

/// An interpreter, and why it was chosen.
#[derive(Clone, Debug)]
pub(crate) struct Python {
    /// Its file, or a name to be looked up.
    pub program: PathBuf,
    /// The next step if it cannot be started.
    pub next: String,
}

impl Python {
    /// The one that `$DREAMGRAFT_PYTHON` names, else the one next to this program (pip installs both into one
    /// environment), else `python3`. A relative path starts from `folder`, if one is given.
    pub fn find(folder: Option<&Path>) -> Self {
        if let Some(program) = std::env::var_os(VARIABLE).filter(|program| !program.is_empty()) {
            let next = format!("{VARIABLE} names it: set it to a Python interpreter, or unset it");
            let program = PathBuf::from(program);
            // A name alone is looked up in the folders of commands.
            let folder = folder.filter(|_| program.components().count() > 1);
            return Self { program: folder.map_or_else(|| program.clone(), |folder| folder.join(&program)), next };
        }
        let here = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
        let candidates = here.into_iter().flat_map(|folder| ["python3", "python"].map(|name| folder.join(name)));
        let program = candidates.into_iter().find(|program| program.is_file()).unwrap_or_else(|| "python3".into());
        let next = format!("install Python 3, or set {VARIABLE} to an interpreter that has dreamgraft and gymnasium");
        Self { program, next }
    }

    /// The command that serves the environment called `name`.
    pub fn serve(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["-c", LAUNCH, name]);
        command
    }
}
