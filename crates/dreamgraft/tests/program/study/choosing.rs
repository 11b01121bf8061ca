//! Studies whose methods choose: pilot runs, rankings and chance.

use super::{folders, kill, states, worker};
use crate::program::{Program, outcomes};
use serde_json::Value;
use std::process::Stdio;

/// Two sources, of which each method uses one.
const CHOOSING: &str = r#"
name = "tiny"
preset = "smoke"
steps = 4000
seeds = [0]
tasks = ["hopper"]

[set]
agent = { depth = 1, units = 2, batch = 1, length = 2 }
schedule.prefill_frames = 1500
checkpoint.every = 500
log.every = 500
log.videos = false

[[source]]
name = "alone"
each = ["inverted-pendulum-swingup", "ant"]
steps = 2000

[[method]]
kind = "baseline"

[[method]]
kind = "pilot"
from = ["alone"]
plans = ["paper", "encoder-only"]
slices = [2500, 3000]

[[method]]
kind = "ranked"
from = ["alone"]

[[method]]
kind = "random-source"
from = ["alone"]
"#;

fn choosing() -> Program {
    let program = Program::new();
    std::fs::write(program.path("tiny.toml"), CHOOSING).unwrap();
    program
}

#[test]
fn of_the_candidates_of_a_pilot_the_best_learns_to_the_end() {
    let program = choosing();
    let plan = program.succeed(&["study", "plan", "tiny.toml"]);
    // Two sources, baseline, ranked, random-source; and of four candidates one, one and two have 4000, 3000 and 2500
    // frames.
    assert!(plan.contains("9 runs, 0 of them finished; 28 000 frames"), "{plan}");
    assert!(plan.contains("2 500 frames or more  runs/hopper/pilot-from-ant+paper/0"), "{plan}");
    let text = program.succeed(&["study", "run", "tiny.toml"]);
    assert_eq!(text.matches(" is dropped: other candidates were better after 2 500 frames").count(), 2, "{text}");
    assert_eq!(text.matches(" is dropped: other candidates were better after 3 000 frames").count(), 1, "{text}");
    let of_pilot: Vec<Value> =
        states(&program).into_iter().filter(|run| run["folder"].as_str().unwrap().contains("/pilot-")).collect();
    let mut frames: Vec<u64> = of_pilot.iter().map(|run| run["frames"].as_u64().unwrap()).collect();
    frames.sort_unstable();
    assert!(frames[0] >= 2500 && frames[2] >= 3000 && frames[3] >= 4000 && frames[2] < 4000, "{frames:?}");
    let count = |state: &str| of_pilot.iter().filter(|run| run["state"] == state).count();
    assert_eq!((count("finished"), count("dropped")), (1, 3), "{of_pilot:?}");
    assert!(program.succeed(&["study", "status", "tiny.toml"]).contains("6 finished, 3 dropped, "));

    let report = std::fs::read_to_string(program.path("studies/tiny/report/report.md")).unwrap();
    for part in [
        "Pilot runs",
        "3 other candidates",
        "| chosen |",
        "| dropped |",
        "Sources that were chosen",
        "| ranked |",
        "| random-source |",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    // Everything is finished: nothing starts again.
    let again = program.succeed(&["study", "run", "tiny.toml"]);
    assert!(!again.contains(" started: "), "{again}");
    // A chosen candidate is the run that it would have been without the others.
    let chosen = of_pilot.iter().find(|run| run["state"] == "finished").unwrap();
    let number = chosen["index"].as_u64().unwrap().to_string();
    let text = program.succeed(&["study", "run-one", "tiny.toml", "--index", &number]);
    assert!(text.contains("is finished"), "{text}");
    let message = program.fail(2, &["study", "run", "tiny.toml", "--launcher", "slurm", "--dry-run"]);
    assert!(message.contains("\"pilot\" chooses by pilot runs"), "{message}");
}

#[test]
fn killed_and_stopped_a_pilot_chooses_the_same() {
    let (whole, program) = (choosing(), choosing());
    whole.succeed(&["study", "run", "tiny.toml"]);
    let candidate = program.path("studies/tiny/runs/hopper/pilot-from-ant+paper/0");
    let study = program.command(&["study", "run", "tiny.toml"]).stdout(Stdio::piped()).spawn().unwrap();
    kill("-KILL", &worker(&candidate));
    kill("-TERM", &study.id().to_string());
    assert_eq!(study.wait_with_output().unwrap().status.code(), Some(75));
    program.succeed(&["study", "run", "tiny.toml", "--jobs", "1"]);
    for (one, other) in folders(&whole).iter().zip(folders(&program)) {
        assert_eq!(outcomes(one), outcomes(&other), "{other:?}");
    }
}
