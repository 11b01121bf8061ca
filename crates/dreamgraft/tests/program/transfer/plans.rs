//! Plans, sources and the records of transfers.

use super::{arguments, with_source};
use crate::program::outcomes;
use serde_json::Value;

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
    // A task that the user did not type.
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
    // The run transfers exactly the parameters of the preview.
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
fn a_run_that_began_with_an_earlier_form_of_a_built_in_plan_is_resumed() {
    let program = with_source();
    let train = |steps| arguments(&["hopper"], "run", &["--from", "source", "--steps", steps]);
    program.succeed(&train("1000"));
    // The form from before agents without decoders, and from before learned weights of losses.
    let record = program.path("run/transfer.toml");
    let mut plan = std::fs::read_to_string(&record).unwrap();
    for (now, earlier) in [
        (", \"world_model.projector.*\"]\noptional = true\n", "]\n"),
        ("[[rule]]\nmatch = \"world_model.loss_weights.*\"\noptional = true\ntake = \"random\"\n", ""),
    ] {
        assert!(plan.contains(now), "{plan}");
        plan = plan.replace(now, earlier);
    }
    std::fs::write(&record, &plan).unwrap();
    let resumed = program.succeed(&train("2000"));
    assert!(resumed.contains("resuming at frame 1 000"), "{resumed}");
    // A difference that this agent has is one still.
    std::fs::write(&record, plan.replace("world_model.decoder.**", "world_model.decoder.h1.*")).unwrap();
    let error = program.fail(4, &train("3000"));
    assert!(error.contains("another transfer") && error.contains("world_model.decoder.h1.*"), "{error}");
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
fn a_source_of_another_size_is_told_with_the_size_to_give() {
    let program = with_source();
    let small = ["--steps", "1000", "--set", "agent.size=small"];
    program.succeed(&arguments(&["ant"], "small", &small));
    for (from, size, part) in [
        ("small", None, "small was trained with another size: give --set agent.size=small here, or --plan"),
        ("small", Some("agent.size=1m"), "give --set agent.size=small here instead, or --plan"),
        (
            "source",
            Some("agent.size=1m"),
            "source was trained with another size: leave out --set agent.size, or --plan",
        ),
    ] {
        let size = size.iter().flat_map(|size| ["--set", size]);
        let more: Vec<&str> = ["--from", from].into_iter().chain(size).collect();
        let error = program.fail(2, &arguments(&["hopper"], "run", &more));
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!program.path("run").exists());
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
