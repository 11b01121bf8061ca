//! Messages about commands that cannot be carried out: before the work, with the place, and with the next step.

use crate::program::{Program, smoke};
use std::path::Path;

#[test]
fn places_for_results_are_checked_before_the_work() {
    let program = Program::new();
    std::fs::write(program.path("file"), "").unwrap();
    std::fs::create_dir(program.path("folder.gif")).unwrap();
    for video in ["none/a.gif", "file/a.gif", "folder.gif"] {
        let ended = program.run(&["play", "hopper", "--episodes", "100", "--video", video]);
        assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{ended:?}");
        assert!(ended.stderr.contains(video), "{ended:?}");
    }
    std::fs::create_dir(program.path("runs")).unwrap();
    let error = program.fail(1, &["study", "report", "runs", "--out", "file/report"]);
    assert!(error.contains("file/report"), "{error}");
    assert_eq!(program.names("."), ["file", "folder.gif", "runs"]);
}

#[test]
fn names_are_suggested_only_if_they_are_near() {
    let program = Program::new();
    for (words, part) in [
        (&["play", "hoper"][..], "did you mean \"hopper\"?"),
        (&["train", "hopper", "--preset", "smole"], "did you mean \"smoke\"?"),
        (&["train", "hopper", "--plan", "finetune"], "did you mean \"fine-tune\"?"),
        (&["transfer", "preset", "papr"], "did you mean \"paper\"?"),
    ] {
        let error = program.fail(2, words);
        assert!(error.contains(part), "{error}");
    }
    let error = program.fail(2, &["play", "hopper", "--policy", "randm"]);
    assert!(error.contains("did you mean \"random\"?"), "{error}");
    for words in [
        &["play", "Xyzzy"][..],
        &["train", "hopper", "--preset", "xyzzy"],
        &["train", "hopper", "--plan", "my"],
        &["train", "hopper", "--set", "foo=3"],
        &["play", "hopper", "--policy", "runs/hopper/small/0"],
    ] {
        let ended = program.run(words);
        assert!(!ended.stderr.contains("did you mean") && !ended.stderr.contains("nearest"), "{ended:?}");
    }
}

#[test]
fn a_forgotten_preset_is_recognised() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    for words in [&["train", "hopper", "--from", "run"][..], &["transfer", "plan", "hopper", "--from", "run"]] {
        let error = program.fail(2, words);
        assert!(error.contains("give --preset smoke"), "{error}");
    }
    program.succeed(&["export", "run", "--out", "export", "--episodes", "1"]);
    let error = program.fail(2, &["train", "hopper", "--from", "export"]);
    assert!(error.contains("give --preset smoke"), "{error}");
    assert!(!program.path("runs").exists());
}

#[test]
fn a_printed_plan_can_be_used() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    for preset in ["paper", "full", "encoder-only", "fine-tune", "universal"] {
        std::fs::write(program.path("my.toml"), program.succeed(&["transfer", "preset", preset])).unwrap();
        let words = ["transfer", "plan", "inverted-pendulum-swingup", "--preset", "smoke", "--from", "run", "--plan"];
        let tables = [preset, "my.toml"].map(|plan| program.succeed(&[&words[..], &[plan]].concat()));
        let numbers = tables.map(|table| table.lines().filter(|line| line.contains("world_model")).count());
        assert_eq!(numbers[0], numbers[1]);
    }
}

#[test]
fn no_message_names_a_file_of_the_sources() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let help = crates.join("dreamgraft/src/args");
    for path in crate::safety::sources(&crates).into_iter().filter(|path| path.iter().any(|part| part == "src")) {
        let code = std::fs::read_to_string(&path).unwrap();
        let code = code.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().map(str::trim_start) {
            let is_shown = !line.starts_with("//") || line.starts_with("/// ") && path.starts_with(&help);
            assert!(!(is_shown && line.contains("docs/")), "{}: {line}", path.display());
        }
    }
}

#[test]
fn a_run_folder_whose_files_were_cut_says_which() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "2000"]));
    let config = std::fs::read_to_string(program.path("run/config.toml")).unwrap();
    for text in ["", &config[..config.find("tasks").unwrap()], &config[..300]] {
        std::fs::write(program.path("run/config.toml"), text).unwrap();
        for words in [smoke(&["--steps", "2000"]), vec!["eval", "run"]] {
            let error = program.fail(4, &words);
            assert!(error.starts_with("run/config.toml") && error.contains("restore it"), "{error}");
        }
    }
    std::fs::write(program.path("run/config.toml"), config).unwrap();
    let metrics = std::fs::read_to_string(program.path("run/metrics.jsonl")).unwrap();
    let first = metrics.lines().next().unwrap().to_owned() + "\n";
    for cut in [Some(first), Some(String::new()), None] {
        match &cut {
            Some(text) => std::fs::write(program.path("run/metrics.jsonl"), text).unwrap(),
            None => std::fs::remove_file(program.path("run/metrics.jsonl")).unwrap(),
        }
        // It is finished for all of them, and both messages name the missing argument.
        let text = program.succeed(&smoke(&["--steps", "2000"]));
        assert!(text.contains("already finished") && text.contains("the file was shortened"), "{text}");
        let text = program.succeed(&["study", "report", "run"]);
        assert!(text.contains("all finished") && text.contains("lines were cut or removed"), "{text}");
    }
}

const STUDY: &str = "name = \"s\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [0]\ntasks = [\"hopper\"]\n\
    [combination.pair]\nhopper = [\"ant\", \"walker2d\"]\n\
    [[source]]\nname = \"idle\"\ntasks = [\"ant\"]\nsteps = 1000\n[[method]]\nkind = \"baseline\"\n";

#[test]
fn what_a_study_does_not_use_and_edits_of_its_files_are_noted() {
    let program = Program::new();
    std::fs::write(program.path("s.toml"), STUDY).unwrap();
    let plan = program.succeed(&["study", "plan", "s.toml"]);
    assert!(plan.contains("no method uses the source \"idle\""), "{plan}");
    assert!(plan.contains("no source uses the combination \"pair\""), "{plan}");
    let text = program.succeed(&["study", "run", "s.toml", "--jobs", "2"]);
    assert!(text.contains("note: no method uses the source \"idle\""), "{text}");
    program.succeed(&["study", "report", "s.toml"]);
    std::fs::write(program.path("s.toml"), STUDY.replace("seeds = [0]", "seeds = [0, 1]")).unwrap();
    let note = "was created from another version of s.toml";
    assert!(program.succeed(&["study", "plan", "s.toml"]).contains(note));
    let ended = program.run(&["study", "report", "s.toml"]);
    assert!(ended.code == Some(0) && ended.stderr.contains(note), "{ended:?}");
    assert!(program.fail(4, &["study", "run", "s.toml"]).contains("was created from a different version"));
    // The first line of the manifest counts as well.
    std::fs::write(program.path("s.toml"), STUDY).unwrap();
    let manifest = program.path("studies/s/manifest.jsonl");
    let text = std::fs::read_to_string(&manifest).unwrap().replacen("\"study\":\"s\"", "\"study\":\"t\"", 1);
    std::fs::write(&manifest, text).unwrap();
    assert!(program.succeed(&["study", "plan", "s.toml"]).contains(note));
}

#[test]
fn files_that_are_missing_are_errors_of_what_was_typed() {
    let program = Program::new();
    for words in [
        &["study", "plan", "none"][..],
        &["study", "run", "none"],
        &["study", "status", "none"],
        &["study", "report", "none"],
        &["study", "run-one", "none", "--index", "0"],
        &["watch", "none"],
        &["train", "hopper", "--config", "none"],
        &["train", "hopper", "--plan", "none"],
        &["train", "hopper", "--from", "none"],
        &["transfer", "plan", "hopper", "--from", "none"],
        &["eval", "none"],
        &["play", "hopper", "--policy", "none"],
        &["episodes", "add", "none", "none"],
    ] {
        let ended = program.run(words);
        // A path that should be an agent has an exit code of its own.
        let code = if words[0] == "eval" || words.contains(&"--from") { 5 } else { 2 };
        assert!(ended.code == Some(code) && ended.stderr.contains("none"), "{words:?}: {ended:?}");
    }
    assert!(program.names(".").is_empty());
}

#[test]
fn numbers_that_are_too_large_are_said_to_be() {
    let program = Program::new();
    for steps in ["1e30", "99999999999999999999", "1e400"] {
        let error = program.fail(2, &["train", "hopper", "--steps", steps]);
        assert!(error.contains("it must be a whole number from 1 to 1000000000000"), "{steps}: {error}");
    }
}

#[test]
fn what_new_users_type_first_is_answered_with_what_they_meant() {
    let program = Program::new();
    program.succeed(&["train", "hopper", "--preset", "smoke", "--steps", "1000", "--logdir", "run"]);
    std::fs::create_dir(program.path("empty")).unwrap();
    std::fs::write(program.path("file"), "no folder").unwrap();
    std::fs::write(program.path("plan.toml"), "bad").unwrap();
    let study = "name = \"s\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [0]\ntasks = [\"hopper\"]\n\n[[method]]\nkind = \"plan\"\n\
                 file = \"plan.toml\"\n";
    std::fs::write(program.path("s.toml"), study).unwrap();
    for (code, arguments, part) in [
        (2, "train Pendulum-v1", "did you mean \"gymnasium:Pendulum-v1\"?"),
        (2, "train hopper+ant", "did you mean \"hopper ant\"?"),
        (2, "train hopper hopper", "hopper is named twice"),
        (2, "play hopper --set task.arguments.g=9", "task.arguments.g has no effect on hopper"),
        (2, "train hopper --set task.arguments.g=9", "task.arguments.g has no effect on hopper"),
        (2, "train hopper --set agent.vector=5", "set task.observe to image, vector or both instead"),
        (2, "train hopper --set task.frame_limit=5", "has 5 frames, 2 for each action"),
        (2, "play hopper --set frame_limit=5", "task.frame_limit=200"),
        (2, "eval run --episodes 0", "it must be a whole number from 1 to 1000000"),
        (2, "eval run --episodes -1", "it must be a whole number from 1 to 1000000"),
        (2, "train hopper --from run --fraction 20%", "it must be a number from 0 to 1"),
        (2, "train hopper --from run --fraction 1.5", "it must be a number from 0 to 1"),
        (2, "transfer rank hopper --from run --episodes-of run --set task.observe=vector", "observes images"),
        (2, "transfer rank ant --from run --episodes-of run", "run has no episodes of ant, because it learns hopper"),
        (2, "episodes add run file --task ant", "--task ant: this run learns hopper"),
        (1, "episodes add run file", "file cannot be added: it cannot be read as an episode"),
        (2, "episodes add nothing file", "nothing does not exist"),
        (4, "episodes add empty file", "empty is not a run folder: it has no config.toml"),
        (5, "eval empty", "`dreamgraft inspect FOLDER` lists the runs in a folder"),
        (4, "train hopper --logdir file", "it is a file, or lies below one, and not a folder"),
        (4, "study status empty", "empty is not the folder of a study"),
        (2, "play hopper --policy best", "--policy \"best\" is neither random nor zero nor a path that exists"),
        (5, "play hopper --policy runs/best", "runs/best does not exist"),
        (2, "play hopper --set task.frame_limit", "the value is missing; write --set task.frame_limit=VALUE"),
        (2, "train hopper --set task.arguments=3", "for example \"task.arguments.g=9.81\""),
        (2, "train gymnasium/Pendulum-v1", "did you mean \"gymnasium:Pendulum-v1\"?"),
        (2, "train gym:Pendulum-v1", "did you mean \"gymnasium:Pendulum-v1\"?"),
        (2, "study plan nothing.toml", "nothing.toml: it does not exist; check its path"),
        (2, "study plan empty", "empty: this is a folder"),
        (2, "study plan s.toml", "s.toml (line 9), method 1, file"),
    ] {
        let ended = program.run(&arguments.split(' ').collect::<Vec<_>>());
        assert!(ended.code == Some(code) && ended.stderr.contains(part), "{arguments}: {ended:?}");
    }
}

#[test]
fn folders_near_a_run_are_answered_with_the_run() {
    let program = Program::new();
    program.succeed(&["train", "hopper", "--preset", "smoke", "--steps", "1000"]);
    for (folder, part) in [
        ("runs/hopper/smok/0", "runs/hopper/smok/0 does not exist; did you mean runs/hopper/smoke/0?"),
        ("runs/hoper/smoke/0", "did you mean runs/hopper/smoke/0?"),
        ("runs/hopper/smoke/7", "give a run folder, for example"),
        ("runs/hopper/smoke", "a folder with runs in it; give one of them, such as runs/hopper/smoke/0"),
        ("runs", "a folder with runs in it; give one of them, such as runs/hopper/smoke/0"),
    ] {
        let error = program.fail(5, &["eval", folder]);
        assert!(error.contains(part), "{folder}: {error}");
    }
}

#[test]
fn what_stands_in_the_way_in_a_run_folder_is_an_error_of_the_folder() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    let metrics = std::fs::read_to_string(program.path("run/metrics.jsonl")).unwrap();
    std::fs::write(program.path("run/metrics.jsonl"), format!("garbage\n{metrics}")).unwrap();
    let error = program.fail(4, &smoke(&["--steps", "2000"]));
    let part =
        "line 1 of run/metrics.jsonl is not JSON (\"garbage\"); remove this line, or move the file out of the folder";
    assert!(error.contains(part), "{error}");
    let printed = program.succeed(&["inspect", "run"]);
    assert!(printed.lines().any(|line| line.starts_with("best return   -")), "{printed}");
    assert!(printed.contains("run/metrics.jsonl: line 1: not metrics, ignored"), "{printed}");
    std::fs::write(program.path("run/metrics.jsonl"), metrics).unwrap();
    for (name, part) in [
        ("videos", "run/videos is a file, but a run needs a folder there; move it away"),
        ("checkpoints", "run/checkpoints is a file, but a run needs a folder there; move it away"),
        ("run.lock", "run/run.lock is a folder, but a run needs a file there; move it away"),
    ] {
        let (path, aside) = (program.path("run").join(name), program.path("aside"));
        std::fs::rename(&path, &aside).unwrap();
        if name == "run.lock" {
            std::fs::create_dir(&path).unwrap()
        } else {
            std::fs::write(&path, "").unwrap()
        }
        let error = program.fail(4, &smoke(&["--steps", "2000"]));
        assert!(error.contains(part), "{error}");
        if name == "run.lock" {
            std::fs::remove_dir(&path).unwrap()
        } else {
            std::fs::remove_file(&path).unwrap()
        }
        std::fs::rename(&aside, &path).unwrap();
    }
    std::fs::remove_file(program.path("run/config.toml")).unwrap();
    for words in [smoke(&["--steps", "2000"]), vec!["eval", "run"], vec!["episodes", "add", "run", "file"]] {
        let error = program.fail(4, &words);
        assert!(error.contains("no config.toml"), "{error}");
    }
}

#[test]
fn a_longer_prefill_than_the_run_is_noted() {
    let program = Program::new();
    let words = ["--preset", "smoke", "--steps", "1000", "--set", "schedule.prefill_frames=2000"];
    let out = program.succeed(&[&["train", "hopper"][..], &words].concat());
    assert!(out.contains("take 2 000 frames (schedule.prefill_frames, for each task), more than the 1 000"), "{out}");
}
