//! Runs and their folders.

use crate::program::{Program, metrics, outcomes, smoke};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[test]
fn a_run_leaves_everything_in_its_folder() {
    let program = Program::new();
    let text = program.succeed(&smoke(&[]));
    assert!(text.starts_with("new run in run: inverted-pendulum-swingup, 3 000 frames"), "{text}");
    for part in
        ["frame 3 000  return -", "gradient steps/s", "replay 3 episodes", "evaluation", "finished at frame 3 000"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\x1b') && !text.contains('\r'), "{text:?}");
    let names = program.names("run");
    for name in ["checkpoints", "config.toml", "episodes", "metrics.jsonl", "videos"] {
        assert!(names.iter().any(|found| found == name), "{names:?}");
    }
    assert!(names.iter().any(|name| name.starts_with("events.out.tfevents")), "{names:?}");
    assert_eq!(program.names("run/episodes").len(), 3);
    let videos = program.names("run/videos");
    assert!(videos.contains(&"0000003000-inverted-pendulum-swingup.gif".to_owned()), "{videos:?}");
    assert!(videos.contains(&"0000003000-inverted-pendulum-swingup-open-loop.png".to_owned()), "{videos:?}");
    let metrics = metrics(&program.path("run"));
    // Evaluations are after 1000 and 3000 frames, so the checkpoint of the best one is among the two newest or the first.
    let evaluations: Vec<f64> = metrics.iter().filter_map(|line| line["eval_return"].as_f64()).collect();
    let first_is_best = evaluations[0] >= evaluations[1];
    let kept: &[&str] =
        if first_is_best { &["0000001000", "0000002000", "0000003000"] } else { &["0000002000", "0000003000"] };
    assert_eq!(program.names("run/checkpoints"), kept, "{evaluations:?}");
    let best = "the best evaluation with a checkpoint was that at frame 1 000, return ";
    assert_eq!(text.contains(best), first_is_best, "{text}");
    let named = |name: &str| metrics.iter().filter(|line| line[name].is_f64()).count();
    assert_eq!((named("train_return"), named("eval_return"), named("model_loss"), named("kl")), (3, 2, 3, 3));
    assert_eq!(program.names("."), ["run"]);
}

#[test]
fn the_default_folder_is_named_after_task_preset_and_seed() {
    let program = Program::new();
    let arguments = ["train", "inverted-pendulum-swingup", "--preset", "smoke", "--seed", "4", "--steps", "1_000"];
    program.succeed(&arguments);
    assert!(program.path("runs/inverted-pendulum-swingup/smoke/4/config.toml").is_file());
}

#[test]
fn several_tasks_take_turns_in_one_run() {
    let program = Program::new();
    let arguments = ["train", "inverted-pendulum-swingup", "hopper", "--preset", "smoke", "--steps", "3000"];
    let text = program.succeed(&arguments);
    assert!(text.contains("inverted-pendulum-swingup, hopper, 3 000 frames"), "{text}");
    assert!(text.contains("inverted-pendulum-swingup return ") && text.contains("hopper return "), "{text}");
    let run = "runs/inverted-pendulum-swingup+hopper/smoke/0";
    // A prefill of 1000 frames for each, and a round of an episode of each.
    assert_eq!(program.names(&format!("{run}/episodes")).len(), 4);
    let metrics = metrics(&program.path(run));
    for task in ["inverted-pendulum-swingup", "hopper"] {
        for name in ["train_return", "train_length", "eval_return", "eval_length"] {
            let values = metrics.iter().filter(|line| line[format!("{name}/{task}")].is_f64()).count();
            assert_eq!(values, 2, "{name}/{task}: {metrics:?}");
        }
        assert!(program.names(&format!("{run}/videos")).contains(&format!("0000004000-{task}.gif")));
    }
}

#[test]
fn random_episodes_that_end_early_are_collected_until_there_are_enough_frames() {
    let program = Program::new();
    let stock = ["train", "hopper", "--preset", "smoke", "--set", "task.termination=stock", "--logdir", "run"];
    let settings = ["--set", "agent.length=4", "--set", "agent.discount_head=true", "--steps", "1200"];
    program.succeed(&[&stock[..], &settings].concat());
    let first = metrics(&program.path("run")).into_iter().find(|line| line["updates"].is_f64()).unwrap();
    let (frames, episodes) = (first["step"].as_f64().unwrap(), first["episodes"].as_f64().unwrap());
    assert!((1000.0..1100.0).contains(&frames) && episodes > 20.0, "{first}");
}

#[test]
fn windows_longer_than_any_random_episode_are_an_error_before_anything_is_learned() {
    let program = Program::new();
    let stock = ["train", "hopper", "--preset", "smoke", "--set", "task.termination=stock", "--logdir", "run"];
    let settings = ["--set", "agent.length=200", "--set", "schedule.prefill_frames=100"];
    let error = program.fail(2, &[&stock[..], &settings].concat());
    for part in [
        "random episodes of hopper",
        "the 200 transitions of agent.length",
        "the longest has",
        "or less, or task.termination = \"fixed\"",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn windows_that_cross_episodes_are_learned_from_where_no_episode_is_long_enough() {
    let program = Program::new();
    let run = |folder: &str, steps: &str| {
        let task = ["train", "hopper", "--preset", "smoke", "--set", "task.termination=stock", "--logdir", folder];
        let settings =
            ["--set", "agent.length=200", "--set", "replay.starts=stream", "--set", "agent.discount_head=true"];
        program.succeed(&[&task[..], &settings, &["--set", "task.observe=vector", "--steps", steps]].concat());
    };
    run("whole", "2000");
    let config = std::fs::read_to_string(program.path("whole").join("config.toml")).unwrap();
    assert!(config.contains("resets = true"), "{config}");
    assert!(metrics(&program.path("whole")).iter().any(|line| line["updates"].as_f64() > Some(0.0)));
    // Stopped where the shorter run ends, and continued.
    run("parts", "1500");
    run("parts", "2000");
    assert_eq!(outcomes(&program.path("parts")), outcomes(&program.path("whole")));
    let task = ["train", "hopper", "--preset", "smoke", "--set", "task.termination=stock", "--logdir", "few"];
    let few = ["--set", "agent.length=600", "--set", "replay.starts=stream", "--set", "schedule.prefill_frames=100"];
    let error = program.fail(2, &[&task[..], &few].concat());
    assert!(error.contains("fewer than the 600 of agent.length; in a new run folder, set a smaller"), "{error}");
    let error = program.fail(2, &["train", "hopper", "--set", "agent.resets=true"]);
    assert!(error.contains("it follows from replay.starts: stream stands for true"), "{error}");
}

#[test]
fn the_number_of_threads_does_not_change_the_result() {
    let program = Program::new();
    let run = |folder: &str, threads: &str| {
        let setting = format!("threads={threads}");
        let arguments =
            ["train", "inverted-pendulum-swingup", "--preset", "smoke", "--steps", "2000", "--logdir", folder];
        program.succeed(&[&arguments[..], &["--set", &setting]].concat());
        outcomes(&program.path(folder))
    };
    assert_eq!(run("one", "1"), run("three", "3"));
}

#[test]
fn a_run_of_another_configuration_is_refused_with_the_difference() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    let before = outcomes(&program.path("run"));
    let error = program.fail(4, &smoke(&["--steps", "2000", "--set", "agent.horizon=4", "--seed", "9"]));
    assert!(error.contains("agent.horizon: was 3, now 4") && error.contains("seed: was 0, now 9"), "{error}");
    assert!(!error.contains("steps"), "{error}");
    assert_eq!(outcomes(&program.path("run")), before);
}

#[test]
fn a_runs_own_configuration_file_gives_the_same_run() {
    let program = Program::new();
    program.succeed(&smoke(&["--set", "agent.horizon=4", "--steps", "2000"]));
    let arguments =
        ["train", "inverted-pendulum-swingup", "--preset", "paper", "--config", "run/config.toml", "--logdir", "again"];
    program.succeed(&arguments);
    assert_eq!(outcomes(&program.path("again")), outcomes(&program.path("run")));
}

#[test]
fn folders_that_cannot_be_a_run_are_refused_and_left_alone() {
    let program = Program::new();
    std::fs::write(program.path("file"), "text").unwrap();
    std::fs::create_dir(program.path("thesis")).unwrap();
    std::fs::write(program.path("thesis/chapter.tex"), "text").unwrap();
    for (folder, code) in [("file", 4), ("file/run", 4), ("thesis", 4)] {
        let error = program.fail(code, &["train", "hopper", "--preset", "smoke", "--logdir", folder]);
        assert!(error.contains(folder) && error.contains("--logdir"), "{error}");
    }
    assert_eq!(program.names("."), ["file", "thesis"]);
    assert_eq!(program.names("thesis"), ["chapter.tex"]);
}

#[test]
fn a_second_process_is_refused_with_the_number_of_the_first() {
    let program = Program::new();
    let mut first = program.command(&smoke(&["--steps", "1e9"])).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    // The first line is written after the folder was locked.
    BufReader::new(first.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let error = program.fail(4, &smoke(&["--steps", "1e9"]));
    assert!(error.contains(&format!("process {}", first.id())), "{error}");
    // Killed without a chance to clean up: its lock does not block the next process.
    first.kill().unwrap();
    first.wait().unwrap();
    program.succeed(&smoke(&["--steps", "1000"]));
}
