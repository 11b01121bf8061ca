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
    let json = |arguments: &[&str]| -> Value {
        let arguments: Vec<&str> = ["eval"].iter().chain(arguments).copied().chain(["--json"]).collect();
        serde_json::from_str(&program.succeed(&arguments)).unwrap()
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
    // The deviation of a sample, as in reports; of a single episode there is none.
    let mean = returns.iter().sum::<f64>() / 3.0;
    let deviation = (returns.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
    assert!((three["std"].as_f64().unwrap() - deviation).abs() < 1e-9, "{three}");
    assert!(text.contains(&format!("  mean return {mean:.3}  std {deviation:.3}  ")), "{text}");
    assert_eq!(json(&["run", "--episodes", "1", "--seed", "5"])["std"], Value::Null);
    let text = program.succeed(&["eval", "run", "--episodes", "1", "--seed", "5"]);
    assert!(text.contains("mean return ") && !text.contains("std"), "{text}");
}

#[test]
fn the_mean_action_can_be_evaluated_instead_of_the_mode() {
    let program = trained();
    let eval = |run: &str, more: &[&str]| -> Value {
        let arguments = [&["eval", run, "--episodes", "2", "--json"], more].concat();
        serde_json::from_str(&program.succeed(&arguments)).unwrap()
    };
    let (mode, mean) = (eval("run", &["--evaluation", "mode"]), eval("run", &["--evaluation", "mean"]));
    assert_eq!((&mode["evaluation"], &mean["evaluation"]), (&"mode".into(), &"mean".into()));
    assert_ne!(mode["returns"], mean["returns"]);
    assert_eq!(eval("run", &[]), mode, "the setting's default");
    let error = program.run(&["eval", "run", "--evaluation", "median"]);
    assert!(error.code == Some(2) && error.stderr.contains("--evaluation <mode|mean>"), "{error:?}");
    // A run can resume with the other setting, which is then its own.
    program.succeed(&smoke(&["--steps", "3000", "--set", "agent.evaluation=mean"]));
    let own = eval("run", &[]);
    assert_eq!(own["evaluation"], "mean");
    assert_eq!(eval("run", &["--evaluation", "mean"]), own);
    let error = program.fail(2, &smoke(&["--set", "agent.evaluation=median"]));
    assert!(error.contains("agent.evaluation = \"median\"") && error.contains("\"mode\" or \"mean\""), "{error}");
}

#[test]
fn the_last_episode_is_written_as_a_video() {
    let program = trained();
    let text = program.succeed(&["eval", "run", "--episodes", "1", "--video", "last.gif"]);
    assert_eq!(text.lines().last(), Some("wrote last.gif"), "{text}");
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
    let newest = "run/checkpoints/0000002000";
    program.truncate(agent);
    let error = program.fail(5, &["eval", newest]);
    assert!(error.contains(agent) && error.contains("truncated") && error.contains("another checkpoint"), "{error}");
    // A safetensors file of another program, without other files next to it.
    std::fs::write(program.path(agent), b"\x02\0\0\0\0\0\0\0{}").unwrap();
    let error = program.fail(5, &["eval", agent]);
    assert!(error.contains(agent), "{error}");
    std::fs::remove_file(program.path(state)).unwrap();
    let error = program.fail(5, &["eval", agent]);
    assert!(error.contains("run.json"), "{error}");
    std::fs::write(program.path(agent), &whole).unwrap();
    for broken in [&text[..text.len() / 2], b"{}", b"", b"\xff\xfe"] {
        std::fs::write(program.path(state), broken).unwrap();
        let error = program.fail(5, &["eval", newest]);
        assert!(error.contains("run.json"), "{error}");
    }
    let newer = String::from_utf8(text).unwrap().replace("\"format\": 1", "\"format\": 2");
    std::fs::write(program.path(state), newer).unwrap();
    let error = program.fail(5, &["eval", newest]);
    assert!(error.contains("format is 2"), "{error}");
}

#[test]
fn a_damaged_newest_checkpoint_is_named_and_the_one_before_used() {
    let program = trained();
    let before: Value =
        serde_json::from_str(&program.succeed(&["eval", "run/checkpoints/0000001000", "--episodes", "1", "--json"]))
            .unwrap();
    program.truncate("run/checkpoints/0000002000/agent.safetensors");
    let ended = program.run(&["eval", "run", "--episodes", "1", "--json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(serde_json::from_str::<Value>(&ended.stdout).unwrap(), before);
    for part in [
        "note: run/checkpoints/0000002000/agent.safetensors",
        "truncated",
        ". This command uses run/checkpoints/0000001000\n",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    // Evaluating changes nothing: moving damaged checkpoints out of the way is for those who train.
    assert_eq!(program.names("run/checkpoints"), ["0000001000", "0000002000"]);
    program.truncate("run/checkpoints/0000001000/agent.safetensors");
    let error = program.fail(5, &["eval", "run", "--episodes", "1"]);
    let start = "no checkpoint in run/checkpoints is usable. The newest: run/checkpoints/0000002000/agent.safetensors";
    assert!(error.starts_with(start) && error.contains("truncated"), "{error}");
    assert!(error.contains("Restore one from a copy") && !error.contains("use another checkpoint"), "{error}");
}

/// The width of a GIF in pixels.
fn width_of_gif(path: &std::path::Path) -> u16 {
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.starts_with(b"GIF89a"));
    u16::from_le_bytes([bytes[6], bytes[7]])
}

#[test]
fn a_video_shows_what_the_agent_imagines_if_asked_for() {
    let program = trained();
    let eval = ["eval", "run", "--episodes", "1", "--json", "--video"];
    let plain = program.succeed(&[&eval[..], &["plain.gif"]].concat());
    let both = program.succeed(&[&eval[..], &["both.gif", "--imagined"]].concat());
    assert_eq!(plain, both);
    assert_eq!((width_of_gif(&program.path("plain.gif")), width_of_gif(&program.path("both.gif"))), (256, 528));
    program.succeed(&[&eval[..], &["again.gif", "--imagined"]].concat());
    let bytes = |name: &str| std::fs::read(program.path(name)).unwrap();
    assert!(bytes("both.gif") == bytes("again.gif"));
    let error = program.fail(2, &["play", "hopper", "--video", "none.gif", "--imagined"]);
    assert!(error.contains("--imagined: random and zero actions") && error.contains("give a trained agent"), "{error}");
    assert!(!program.path("none.gif").exists());
    let ended = program.run(&["eval", "run", "--imagined"]);
    assert!(ended.code == Some(2) && ended.stderr.contains("--video"), "{ended:?}");
}

#[test]
fn every_task_of_a_run_is_evaluated() {
    let program = Program::new();
    let arguments = ["train", "inverted-pendulum-swingup", "hopper", "--preset", "smoke", "--logdir", "run"];
    program.succeed(&[&arguments[..], &["--steps", "2000"]].concat());
    let json = |arguments: &[&str]| -> Vec<Value> {
        let arguments: Vec<&str> =
            ["eval", "run", "--json", "--episodes", "1"].iter().chain(arguments).copied().collect();
        program.succeed(&arguments).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let both = json(&["--video", "both.gif"]);
    assert_eq!(both.iter().map(|one| &one["task"]).collect::<Vec<_>>(), ["inverted-pendulum-swingup", "hopper"]);
    assert_eq!(program.names("."), ["both-hopper.gif", "both-inverted-pendulum-swingup.gif", "run"]);
    for one in &both {
        assert_eq!(&json(&["--task", one["task"].as_str().unwrap()])[..], std::slice::from_ref(one));
    }
    let text = program.succeed(&["eval", "run", "--episodes", "1"]);
    for task in ["inverted-pendulum-swingup", "hopper"] {
        assert!(text.contains(&format!("{task}  episode   1  return ")), "{text}");
        assert!(
            text.contains(&format!("{task}  1 episode after 2 000 frames, acting by the mode  mean return ")),
            "{text}"
        );
    }
    // Its actions have three elements, those of the other task that was not trained one.
    let error = program.fail(2, &["eval", "run", "--task", "inverted-double-pendulum-swingup"]);
    assert!(error.contains("has 1 action elements, but the agent of run/checkpoints/0000002000 has 3"), "{error}");
}

#[test]
fn other_folders_and_wrong_tasks_are_named() {
    let program = trained();
    for (arguments, code, part) in [
        (["eval", "nowhere", "--episodes", "1"], 5, "nowhere does not exist"),
        (["eval", "run/videos", "--episodes", "1"], 5, "is not a run folder and not"),
        (["eval", "run/config.toml", "--episodes", "1"], 5, "is not a run folder and not"),
        (
            ["eval", "run", "--task", "hopper"],
            2,
            "hopper has 3 action elements, but the agent of run/checkpoints/0000002000 has 1; it was trained for inverted-pendulum",
        ),
        (["eval", "run", "--task", "hoper"], 2, "\"hopper\""),
    ] {
        let error = program.fail(code, &arguments);
        assert!(error.contains(part), "{arguments:?}: {error}");
    }
}

#[test]
fn a_task_that_the_agent_was_not_trained_for_is_noted() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    let arguments = ["eval", "run", "--task", "inverted-double-pendulum-swingup", "--episodes", "1", "--seed", "1e3"];
    let ended = program.run(&arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let note = "note: the agent was trained for inverted-pendulum-swingup, not for inverted-double-pendulum-swingup\n";
    assert_eq!(ended.stderr, note);
}

#[test]
fn a_file_of_an_agent_alone_is_played_in_the_task_that_is_named() {
    let program = trained();
    let file = program.path("run/checkpoints/0000002000/agent.safetensors");
    std::fs::copy(file, program.path("mine.safetensors")).unwrap();
    std::fs::create_dir(program.path("alone")).unwrap();
    std::fs::copy(program.path("mine.safetensors"), program.path("alone/agent.safetensors")).unwrap();
    let returns = |words: &[&str]| -> Value {
        let words = [&["eval"], words, &["--task", "inverted-pendulum-swingup", "--episodes", "1", "--json"]].concat();
        serde_json::from_str::<Value>(&program.succeed(&words)).unwrap()["returns"].clone()
    };
    let whole = returns(&["run"]);
    assert_eq!(returns(&["mine.safetensors"]), whole);
    assert_eq!(returns(&["alone/agent.safetensors"]), whole);
    program.succeed(&["export", "run", "--out", "export"]);
    assert_eq!(returns(&["export/model.safetensors"]), whole);
    let error = program.fail(5, &["eval", "mine.safetensors"]);
    assert!(error.contains("`dreamgraft eval FILE --task TASK`"), "{error}");
    let error = program.fail(2, &["eval", "mine.safetensors", "--task", "hopper"]);
    assert!(error.contains("has 1; it was trained for tasks that its file does not name"), "{error}");
    std::fs::write(program.path("text.safetensors"), "nothing").unwrap();
    let error = program.fail(5, &["eval", "text.safetensors", "--task", "hopper"]);
    assert!(error.contains("text.safetensors"), "{error}");
}
