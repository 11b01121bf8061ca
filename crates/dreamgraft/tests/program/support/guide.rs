//! Guidance: `dreamgraft train --guide`, an earlier agent that plays the episodes before the first gradient step.

use super::{SINGLE, arguments, read, with_source};
use crate::program::{copy, metrics, outcomes};

/// Another task whose actions have one number.
const DOUBLE: &str = "inverted-double-pendulum-swingup";

/// A tiny run in `folder`, with three episodes before its first gradient step.
fn guided<'a>(tasks: &[&'a str], folder: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    arguments(tasks, folder, &[&["--set", "schedule.prefill_frames=3000"], more].concat())
}

#[test]
fn a_guided_run_resumes_bit_for_bit_and_needs_its_guide_until_the_first_gradient_step() {
    let program = with_source();
    let more = ["--steps", "5000", "--guide", "source"];
    let train = |folder: &str| guided(&[DOUBLE], folder, &more).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let text = program.succeed(&train("whole"));
    let line = format!("the first episodes are guided by an agent of {SINGLE}, 3 000 frames: ");
    assert!(text.contains(&line) && text.contains(" of guided episodes") && !text.contains("random"), "{text}");
    // The guide plays: these are not the episodes of random actions.
    program.succeed(&guided(&[DOUBLE], "random", &more[..2]));
    let first = |run: &str| outcomes(&program.path(run)).episodes[0].1;
    assert_ne!(first("whole"), first("random"));
    let returns = |run: &str| metrics(&program.path(run))[0]["train_return"].as_f64().unwrap();
    assert_ne!(returns("whole"), returns("random"));
    // The returns of random actions are not known.
    let state = |run: &str| read(&program, &format!("{run}/checkpoints/0000005000/run.json"))["run"]["returns"].clone();
    let random = |run: &str| state(run)["tasks"][0]["random"]["count"].clone();
    assert_eq!((random("whole"), random("random")), (0.into(), 3.into()));
    let record = read(&program, "whole/guide.json");
    let guide = &record["guide"];
    assert_eq!((&record["format"], &guide["tasks"][0], &guide["path"]), (&1.into(), &SINGLE.into(), &"source".into()));
    assert!(guide["file"].as_str().unwrap().ends_with("source/checkpoints/0000003000/agent.safetensors"), "{record}");
    let inspected = program.succeed(&["inspect", "whole"]);
    assert!(inspected.contains("guided by     ") && inspected.contains(SINGLE), "{inspected}");

    // As if killed after the first episode, and after the fourth, which is the agent's own.
    let checkpoints = program.names("whole/checkpoints");
    assert_eq!(checkpoints, ["0000001000", "0000002000", "0000003000", "0000004000", "0000005000"]);
    for (root, kept) in [("early", 1), ("late", 4)] {
        copy(&program.path("whole"), &program.path(root));
        for later in &checkpoints[kept..] {
            std::fs::remove_dir_all(program.path(root).join("checkpoints").join(later)).unwrap();
        }
    }
    copy(&program.path("early"), &program.path("again"));
    let text = program.succeed(&train("early"));
    assert!(text.contains("resuming at frame 1 000"), "{text}");
    assert!(text.contains("started with episodes that are guided by"), "{text}");
    std::fs::rename(program.path("source"), program.path("gone")).unwrap();
    let error = program.fail(5, &train("again"));
    assert!(
        error.starts_with("the guided episodes of this run are not all collected, so its guide is still"),
        "{error}"
    );
    assert!(error.contains("source does not exist"), "{error}");
    program.succeed(&train("late"));
    for root in ["early", "late"] {
        assert_eq!(outcomes(&program.path(root)), outcomes(&program.path("whole")), "{root}");
    }

    // Another guide, or none, is another run.
    let error = program.fail(4, &guided(&[DOUBLE], "late", &["--steps", "5000"]));
    assert!(error.contains("late was created with another transfer: guide: was "), "{error}");
    assert!(error.contains(", now nothing; ") && error.contains("or resume with --guide "), "{error}");
    let error = program.fail(4, &guided(&[DOUBLE], "late", &["--steps", "5000", "--guide", "whole"]));
    assert!(error.contains("now whole (sha256 "), "{error}");
    let error = program.fail(4, &guided(&[DOUBLE], "random", &more));
    assert!(
        error.contains("guide: was nothing, now source; ") && error.ends_with("or resume without transfer\n"),
        "{error}"
    );
    // The arguments that the message names do resume it, whether the file is still there or not.
    let file = guide["file"].as_str().unwrap();
    program.succeed(&guided(&[DOUBLE], "late", &["--steps", "5000", "--guide", file]));
    std::fs::rename(program.path("gone"), program.path("source")).unwrap();
    program.succeed(&guided(&[DOUBLE], "late", &["--steps", "5000", "--guide", file]));
    // A guide that was trained further is another one.
    program.succeed(&arguments(&[SINGLE], "source", &["--steps", "4000"]));
    let error = program.fail(4, &train("again"));
    assert!(error.contains("guide: was ") && error.contains(file), "{error}");
    program.succeed(&guided(&[DOUBLE], "again", &["--steps", "5000", "--guide", file]));
    assert_eq!(outcomes(&program.path("again")), outcomes(&program.path("whole")));
    std::fs::write(program.path("late/guide.json"), "{").unwrap();
    let error = program.fail(4, &train("late"));
    assert!(error.contains("late/guide.json, the record of this run's transfer, is damaged ("), "{error}");
}

#[test]
fn an_agent_that_cannot_act_in_every_task_does_not_guide() {
    let program = with_source();
    for (tasks, settings, part) in [
        (&["hopper"][..], "log.every=500", "hopper has 3 action elements, and its agent has 1"),
        (&[SINGLE, "hopper"], "log.every=500", "hopper has 3 action elements, and its agent has 1"),
        (&[DOUBLE], "task.observe=vector", "vectors of"),
        (&[DOUBLE], "task.observe=both", "images and vectors of"),
    ] {
        let error = program.fail(2, &guided(tasks, "run", &["--guide", "source", "--set", settings]));
        assert!(error.starts_with("source cannot guide this run: ") && error.contains(part), "{error}");
        assert!(error.contains(&format!("it was trained for {SINGLE}: choose an agent")), "{error}");
    }
    for (guide, part) in
        [("sorce", "sorce does not exist; did you mean source"), ("source/config.toml", "is not a run folder")]
    {
        let error = program.fail(5, &guided(&[DOUBLE], "run", &["--guide", guide]));
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(program.names("."), ["source"], "nothing is written");
    // An agent that learned the task together with one of longer actions can.
    program.succeed(&guided(&[SINGLE, "hopper"], "both", &["--steps", "7000"]));
    program.succeed(&["export", "both", "--out", "export"]);
    for (guide, folder) in [("both", "one"), ("export", "two")] {
        program.succeed(&guided(&[SINGLE], folder, &["--steps", "3000", "--guide", guide, "--seed", "1"]));
    }
    assert_eq!(outcomes(&program.path("one")).episodes, outcomes(&program.path("two")).episodes);
    let error = program.fail(2, &guided(&[DOUBLE], "run", &["--guide", "both"]));
    assert!(error.contains("has 1 action element, and its agent has 3"), "{error}");
    program.succeed(&guided(&[SINGLE, "hopper"], "three", &["--steps", "6000", "--guide", "both", "--seed", "1"]));
}
