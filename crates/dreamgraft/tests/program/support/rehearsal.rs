//! Rehearsal: `dreamgraft train --rehearse`, sequences from the episodes of another run.

use super::{SINGLE, arguments, read, with_source};
use crate::program::{copy, metrics, outcomes};

/// The task of most tests, whose actions have three numbers.
const HOPPER: &str = "hopper";

#[test]
fn a_rehearsing_run_resumes_bit_for_bit_without_the_other_run() {
    let program = with_source();
    let more = ["--steps", "3000", "--rehearse", "source", "--share", "0.5"];
    let train = |folder: &str| arguments(&[HOPPER], folder, &more).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let text = program.succeed(&train("whole"));
    let line = format!("rehearses 3 episodes of {SINGLE} (1 503 transitions), copied from ");
    assert!(text.contains(&line) && text.contains(": a share of 0.5 of the sequences"), "{text}");
    let record = read(&program, "whole/rehearsal.json");
    assert_eq!((&record["episodes"], &record["share"], &record["path"]), (&3.into(), &0.5.into(), &"source".into()));
    assert_eq!(program.names("whole/rehearsal").len(), 3);
    let inspected = program.succeed(&["inspect", "whole"]);
    assert!(inspected.contains("rehearses     3 episodes of ") && inspected.contains("share 0.5"), "{inspected}");
    // Of four sequences, two on average.
    let lines = metrics(&program.path("whole"));
    let counts: Vec<f64> = lines.iter().filter_map(|line| line["rehearsed_sequences"].as_f64()).collect();
    assert!(!counts.is_empty() && counts.iter().all(|count| (0.5..3.5).contains(count)), "{counts:?}");
    // The random episodes are those of the run without rehearsal; the learned parameters differ.
    program.succeed(&arguments(&[HOPPER], "alone", &more[..2]));
    let (whole, alone) = (outcomes(&program.path("whole")), outcomes(&program.path("alone")));
    assert_eq!(whole.episodes[0], alone.episodes[0]);
    assert_ne!(whole.agent, alone.agent);
    assert_eq!(whole.state["streams"]["replay"]["seed"], alone.state["streams"]["replay"]["seed"]);
    assert!(alone.state["streams"].get("rehearsal").is_none() && whole.state["streams"].get("rehearsal").is_some());
    assert!(metrics(&program.path("alone")).iter().all(|line| line.get("rehearsed_sequences").is_none()));

    let checkpoints = program.names("whole/checkpoints");
    for (root, kept) in [("early", 1), ("late", 2)] {
        copy(&program.path("whole"), &program.path(root));
        for later in &checkpoints[kept..] {
            std::fs::remove_dir_all(program.path(root).join("checkpoints").join(later)).unwrap();
        }
    }
    // An interrupted start left a record and a part of the copies, but no configuration.
    copy(&program.path("early"), &program.path("start"));
    for name in ["config.toml", "metrics.jsonl"] {
        std::fs::remove_file(program.path("start").join(name)).unwrap();
    }
    for name in program.names("start") {
        let path = program.path("start").join(&name);
        if path.is_dir() && name != "rehearsal" {
            std::fs::remove_dir_all(path).unwrap();
        } else if name.starts_with("events") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let copies = program.names("start/rehearsal");
    std::fs::remove_file(program.path("start/rehearsal").join(&copies[0])).unwrap();
    program.succeed(&train("start"));
    assert_eq!(outcomes(&program.path("start")), whole);

    // The other run is trained further, and then removed.
    program.succeed(&arguments(&[SINGLE], "source", &["--steps", "4000"]));
    let text = program.succeed(&train("early"));
    assert!(text.contains("resuming at frame") && text.contains(", which came from "), "{text}");
    std::fs::remove_dir_all(program.path("source")).unwrap();
    copy(&program.path("late"), &program.path("damaged"));
    program.succeed(&train("late"));
    for root in ["early", "late"] {
        assert_eq!(outcomes(&program.path(root)), whole, "{root}");
    }

    // Another run or share, or none, is another run.
    let folder = program.path("source");
    for (more, part) in [
        (&["--rehearse", "source"][..], "share: was 0.5, now 0.2"),
        (&["--rehearse", "whole", "--share", "0.5"], "rehearse: was source, now whole"),
        (&[], "rehearse: was source, now nothing"),
    ] {
        let error = program.fail(4, &arguments(&[HOPPER], "late", &[&["--steps", "3000"], more].concat()));
        assert!(error.contains(part), "{error}");
        let advice = format!("or resume with --rehearse {} --share 0.5 --logdir late", folder.display());
        assert!(error.contains(&advice), "{error}");
    }
    let error = program.fail(4, &arguments(&[HOPPER], "alone", &more));
    assert!(error.contains("rehearse: was nothing, now source; "), "{error}");
    program.succeed(&arguments(
        &[HOPPER],
        "late",
        &["--steps", "3000", "--rehearse", folder.to_str().unwrap(), "--share", "0.5"],
    ));

    // Copies that are not as they were made.
    let copies = program.names("damaged/rehearsal");
    program.truncate(&format!("damaged/rehearsal/{}", copies[1]));
    let error = program.fail(5, &train("damaged"));
    assert!(
        error.contains("does not have the episodes of another run that this run rehearses: ")
            && error.contains(&copies[1]),
        "{error}"
    );
    std::fs::remove_file(program.path("damaged/rehearsal").join(&copies[1])).unwrap();
    let error = program.fail(5, &train("damaged"));
    assert!(
        error.contains("it has 2 episodes of 1002 transitions instead of 3 episodes of 1503 transitions; restore"),
        "{error}"
    );
    std::fs::remove_dir_all(program.path("damaged/rehearsal")).unwrap();
    let error = program.fail(5, &train("damaged"));
    assert!(
        error.contains("rehearses: the folder is missing; restore the folder from a copy, or start again"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_rehearsed_is_answered_before_anything_is_written() {
    let program = with_source();
    program.succeed(&arguments(&[SINGLE, HOPPER], "both", &["--steps", "2000"]));
    program.succeed(&arguments(&[HOPPER], "hop", &["--steps", "1000"]));
    program.succeed(&["export", "source", "--out", "export"]);
    std::fs::create_dir(program.path("empty")).unwrap();
    std::fs::copy(program.path("source/config.toml"), program.path("empty/config.toml")).unwrap();
    for (code, task, more, part) in [
        (
            2,
            SINGLE,
            &["--rehearse", "hop"][..],
            "--rehearse hop: the run does not fit: its task hopper has 3 action elements, and this run has 1",
        ),
        (2, SINGLE, &["--rehearse", "both"], "its task hopper has 3 action elements"),
        (
            2,
            SINGLE,
            &["--rehearse", "source", "--set", "task.observe=vector"],
            "its episodes show images, and this run observes vectors of",
        ),
        (
            2,
            SINGLE,
            &["--rehearse", "source", "--set", "agent.length=600", "--set", "task.frame_limit=2000"],
            "none of its 3 episodes has the 600 transitions of agent.length, the longest has 501",
        ),
        (
            2,
            SINGLE,
            &["--rehearse", "export"],
            "--rehearse export: the run is an export, which has no episodes; give the run folder",
        ),
        (
            2,
            SINGLE,
            &["--rehearse", "empty"],
            "has no episodes: they were removed, or none was collected yet; choose another run",
        ),
        (2, SINGLE, &["--rehearse", "none"], "none does not exist"),
        (
            2,
            SINGLE,
            &["--rehearse", "source", "--share", "0"],
            "--share 0 is out of range: it must be a number between 0 and 1",
        ),
        (2, SINGLE, &["--rehearse", "source", "--share", "1"], "--share 1 is out of range"),
        (2, SINGLE, &["--share", "0.5"], "--share 0.5 needs --rehearse RUN"),
    ] {
        let error = program.fail(code, &arguments(&[task], "run", more));
        assert!(error.contains(part), "{part}: {error}");
    }
    let names = program.names(".");
    assert_eq!(names, ["both", "empty", "export", "hop", "source"], "nothing is written");
    // Episodes of shorter actions are padded; of several tasks, each is cut to the elements that have a meaning.
    program.succeed(&arguments(&[SINGLE, HOPPER], "one", &["--steps", "2000", "--rehearse", "source"]));
    let half = ["--steps", "2000", "--rehearse", "both", "--share", "0.5", "--set", "replay.budget=40MB"];
    program.succeed(&arguments(&[HOPPER], "two", &half));
    assert_eq!(read(&program, "two/rehearsal.json")["episodes"], 2);
}

#[test]
fn copies_are_removed_with_the_episodes_of_a_finished_run() {
    let program = with_source();
    let more = ["--steps", "2000", "--rehearse", "source", "--set", "replay.files=until_finished"];
    program.succeed(&arguments(&[SINGLE], "run", &[&more[..], &["--seed", "1"]].concat()));
    assert!(program.names("run/rehearsal").is_empty() && program.names("run/episodes").is_empty());
    let text = program.succeed(&arguments(&[SINGLE], "run", &[&more[..], &["--seed", "1"]].concat()));
    assert!(text.contains("this run is already finished"), "{text}");
}
