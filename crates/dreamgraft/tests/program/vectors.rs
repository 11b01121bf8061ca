//! Processors with fewer vector instructions: DREAMGRAFT_VECTORS narrows what this one has.

use crate::program::{Ended, Program, outcomes, smoke};
use std::process::Command;

const VARIABLE: &str = "DREAMGRAFT_VECTORS";

fn with(program: &Program, vectors: &str, words: &[&str]) -> Ended {
    ended(program.command(words).env(VARIABLE, vectors))
}

fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn vectors_that_are_not_here_are_an_error_that_names_those_that_are() {
    let program = Program::new();
    let absent = if cfg!(target_arch = "x86_64") { "neon" } else { "avx2" };
    for (vectors, said) in [("sse9", "names no vectors"), (absent, "this processor has none of these")] {
        let ended = with(&program, vectors, &smoke(&[]));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
        for part in [format!("error: {VARIABLE}={vectors}").as_str(), said, "plain"] {
            assert!(ended.stderr.contains(part), "{part}: {ended:?}");
        }
    }
    assert!(program.names(".").is_empty());
}

#[test]
fn a_run_begun_with_other_vectors_goes_on_and_repeats_itself() {
    let program = Program::new();
    for folder in ["run", "again"] {
        for (vectors, steps) in [("plain", "2000"), ("", "3000")] {
            let words =
                ["train", "inverted-pendulum-swingup", "--preset", "smoke", "--logdir", folder, "--steps", steps];
            let ended = with(&program, vectors, &words);
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
        }
    }
    let run = outcomes(&program.path("run"));
    assert_eq!(run, outcomes(&program.path("again")));
    assert_eq!(run.state["position"]["frames"].as_u64(), Some(3000));
}

#[test]
fn a_measurement_says_which_vectors_it_is_of() {
    let tiny = ["agent.batch=2", "agent.length=4", "agent.depth=2", "agent.horizon=3", "agent.shard=1", "threads=1"];
    let mut words = vec!["bench", "--steps", "1"];
    tiny.iter().for_each(|setting| words.extend(["--set", setting]));
    let ended = with(&Program::new(), "plain", &words);
    let measured: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.code, measured["vectors"].as_str()), (Some(0), Some("plain")), "{ended:?}");
}
