//! `dreamgraft eval`.

use crate::program::{Program, smoke};
use serde_json::Value;

/// The program after a short run.
fn trained() -> Program {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "2000"]));
    program
}

#[test]
fn one_seed_gives_the_same_returns_however_they_are_asked_for() {
    let program = trained();
    let json = |words: &[&str]| -> Value {
        let words: Vec<&str> = ["eval"].iter().chain(words).copied().chain(["--json"]).collect();
        serde_json::from_str(&program.succeed(&words)).unwrap()
    };
    let three = json(&["run", "--episodes", "3", "--seed", "5"]);
    assert_eq!(three, json(&["run", "--episodes", "3", "--seed", "5"]));
    let returns: Vec<f64> = three["returns"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    assert_eq!(three["lengths"], serde_json::json!([1000, 1000, 1000]));
    assert!((three["mean"].as_f64().unwrap() - returns.iter().sum::<f64>() / 3.0).abs() < 1e-9);
    for run in ["run/checkpoints/0000002000", "run/checkpoints/0000002000/agent.safetensors"] {
        assert_eq!(json(&[run, "--episodes", "1", "--seed", "5"])["returns"][0], returns[0]);
    }
    assert_ne!(json(&["run", "--episodes", "1", "--seed", "6"])["returns"][0], returns[0]);
    let text = program.succeed(&["eval", "run", "--episodes", "3", "--seed", "5"]);
    assert!(text.contains(&format!("episode   3  return {:.3}", returns[2])), "{text}");
    assert!(text.contains("mean ") && text.contains("std "), "{text}");
}

#[test]
fn the_last_episode_is_written_as_a_video() {
    let program = trained();
    program.succeed(&["eval", "run", "--episodes", "1", "--video", "last.gif"]);
    assert!(std::fs::read(program.path("last.gif")).unwrap().starts_with(b"GIF89a"));
    let error = program.fail(1, &["eval", "run", "--episodes", "1", "--video", "missing/last.gif"]);
    assert!(error.contains("missing/last.gif"), "{error}");
}

#[test]
fn checkpoints_that_cannot_be_used_are_named_with_the_next_step() {
    let program = trained();
    let agent = "run/checkpoints/0000002000/agent.safetensors";
    let whole = std::fs::read(program.path(agent)).unwrap();
    let state = "run/checkpoints/0000002000/run.json";
    let text = std::fs::read(program.path(state)).unwrap();
    program.truncate(agent);
    let error = program.fail(5, &["eval", "run"]);
    assert!(error.contains(agent) && error.contains("truncated") && error.contains("another checkpoint"), "{error}");
    // A safetensors file of something else, with nothing beside it that tells otherwise.
    std::fs::write(program.path(agent), b"\x02\0\0\0\0\0\0\0{}").unwrap();
    let error = program.fail(5, &["eval", agent]);
    assert!(error.contains(agent), "{error}");
    std::fs::remove_file(program.path(state)).unwrap();
    let error = program.fail(5, &["eval", agent]);
    assert!(error.contains("run.json"), "{error}");
    std::fs::write(program.path(agent), &whole).unwrap();
    for broken in [&text[..text.len() / 2], b"{}", b"", b"\xff\xfe"] {
        std::fs::write(program.path(state), broken).unwrap();
        let error = program.fail(5, &["eval", "run"]);
        assert!(error.contains("run.json"), "{error}");
    }
    let newer = String::from_utf8(text).unwrap().replace("\"format\": 1", "\"format\": 2");
    std::fs::write(program.path(state), newer).unwrap();
    let error = program.fail(5, &["eval", "run"]);
    assert!(error.contains("format is 2"), "{error}");
}

#[test]
fn what_is_no_run_and_tasks_that_do_not_fit_are_named() {
    let program = trained();
    for (words, code, part) in [
        (["eval", "nowhere", "--episodes", "1"], 5, "nowhere does not exist"),
        (["eval", "run/videos", "--episodes", "1"], 5, "neither a run folder nor a checkpoint"),
        (["eval", "run/config.toml", "--episodes", "1"], 5, "neither a run folder nor a checkpoint"),
        (["eval", "run", "--task", "hopper"], 2, "actions of size 1, hopper takes size 3"),
        (["eval", "run", "--task", "hoper"], 2, "\"hopper\""),
    ] {
        let error = program.fail(code, &words);
        assert!(error.contains(part), "{words:?}: {error}");
    }
}
