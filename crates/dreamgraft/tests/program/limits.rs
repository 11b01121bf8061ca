//! Limits of memory that are smaller than the machine's: they are known before anything is written.

use crate::faults::{ended, under_shell};
use crate::program::{Program, smoke};

#[test]
#[cfg(target_os = "linux")]
fn a_limit_of_the_shell_counts_as_memory() {
    let program = Program::new();
    for (limit, option) in [("ulimit -v 3000000", "`ulimit -v`"), ("ulimit -d 2000000", "`ulimit -d`")] {
        let words = ["train", "hopper", "--logdir", "run", "--steps", "1e6"];
        let ended = ended(under_shell(&program, limit, &words));
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("GB of memory") && ended.stderr.contains(option), "{ended:?}");
    }
    assert!(program.names(".").is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn limits_under_which_nothing_can_work_are_named() {
    let program = Program::new();
    for kilobytes in [50_000, 80_000, 140_000] {
        for words in [&["train", "hopper", "--preset", "smoke", "--logdir", "run"][..], &["play", "hopper"], &["tasks"]]
        {
            let ended = ended(under_shell(&program, &format!("ulimit -v {kilobytes}"), words));
            assert_eq!(ended.code, Some(2), "{kilobytes} {words:?} {ended:?}");
            assert!(ended.stderr.contains("`ulimit -v`") && ended.stderr.contains("raise the limit"), "{ended:?}");
        }
    }
    assert!(program.names(".").is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn images_of_a_report_beyond_the_memory_are_refused() {
    let program = Program::new();
    program.succeed(&smoke(&[]));
    // As large as images of a report may be.
    for name in program.names("run/videos") {
        let path = program.path("run/videos").join(name);
        std::fs::OpenOptions::new().append(true).open(path).unwrap().set_len(5_000_000).unwrap();
    }
    for number in 0..10 {
        let script = format!("mkdir -p runs; cp -r run runs/{number}");
        assert!(program.wrapped(&["sh", "-c", &script], &[]).status().unwrap().success());
    }
    let report = |limit: &str, images: &str| {
        ended(under_shell(&program, limit, &["study", "report", "runs", "--out", "out", "--images", images]))
    };
    let refused = report("ulimit -v 300000", "1000");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("`ulimit -v`") && refused.stderr.contains("--images"), "{refused:?}");
    assert!(!program.path("out").exists());
    assert_eq!(report("ulimit -v 300000", "0").code, Some(0));
}

#[test]
#[cfg(target_os = "linux")]
fn small_amounts_of_memory_are_not_rounded_to_nothing() {
    let program = Program::new();
    let words = smoke(&["--set", "agent.batch=500", "--set", "agent.length=400", "--steps", "1"]);
    let ended = ended(under_shell(&program, "ulimit -v 500000", &words));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains(" of memory") && !ended.stderr.contains("0.0 GB"), "{ended:?}");
    // Nor is one frame several.
    let text = program.succeed(&smoke(&["--steps", "1"]));
    assert!(text.contains("inverted-pendulum-swingup, 1 frame, "), "{text}");
}

#[test]
fn embeddings_of_a_frozen_encoder_count_as_memory() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    let words = ["train", "hopper", "--preset", "smoke", "--universal", "run", "--logdir", "frozen", "--steps", "1e11"];
    let settings = ["--set", "replay.budget=1MB", "--set", "replay.embeddings=100TB"];
    let error = program.fail(2, &[&words[..], &settings].concat());
    assert!(error.contains("GB for embeddings") && error.contains("replay.embeddings"), "{error}");
    assert!(!program.path("frozen").exists());
}
