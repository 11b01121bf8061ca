//! Transfer: `dreamgraft transfer plan`, and `dreamgraft train` with a source. By what the tests are about: `plans` for
//! plans, sources and records, `fractions` for fractional transfer, `meta_models` for universal encoders and reward
//! meta-models, `soups` for means of descendants, `ranking` for `dreamgraft transfer rank`, `choosing` for a source
//! that is one of several.

mod choosing;
mod fractions;
mod meta_models;
mod plans;
mod ranking;
mod soups;

use crate::program::{Program, outcomes};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A tiny run of `tasks` in `folder`.
fn arguments<'a>(tasks: &[&'a str], folder: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let settings = ["--preset", "smoke", "--set", "log.videos=false", "--logdir", folder];
    [&["train"], tasks, &settings, more].concat()
}

/// The program with a trained agent in the folder `source`, whose actions have one number, and those of hopper three.
fn with_source() -> Program {
    let program = Program::new();
    program.succeed(&arguments(&["inverted-pendulum-swingup"], "source", &["--steps", "1000"]));
    program
}

/// The file of the newest agent of a run.
fn newest(program: &Program, run: &str) -> PathBuf {
    let checkpoints = program.names(&format!("{run}/checkpoints"));
    program.path(&format!("{run}/checkpoints/{}/agent.safetensors", checkpoints.last().unwrap()))
}

/// The bytes of every tensor in a file of safetensors.
fn tensors(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = std::fs::read(path).unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let names: BTreeMap<String, Value> = serde_json::from_slice(&bytes[8..header]).unwrap();
    let tensors = names.into_iter().filter(|(name, _)| name != "__metadata__");
    let place = |tensor: &Value, end: usize| header + tensor["data_offsets"][end].as_u64().unwrap() as usize;
    tensors.map(|(name, tensor)| (name, bytes[place(&tensor, 0)..place(&tensor, 1)].to_vec())).collect()
}

/// The output of a command with `--json`.
fn json_of(program: &Program, words: &[&str]) -> Value {
    serde_json::from_str(&program.succeed(&[words, &["--json"]].concat())).unwrap()
}

/// A run of 2000 frames in `whole` and one of 1000 and then 1000 in `parts`, whose `gone` are removed in between: they
/// must be bitwise identical.
fn resumes(program: &Program, transfer: &[&str], gone: &[&str]) {
    let train = |folder: &str, steps: &str, embeddings: &str| {
        let more = ["--steps", steps, "--set", embeddings];
        program.succeed(&arguments(&["hopper"], folder, &[transfer, &more].concat()))
    };
    train("whole", "2000", "replay.embeddings=1GB");
    train("parts", "1000", "replay.embeddings=300kB");
    for folder in gone {
        std::fs::remove_dir_all(program.path(folder)).unwrap();
    }
    // How many embeddings are kept shows in no number.
    let text = train("parts", "2000", "replay.embeddings=0");
    assert!(text.contains("resuming at frame 1 000") && text.contains("started with a transfer from"), "{text}");
    assert_eq!(outcomes(&program.path("parts")), outcomes(&program.path("whole")));
    assert_eq!(std::fs::read(newest(program, "parts")).unwrap(), std::fs::read(newest(program, "whole")).unwrap());
    program.succeed(&["eval", "parts", "--episodes", "1"]);
}
