//! Run folders and plans of earlier versions. `tests/samples` holds folders that version 0.1.0 wrote before its
//! checkpoints, its metrics and its manifests were read by today's code: a run (`plain`), and a run with a transfer
//! from it (`grafted`).

use crate::program::Program;
use std::path::Path;

/// The settings of both runs.
const SETTINGS: &str = "train hopper --preset smoke --set agent.depth=1 --set agent.units=2 --set agent.batch=1 \
                        --set agent.length=2 --set agent.deter=3 --set agent.stoch=2 --set agent.hidden=3 \
                        --set checkpoint.kept=1 --set log.videos=false --set threads=1";

/// The program in a folder with copies of the samples.
fn with_samples() -> Program {
    let program = Program::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples"), &program.path("."));
    program
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copied = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            std::fs::copy(&path, &copied).unwrap();
        }
    }
}

fn train(program: &Program, more: &str) -> String {
    program.succeed(&SETTINGS.split_whitespace().chain(more.split_whitespace()).collect::<Vec<_>>())
}

#[test]
fn their_runs_are_resumed() {
    let program = with_samples();
    // This one comes first: the plan's source is the newest checkpoint of the other.
    let grafted = train(&program, "--logdir grafted --seed 7 --plan plan.toml --steps 2000");
    assert!(grafted.contains("resuming at frame 1 000") && grafted.contains("finished at frame 2 000"), "{grafted}");
    let plain = train(&program, "--logdir plain --steps 2000");
    assert!(plain.contains("resuming at frame 1 000") && plain.contains("finished at frame 2 000"), "{plain}");
    for run in ["plain", "grafted"] {
        // The episodes of both sessions, and nothing that was set aside as damaged.
        assert_eq!(program.names(&format!("{run}/episodes")).len(), 2, "{run}");
        assert_eq!(program.names(&format!("{run}/checkpoints")), ["0000002000"], "{run}");
    }
}

#[test]
fn a_resumed_run_may_not_have_another_plan_than_it_began_with() {
    let program = with_samples();
    let arguments = format!("{SETTINGS} --logdir grafted --seed 7 --from plain --steps 2000");
    let error = program.fail(4, &arguments.split_whitespace().collect::<Vec<_>>());
    assert!(error.contains("plan.toml") && error.contains("built-in plan paper"), "{error}");
}

#[test]
fn their_agents_play_and_are_sources() {
    let program = with_samples();
    let played = program.succeed(&["eval", "plain", "--episodes", "1"]);
    assert!(played.contains("hopper"), "{played}");
    let arguments = SETTINGS.replace("train hopper", "transfer plan ant") + " --from grafted";
    let previewed = program.succeed(&arguments.split_whitespace().collect::<Vec<_>>());
    assert!(previewed.contains("grafted"), "{previewed}");
}

#[test]
fn their_runs_are_reported_with_todays() {
    let program = with_samples();
    train(&program, "--logdir new --seed 9 --steps 1000");
    program.succeed(&["study", "report", ".", "--out", "report"]);
    let page = std::fs::read_to_string(program.path("report/report.html")).unwrap();
    assert!(["plain", "grafted", "new"].iter().all(|run| page.contains(run)), "a run is missing");
}
