//! Stopping, damaging and resuming.

use crate::program::{Program, metrics, outcomes, smoke};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn a_longer_run_is_the_run_made_longer() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "4000"]));
    let whole = outcomes(&program.path("run"));
    std::fs::rename(program.path("run"), program.path("whole")).unwrap();
    program.succeed(&smoke(&["--steps", "2000"]));
    let again = program.succeed(&smoke(&["--steps", "2000"]));
    assert!(again.contains("this run is already finished") && again.contains("--steps"), "{again}");
    let text = program.succeed(&smoke(&["--steps", "4000"]));
    assert!(text.contains("resuming at frame 2 000"), "{text}");
    assert_eq!(outcomes(&program.path("run")), whole);
}

#[test]
fn episodes_can_go_with_the_end_of_a_run_which_then_cannot_be_made_longer() {
    let program = Program::new();
    let go = ["--set", "replay.files=until_finished"];
    program.succeed(&smoke(&[]));
    let mut whole = outcomes(&program.path("run"));
    assert_eq!(whole.episodes.len(), 3);
    std::fs::rename(program.path("run"), program.path("whole")).unwrap();
    program.succeed(&smoke(&go));
    let gone = outcomes(&program.path("run"));
    whole.episodes.clear();
    assert_eq!(gone, whole, "nothing else differs");
    let message = program.fail(5, &smoke(&[&go[..], &["--steps", "6000"]].concat()));
    assert!(message.contains("none of the 3 episodes") && message.contains("until_finished"), "{message}");
    // Not by leaving the setting out, either.
    assert!(program.fail(5, &smoke(&["--steps", "6000"])).contains("none of the 3 episodes"));
    assert_eq!(outcomes(&program.path("run")), whole);
    assert!(std::fs::read_to_string(program.path("run/config.toml")).unwrap().contains("steps = 3000\n"));
    assert!(program.succeed(&["eval", "run", "--episodes", "1"]).contains("return"));
    // Those of a run that has finished before, but none of other programs.
    std::fs::create_dir(program.path("whole/episodes/added")).unwrap();
    let added = program.path("whole/episodes/added").join(&program.names("whole/episodes")[0]);
    std::fs::write(&added, "").unwrap();
    let again = ["train", "inverted-pendulum-swingup", "--preset", "smoke", "--logdir", "whole"];
    let text = program.succeed(&[&again[..], &go].concat());
    assert!(text.contains("this run is already finished"), "{text}");
    assert_eq!(program.names("whole/episodes"), ["added"]);
    assert!(added.exists());
}

#[test]
fn videos_of_some_evaluations_change_nothing_else() {
    let program = Program::new();
    let run = |settings: &[&str]| {
        let eval = ["--steps", "6000", "--set", "schedule.eval_every=1000"];
        program.succeed(&smoke(&[&eval[..], settings].concat()));
        let videos = program.names("run/videos").into_iter().filter(|name| name.ends_with(".gif"));
        let frames: Vec<u64> = videos.map(|name| name[..10].parse().unwrap()).collect();
        let outcomes = outcomes(&program.path("run"));
        std::fs::remove_dir_all(program.path("run")).unwrap();
        (frames, outcomes)
    };
    let (all, whole) = run(&[]);
    assert_eq!(all, [1000, 2000, 3000, 4000, 5000, 6000]);
    let (some, same) = run(&["--set", "log.video_every=2500"]);
    assert_eq!((some, same), (vec![1000, 3000, 5000, 6000], whole));
}

#[test]
fn a_longer_run_of_several_tasks_is_the_run_made_longer() {
    let program = Program::new();
    let train = |folder: &str, steps: &str| {
        let tasks = ["train", "inverted-pendulum-swingup", "hopper", "--preset", "smoke"];
        program.succeed(&[&tasks[..], &["--logdir", folder, "--steps", steps]].concat());
        outcomes(&program.path(folder))
    };
    let whole = train("whole", "8000");
    let half = train("parts", "4000");
    assert_eq!((half.episodes.len(), whole.episodes.len()), (4, 8));
    assert_eq!(train("parts", "8000"), whole);
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test is reported")]
fn a_run_stopped_by_a_signal_resumes_where_it_stopped() {
    let signals = [
        ("-INT", "new run"),
        ("-TERM", "frame 1 000"),
        ("-USR1", "checkpoint"),
        ("-HUP", "frame 1 000"),
        ("-USR2", "frame 1 000"),
        ("-XCPU", "checkpoint"),
        ("-QUIT", "frame 1 000"),
    ];
    for (signal, wait_for) in signals {
        if is_ignored(signal) {
            eprintln!(
                "SKIPPED {signal}: the tests were started with it ignored, as by nohup or in a script's background"
            );
            continue;
        }
        let program = Program::new();
        let mut child = program.command(&smoke(&["--steps", "1e9"])).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().starts_with(wait_for)));
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let rest: Vec<String> = lines.map(|line| line.unwrap()).collect();
        assert_eq!(child.wait().unwrap().code(), Some(75), "{rest:?}");
        let last = rest.last().unwrap();
        assert!(last.contains("checkpoint saved") && last.contains("same command"), "{last}");
        // The same run without a stop, made a little longer than wherever this one was stopped.
        let frames = outcomes(&program.path("run")).state["position"]["frames"].as_u64().unwrap();
        let steps = (frames + 1000).to_string();
        program.succeed(&smoke(&["--steps", &steps]));
        let parts = outcomes(&program.path("run"));
        std::fs::rename(program.path("run"), program.path("parts")).unwrap();
        program.succeed(&smoke(&["--steps", &steps]));
        assert_eq!(outcomes(&program.path("run")), parts);
    }
}

/// Whether this process, and so each process that it starts, ignores a signal, where the system reports it. Shells
/// never ignore the others.
pub fn is_ignored(signal: &str) -> bool {
    let bit = match signal {
        "-HUP" => 0,
        "-INT" => 1,
        "-QUIT" => 2,
        _ => return false,
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask >> bit & 1 == 1))
}

#[test]
fn several_signals_count_as_one_and_those_that_nohup_ignores_are_ignored() {
    let program = Program::new();
    let arguments = smoke(&["--steps", "1e9"]);
    let mut child = program.wrapped(&["sh", "-c", "trap '' HUP; exec \"$0\" \"$@\""], &arguments);
    let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
    let number = child.id().to_string();
    let send = |signal: &str| assert!(Command::new("kill").args([signal, &number]).status().unwrap().success());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("checkpoint")));
    send("-HUP");
    // The run continues: lines of three more episodes.
    assert_eq!(lines.by_ref().filter(|line| line.as_ref().unwrap().starts_with("frame")).take(3).count(), 3);
    ["-USR1", "-TERM", "-TERM"].into_iter().for_each(send);
    assert!(lines.map(|line| line.unwrap()).any(|line| line.contains("checkpoint saved")));
    assert_eq!(child.wait().unwrap().code(), Some(75));
}

#[test]
fn a_truncated_checkpoint_is_named_and_the_one_before_used() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "4000"]));
    let whole = outcomes(&program.path("run"));
    std::fs::rename(program.path("run"), program.path("whole")).unwrap();
    program.succeed(&smoke(&[]));
    let newest = "run/checkpoints/0000003000/agent.safetensors";
    program.truncate(newest);
    let text = program.succeed(&smoke(&["--steps", "4000"]));
    assert!(text.contains(&format!("note: {newest} is not a usable checkpoint: it is truncated")), "{text}");
    let now = ". The run resumes from run/checkpoints/0000002000; the damaged one was moved to";
    assert!(text.contains(now) && !text.contains("use another checkpoint"), "{text}");
    assert!(text.contains("resuming at frame 2 000"), "{text}");
    assert_eq!(outcomes(&program.path("run")), whole);
}

#[test]
fn a_truncated_episode_is_named_skipped_and_counted() {
    let program = Program::new();
    program.succeed(&smoke(&[]));
    let episode = program.names("run/episodes").remove(1);
    program.truncate(&format!("run/episodes/{episode}"));
    let text = program.succeed(&smoke(&["--steps", "4000"]));
    assert!(text.contains(&episode) && text.contains("resuming with 2 episodes"), "{text}");
    let metrics = metrics(&program.path("run"));
    let last = metrics.iter().rfind(|line| line["replay_episodes"].is_f64()).unwrap();
    assert_eq!((&last["replay_episodes"], &last["episodes"]), (&3.0.into(), &4.0.into()));
}

#[test]
fn a_run_without_its_configuration_is_named_as_one() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    std::fs::remove_file(program.path("run/config.toml")).unwrap();
    let error = program.fail(4, &smoke(&["--steps", "2000"]));
    assert!(error.starts_with("run has the checkpoints and episodes of a run, but no config.toml"), "{error}");
}

#[test]
fn a_checkpoint_of_another_run_is_refused_and_nothing_moved() {
    let program = Program::new();
    program.succeed(&smoke(&[]));
    for (other, setting) in [("seed", "seed=9"), ("sizes", "agent.units=9")] {
        let mut arguments = smoke(&["--set", setting]);
        *arguments.iter_mut().find(|word| **word == "run").unwrap() = other;
        program.succeed(&arguments);
        let checkpoints = program.path(other).join("checkpoints");
        std::fs::remove_dir_all(program.path("run").join("checkpoints")).unwrap();
        std::fs::create_dir(program.path("run").join("checkpoints")).unwrap();
        for entry in std::fs::read_dir(checkpoints).unwrap() {
            let from = entry.unwrap().path();
            let to = program.path("run").join("checkpoints").join(from.file_name().unwrap());
            std::fs::create_dir(&to).unwrap();
            for file in ["agent.safetensors", "run.json"] {
                std::fs::copy(from.join(file), to.join(file)).unwrap();
            }
        }
        let before = program.names("run/episodes");
        let stderr = program.fail(5, &smoke(&["--steps", "6000"]));
        assert!(stderr.contains("copied from another run"), "{stderr}");
        assert_eq!(program.names("run/episodes"), before);
    }
}
