//! Fractional transfer, and fractions that are fitted.

use super::{arguments, newest, resumes, with_source};
use crate::program::{Program, outcomes};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// The words of a run of hopper in `folder` that fits its fraction after two random episodes.
fn fitting(folder: &str) -> Vec<String> {
    let settings = ["schedule.prefill_frames=2000", "checkpoint.every=1000"].map(|setting| ["--set", setting]);
    let more = [&["--from", "source", "--fraction", "fit", "--steps", "3000"], &settings.concat()[..]].concat();
    arguments(&["hopper"], folder, &more).into_iter().map(str::to_owned).collect()
}

/// Starts a run, and stops it by a signal when it prints a line that begins with `line`.
fn stop_at(program: &Program, words: &[String], line: &str) {
    let mut child = program.command(words).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|printed| printed.unwrap().starts_with(line)), "{line}");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    drop(lines.map(|printed| printed.unwrap()).collect::<Vec<_>>());
    assert_eq!(child.wait().unwrap().code(), Some(75));
}

/// The fitted fractions in the record of a run.
fn fractions(program: &Program, run: &str) -> Value {
    let bytes = std::fs::read(program.path(&format!("{run}/transfer.json"))).unwrap();
    serde_json::from_slice::<Value>(&bytes).unwrap()["fractions"].clone()
}

#[test]
fn a_fractional_run_resumes_without_its_source() {
    let program = with_source();
    resumes(&program, &["--from", "source", "--fraction", "0.3"], &["source"]);
}

#[test]
fn a_fitted_fraction_is_found_once_wherever_a_run_is_stopped() {
    let program = with_source();
    let text = program.succeed(&fitting("whole"));
    for part in ["fitted the fraction of the reward to 2 episodes: ", " of source (", "fraction of the value"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let fitted = fractions(&program, "whole");
    assert_eq!((fitted[0]["head"].as_str(), fitted[1]["head"].as_str()), (Some("reward"), Some("value")));
    assert_eq!(fitted[0]["sources"][0]["errors"].as_array().unwrap().len(), 11);
    for (run, wait_for) in [("random", "checkpoint"), ("fitted", "fitted the fraction of the value")] {
        stop_at(&program, &fitting(run), wait_for);
        if run == "random" {
            assert!(fractions(&program, run).is_null(), "the random episodes are not all there yet");
            std::fs::rename(program.path("source"), program.path("gone")).unwrap();
            let error = program.fail(5, &fitting(run));
            assert!(error.contains("fitted after the random episodes, so its sources are still needed"), "{error}");
            std::fs::rename(program.path("gone"), program.path("source")).unwrap();
        }
        program.succeed(&fitting(run));
        assert_eq!(fractions(&program, run), fitted);
        assert_eq!(outcomes(&program.path(run)), outcomes(&program.path("whole")));
        assert_eq!(std::fs::read(newest(&program, run)).unwrap(), std::fs::read(newest(&program, "whole")).unwrap());
    }
    for fraction in ["best", "1.5", "-0.1", "nan"] {
        let words = ["transfer", "plan", "hopper", "--preset", "smoke", "--from", "source", "--fraction", fraction];
        let ended = program.run(&words);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("a number from 0 to 1, such as 0.2, or fit"), "{ended:?}");
    }
}

/// Episodes of other programs are learned from, but they are not the run's random episodes.
#[test]
fn added_episodes_do_not_change_a_fitted_fraction() {
    let program = with_source();
    program.succeed(&fitting("whole"));
    program.succeed(&arguments(&["hopper"], "other", &["--steps", "2000", "--seed", "5"]));
    // Stopped among the random episodes.
    stop_at(&program, &fitting("added"), "checkpoint");
    for name in program.names("other/episodes") {
        program.succeed(&["episodes", "add", "added", &format!("other/episodes/{name}")]);
    }
    program.succeed(&fitting("added"));
    assert!(fractions(&program, "whole").is_array());
    assert_eq!(fractions(&program, "added"), fractions(&program, "whole"));
}
