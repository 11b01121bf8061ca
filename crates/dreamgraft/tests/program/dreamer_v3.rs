//! Agents of DreamerV3: everything that works for Dreamer V1's works for them.

use crate::program::{Program, metrics, outcomes};

/// A run of 2000 frames with the preset, at sizes that take seconds.
fn train<'a>(task: &'a str, run: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    of_frames("2000", task, run, more)
}

fn of_frames<'a>(frames: &'a str, task: &'a str, run: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let own = ["train", task, "--preset", "v3-1m", "--steps", frames, "--logdir", run];
    let tiny = [
        "schedule.prefill_episodes=1",
        "schedule.prefill_frames=1000",
        "schedule.train_updates=6",
        "schedule.eval_every=2000",
        "checkpoint.every=1000",
        "log.videos=false",
        "task.observe=vector",
        "task.vector_length=15",
        "agent.stoch=3",
        "agent.deter=16",
        "agent.hidden=6",
        "agent.units=8",
        "agent.vector_units=8",
        "agent.batch=3",
        "agent.length=10",
        "agent.shard=2",
        "agent.horizon=3",
        "agent.bins=17",
        "agent.learning_rate_warmup=2",
    ];
    let settings = tiny.into_iter().flat_map(|setting| ["--set", setting]);
    own.into_iter().chain(settings).chain(more.iter().copied()).collect()
}

/// Trains in `whole` without a pause, and in `parts` with one.
fn resumes(program: &Program, task: &str, transfer: &[&str]) {
    program.succeed(&train(task, "whole", transfer));
    program.succeed(&of_frames("1000", task, "parts", transfer));
    let text = program.succeed(&train(task, "parts", transfer));
    assert!(text.contains("resuming at frame 1 000"), "{text}");
    assert_eq!(outcomes(&program.path("parts")), outcomes(&program.path("whole")));
    for run in ["whole", "parts"] {
        std::fs::remove_dir_all(program.path(run)).unwrap();
    }
}

#[test]
fn an_agent_stops_resumes_plays_and_is_exported() {
    let program = Program::new();
    resumes(&program, "hopper", &[]);
    program.succeed(&train("hopper", "run", &[]));
    let lines = metrics(&program.path("run"));
    let losses: Vec<f64> = lines.iter().filter_map(|line| line["replay_value_loss"].as_f64()).collect();
    assert!(!losses.is_empty() && losses.iter().all(|loss| *loss > 0.0), "{losses:?}");
    program.succeed(&["eval", "run", "--episodes", "1"]);
    program.succeed(&["export", "run", "--out", "export", "--episodes", "1"]);
    let card = std::fs::read_to_string(program.path("export").join("README.md")).expect("the card");
    assert!(card.contains("A DreamerV3 agent, trained by dreamgraft"), "{card}");
    // Dozens of settings differ from those of another preset, and the message names six.
    let error = program.fail(4, &["train", "hopper", "--logdir", "run", "--preset", "smoke"]);
    assert!(error.contains("was created with another configuration") && error.contains(" more settings; "), "{error}");
    let error = program.fail(2, &train("hopper", "other", &["--set", "agent.imagine_from=0.5"]));
    assert!(error.contains("it must be 0 with agent.imagine_from = 0.5"), "{error}");
    program.succeed(&train("hopper", "heir", &["--seed", "5", "--from", "export"]));
}

#[test]
fn fractions_and_meta_models_work_as_for_other_agents() {
    let program = Program::new();
    program.succeed(&train("inverted-pendulum-swingup", "source", &[]));
    resumes(&program, "hopper", &["--from", "source", "--fraction", "0.2"]);
    program.succeed(&train("inverted-pendulum-swingup", "universal", &["--universal", "source"]));
    resumes(&program, "hopper", &["--universal", "source", "--reward-from", "universal"]);
    let rank = ["transfer", "rank", "hopper", "--from", "source", "--episodes", "2"];
    let vectors = ["--set", "task.observe=vector", "--set", "task.vector_length=15"];
    program.succeed(&[&rank[..], &vectors].concat());
}

#[test]
fn values_with_other_meanings_are_not_transferred() {
    let program = Program::new();
    program.succeed(&train("hopper", "source", &[]));
    let imagined = ["--set", "agent.returns_from=imagined", "--set", "agent.replay_value=0"];
    let error =
        program.fail(2, &train("hopper", "heir", &[&imagined[..], &["--from", "source", "--plan", "full"]].concat()));
    assert!(error.contains("agent.returns_from = \"start\", but the target has \"imagined\""), "{error}");
    let error = program.fail(2, &train("hopper", "heir", &imagined[..2]));
    assert!(error.contains("replay_value") && error.contains("agent.returns_from = \"start\""), "{error}");
}

/// Without decoders, and with learned weights of losses.
#[test]
fn agents_without_decoders_resume_transfer_and_refuse_what_needs_predictions() {
    let program = Program::new();
    let projecting = ["--set", "agent.reconstruction=barlow", "--set", "agent.loss_weights=harmony"];
    resumes(&program, "hopper", &projecting);
    program.succeed(&train("inverted-pendulum-swingup", "source", &projecting));
    let lines = metrics(&program.path("source"));
    for name in ["barlow_loss", "barlow_weight", "reward_weight", "divergence_weight"] {
        let found: Vec<f64> = lines.iter().filter_map(|line| line[name].as_f64()).collect();
        assert!(!found.is_empty() && found.iter().all(|number| *number > 0.0), "{name}: {found:?}");
    }
    let with = |more: &[&'static str]| [&projecting[..], more].concat();
    resumes(&program, "hopper", &with(&["--from", "source", "--fraction", "0.2"]));
    program.succeed(&train("inverted-pendulum-swingup", "universal", &with(&["--universal", "source"])));
    resumes(&program, "hopper", &with(&["--universal", "source", "--reward-from", "universal"]));
    program.succeed(&["export", "source", "--out", "export", "--episodes", "1"]);
    program.succeed(&train("hopper", "heir", &with(&["--seed", "5", "--from", "export"])));
    let rank = ["transfer", "rank", "hopper", "--from", "source", "--episodes", "2"];
    let vectors = ["--set", "task.observe=vector", "--set", "task.vector_length=15"];
    let error = program.fail(2, &[&rank[..], &vectors].concat());
    assert!(error.contains("does not predict observations") && error.contains("agent.reconstruction"), "{error}");
}

#[test]
fn agents_of_images_without_decoders_write_videos_but_no_open_loop_images() {
    let program = Program::new();
    let settings = [
        "task.observe=image",
        "task.vector_length=0",
        "agent.reconstruction=barlow",
        "agent.depth=1",
        "agent.image_blocks=1",
        "log.videos=true",
    ];
    let settings: Vec<&str> = settings.into_iter().flat_map(|setting| ["--set", setting]).collect();
    program.succeed(&train("hopper", "run", &settings));
    let videos = std::fs::read_dir(program.path("run").join("videos")).unwrap();
    let names: Vec<String> = videos.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.is_empty() && names.iter().all(|name| name.ends_with(".gif")), "{names:?}");
    let error = program.fail(2, &["eval", "run", "--episodes", "1", "--video", "both.gif", "--imagined"]);
    assert!(error.contains("this agent has no decoder"), "{error}");
}
