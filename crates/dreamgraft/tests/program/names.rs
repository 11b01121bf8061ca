//! Files with names that are not text, or that a terminal would obey, and files that are pipes and devices.

use crate::program::{Program, smoke};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Names that are not UTF-8, that end a line, that colour a terminal (in two ways), and that turn the direction of
/// letters round.
const NAMES: [&[u8]; 5] = [b"a\xffb", b"a\nb", b"a\x1b[31mb", "a\u{9b}31mb".as_bytes(), "a\u{202e}b".as_bytes()];

/// Words, the last of which is a path of any bytes.
fn words(text: &[&str], last: &Path) -> Vec<OsString> {
    text.iter().map(OsString::from).chain([last.as_os_str().to_owned()]).collect()
}

/// Checks that nothing in a text is obeyed by a terminal.
fn clean(text: &str) {
    let is_obeyed = |letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}';
    assert!(!text.chars().any(is_obeyed), "{text:?}");
}

#[test]
fn sources_may_have_any_name() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    for name in NAMES {
        let path = program.path("").join(OsStr::from_bytes(name));
        std::fs::rename(program.path("run"), &path).unwrap();
        let relative = Path::new(OsStr::from_bytes(name));
        let mut outputs = Vec::new();
        for text in [
            &["transfer", "plan", "hopper", "--preset", "smoke", "--from"][..],
            &["transfer", "plan", "hopper", "--preset", "smoke", "--json", "--from"],
            &["train", "hopper", "--preset", "smoke", "--steps", "1000", "--logdir", "target", "--from"],
            // Once more: the recorded source is compared with this one.
            &["train", "hopper", "--preset", "smoke", "--steps", "1000", "--logdir", "target", "--from"],
            &["eval", "--episodes", "1"],
            &["study", "report"],
        ] {
            outputs.push(program.succeed(&words(text, relative)));
        }
        outputs.push(program.run(&words(&["study", "status"], relative)).stderr);
        outputs.push(program.run(&words(&["study", "run"], relative)).stderr);
        outputs.push(program.run(&words(&["play", "walker2d", "--policy"], relative)).stderr);
        outputs.iter().for_each(|text| clean(text));
        // The folder may be the one that the program works in.
        let inside = program.path("").join(relative).join("inside");
        std::fs::create_dir(&inside).unwrap();
        let mut command = program.command(&["train", "hopper", "--preset", "smoke", "--steps", "1000", "--from", ".."]);
        let output = command.current_dir(&inside).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let mut command = program.command(&["study", "report", "runs"]);
        assert!(command.current_dir(&inside).output().unwrap().status.success());
        std::fs::remove_dir_all(inside).unwrap();
        std::fs::remove_dir_all(program.path("target")).unwrap();
        std::fs::rename(path, program.path("run")).unwrap();
    }
}

#[test]
fn json_names_runs_by_any_name() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    for name in ["a\u{1b}b", "a\u{9b}b", "a\u{202e}b", "a\nb", "a\"b"] {
        std::fs::rename(program.path("run"), program.path(name)).unwrap();
        let text = program.succeed(&["inspect", "--json", name]);
        clean(&text);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(value["agent"], format!("{name}/checkpoints/0000001000"));
        std::fs::rename(program.path(name), program.path("run")).unwrap();
    }
}

#[test]
fn what_is_typed_may_be_anything() {
    let program = Program::new();
    for name in NAMES {
        let name = Path::new(OsStr::from_bytes(name));
        for text in [
            &["train"][..],
            &["train", "hopper", "--preset"],
            &["train", "hopper", "--config"],
            &["train", "hopper", "--set"],
            &["train", "hopper", "--from"],
            &["train", "hopper", "--plan"],
            &["train", "hopper", "--universal", "x", "--reward-from"],
            &["eval"],
            &["play", "hopper", "--policy"],
            &["play"],
            &["study", "plan"],
            &["study", "report"],
            &["study", "status"],
            &["watch"],
            &["watch", "--port"],
            &["completions"],
            &["--"],
        ] {
            let ended = program.run(&words(text, name));
            assert_ne!(ended.code, Some(0), "{text:?}");
            clean(&ended.stderr);
        }
    }
    assert!(program.names(".").is_empty());
}

#[test]
fn a_plan_may_have_any_path() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    let plan = program.succeed(&["transfer", "preset", "full"]);
    for name in NAMES {
        let relative = Path::new(OsStr::from_bytes(name));
        let words = |path: &Path| {
            let text = ["transfer", "plan", "hopper", "--preset", "smoke", "--from", "run", "--plan"];
            words(&text, path)
        };
        let error = program.fail(2, &words(relative));
        assert!(error.contains("is neither a built-in plan nor an existing file"), "{error}");
        std::fs::write(program.path("").join(relative), &plan).unwrap();
        assert!(program.succeed(&words(relative)).contains("full"));
        let text = ["train", "hopper", "--preset", "smoke", "--steps", "1000", "--from", "run", "--plan"];
        program.succeed(&self::words(&text, relative));
    }
}

#[test]
fn text_that_is_not_utf_8_is_named_with_its_argument() {
    let program = Program::new();
    let word = Path::new(OsStr::from_bytes(b"a\xffb"));
    for (text, part) in [
        (&["train"][..], "the argument $'a\\377b' is not UTF-8"),
        (&["train", "--wait"], "the argument $'a\\377b' is not UTF-8"),
        (&["train", "hopper", "--preset"], "--preset $'a\\377b' is not UTF-8"),
        (&["train", "hopper", "--set"], "--set $'a\\377b' is not UTF-8"),
        (&["transfer", "preset"], "the argument $'a\\377b' is not UTF-8"),
        (&["study", "report", "x", "--baseline"], "--baseline $'a\\377b' is not UTF-8"),
    ] {
        let error = refused(&program, &words(text, word));
        assert!(error.contains(part), "{text:?}: {error}");
    }
    // A path may be anything, and is not the word that is refused.
    let mut both = words(&["train", "hopper", "--logdir"], word);
    both.extend([OsString::from("--seed"), OsStr::from_bytes(b"\xfe").to_owned()]);
    let error = refused(&program, &both);
    assert!(error.contains("--seed $'\\376' is not UTF-8"), "{error}");
    let error = refused(&program, &words(&["train", "hopper"], Path::new(OsStr::from_bytes(b"--set=a\xff"))));
    assert!(error.contains("$'--set=a\\377' is not UTF-8"), "{error}");
}

/// The message of arguments that are refused, which the usage may follow.
fn refused(program: &Program, words: &[OsString]) -> String {
    let ended = program.run(words);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    ended.stderr
}

#[test]
fn a_run_folder_that_is_a_link_to_nowhere_is_named() {
    let program = Program::new();
    symlink("itself", program.path("itself")).unwrap();
    symlink("missing", program.path("dangling")).unwrap();
    for (folder, target) in [("itself", "itself"), ("itself/run", "itself"), ("dangling", "missing")] {
        let error = program.fail(1, &["train", "hopper", "--preset", "smoke", "--logdir", folder]);
        assert!(error.contains(&format!("is a link to {target}, which cannot be followed")), "{folder}: {error}");
    }
    assert_eq!(program.names("."), ["dangling", "itself"]);
}

#[test]
fn hints_can_be_typed_again() {
    let program = Program::new();
    for folder in ["--logdir=my runs/it's", "--logdir=-x", "--logdir=--"] {
        let text = program.succeed(&["train", "hopper", "--preset", "smoke", "--steps", "1000", folder]);
        let hint = text.lines().last().unwrap().split('`').nth(1).unwrap();
        let output = program.wrapped(&["sh", "-c", &hint.replacen("dreamgraft", "\"$0\"", 1)], &[]).output().unwrap();
        assert!(output.status.success(), "{hint}: {output:?}");
    }
}

#[test]
fn a_run_folder_whose_files_would_have_too_long_paths_is_refused_before_the_run() {
    let program = Program::new();
    let deep = "abcdefghi/".repeat(395);
    let error = program.fail(1, &["train", "hopper", "--preset", "smoke", "--steps", "1000", "--logdir", &deep]);
    assert!(error.contains("cannot write to the run folder") && error.contains("--logdir"), "{error}");
    assert!(program.names(".").is_empty());
}

#[test]
fn pipes_and_devices_are_read_as_far_as_they_go() {
    let program = Program::new();
    let words =
        ["train", "hopper", "--preset", "smoke", "--steps", "1000", "--logdir", "run", "--config", "/dev/stdin"];
    let script = "echo 'seed = 7' | \"$0\" \"$@\"";
    let output = program.wrapped(&["sh", "-c", script], &words).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(std::fs::read_to_string(program.path("run/config.toml")).unwrap().contains("seed = 7"));
    for device in ["/dev/zero", "/dev/full"] {
        for text in [&["train", "hopper", "--config"][..], &["train", "hopper", "--plan"], &["study", "run"]] {
            let error = program.fail(2, &words_of(text, device));
            assert!(error.contains(device) && error.contains("bytes"), "{error}");
        }
        for text in [&["eval"][..], &["train", "hopper", "--from"]] {
            assert_eq!(program.run(&words_of(text, device)).code, Some(5));
        }
    }
}

fn words_of<'a>(text: &[&'a str], last: &'a str) -> Vec<&'a str> {
    text.iter().copied().chain([last]).collect()
}
