//! Agents that observe vectors, in built-in tasks and in external environments: everything that works for images works
//! for them.

use crate::program::{Program, outcomes};
use std::os::unix::fs::PermissionsExt;

/// A short run of a task whose vectors are observed.
fn train<'a>(task: &'a str, observe: &'a str, run: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let own = ["train", task, "--preset", "smoke", "--set", observe, "--set", "agent.vector_units=8", "--logdir", run];
    own.iter().chain(more).copied().collect()
}

const VECTOR: &str = "task.observe=vector";
const BOTH: &str = "task.observe=both";

#[test]
fn a_run_that_was_stopped_equals_one_that_was_not() {
    for observe in [VECTOR, BOTH] {
        let program = Program::new();
        program.succeed(&train("hopper", observe, "whole", &[]));
        program.succeed(&train("hopper", observe, "halves", &["--steps", "1000"]));
        program.succeed(&train("hopper", observe, "halves", &[]));
        assert_eq!(outcomes(&program.path("whole")), outcomes(&program.path("halves")), "{observe}");
        let config = std::fs::read_to_string(program.path("whole/config.toml")).unwrap();
        assert!(
            config.contains("vector = 15") && config.contains(&format!("images = {}", observe == BOTH)),
            "{config}"
        );
        assert_eq!(program.names("whole/videos").is_empty(), observe == VECTOR, "only images are shown");
    }
}

#[test]
fn an_agent_that_observes_vectors_plays_is_filmed_exported_ranked_and_inherited_from() {
    let program = Program::new();
    program.succeed(&train("hopper", VECTOR, "run", &[]));
    let returns = program.succeed(&["eval", "run", "--episodes", "1", "--json"]);
    // With images, the agent sees the same numbers.
    let filmed = program.succeed(&["eval", "run", "--episodes", "1", "--json", "--video", "hopper.gif"]);
    assert_eq!(returns, filmed);
    assert!(std::fs::read(program.path("hopper.gif")).unwrap().starts_with(b"GIF89a"));
    let error = program.fail(2, &["eval", "run", "--video", "imagined.gif", "--imagined"]);
    assert!(error.contains("does not predict images"), "{error}");
    program.succeed(&["export", "run", "--out", "export", "--episodes", "1"]);
    assert!(program.path("export/replay.gif").is_file());
    program.succeed(&train("hopper", VECTOR, "heir", &["--seed", "5", "--from", "export"]));
    program.succeed(&["transfer", "rank", "hopper", "--set", VECTOR, "--from", "run", "--episodes", "2"]);
    let error = program.fail(2, &["transfer", "rank", "hopper", "--from", "run", "--episodes", "2"]);
    assert!(error.contains("observes vectors of 15 numbers, but the observations of hopper are images"), "{error}");
    for (observe, from) in [(BOTH, "run"), ("task.observe=image", "export"), (BOTH, "export")] {
        let error = program.fail(2, &train("hopper", observe, "other", &["--from", from]));
        assert!(error.starts_with(&format!("{from} was trained with task.observe = \"vector\"")), "{error}");
        assert!(error.contains("give --set task.observe=vector here as well"), "{error}");
    }
    let error = program.fail(4, &train("hopper", BOTH, "run", &[]));
    assert!(error.contains("task.observe"), "{error}");
}

#[test]
fn several_tasks_have_vectors_of_the_same_length() {
    let program = Program::new();
    program.succeed(&train("hopper", VECTOR, "run", &["inverted-pendulum-swingup", "--steps", "3000"]));
    let config = std::fs::read_to_string(program.path("run/config.toml")).unwrap();
    assert!(config.contains("vector = 15"), "{config}");
    program.succeed(&["eval", "run", "--episodes", "1"]);
    program.succeed(&["eval", "run", "--task", "inverted-pendulum-swingup", "--episodes", "1"]);
}

#[test]
fn vectors_that_are_padded_let_agents_of_different_tasks_share_an_encoder() {
    let program = Program::new();
    let padded = ["--set", "task.vector_length=18"];
    program.succeed(&train("hopper", VECTOR, "universal", &padded));
    let config = std::fs::read_to_string(program.path("universal/config.toml")).unwrap();
    assert!(config.contains("\nvector = 18"), "{config}");
    program.succeed(&["eval", "universal", "--episodes", "1"]);
    // The same agent without the padding of the target does not fit.
    let short = train("inverted-pendulum-swingup", VECTOR, "short", &["--universal", "universal"]);
    let error = program.fail(2, &short);
    assert!(error.contains("length of the observed vector (18 and 5)"), "{error}");
    let source = ["--universal", "universal"];
    program.succeed(&train("inverted-pendulum-swingup", VECTOR, "source", &[&padded[..], &source].concat()));
    let meta = [&padded[..], &source, &["--reward-from", "source"]].concat();
    program.succeed(&train("inverted-double-pendulum-swingup", VECTOR, "whole", &meta));
    program.succeed(&train(
        "inverted-double-pendulum-swingup",
        VECTOR,
        "halves",
        &[&meta[..], &["--steps", "1000"]].concat(),
    ));
    program.succeed(&train("inverted-double-pendulum-swingup", VECTOR, "halves", &meta));
    assert_eq!(outcomes(&program.path("whole")), outcomes(&program.path("halves")));
    // The longest vector counts where it is longer, and images cannot be padded.
    program.succeed(&train("hopper", VECTOR, "long", &["--set", "task.vector_length=4", "--steps", "1000"]));
    let config = std::fs::read_to_string(program.path("long/config.toml")).unwrap();
    assert!(config.contains("\nvector = 15"), "{config}");
    let error = program.fail(2, &train("hopper", "task.observe=image", "images", &padded));
    assert!(error.contains("task.vector_length = 18: this run does not observe vectors"), "{error}");
}

/// An external environment without images: a place on a line, and the speed there.
const LINE: &str = r#"#!/usr/bin/env python3
import json, struct, sys
requests, answers = sys.stdin.buffer, sys.stdout.buffer
def send(kind, payload):
    answers.write(struct.pack("<IB", len(payload), kind) + payload)
    answers.flush()
x = speed = frames = 0
while len(header := requests.read(5)) == 5:
    length, kind = struct.unpack("<IB", header)
    payload = requests.read(length)
    if kind == 1:
        shown = {"vector": 2}
        action = {"continuous": {"low": [-1], "high": [1]}}
        info = {"name": "line", "observation": shown, "action": action, "frame_limit": 100}
        send(16, struct.pack("<I", 1) + json.dumps(info).encode())
    elif kind == 2:
        x, speed, frames = struct.unpack("<Q", payload)[0] / 2**31 - 0.5, 0.0, 0
        send(17, struct.pack("<2f", x, speed))
    elif kind == 3:
        speed, frames = struct.unpack("<f", payload)[0], frames + 1
        x += 0.1 * speed
        send(18, struct.pack("<fBBI", -x * x, False, frames == 100, 1) + struct.pack("<2f", x, 1e6 * speed))
    elif kind == 4:
        break
"#;

/// Writes an environment's program, which can be executed.
fn write_line(program: &Program, text: &str) {
    std::fs::write(program.path("line.py"), text).unwrap();
    std::fs::set_permissions(program.path("line.py"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn an_external_environment_without_images_is_learned_and_cannot_be_filmed() {
    let program = Program::new();
    write_line(&program, LINE);
    program.succeed(&train("program:./line.py", VECTOR, "run", &["--steps", "1500"]));
    program.succeed(&["eval", "run", "--episodes", "1"]);
    let error = program.fail(1, &["eval", "run", "--episodes", "1", "--video", "line.gif"]);
    assert!(error.contains("have no images to make a video of"), "{error}");
    program.succeed(&["export", "run", "--out", "export", "--episodes", "1"]);
    assert!(!program.path("export/replay.gif").exists());
    // One that shows no vectors is refused where they are asked for.
    let without = LINE.replace("{\"vector\": 2}", "{\"image\": [64, 64, 3]}");
    write_line(&program, &without);
    let error = program.fail(1, &["play", "program:./line.py", "--set", VECTOR]);
    assert!(error.contains("message observation has 8 bytes instead of 12288"), "{error}");
}

/// Fewer numbers could be padded, and were, so that the agent read others than it knows.
#[test]
fn an_environment_whose_vectors_have_changed_is_said_to_have() {
    let program = Program::new();
    write_line(&program, LINE);
    let runs = [("run", &[][..]), ("padded", &["--set", "task.vector_length=4"])];
    let train_to = |run, more: &[&'static str], steps| {
        train("program:./line.py", VECTOR, run, &[more, &["--steps", steps]].concat())
    };
    for (run, more) in runs {
        program.succeed(&train_to(run, more, "1500"));
    }
    let of_length = |length: usize, numbers: &str| {
        LINE.replace("{\"vector\": 2}", &format!("{{\"vector\": {length}}}"))
            .replace("\"<2f\", x, speed", numbers)
            .replace("\"<2f\", x, 1e6 * speed", numbers)
    };
    let changed = [(of_length(1, "\"<f\", x"), "1 number"), (of_length(3, "\"<3f\", x, speed, 1"), "3 numbers")];
    for (text, now) in changed {
        write_line(&program, &text);
        for (run, more) in runs {
            for words in [vec!["eval", run, "--episodes", "1"], train_to(run, more, "2000")] {
                let error = program.fail(5, &words);
                let part = format!("program:./line.py now has vectors of {now}, but the agent of {run}");
                assert!(error.contains(&part) && error.contains("was trained with 2"), "{words:?}: {error}");
            }
        }
    }
    write_line(&program, LINE);
    program.succeed(&train_to("padded", runs[1].1, "2000"));
}
