//! Transfer: `dreamgraft transfer plan`, and `dreamgraft train` with a source.

use crate::program::{Program, copy, metrics, outcomes};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A tiny run of `tasks` in `folder`.
fn arguments<'a>(tasks: &[&'a str], folder: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let settings = ["--preset", "smoke", "--set", "log.videos=false", "--logdir", folder];
    [&["train"], tasks, &settings, more].concat()
}

/// The program with a trained agent in the folder `source`, whose actions have one number, and those of hopper three.
fn with_source() -> Program {
    let program = Program::new();
    program.succeed(&arguments(&["inverted-pendulum-swingup"], "source", &["--steps", "1000"]));
    program
}

/// The file of the newest agent of a run.
fn newest(program: &Program, run: &str) -> PathBuf {
    let checkpoints = program.names(&format!("{run}/checkpoints"));
    program.path(&format!("{run}/checkpoints/{}/agent.safetensors", checkpoints.last().unwrap()))
}

/// The bytes of every tensor in a file of safetensors.
fn tensors(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = std::fs::read(path).unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let names: BTreeMap<String, Value> = serde_json::from_slice(&bytes[8..header]).unwrap();
    let tensors = names.into_iter().filter(|(name, _)| name != "__metadata__");
    let place = |tensor: &Value, end: usize| header + tensor["data_offsets"][end].as_u64().unwrap() as usize;
    tensors.map(|(name, tensor)| (name, bytes[place(&tensor, 0)..place(&tensor, 1)].to_vec())).collect()
}

#[test]
fn plans_and_sources_that_cannot_be_used_are_answered_with_what_can_be_done() {
    let program = with_source();
    let rule = |take: &str| format!("format = 1\n[[rule]]\nmatch = \"**\"\ntake = {take}\n");
    std::fs::write(program.path("number.toml"), rule("0.2")).unwrap();
    std::fs::write(program.path("key.toml"), rule("{ frction = 0.2 }")).unwrap();
    std::fs::write(program.path("misfit.toml"), rule("\"full\"") + "misfit = true\n").unwrap();
    std::fs::write(program.path("random.toml"), rule("\"random\"")).unwrap();
    let own = rule("\"full\"").replace("[[rule]]", "[sources]\na = \"source\"\n[[rule]]");
    std::fs::write(program.path("own.toml"), own).unwrap();
    let rest = "[[rule]]\nmatch = \"**\"\nrest = true\ntake = \"random\"\n";
    let typo = rule("\"full\"").replace("**", "world_model.encodr.**") + rest;
    std::fs::write(program.path("typo.toml"), typo).unwrap();
    for (code, arguments, part) in [
        (
            2,
            "--from source --plan number.toml",
            "rule 1, take in number.toml (line 4): it is 0.2 instead of \"random\", \"full\"",
        ),
        (
            2,
            "--from source --plan key.toml",
            "unknown key `frction`; write { fraction = 0.2 } or { interpolate = 0.2 }",
        ),
        (
            2,
            "--from source --plan misfit.toml",
            "rule 1, misfit in misfit.toml (line 5): it is true instead of \"random\"",
        ),
        (2, "--from source --plan random.toml", "no rule of random.toml transfers anything"),
        (2, "--from source --plan own.toml", "own.toml names its own sources; remove --from"),
        (2, "--from source --plan typo.toml", "the nearest is \"world_model.encoder.**\""),
        (5, "--from source/config.toml", "is not the file of an agent; give the run folder, source"),
        (5, "--from own.toml", "is not the file of an agent; give a run folder"),
    ] {
        let words = format!("transfer plan inverted-pendulum-swingup --preset smoke {arguments}");
        let error = program.fail(code, &words.split(' ').collect::<Vec<_>>());
        assert!(error.contains(part), "{arguments}: {error}");
    }
}

#[test]
fn a_record_of_a_transfer_that_is_missing_or_damaged_is_named() {
    let program = with_source();
    let words = arguments(&["inverted-pendulum-swingup"], "run", &["--from", "source", "--steps", "1000"]);
    program.succeed(&words);
    for name in ["transfer.toml", "transfer.json"] {
        let path = program.path("run").join(name);
        let text = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let error = program.fail(4, &words);
        let part =
            format!("run/{name}, the record of this run's transfer, is missing; restore it, or choose another folder");
        assert!(error.contains(&part), "{error}");
        std::fs::write(&path, "format = [").unwrap();
        let error = program.fail(4, &words);
        assert!(error.contains(&format!("run/{name}, the record of this run's transfer, is damaged (")), "{error}");
        std::fs::write(&path, text).unwrap();
    }
    assert!(program.succeed(&words).contains("already finished"));
}

#[test]
fn an_export_that_is_damaged_is_no_source() {
    let program = with_source();
    program.succeed(&["export", "source", "--out", "export", "--episodes", "1"]);
    let config = std::fs::read_to_string(program.path("export/config.json")).unwrap();
    let words = ["transfer", "plan", "inverted-pendulum-swingup", "--preset", "smoke", "--from", "export"];
    program.succeed(&words);
    std::fs::write(program.path("export/config.json"), "garbage").unwrap();
    let error = program.fail(5, &words);
    assert!(error.contains("belongs to an export whose config.json cannot be used"), "{error}");
    let mut changed: Value = serde_json::from_str(&config).unwrap();
    changed["model"]["crc32"] = 1.into();
    std::fs::write(program.path("export/config.json"), changed.to_string()).unwrap();
    let error = program.fail(5, &words);
    assert!(error.contains("was changed: it has") && error.contains("its config.json records"), "{error}");
    assert!(error.contains("export the run again") && !error.contains("run.json"), "{error}");
    // A task that nobody typed.
    let other = config.replace("\"inverted-pendulum-swingup\"", "\"juggling\"");
    assert_ne!(other, config);
    std::fs::write(program.path("export/config.json"), other).unwrap();
    let error = program.fail(5, &["eval", "export", "--episodes", "1"]);
    assert!(error.starts_with("export") && error.contains("trained for the task \"juggling\""), "{error}");
}

#[test]
fn the_plan_shows_every_parameter_and_writes_nothing() {
    let program = with_source();
    let plan = ["transfer", "plan", "hopper", "--preset", "smoke", "--from", "source", "--fraction", "0.5"];
    let text = program.succeed(&plan);
    for part in
        ["source, inverted-pendulum-swingup, action size 1, 1 000 frames", "fraction 0.5", "norm before", "[3, 8]"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let row = text.lines().find(|line| line.starts_with("value.hout.kernel ")).unwrap();
    assert!(row.contains("[8, 1]") && row.contains("source"), "{row}");
    let json: Value = serde_json::from_str(&program.succeed(&[&plan[..], &["--json"]].concat())).unwrap();
    assert_eq!((&json["target"]["action_size"], &json["sources"][0]["frames"]), (&3.into(), &1000.into()));
    assert!(!text.contains("itself"), "{text}");
    assert_eq!(program.names("."), ["source"]);
    // The run does what the preview showed.
    program.succeed(&arguments(&["hopper"], "run", &["--from", "source", "--fraction", "0.5", "--steps", "1000"]));
    let kept: Value = serde_json::from_slice(&std::fs::read(program.path("run/transfer.json")).unwrap()).unwrap();
    assert_eq!(kept, json);
    let seed = program.succeed(&[&plan[..], &["--json", "--seed", "1"]].concat());
    assert_ne!(serde_json::from_str::<Value>(&seed).unwrap()["parts"], json["parts"]);
}

#[test]
fn a_task_that_is_its_own_source_is_allowed_with_a_note() {
    let program = with_source();
    let own = "note: source was trained on inverted-pendulum-swingup, which this run also learns";
    let plan = ["transfer", "plan", "inverted-pendulum-swingup", "--preset", "smoke", "--from", "source"];
    assert!(program.succeed(&plan).contains(own));
    let ended = program.run(&[&plan[..], &["--json"]].concat());
    assert_eq!((ended.code, ended.stderr.trim_end()), (Some(0), own));
    serde_json::from_str::<Value>(&ended.stdout).unwrap();
    let text =
        program.succeed(&arguments(&["inverted-pendulum-swingup"], "run", &["--from", "source", "--steps", "1000"]));
    assert!(text.contains(own), "{text}");
}

#[test]
fn a_note_names_the_shared_streams_of_a_target_and_its_source() {
    let program = with_source();
    let train = |folder: &str, steps: &str, seed: &str| {
        let more = ["--from", "source", "--steps", steps, "--seed", seed];
        program.succeed(&arguments(&["inverted-pendulum-swingup"], folder, &more))
    };
    let note = "note: source was trained on the same tasks with the same seed 0, so it shares its random streams with this run";
    assert_eq!(train("same", "1000", "0").matches(note).count(), 1);
    assert!(!train("same", "2000", "0").contains("random streams"), "it was said when the run began");
    assert!(!train("other", "1000", "1").contains("random streams"));
    let text =
        program.succeed(&arguments(&["hopper"], "task", &["--from", "source", "--steps", "1000", "--seed", "0"]));
    assert!(!text.contains("random streams"), "{text}");
}

#[test]
fn every_preset_begins_a_run_that_is_named_after_it() {
    let program = with_source();
    for (task, preset) in [
        ("hopper", "paper"),
        ("hopper", "full"),
        ("hopper", "encoder-only"),
        ("hopper", "universal-dynamics"),
        ("inverted-double-pendulum-swingup", "fine-tune"),
    ] {
        let train = ["train", task, "--preset", "smoke", "--set", "log.videos=false", "--steps", "1000"];
        let text = program.succeed(&[&train[..], &["--from", "source", "--plan", preset]].concat());
        for part in [
            "transfer from source, inverted-pendulum-swingup, 1 000 frames",
            "the built-in plan",
            preset,
            "in full (",
            "numbers)",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let run = format!("runs/{task}/smoke-{preset}-from-source/0");
        let names = program.names(&run);
        assert!(["transfer.toml", "transfer.json"].iter().all(|name| names.iter().any(|one| one == name)), "{names:?}");
    }
}

/// A run of 2000 frames in `whole` and one of 1000 and then 1000 in `parts`, whose `gone` are removed in between: they
/// must be bitwise identical.
fn resumes(program: &Program, transfer: &[&str], gone: &[&str]) {
    let train = |folder: &str, steps: &str, embeddings: &str| {
        let more = ["--steps", steps, "--set", embeddings];
        program.succeed(&arguments(&["hopper"], folder, &[transfer, &more].concat()))
    };
    train("whole", "2000", "replay.embeddings=1GB");
    train("parts", "1000", "replay.embeddings=300kB");
    for folder in gone {
        std::fs::remove_dir_all(program.path(folder)).unwrap();
    }
    // How many embeddings are kept shows in no number.
    let text = train("parts", "2000", "replay.embeddings=0");
    assert!(text.contains("resuming at frame 1 000") && text.contains("started with a transfer from"), "{text}");
    assert_eq!(outcomes(&program.path("parts")), outcomes(&program.path("whole")));
    assert_eq!(std::fs::read(newest(program, "parts")).unwrap(), std::fs::read(newest(program, "whole")).unwrap());
    program.succeed(&["eval", "parts", "--episodes", "1"]);
}

#[test]
fn a_fractional_run_resumes_without_its_source() {
    let program = with_source();
    resumes(&program, &["--from", "source", "--fraction", "0.3"], &["source"]);
}

#[test]
fn a_fitted_fraction_is_found_once_wherever_a_run_is_stopped() {
    let program = with_source();
    let more = [
        "--from",
        "source",
        "--fraction",
        "fit",
        "--set",
        "schedule.prefill_frames=2000",
        "--set",
        "checkpoint.every=1000",
    ];
    let train = |folder: &str| {
        let more = [&more[..], &["--steps", "3000"]].concat();
        arguments(&["hopper"], folder, &more).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let text = program.succeed(&train("whole"));
    for part in ["fitted the fraction of the reward to 2 episodes: ", " of source (", "fraction of the value"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let report = |run: &str| -> Value {
        serde_json::from_slice(&std::fs::read(program.path(&format!("{run}/transfer.json"))).unwrap()).unwrap()
    };
    let fractions = report("whole")["fractions"].clone();
    assert_eq!((fractions[0]["head"].as_str(), fractions[1]["head"].as_str()), (Some("reward"), Some("value")));
    assert_eq!(fractions[0]["sources"][0]["errors"].as_array().unwrap().len(), 11);
    for (run, wait_for) in [("random", "checkpoint"), ("fitted", "fitted the fraction of the value")] {
        let mut child = program.command(&train(run)).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().starts_with(wait_for)), "{wait_for}");
        assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
        drop(lines.map(|line| line.unwrap()).collect::<Vec<_>>());
        assert_eq!(child.wait().unwrap().code(), Some(75));
        if run == "random" {
            assert!(report(run)["fractions"].is_null(), "the random episodes are not all there yet");
            std::fs::rename(program.path("source"), program.path("gone")).unwrap();
            let error = program.fail(5, &train(run));
            assert!(error.contains("fitted after the random episodes, so its sources are still needed"), "{error}");
            std::fs::rename(program.path("gone"), program.path("source")).unwrap();
        }
        program.succeed(&train(run));
        assert_eq!(report(run)["fractions"], fractions);
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
    let more = [
        "--from",
        "source",
        "--fraction",
        "fit",
        "--set",
        "schedule.prefill_frames=2000",
        "--set",
        "checkpoint.every=1000",
    ];
    let train = |folder: &str| {
        let more = [&more[..], &["--steps", "3000"]].concat();
        arguments(&["hopper"], folder, &more).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    program.succeed(&train("whole"));
    program.succeed(&arguments(&["hopper"], "other", &["--steps", "2000", "--seed", "5"]));
    let mut child = program.command(&train("added")).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("checkpoint")), "among the random episodes");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    drop(lines.map(|line| line.unwrap()).collect::<Vec<_>>());
    assert_eq!(child.wait().unwrap().code(), Some(75));
    for name in program.names("other/episodes") {
        program.succeed(&["episodes", "add", "added", &format!("other/episodes/{name}")]);
    }
    program.succeed(&train("added"));
    let fractions = |run: &str| -> Value {
        let bytes = std::fs::read(program.path(&format!("{run}/transfer.json"))).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()["fractions"].clone()
    };
    assert!(fractions("whole").is_array());
    assert_eq!(fractions("added"), fractions("whole"));
}

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

#[test]
fn a_run_of_another_transfer_is_refused_with_the_difference() {
    let program = with_source();
    let train = |more: &[&'static str]| arguments(&["hopper"], "run", &[more, &["--steps", "2000"]].concat());
    program.succeed(&arguments(&["hopper"], "run", &["--from", "source", "--steps", "1000"]));
    let before = outcomes(&program.path("run"));
    for (more, part) in [
        (&["--from", "source", "--fraction", "0.3"][..], "take.fraction: was 0.2, now 0.3"),
        (&["--from", "source", "--plan", "full"], "was the built-in plan paper, now the built-in plan full"),
        (&["--from", "elsewhere"], "sources.source: was source, now elsewhere"),
        (&["--universal", "source"], "sources.universal: was nothing, now source"),
        (&[], "was the built-in plan paper from source, now nothing"),
    ] {
        let error = program.fail(4, &train(more));
        assert!(error.contains("another transfer") && error.contains(part), "{part}: {error}");
        assert!(error.contains("--plan run/transfer.toml"), "{error}");
    }
    // The source was trained further, so it is another source now, but the record of the run still describes the old
    // one.
    program.succeed(&arguments(&["inverted-pendulum-swingup"], "source", &["--steps", "2000"]));
    let error = program.fail(4, &train(&["--from", "source"]));
    assert!(error.contains("sources.source: was ") && error.contains("sha256"), "{error}");
    assert_eq!(outcomes(&program.path("run")), before);
    program.succeed(&train(&["--plan", "run/transfer.toml"]));
    // A run without transfer does not become one with.
    let error = program.fail(4, &arguments(&["inverted-pendulum-swingup"], "source", &["--from", "run"]));
    assert!(error.contains("was nothing, now the built-in plan paper from source"), "{error}");
}

#[test]
fn a_plan_with_sources_of_its_own_needs_no_other() {
    let program = with_source();
    let rest = "[[rule]]\nmatch = \"**\"\nrest = true\ntake = \"random\"\n";
    let rule = "[[rule]]\nmatch = \"world_model.encoder.**\"\ntake = \"full\"\n";
    let sources = "format = 1\n[sources]\neyes = \"source\"\n";
    std::fs::write(program.path("eyes.toml"), format!("{sources}{rule}{rest}")).unwrap();
    let text = program.succeed(&arguments(&["hopper"], "run", &["--plan", "eyes.toml", "--steps", "1000"]));
    assert!(text.contains("transfer from eyes"), "{text}");
    for (name, plan, part) in [
        ("unmatched.toml", format!("{sources}{rule}"), "matches"),
        ("key.toml", format!("{sources}{rule}fraktion = 0.2\n{rest}"), "fraktion"),
        ("pattern.toml", format!("{sources}{}{rest}", rule.replace("encoder", "encodr")), "world_model.encoder"),
    ] {
        std::fs::write(program.path(name), plan).unwrap();
        let error = program.fail(2, &arguments(&["hopper"], "none", &["--plan", name]));
        assert!(error.contains(name) && error.contains(part), "{error}");
    }
    assert!(!program.path("none").exists());
}

#[test]
fn transfers_that_cannot_be_are_named_and_leave_nothing() {
    let program = with_source();
    program.succeed(&arguments(&["inverted-pendulum-swingup"], "stranger", &["--steps", "1000", "--seed", "1"]));
    let cases: [(i32, &[&str], &str); 13] = [
        (2, &["--universal", "source", "--reward-from", "stranger"], "does not share the target's encoder"),
        (2, &["--universal", "source", "--any-encoder"], "needs --universal RUN and --reward-from RUN"),
        (2, &["--universal", "source", "--from", "source"], "write a plan file"),
        (2, &["--reward-from", "source"], "--universal RUN"),
        (2, &["--universal", "source", "--reward-from", "source", "--reward-from", "source"], "twice"),
        (2, &["--fraction", "0.3"], "--from RUN"),
        (2, &["--plan", "full"], "--from RUN"),
        (2, &["--from", "source", "--plan", "full", "--fraction", "0.5"], "does not have a rule with a fraction"),
        (2, &["--from", "source", "--plan", "papr"], "did you mean \"paper\"?"),
        (2, &["--from", "source", "--plan", "fine-tune"], "differ in action size (1 and 3)"),
        (2, &["--from", "source", "--set", "agent.depth=3"], "does not match world_model.encoder.h1"),
        (5, &["--from", "nowhere"], "nowhere cannot be read"),
        (5, &["--from", "source/checkpoints"], "is not the file of an agent"),
    ];
    for (code, more, part) in cases {
        let error = program.fail(code, &arguments(&["hopper"], "run", more));
        assert!(error.contains(part), "{part}: {error}");
    }
    let plan = ["transfer", "plan", "hopper", "--preset", "smoke"];
    let error = program.fail(2, &plan);
    assert!(error.contains("nothing to transfer"), "{error}");
    let asked = ["--universal", "source", "--reward-from", "stranger", "--any-encoder"];
    assert!(program.succeed(&[&plan[..], &asked].concat()).contains("meta-model over stranger"));
    program.truncate("source/checkpoints/0000001000/agent.safetensors");
    let error = program.fail(5, &arguments(&["hopper"], "run", &["--from", "source"]));
    assert!(error.contains("is damaged") && error.contains("0000001000"), "{error}");
    assert_eq!(program.names("."), ["source", "stranger"]);
}

#[test]
fn an_interrupted_start_does_no_harm() {
    let program = with_source();
    let transfer = ["--from", "source", "--steps", "1000"];
    program.succeed(&arguments(&["hopper"], "whole", &transfer));
    // Stopped before the configuration was written: the record of this start is not that of the next.
    std::fs::create_dir(program.path("run")).unwrap();
    for name in ["transfer.json", "transfer.toml"] {
        std::fs::copy(program.path("whole").join(name), program.path("run").join(name)).unwrap();
    }
    program.succeed(&arguments(&["hopper"], "run", &["--steps", "1000"]));
    assert!(!program.path("run/transfer.json").exists() && !program.path("run/transfer.toml").exists());
    // Stopped before the first checkpoint: the record contains the transfer.
    std::fs::create_dir(program.path("early")).unwrap();
    for name in ["config.toml", "transfer.json", "transfer.toml"] {
        std::fs::copy(program.path("whole").join(name), program.path("early").join(name)).unwrap();
    }
    program.succeed(&arguments(&["hopper"], "early", &transfer));
    assert_eq!(outcomes(&program.path("early")), outcomes(&program.path("whole")));
    // A plan of the user's is not written over.
    std::fs::create_dir(program.path("mine")).unwrap();
    std::fs::write(program.path("mine/transfer.toml"), "format = 1\n").unwrap();
    let error = program.fail(4, &arguments(&["hopper"], "mine", &transfer));
    assert!(error.contains("transfer.toml"), "{error}");
}

#[test]
fn agents_are_ranked_before_anything_is_trained() {
    let program = Program::new();
    program.succeed(&["train", "hopper", "--preset", "smoke", "--steps", "1000", "--logdir", "hopper"]);
    program.succeed(&["train", "ant", "--preset", "smoke", "--steps", "1000", "--logdir", "ant"]);
    let words = ["transfer", "rank", "hopper", "--from", "ant", "--target", "hopper", "--episodes", "2"];
    let table = program.succeed(&words);
    for part in [
        "target   hopper (3 action elements), 2 episodes of random actions",
        "8 (padded)",
        "(control) hopper",
        "untrained",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let json = program.succeed(&[&words[..], &["--json", "--plan", "ranked.toml"]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["rows"].as_array().unwrap().len(), 3);
    assert_eq!(json["mean_return"].as_f64().unwrap(), json_of(&program, &words)["mean_return"].as_f64().unwrap());
    let trained =
        program.succeed(&["train", "hopper", "--preset", "smoke", "--steps", "1000", "--plan", "ranked.toml"]);
    assert!(trained.contains("ant"), "{trained}");
    // The run has a single episode: the rewards of one cannot be predicted from others.
    let error = program.fail(2, &["transfer", "rank", "ant", "--from", "ant", "--episodes-of", "ant"]);
    assert!(error.contains("at least 2 episodes of ant, but ant has 1 episode;"), "{error}");
    assert!(program.fail(2, &[&words[..], &["--plan", "ranked.toml"]].concat()).contains("exists"));
    assert!(program.fail(5, &["transfer", "rank", "hopper", "--from", "nowhere"]).contains("nowhere"));
    assert!(program.fail(2, &["transfer", "rank", "hoper", "--from", "ant"]).contains("\"hopper\""));
    assert_eq!(program.run(&["transfer", "rank", "hopper"]).code, Some(2));
    assert_eq!(program.run(&["transfer", "rank", "hopper", "--from", "ant", "--episodes", "1"]).code, Some(2));
}

fn json_of(program: &Program, words: &[&str]) -> Value {
    serde_json::from_str(&program.succeed(&[words, &["--json"]].concat())).unwrap()
}

/// A run of the single pendulum in `folder` that starts with `more`, and learns nothing if it `stays`.
fn pendulum(program: &Program, folder: &str, seed: &str, stays: bool, more: &[&str]) {
    let stay = ["--set", "schedule.pretrain_updates=0", "--set", "schedule.train_updates=0"];
    let stay = if stays { &stay[..] } else { &[] };
    let all = [&["--steps", "1000", "--seed", seed], stay, more].concat();
    program.succeed(&arguments(&["inverted-pendulum-swingup"], folder, &all));
}

#[test]
fn a_soup_is_the_mean_of_descendants_of_one_agent() {
    let program = with_source();
    for (child, seed) in [("one", "1"), ("two", "2")] {
        pendulum(&program, child, seed, false, &["--from", "source", "--plan", "fine-tune"]);
    }
    let soup = ["--from", "one", "--from", "two", "--plan", "soup"];
    let plan = ["transfer", "plan", "inverted-pendulum-swingup", "--preset", "smoke"];
    let text = program.succeed(&[&plan[..], &soup].concat());
    assert!(
        text.contains("the built-in plan soup") && text.contains("0.500 one + 0.500 two") && text.contains("soup  "),
        "{text}"
    );
    pendulum(&program, "mean", "3", true, &soup);
    let numbers = |run: &str| -> BTreeMap<String, Vec<f32>> {
        let of =
            |bytes: Vec<u8>| bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
        let all = tensors(&newest(&program, run)).into_iter();
        let parameters =
            all.filter(|(name, _)| ["world_model.", "actor.", "value."].iter().any(|start| name.starts_with(start)));
        parameters.map(|(name, bytes)| (name, of(bytes))).collect()
    };
    let [one, two, mean] = ["one", "two", "mean"].map(numbers);
    assert!(mean.len() > 20 && one != two);
    for (name, values) in &mean {
        let pairs = one[name].iter().zip(&two[name]);
        let expected: Vec<f32> = pairs.map(|(a, b)| ((f64::from(*a) + f64::from(*b)) / 2.0) as f32).collect();
        assert_eq!(*values, expected, "{name}");
    }
    // A child and its parent are of one agent, and so are soups of children.
    pendulum(&program, "trained", "5", false, &soup);
    pendulum(&program, "again", "4", true, &["--from", "source", "--from", "trained", "--plan", "soup"]);
    // The run resumes like any other.
    let all = [
        &[
            "--steps",
            "1000",
            "--seed",
            "3",
            "--set",
            "schedule.pretrain_updates=0",
            "--set",
            "schedule.train_updates=0",
        ][..],
        &soup,
    ];
    let text = program.succeed(&arguments(&["inverted-pendulum-swingup"], "mean", &all.concat()));
    assert!(text.contains("already finished"), "{text}");
}

#[test]
fn a_soup_of_strangers_is_refused() {
    let program = with_source();
    pendulum(&program, "child", "1", false, &["--from", "source", "--plan", "fine-tune"]);
    pendulum(&program, "stranger", "2", false, &[]);
    pendulum(&program, "part", "3", false, &["--from", "source"]);
    let train = |more: &[&str]| {
        arguments(&["inverted-pendulum-swingup"], "run", &[&["--steps", "1000"], more].concat())
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let error = program.fail(2, &train(&["--from", "child", "--from", "stranger", "--plan", "soup"]));
    for part in [
        "rule 1 (line 5) of the built-in plan soup makes a soup of strangers: world_model.encoder.h1.kernel of child and of stranger does \
         not descend from one agent",
        "child: it began at random in ",
        "source; stranger: it began at random in ",
        "stranger), so their mean would mean nothing; make a soup of agents that started from one agent in full",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    // The plan `paper` leaves some parameters random.
    let error = program.fail(2, &train(&["--from", "child", "--from", "part", "--plan", "soup"]));
    assert!(error.contains(" of child and of part does not descend from one agent"), "{error}");
    assert!(error.contains("part: it was not copied in full when "), "{error}");
    let text = "format = 1\n[sources]\na = \"child\"\nb = \"part\"\n\
                [[rule]]\nmatch = [\"world_model.encoder.**\", \"world_model.decoder.**\"]\ntake = \"soup\"\nsources = { a = 3, b = 1 }\n\
                [[rule]]\nmatch = \"**\"\nrest = true\ntake = \"random\"\n";
    std::fs::write(program.path("layers.toml"), text).unwrap();
    let preview = |plan: &str| {
        ["transfer", "plan", "inverted-pendulum-swingup", "--preset", "smoke", "--plan", plan].map(str::to_owned)
    };
    let table = program.succeed(&preview("layers.toml"));
    assert!(table.contains("0.750 a + 0.250 b") && table.contains("soup"), "{table}");
    // An export does not say where it comes from.
    program.succeed(&["export", "child", "--out", "export"]);
    let error = program.fail(2, &train(&["--from", "source", "--from", "export", "--plan", "soup"]));
    assert!(error.contains("is not in a run folder, so its origin is not recorded"), "{error}");
    for (more, part) in [
        (
            &["--from", "child", "--plan", "soup"][..],
            "a soup is the mean of several agents, and it has only \"source\"; name at least two",
        ),
        (&["--from", "child", "--from", "child", "--plan", "soup"], "--from child is given twice; remove one"),
        (&["--from", "child", "--from", "source", "--plan", "layers.toml"], "names its own sources; remove --from"),
        (
            &["--from", "child", "--from", "source", "--plan", "soup", "--fraction", "0.2"],
            "--fraction cannot be combined",
        ),
    ] {
        let error = program.fail(2, &train(more));
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!program.path("run").exists(), "nothing is written");
}
