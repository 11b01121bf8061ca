//! Studies that run, also if they are killed, stopped, or one of their runs fails.

use super::{TINY, folders, kill, states, tiny, worker};
use crate::program::outcomes;
use crate::resuming::is_ignored;
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn a_study_is_planned_run_and_reported() {
    let program = tiny();
    let plan = program.succeed(&["study", "plan", "tiny.toml"]);
    for part in [
        "sources/inverted-pendulum-swingup+inverted-double-pendulum-swingup/3000/1000",
        "runs/inverted-pendulum-swingup/meta-model-from-alone/0  after 0, 1, 2",
        "runs/inverted-pendulum-swingup/fractional-0.2-from-sight/0  after 0",
        "6 runs, 0 of them finished; 13 000 frames",
        "measured now",
        "estimated memory of a run with",
        "estimated files of all runs: ",
        " of videos and plots, ",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    assert_eq!(program.names("."), ["tiny.toml"], "a plan writes nothing");
    assert!(!plan.contains("note:"), "{plan}");
    std::fs::write(program.path("tiny.toml"), TINY.replace("each =", "seed = 0\neach =")).unwrap();
    let plan = program.succeed(&["study", "plan", "tiny.toml"]);
    assert!(plan.contains("note: the source in sources/inverted-pendulum-swingup/2000-sees-as-"), "{plan}");
    assert!(plan.contains("have the same seed, 0: the two runs share their random streams"), "{plan}");
    assert_eq!(plan.matches("note:").count(), 1, "{plan}");
    std::fs::write(program.path("tiny.toml"), TINY).unwrap();

    let text = program.succeed(&["study", "run", "tiny.toml"]);
    assert!(text.contains("6 runs in studies/tiny") && text.contains("(6 of 6"), "{text}");
    assert!(program.path("studies/tiny/report/report.html").exists());
    let states = states(&program);
    assert!(states.iter().all(|run| run["state"] == "finished" && run["frames"].as_u64() >= run["steps"].as_u64()));
    assert!(states[5]["eval_return"].is_number(), "{:?}", states[5]);
    let text = program.succeed(&["study", "status", "studies/tiny"]);
    assert!(text.contains("6 finished, 0 running"), "{text}");

    // By its study file, and the meta-model's sources by their tasks.
    program.succeed(&["study", "report", "tiny.toml", "--images", "0", "--out", "out"]);
    let arguments = std::fs::read_to_string(program.path("out/report.md")).unwrap();
    for task in ["inverted-pendulum-swingup", "inverted-double-pendulum-swingup"] {
        assert!(arguments.contains(&format!("| meta-model | {task} |")), "{arguments}");
    }
    let message = program.fail(2, &["study", "report", "none.toml"]);
    assert!(message.contains("none.toml"), "{message}");

    // The arguments of a run are those that a person would type, and describe the same run.
    let manifest = std::fs::read_to_string(program.path("studies/tiny/manifest.jsonl")).unwrap();
    let entry: Value = serde_json::from_str(manifest.lines().nth(6).unwrap()).unwrap();
    let arguments: Vec<&str> =
        entry["arguments"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let output = program.command(&arguments).current_dir(program.path("studies/tiny")).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("this run is already finished"));

    let text = program.succeed(&["study", "run", "tiny.toml"]);
    assert!(text.contains("6 of them finished") && !text.contains(" started: "), "{text}");
    let text = program.succeed(&["study", "run-one", "tiny.toml", "--index", "3"]);
    assert!(text.contains("run 3 is finished"), "{text}");
    assert!(program.succeed(&["study", "plan", "tiny.toml"]).contains("runs so far"));
}

#[test]
fn killed_and_stopped_a_study_ends_as_one_that_never_was() {
    let (whole, program) = (tiny(), tiny());
    whole.succeed(&["study", "run", "tiny.toml"]);
    let first =
        program.path("studies/tiny/sources/inverted-pendulum-swingup+inverted-double-pendulum-swingup/3000/1000");
    let run = ["study", "run", "tiny.toml", "--jobs", "2"];

    // A killed worker is restarted. Another `study run` is refused meanwhile. Then all receive a signal to stop.
    let study = program.command(&run).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let killed = worker(&first);
    kill("-KILL", &killed);
    // Another process works there once it was started again.
    while std::fs::read_to_string(first.join("run.lock")).is_ok_and(|process| process.trim() == killed) {
        std::thread::yield_now();
    }
    let message = program.fail(4, &run);
    assert!(message.contains(&format!("(process {})", study.id())), "{message}");
    let baseline = program.path("studies/tiny/runs/inverted-pendulum-swingup/baseline/0");
    worker(&baseline);
    kill("-TERM", &study.id().to_string());
    let output = study.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(75), "{text}");
    assert!(text.contains("was killed and resumes") && text.contains("the same command resumes"), "{text}");
    assert!(states(&program).iter().all(|run| run["state"] != "running"));

    program.succeed(&run);
    for (one, other) in folders(&whole).iter().zip(folders(&program)) {
        assert_eq!(outcomes(one), outcomes(&other), "{other:?}");
    }
}

#[test]
fn a_study_whose_plan_changes_while_it_runs_starts_no_more_runs() {
    let program = tiny();
    let plan = program.succeed(&["transfer", "preset", "encoder-only"]);
    std::fs::write(program.path("mine.toml"), &plan).unwrap();
    let study = std::fs::read_to_string(program.path("tiny.toml")).unwrap();
    let method = "\n[[method]]\nkind = \"plan\"\nfile = \"mine.toml\"\nfrom = \"sight\"\n";
    std::fs::write(program.path("tiny.toml"), study + method).unwrap();
    let first =
        program.path("studies/tiny/sources/inverted-pendulum-swingup+inverted-double-pendulum-swingup/3000/1000");
    let run = ["study", "run", "tiny.toml", "--jobs", "1"];
    let running = program.command(&run).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // The first run must not end before the plan has changed.
    let process = worker(&first);
    kill("-STOP", &process);
    std::fs::write(program.path("mine.toml"), plan.replace("\"full\"", "\"random\"")).unwrap();
    kill("-CONT", &process);
    let output = running.wait_with_output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{message}");
    assert!(message.contains("was created from a different version of tiny.toml"), "{message}");
    std::fs::write(program.path("mine.toml"), plan).unwrap();
    let finished = states(&program).iter().filter(|run| run["state"] == "finished").count();
    assert_eq!(finished, 1);
    program.succeed(&run);
}

#[test]
#[expect(clippy::print_stderr, reason = "what is skipped is said")]
fn a_study_that_is_told_to_quit_leaves_no_worker() {
    if is_ignored("-QUIT") {
        eprintln!("SKIPPED: the tests were started with SIGQUIT ignored");
        return;
    }
    let program = tiny();
    let mut study =
        program.command(&["study", "run", "tiny.toml", "--jobs", "2"]).stdout(Stdio::null()).spawn().unwrap();
    worker(&program.path("studies/tiny/runs/inverted-pendulum-swingup/baseline/0"));
    kill("-QUIT", &study.id().to_string());
    assert_eq!(study.wait().unwrap().code(), Some(75));
    assert!(states(&program).iter().all(|run| run["state"] != "running"));
}

#[test]
#[expect(clippy::print_stderr, reason = "what is skipped is said")]
fn two_ctrl_c_at_once_leave_no_worker() {
    if is_ignored("-INT") {
        eprintln!("SKIPPED: the tests were started with SIGINT ignored");
        return;
    }
    let program = tiny();
    // Its runs would go on for very long.
    std::fs::write(program.path("tiny.toml"), TINY.replacen("steps = 2000", "steps = 1000000", 1)).unwrap();
    let mut study =
        program.command(&["study", "run", "tiny.toml", "--jobs", "2"]).stdout(Stdio::null()).spawn().unwrap();
    worker(&program.path("studies/tiny/runs/inverted-pendulum-swingup/baseline/0"));
    let both = format!("kill -INT {0}; kill -INT {0}", study.id());
    Command::new("sh").args(["-c", &both]).status().unwrap();
    assert!(matches!(study.wait().unwrap().code(), Some(75 | 130)));
    let deadline = Instant::now() + Duration::from_secs(120);
    while states(&program).iter().any(|run| run["state"] == "running") {
        assert!(Instant::now() < deadline, "a run is still training");
    }
}

#[test]
fn a_failed_run_stops_only_the_runs_that_depend_on_it() {
    let program = tiny();
    // A folder of other things stands where a source's run would be.
    let foreign =
        program.path("studies/tiny/sources/inverted-pendulum-swingup+inverted-double-pendulum-swingup/3000/1000");
    std::fs::create_dir_all(&foreign).unwrap();
    std::fs::write(foreign.join("thesis.tex"), "").unwrap();
    let ended = program.run(&["study", "run", "tiny.toml"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for part in [
        "error: run 0 failed",
        "exit code 4",
        "thesis.tex",
        "error: 1 of 6 runs are finished, 1 failed, 4 depend on failed runs",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    let names: Vec<String> = states(&program).iter().map(|run| run["state"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["failed", "waiting", "waiting", "finished", "waiting", "waiting"]);
    let shown = program.succeed(&["study", "status", "tiny.toml"]);
    assert!(shown.lines().next().unwrap().contains("exit code 4"), "{shown}");
    program.succeed(&["study", "report", "tiny.toml"]);
    let report = std::fs::read_to_string(program.path("studies/tiny/report/report.md")).unwrap();
    assert!(report.contains("failed") && report.contains("exit code 4"), "{report}");
    let message = program.fail(4, &["study", "run-one", "tiny.toml", "--index", "5"]);
    assert!(message.contains("run 5 depends on run 0") && message.contains("not finished"), "{message}");
}

#[test]
fn a_worker_that_comes_on_is_started_again_however_often_it_is_killed() {
    let program = tiny();
    std::fs::write(program.path("tiny.toml"), TINY.replace("steps = 3000", "steps = 200_000")).unwrap();
    let first =
        program.path("studies/tiny/sources/inverted-pendulum-swingup+inverted-double-pendulum-swingup/200000/1000");
    let run = ["study", "run", "tiny.toml", "--jobs", "1"];
    let study = program.command(&run).stdout(Stdio::piped()).spawn().unwrap();
    let (mut killed, mut frames) = (String::new(), 0);
    for _ in 0..8 {
        // Another process, and a newer checkpoint than when the last one was killed.
        let next = loop {
            let (next, saved) = (worker(&first), states(&program)[0]["frames"].as_u64().unwrap());
            if next != killed && saved > frames {
                frames = saved;
                break next;
            }
        };
        kill("-KILL", &next);
        killed = next;
    }
    while worker(&first) == killed {
        std::thread::yield_now();
    }
    kill("-TERM", &study.id().to_string());
    let output = study.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(75), "{text}");
    assert_eq!(text.matches("run 0 was killed and resumes").count(), 8, "{text}");
}
