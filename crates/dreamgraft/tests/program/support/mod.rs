//! The support of a run besides a transfer: `guide` for earlier agents that play its first episodes, `rehearsal` for
//! episodes of another run that it learns from.

mod guide;
mod rehearsal;

use crate::program::Program;
use serde_json::Value;

/// The task of the earlier agent; its actions have one number.
const SINGLE: &str = "inverted-pendulum-swingup";

/// A tiny run in `folder`, with these settings.
fn arguments<'a>(tasks: &[&'a str], folder: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let settings = ["log.videos=false", "checkpoint.kept=9"].map(|one| ["--set", one]);
    [&["train"], tasks, &["--preset", "smoke", "--logdir", folder], &settings.concat()[..], more].concat()
}

/// The program with a trained agent and three episodes in the folder `source`.
fn with_source() -> Program {
    let program = Program::new();
    program.succeed(&arguments(&[SINGLE], "source", &["--steps", "3000"]));
    program
}

/// A record in JSON.
fn read(program: &Program, path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(program.path(path)).unwrap()).unwrap()
}
