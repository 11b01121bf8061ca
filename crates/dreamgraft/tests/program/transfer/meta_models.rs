//! Universal encoders, and reward meta-models.

use super::{arguments, newest, resumes, tensors, with_source};
use crate::program::{Program, copy, metrics, outcomes};
use serde_json::Value;

#[test]
fn the_universal_encoder_does_not_change() {
    let program = Program::new();
    program.succeed(&arguments(&["inverted-pendulum-swingup", "hopper"], "both", &["--steps", "2000"]));
    let theirs = tensors(&newest(&program, "both"));
    resumes(&program, &["--universal", "both"], &["both"]);
    let ours = tensors(&newest(&program, "parts"));
    let encoder: Vec<&String> = ours.keys().filter(|name| name.starts_with("world_model.encoder.")).collect();
    assert_eq!(encoder.len(), 8);
    assert!(encoder.iter().all(|name| ours[*name] == theirs[*name]));
    // Parameters that are not frozen were trained.
    assert_ne!(ours["world_model.decoder.h5.kernel"], theirs["world_model.decoder.h5.kernel"]);
}

#[test]
fn a_reward_meta_model_is_whole_in_its_own_checkpoint() {
    let program = with_source();
    let universal = arguments(&["inverted-pendulum-swingup"], "u/one", &["--universal", "source", "--steps", "1000"]);
    program.succeed(&universal);
    let theirs = tensors(&newest(&program, "u/one"));
    resumes(&program, &["--universal", "source", "--reward-from", "u/one"], &["source", "u"]);
    let ours = tensors(&newest(&program, "parts"));
    let rewards: Vec<&String> = theirs.keys().filter(|name| name.starts_with("world_model.reward.")).collect();
    assert_eq!(rewards.len(), 4);
    for name in rewards {
        assert_eq!(ours[&name.replace("reward.", "reward_sources.0.")], theirs[name], "{name}");
    }
    let metrics = metrics(&program.path("parts"));
    let evaluations: Vec<&Value> = metrics.iter().filter(|line| line["eval_return"].is_f64()).collect();
    let silenced = "reward_source_silenced/u-one";
    for name in
        ["reward_source_use/u-one", "reward_latent_use/stoch", "reward_latent_use/deter", silenced, "reward_spread"]
    {
        assert!(evaluations.iter().all(|line| line[name].as_f64().unwrap() > 0.0), "{name}: {metrics:?}");
    }
}

#[test]
fn an_untrained_reward_model_is_read_only_as_a_control() {
    let program = with_source();
    let untrained = ["schedule.pretrain_updates=0", "schedule.train_updates=0"].map(|setting| ["--set", setting]);
    let own = [&["--universal", "source", "--steps", "1"][..], untrained.as_flattened()].concat();
    program.succeed(&arguments(&["inverted-pendulum-swingup"], "untrained", &own));
    let meta = ["--universal", "source", "--reward-from", "untrained", "--steps", "1000"];
    let error = program.fail(5, &arguments(&["hopper"], "run", &meta));
    assert!(error.contains("--untrained-source"), "{error}");
    let text = program.succeed(&arguments(&["hopper"], "run", &[&meta[..], &["--untrained-source"]].concat()));
    assert!(text.contains("the reward model reads the reward models of untrained"), "{text}");
    // The encoder is no part of the control.
    let meta = ["--universal", "untrained", "--reward-from", "source", "--any-encoder", "--untrained-source"];
    let error = program.fail(5, &arguments(&["hopper"], "other", &meta));
    assert!(error.contains("\"universal\"") && error.contains("has not been trained"), "{error}");
    let error = program.fail(2, &arguments(&["hopper"], "other", &["--universal", "source", "--untrained-source"]));
    assert!(error.contains("--reward-from RUN"), "{error}");
}

/// A plan file with a reward meta-model over `u/one`, with these keys.
fn meta_model_plan(program: &Program, file: &str, keys: &str) {
    let text = format!(
        "format = 1\n[sources]\nuniversal = \"source\"\none = \"u/one\"\n[meta_model]\nsources = [\"one\"]\n{keys}\n\
         [[rule]]\nmatch = \"world_model.encoder.**\"\ntake = \"full\"\nsource = \"universal\"\nfrozen = true\n\
         [[rule]]\nmatch = \"**\"\nrest = true\ntake = \"random\"\n"
    );
    std::fs::write(program.path(file), text).unwrap();
}

/// Mean and deviation by which the run `root` standardises its only source's predictions.
fn standard(program: &Program, root: &str) -> [f32; 2] {
    let tensors = tensors(&newest(program, root));
    ["mean", "deviation"].map(|name| {
        let bytes = &tensors[&format!("world_model.reward.standard.{name}")];
        f32::from_le_bytes(bytes.as_slice().try_into().unwrap())
    })
}

#[test]
fn a_meta_model_that_standardises_resumes_from_the_random_episodes_and_from_later() {
    let program = with_source();
    program.succeed(&arguments(&["inverted-pendulum-swingup"], "u/one", &["--universal", "source", "--steps", "1000"]));
    meta_model_plan(&program, "meta.toml", "start = \"silent\"\npredictions = \"standardised\"\nl1 = 1e-3");
    let settings = ["schedule.prefill_frames=2000", "checkpoint.kept=9"].map(|setting| ["--set", setting]);
    let more = [&settings.concat()[..], &["--plan", "meta.toml", "--steps", "4000"]].concat();
    let plan = program.succeed(&["transfer", "plan", "hopper", "--preset", "smoke", "--plan", "meta.toml"]);
    for part in ["silent at first", "predictions standardised on the random episodes", "L1 0.001"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    program.succeed(&arguments(&["hopper"], "whole", &more));
    let [mean, deviation] = standard(&program, "whole");
    assert!((mean, deviation) != (0.0, 1.0) && deviation > 0.0, "{mean} {deviation}");
    let lines = metrics(&program.path("whole"));
    assert!(lines.iter().any(|line| line["reward_source_l1"].as_f64().is_some_and(|sum| sum > 0.0)), "{lines:?}");
    let checkpoints = program.names("whole/checkpoints");
    assert_eq!(checkpoints, ["0000001000", "0000002000", "0000003000", "0000004000"]);
    // As if killed with the first checkpoint, between the random episodes, and with the third.
    for (root, kept) in [("early", 1), ("late", 3)] {
        copy(&program.path("whole"), &program.path(root));
        for later in &checkpoints[kept..] {
            std::fs::remove_dir_all(program.path(root).join("checkpoints").join(later)).unwrap();
        }
    }
    std::fs::remove_dir_all(program.path("source")).unwrap();
    std::fs::remove_dir_all(program.path("u")).unwrap();
    let agent = |root: &str| std::fs::read(newest(&program, root)).unwrap();
    for (root, frames) in [("early", "1 000"), ("late", "3 000")] {
        let text = program.succeed(&arguments(&["hopper"], root, &more));
        assert!(text.contains(&format!("resuming at frame {frames}")), "{text}");
        assert_eq!(outcomes(&program.path(root)), outcomes(&program.path("whole")));
        assert_eq!(agent(root), agent("whole"), "{root}");
    }
    // The numbers go with the agent, into its export.
    program.succeed(&["export", "whole", "--out", "export"]);
    let exported = tensors(&program.path("export/model.safetensors"));
    assert_eq!(exported["world_model.reward.standard.mean"], mean.to_le_bytes());
}

#[test]
fn a_plan_can_say_what_is_taken_from_the_universal_agent_and_how_reward_models_are_read() {
    let program = with_source();
    let dynamics = ["--universal", "source", "--plan", "universal-dynamics"];
    let one = ["inverted-pendulum-swingup"];
    program.succeed(&arguments(&one, "u/one", &[&dynamics[..], &["--steps", "1000"]].concat()));
    let text = program.succeed(&["transfer", "preset", "universal-dynamics"]) + "\n[meta_model]\nstart = \"silent\"\n";
    std::fs::write(program.path("silent.toml"), &text).unwrap();
    let plan = ["transfer", "plan", "hopper", "--preset", "smoke", "--universal", "source", "--plan", "silent.toml"];
    let table = program.succeed(&[&plan[..], &["--reward-from", "u/one"]].concat());
    assert!(table.contains("meta-model over u-one (1 hidden layer, silent at first)"), "{table}");
    let error = program.fail(2, &plan);
    assert!(error.contains("[meta_model] of silent.toml") && error.contains("--reward-from RUN"), "{error}");
    std::fs::write(program.path("own.toml"), format!("{text}[sources]\na = \"source\"\n")).unwrap();
    let error = program.fail(2, &[&plan[..7], &["--plan", "own.toml"]].concat());
    assert!(error.contains("own.toml") && error.contains("names sources itself, such as \"a\""), "{error}");
    // The dynamics of both begin alike, and this can be measured in every evaluation.
    let reads = ["--universal", "source", "--plan", "silent.toml", "--reward-from", "u/one"];
    resumes(&program, &reads, &["source", "u"]);
    let lines = metrics(&program.path("whole"));
    let evaluations: Vec<&Value> = lines.iter().filter(|line| line["eval_return"].is_f64()).collect();
    let correlation = |line: &&Value| line["reward_source_correlation/u-one"].as_f64();
    assert!(evaluations.iter().all(|line| correlation(line).is_some_and(|x| x.abs() <= 1.0)), "{lines:?}");
    let known: Value =
        serde_json::from_slice(&std::fs::read(program.path("whole/source_rewards.json")).unwrap()).unwrap();
    assert_eq!((known["sources"][0]["name"].as_str(), known["format"].as_u64()), (Some("u-one"), Some(1)));
    assert_eq!(known["sources"][0]["rewards"].as_array().unwrap().len(), 501);
}

#[test]
fn a_source_whose_predictions_do_not_vary_is_noted_and_only_centred() {
    let program = with_source();
    program.succeed(&arguments(&["inverted-pendulum-swingup"], "u/one", &["--universal", "source", "--steps", "1000"]));
    // Its reward model becomes a constant.
    let path = newest(&program, "u/one");
    let (mut bytes, tensors) = (std::fs::read(&path).unwrap(), tensors(&path));
    let kernel = &tensors["world_model.reward.hout.kernel"];
    let at = bytes.windows(kernel.len()).position(|window| window == kernel).unwrap();
    bytes[at..at + kernel.len()].fill(0);
    std::fs::write(program.path("constant.safetensors"), bytes).unwrap();
    let plan = "predictions = \"standardised\"";
    meta_model_plan(&program, "meta.toml", plan);
    let text = std::fs::read_to_string(program.path("meta.toml")).unwrap();
    std::fs::write(program.path("meta.toml"), text.replace("u/one", "constant.safetensors")).unwrap();
    let text = program.succeed(&arguments(&["hopper"], "run", &["--plan", "meta.toml", "--steps", "1000"]));
    assert!(text.contains("the reward model of one predicts"), "{text}");
    assert_eq!(standard(&program, "run")[1], 1.0);
}
