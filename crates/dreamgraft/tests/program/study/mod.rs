//! Studies, by what the tests are about: `choosing` for methods that choose a source, `existing` for sources
//! that were trained before, `planning` for plans and invalid study files, `running` for whole studies that are also
//! killed and stopped, `sharing` for runs that studies share, `slurm` for job arrays, `waiting` for processes that work
//! on the same run.

mod choosing;
mod existing;
mod planning;
mod running;
mod sharing;
mod slurm;
mod waiting;

use crate::program::Program;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A study of six runs, as small as they can be.
const TINY: &str = r#"
name = "tiny"
preset = "smoke"
steps = 2000
seeds = [0]
tasks = ["inverted-pendulum-swingup"]

[set]
agent = { depth = 1, units = 2, batch = 1, length = 2 }
checkpoint.every = 500
log.videos = false

[[source]]
name = "sight"
tasks = ["inverted-pendulum-swingup", "inverted-double-pendulum-swingup"]
steps = 3000

[[source]]
name = "alone"
each = ["inverted-pendulum-swingup", "inverted-double-pendulum-swingup"]
steps = 2000
universal = "sight"

[[method]]
kind = "baseline"

[[method]]
kind = "fractional"
from = "sight"
fractions = [0.2]

[[method]]
kind = "meta-model"
universal = "sight"
reward_from = ["alone"]
"#;

/// The program in a folder with the study file `tiny.toml`.
pub fn tiny() -> Program {
    let program = Program::new();
    std::fs::write(program.path("tiny.toml"), TINY).unwrap();
    program
}

/// The study's states, a JSON object each.
fn states(program: &Program) -> Vec<Value> {
    let text = program.succeed(&["study", "status", "tiny.toml", "--json"]);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Folders of the study's runs.
pub fn folders(program: &Program) -> Vec<PathBuf> {
    states(program).iter().map(|run| program.path("studies/tiny").join(run["folder"].as_str().unwrap())).collect()
}

/// Waits until the process that works in a run folder has left a checkpoint there; its number.
fn worker(root: &Path) -> String {
    let numbered =
        |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().to_str().unwrap().starts_with('0');
    while !std::fs::read_dir(root.join("checkpoints")).is_ok_and(|mut all| all.any(numbered)) {
        std::thread::yield_now();
    }
    std::fs::read_to_string(root.join("run.lock")).unwrap().trim().to_owned()
}

pub fn kill(signal: &str, process: &str) {
    assert!(Command::new("kill").args([signal, process]).status().unwrap().success());
}
