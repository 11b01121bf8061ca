//! Arguments and the answers to them.

use crate::program::{Program, smoke};
use std::process::{Command, Stdio};

#[test]
fn without_arguments_help_is_shown() {
    let ended = Program::new().run(&[] as &[&str]);
    assert_eq!(ended.code, Some(2));
    for word in ["train", "eval", "play", "tasks", "COMMAND --help"] {
        assert!(ended.stderr.contains(word), "{word}: {}", ended.stderr);
    }
}

#[test]
fn help_names_every_option_and_the_exit_codes() {
    let program = Program::new();
    let train = program.succeed(&["train", "--help"]);
    // Wherever lines end.
    let train = train.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in ["--preset", "--seed", "--steps", "--logdir", "--config", "--set", "smoke", "runs/TASK", "Exit codes"]
        .into_iter()
        .chain(["--from", "--plan", "--fraction", "--universal", "--reward-from", "the program ends with exit code"])
    {
        assert!(train.contains(word), "{word}: {train}");
    }
    let eval = program.succeed(&["eval", "--help"]);
    for word in ["--episodes", "--seed", "--video", "--json", "--task"] {
        assert!(eval.contains(word), "{word}: {eval}");
    }
    let play = program.succeed(&["play", "--help"]);
    for word in
        ["--policy", "random|zero|RUN", "--episodes", "--seed", "--termination", "fixed|stock", "--video", "--json"]
    {
        assert!(play.contains(word), "{word}: {play}");
    }
    assert!(program.succeed(&["--version"]).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_tasks_are_listed_with_their_action_sizes() {
    let text = Program::new().succeed(&["tasks"]);
    assert!(text.lines().any(|line| line.starts_with("hopper ") && line.contains("3 elements")), "{text}");
    let (tasks, others) = text.split_once("\n\n").unwrap();
    assert_eq!(tasks.lines().count(), 6);
    assert!(others.contains("gymnasium:Pendulum-v1") && others.contains("program:FILE"), "{others}");
}

#[test]
fn an_unknown_task_is_answered_with_the_nearest_and_leaves_nothing() {
    let program = Program::new();
    let error = program.fail(2, &["train", "hoper", "--logdir", "run"]);
    assert!(error.contains("\"hoper\"") && error.contains("\"hopper\""), "{error}");
    let error = program.fail(2, &["train", "hopper", "antt", "--logdir", "run"]);
    assert!(error.contains("\"antt\"") && error.contains("\"ant\""), "{error}");
    let error = program.fail(2, &["train", "hopper", "hopper", "--logdir", "run"]);
    assert!(error.contains("is named twice"), "{error}");
    assert!(program.names(".").is_empty());
}

#[test]
fn settings_that_cannot_be_are_named_with_key_value_and_remedy() {
    let program = Program::new();
    std::fs::write(program.path("my.toml"), "[agent]\nlenght = 3\n").unwrap();
    std::fs::write(program.path("zero.toml"), "[agent]\nbatch = 0\n").unwrap();
    std::fs::write(program.path("broken.toml"), "steps = = 3\n").unwrap();
    let cases: [(&[&str], &[&str]); 17] = [
        (&["--set", "agent.horison=3"], &["\"agent.horison\"", "\"agent.horizon\""]),
        (&["--set", "agent.lambda=3"], &["agent.lambda = 3", "from 0 to 1"]),
        (&["--set", "agent.length=502"], &["agent.length = 502", "from 2 to 501", "longest episode of hopper"]),
        (&["--set", "agent.lambda"], &["the value is missing; write --set agent.lambda=VALUE"]),
        (&["--steps", "lots"], &["steps = \"lots\"", "--steps", "a whole number from 1 to 1000000000000"]),
        (&["--steps", "0"], &["steps = 0 (--steps) is out of range", "a whole number from 1 to 1000000000000"]),
        (&["--config", "zero.toml"], &["agent.batch = 0 (zero.toml, line 2) is out of range", "from 1 to 65536"]),
        (&["--steps", "-5"], &["steps = -5", "whole number"]),
        (&["--seed", "18446744073709551615"], &["--seed", "from 0 to 9223372036854775807"]),
        (&["--set", "agent.reward_sources=[1]"], &["a list of the sizes of reward models"]),
        (&["--set", "task.termination=never"], &["\"never\"", "\"fixed\" or \"stock\""]),
        (&["--set", "steps=5", "--steps", "6"], &["--set steps=5", "--steps 6", "give one of them"]),
        (&["--set", "tasks=ant"], &["--set tasks=ant", "hopper", "give one of them"]),
        (&["--preset", "smoky"], &["\"smoky\"", "\"smoke\""]),
        (&["--config", "my.toml"], &["\"agent.lenght\"", "my.toml", "\"agent.length\""]),
        (&["--config", "broken.toml"], &["broken.toml", "line 1"]),
        (&["--config", "missing.toml"], &["missing.toml", "No such file"]),
    ];
    for (arguments, parts) in cases {
        let arguments: Vec<&str> = ["train", "hopper", "--logdir", "run"].iter().chain(arguments).copied().collect();
        let error = program.fail(2, &arguments);
        assert!(parts.iter().all(|part| error.contains(part)), "{arguments:?}: {error}");
    }
    assert_eq!(program.names("."), ["broken.toml", "my.toml", "zero.toml"]);
}

#[test]
fn a_closed_stdout_is_not_an_error() {
    let program = Program::new();
    for arguments in [["tasks", ""], ["--help", ""], ["train", "--help"]] {
        let arguments: Vec<&str> = arguments.into_iter().filter(|word| !word.is_empty()).collect();
        let mut child = program.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{arguments:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn results_that_cannot_be_written_are_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Program::new().command(&["tasks"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: stdout: "));
}

#[test]
fn shells_complete_commands_options_and_tasks() {
    let program = Program::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = program.succeed(&["completions", shell]);
        for word in ["train", "reward-from", "transfer"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        // The others do not know values.
        assert_eq!(script.contains("half-cheetah"), ["bash", "fish", "zsh"].contains(&shell), "{shell}");
    }
    let ended = program.run(&["completions", "cmd"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("'cmd'") && ended.stderr.contains("fish"), "{ended:?}");
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let program = Program::new();
    program.succeed(&["man", "a/man1"]);
    let names = program.names("a/man1");
    for command in ["", "-train", "-eval", "-play", "-transfer", "-transfer-plan", "-bench", "-tasks", "-completions"] {
        assert!(names.contains(&format!("dreamgraft{command}.1")), "{command}: {names:?}");
    }
    let page = std::fs::read_to_string(program.path("a/man1/dreamgraft-train.1")).unwrap();
    for part in [".TH", "\\-\\-reward\\-from", "Exit codes", "agent.horizon=10"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    std::fs::write(program.path("file"), "").unwrap();
    let error = program.fail(1, &["man", "file"]);
    assert!(error.contains("file"), "{error}");
}

#[test]
fn options_of_other_programs_are_answered_with_those_of_this_one() {
    let program = Program::new();
    for (arguments, tip) in [
        ("train hopper --lr 1e-4", "--set agent.model_learning_rate=1e-4"),
        ("train hopper --batch=4", "tip: the setting agent.batch exists: --set agent.batch=4"),
        ("train hopper --batch-size 4", "tip: the setting agent.batch exists: --set agent.batch=4"),
        ("train hopper --threads 2", "tip: the setting threads exists: --set threads=2"),
        ("train hopper --resume", "the same command resumes a run"),
        ("train hopper --output here", "tip: the run folder is --logdir here"),
        ("train hopper -o here", "tip: the run folder is --logdir"),
        ("train hopper --gpu", "tip: the device is --device cuda"),
        ("train --env hopper", "tip: the task has no option: dreamgraft train hopper"),
        ("eval run --set task.timeout=3", "dreamgraft play TASK --policy RUN --set KEY=VALUE"),
        ("bench --horizon 3", "--set agent.horizon=3"),
        ("hopper", "tip: to train an agent on hopper: dreamgraft train hopper"),
        ("trian hopper", "'train'"),
        ("train hopper --stesp 3", "'--steps'"),
    ] {
        let error = refused(&program, arguments);
        assert!(error.contains(tip) && !error.contains("as a value"), "{arguments}: {error}");
        assert!(!error.contains("'--seed'") && !error.contains("'--preset'"), "{arguments}: {error}");
    }
}

#[test]
fn numbers_of_options_are_refused_with_their_range() {
    let program = Program::new();
    for (arguments, part) in [
        ("study run-one s.toml --index -1", "it must be a whole number from 0 to 1000000"),
        ("study run-one s.toml --index x", "it must be a whole number from 0 to 1000000"),
        ("study run-one s.toml --index 0 --threads -1", "it must be a whole number from 0 to 4096"),
        ("export run --out out --seed -1", "it must be a whole number from 0 to"),
        ("watch --port -1", "it must be a whole number from 0 to 65535"),
        ("watch --port 65536", "it must be a whole number from 0 to 65535"),
    ] {
        let error = refused(&program, arguments);
        assert!(error.contains(part), "{arguments}: {error}");
    }
}

/// The lines of the parser about arguments that it refuses.
fn refused(program: &Program, arguments: &str) -> String {
    let ended = program.run(&arguments.split(' ').collect::<Vec<_>>());
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments}");
    ended.stderr
}

/// The commit that is checked out; `None` outside a clone of the repository, and without git.
fn head() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim_end().to_owned())
    };
    git(&["ls-files", "--error-unmatch", "build.rs"])?;
    git(&["rev-parse", "--short=12", "HEAD"])
}

/// Outside a clone of the repository, neither names a commit.
#[test]
fn a_run_names_the_commit_that_the_version_names() {
    let program = Program::new();
    let version = program.succeed(&["--version"]);
    let commit = version.split_once("(commit ").map(|(_, rest)| rest.trim_end().trim_end_matches(')').to_owned());
    assert_eq!(commit, head(), "{version}");
    program.succeed(&smoke(&[]));
    let config = std::fs::read_to_string(program.path("run/config.toml")).unwrap();
    let recorded = config.lines().find_map(|line| line.strip_prefix("commit = "));
    assert_eq!(recorded, commit.map(|commit| format!("\"{commit}\"")).as_deref(), "{version}");
}

#[test]
fn help_can_be_asked_for_twice() {
    let program = Program::new();
    assert!(program.succeed(&["help", "--help"]).contains("Commands:"));
    assert!(program.succeed(&["help", "--version"]).contains(env!("CARGO_PKG_VERSION")));
    assert!(program.succeed(&["transfer", "help", "--help"]).contains("rank"));
    assert!(program.succeed(&["help", "train", "--help"]).contains("--steps"));
    let play = program.succeed(&["play", "--help"]);
    assert!(play.contains("Write the last episode as a GIF") && !play.contains("FILE-TASK.gif"), "{play}");
    assert!(program.succeed(&["eval", "--help"]).contains("FILE-TASK.gif"));
}
