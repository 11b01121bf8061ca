//! `dreamgraft play`.

use crate::program::{Program, smoke};
use crate::resuming::is_ignored;
use crate::study::kill;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

fn play(program: &Program, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = ["play"].iter().chain(arguments).copied().chain(["--json"]).collect();
    serde_json::from_str(&program.succeed(&arguments)).unwrap()
}

#[test]
fn one_seed_gives_the_same_returns_and_another_others() {
    let program = Program::new();
    let two = play(&program, &["hopper", "--episodes", "2", "--seed", "3"]);
    assert_eq!(two, play(&program, &["hopper", "--episodes", "2", "--seed", "3", "--policy", "random"]));
    assert_eq!(two["lengths"], serde_json::json!([1000, 1000]));
    assert_eq!((&two["policy"], &two["episodes"]), (&"random".into(), &2.into()));
    let one = play(&program, &["hopper", "--seed", "3"]);
    assert_eq!(one["returns"][0], two["returns"][0]);
    for arguments in [&["hopper", "--seed", "4"][..], &["hopper", "--seed", "3", "--policy", "zero"]] {
        assert_ne!(play(&program, arguments)["returns"][0], two["returns"][0]);
    }
    let text = program.succeed(&["play", "hopper", "--seed", "3"]);
    let score = two["returns"][0].as_f64().unwrap();
    assert!(text.starts_with(&format!("hopper  episode   1  return {score:.3}  1 000 frames\n")), "{text}");
    assert!(text.contains("1 episode with random actions  mean return "), "{text}");
}

#[test]
fn a_signal_ends_play_and_leaves_nothing() {
    let program = Program::new();
    let arguments = ["play", "hopper", "--episodes", "1000000", "--video", "hop.gif"];
    for signal in [1, 2, 15] {
        if signal != 15 && is_ignored(if signal == 1 { "-HUP" } else { "-INT" }) {
            continue;
        }
        let mut child = program.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().starts_with("hopper  episode"));
        kill(&format!("-{signal}"), &child.id().to_string());
        assert_eq!(child.wait().unwrap().signal(), Some(signal));
    }
    assert!(program.names(".").is_empty());
}

#[test]
fn the_stock_rule_ends_episodes_early() {
    let program = Program::new();
    let play = play(&program, &["hopper", "--episodes", "3", "--termination", "stock"]);
    assert!(play["lengths"].as_array().unwrap().iter().all(|frames| frames.as_u64().unwrap() < 500), "{play}");
}

#[test]
fn the_last_episode_is_written_as_a_video_of_its_length() {
    let program = Program::new();
    let played = play(&program, &["hopper", "--termination", "stock", "--video", "hop.gif"]);
    let bytes = std::fs::read(program.path("hop.gif")).unwrap();
    assert!(bytes.starts_with(b"GIF89a"));
    // Each image has a graphic control extension; the reset is one, each step of up to two frames another.
    let images = bytes.windows(3).filter(|window| window == b"\x21\xf9\x04");
    let frames = played["lengths"][0].as_u64().unwrap();
    assert_eq!(images.count() as u64, 1 + frames.div_ceil(2));
}

#[test]
fn a_run_plays_as_it_is_evaluated() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    let arguments = ["eval", "run", "--episodes", "2", "--seed", "5", "--json"];
    let evaluated: Value = serde_json::from_str(&program.succeed(&arguments)).unwrap();
    let arguments = ["inverted-pendulum-swingup", "--policy", "run", "--episodes", "2", "--seed", "5"];
    assert_eq!(play(&program, &arguments), evaluated);
    assert_eq!((&evaluated["frames"], &evaluated["checkpoint"]), (&1000.into(), &evaluated["policy"]));
    // Another task whose actions have the same size: it is played, with a note.
    let ended = program.run(&["play", "inverted-double-pendulum-swingup", "--policy", "run"]);
    assert!(ended.code == Some(0) && ended.stdout.contains("1 episode"), "{ended:?}");
    let note = "note: the agent was trained for inverted-pendulum-swingup, not for inverted-double-pendulum-swingup\n";
    assert_eq!(ended.stderr, note);
    let error = program.fail(2, &["play", "walker2d", "--policy", "run"]);
    assert!(
        error.contains("walker2d has 6 action elements, but the agent of run/checkpoints/0000001000 has 1"),
        "{error}"
    );
}

#[test]
fn paths_that_cannot_be_played_are_named() {
    let program = Program::new();
    let error = program.fail(2, &["play", "hoper"]);
    assert!(error.contains("\"hoper\"") && error.contains("\"hopper\""), "{error}");
    let error = program.fail(2, &["play", "hopper", "--policy", "rndom"]);
    assert!(
        error.contains("a path that exists (did you mean \"random\"?); a trained agent is given by its run folder"),
        "{error}"
    );
    for (arguments, part) in [
        (["--termination", "stok"], "stock"),
        (["--video", "hop.mp4"], ".gif"),
        (["--episodes", "0"], "a whole number from 1 to 1000000"),
        (["--seed", "one"], "--seed"),
    ] {
        let ended = program.run(&[&["play", "hopper"][..], &arguments].concat());
        assert!(ended.code == Some(2) && ended.stderr.contains(part), "{ended:?}");
    }
    assert!(program.names(".").is_empty());
}
