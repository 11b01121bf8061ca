//! CPUs with fewer SIMD instruction sets: DREAMGRAFT_SIMD, or its earlier name DREAMGRAFT_VECTORS, chooses a narrower one.

use crate::program::{Ended, Program, outcomes, smoke};
use std::process::Command;

const VARIABLE: &str = "DREAMGRAFT_SIMD";
const OLD_VARIABLE: &str = "DREAMGRAFT_VECTORS";

fn with(program: &Program, set: &str, arguments: &[&str]) -> Ended {
    ended(program.command(arguments).env(VARIABLE, set))
}

fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn an_instruction_set_that_cannot_be_used_is_an_error_that_names_those_that_can() {
    let program = Program::new();
    let absent = if cfg!(target_arch = "x86_64") { "neon" } else { "avx2" };
    for variable in [VARIABLE, OLD_VARIABLE] {
        for (set, expected) in
            [("sse9", "sse9 is not supported; set it to one of"), (absent, "this CPU lacks this SIMD instruction set")]
        {
            let ended = ended(program.command(&smoke(&[])).env(variable, set));
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
            assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
            for part in [format!("error: {variable}={set}").as_str(), expected, "plain"] {
                assert!(ended.stderr.contains(part), "{part}: {ended:?}");
            }
        }
    }
    assert!(program.names(".").is_empty());
}

#[test]
fn a_run_begun_with_another_instruction_set_resumes_and_repeats_itself() {
    let program = Program::new();
    for folder in ["run", "again"] {
        for (set, steps) in [("plain", "2000"), ("", "3000")] {
            let arguments =
                ["train", "inverted-pendulum-swingup", "--preset", "smoke", "--logdir", folder, "--steps", steps];
            let ended = with(&program, set, &arguments);
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
        }
    }
    let run = outcomes(&program.path("run"));
    assert_eq!(run, outcomes(&program.path("again")));
    assert_eq!(run.state["position"]["frames"].as_u64(), Some(3000));
}

#[test]
fn a_measurement_reports_the_instruction_set_and_the_new_variable_wins() {
    let tiny = ["agent.batch=2", "agent.length=4", "agent.depth=2", "agent.horizon=3", "agent.shard=1", "threads=1"];
    let mut arguments = vec!["bench", "--steps", "1"];
    tiny.iter().for_each(|setting| arguments.extend(["--set", setting]));
    let program = Program::new();
    let variables: [&[(&str, &str)]; 3] =
        [&[(VARIABLE, "plain")], &[(OLD_VARIABLE, "plain")], &[(VARIABLE, "plain"), (OLD_VARIABLE, "sse9")]];
    for variables in variables {
        let ended = ended(program.command(&arguments).envs(variables.iter().copied()));
        let measured: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!((ended.code, measured["vectors"].as_str()), (Some(0), Some("plain")), "{variables:?}: {ended:?}");
    }
}
