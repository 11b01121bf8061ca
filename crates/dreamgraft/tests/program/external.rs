//! External environments, written in Python 3 without any package: everything that can happen between a run and one of
//! them.
//!
//! Tests that need Gymnasium are in `python/tests`.

use crate::program::{Ended, Program, outcomes};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
#[cfg(target_os = "linux")]
use std::time::{Duration, Instant};

/// The environment that `docs/protocol.md` shows.
fn example() -> String {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    let page = std::fs::read_to_string(page).unwrap();
    let code = page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    code.unwrap().to_owned()
}

/// Writes the example, with `find` replaced, as the executable file `dot.py`.
pub fn write_dot(program: &Program, changes: &[(&str, &str)]) {
    let mut text = example();
    for (find, replacement) in changes {
        assert!(text.contains(find), "the example has no {find:?}");
        text = text.replace(find, replacement);
    }
    let path = program.path("dot.py");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    drop(file);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let python = Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(
        python.is_ok_and(|status| status.success()),
        "these tests need python3 (any version 3.8 or later, no package)"
    );
}

/// The words of a short run in the environment.
const TRAIN: [&str; 8] = ["train", "program:./dot.py", "--preset", "smoke", "--steps", "1500", "--logdir", "run"];

/// The line before a step of the example.
const STEP: &str = "            right, down = struct.unpack(\"<2f\", payload)\n";

/// The example in which `instead` happens at step 700 of all, which is after the first checkpoint, in the first process alone.
fn failing(program: &Program, instead: &str) {
    let count = format!(
        "{STEP}            with open('steps', 'a') as counter:\n                counter.write('x')\n            \
         if os.path.getsize('steps') == 1500:\n                {instead}\n"
    );
    write_dot(program, &[("import json\n", "import json\nimport os\nimport signal\n"), (STEP, &count)]);
}

/// A run that was stopped by its environment: one line names the environment, the remaining checkpoint, and how to
/// resume.
fn halted(ended: &Ended, parts: &[&str]) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    // Python may have printed before.
    let line = ended.stderr.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(line.starts_with("error: the external environment program:./dot.py"), "{line}");
    for part in parts
        .iter()
        .chain(&["The run stopped at frame", "is not affected: after fixing the cause, run the same command"])
    {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[test]
fn the_environment_of_the_page_is_trained_in_resumed_bit_for_bit_and_played() {
    let program = Program::new();
    write_dot(&program, &[]);
    let out = program.succeed(&TRAIN);
    assert!(out.contains("finished at frame 1 500"), "{out}");
    let config = std::fs::read_to_string(program.path("run/config.toml")).unwrap();
    assert!(
        config.contains("[made_by.worlds.\"program:./dot.py\"]") && config.contains("repeatable = true"),
        "{config}"
    );
    let whole = outcomes(&program.path("run"));
    std::fs::rename(program.path("run"), program.path("whole")).unwrap();
    // A run that is made longer resumes from its checkpoint and equals an uninterrupted one.
    let mut shorter = TRAIN;
    shorter[5] = "1000";
    program.succeed(&shorter);
    program.succeed(&TRAIN);
    let resumed = outcomes(&program.path("run"));
    assert_eq!((resumed.agent, resumed.episodes), (whole.agent, whole.episodes));
    let played = program.succeed(&["play", "program:./dot.py", "--policy", "run", "--video", "p.gif"]);
    assert!(played.contains("100 frames") && program.path("p.gif").exists(), "{played}");
    let other = program.succeed(&["play", "program:./dot.py", "--set", "task.timeout=5"]);
    assert!(other.contains("1 episode with random actions"), "{other}");
}

#[test]
fn a_default_folder_is_named_after_the_environment() {
    let program = Program::new();
    write_dot(&program, &[]);
    program.succeed(&["train", "program:./dot.py", "--preset", "smoke", "--steps", "1000"]);
    assert!(program.path("runs/program-.-dot.py/smoke/0/config.toml").exists(), "{:?}", program.names("runs"));
    let videos = program.names("runs/program-.-dot.py/smoke/0/videos");
    assert!(videos.iter().any(|name| name.ends_with("-program-.-dot.py.gif")), "{videos:?}");
}

#[test]
fn a_built_in_task_and_an_external_environment_are_learned_together_with_padded_actions() {
    let program = Program::new();
    write_dot(&program, &[]);
    let words = ["train", "program:./dot.py", "hopper", "--preset", "smoke", "--steps", "3500", "--logdir", "both"];
    program.succeed(&words);
    let lines = program.succeed(&["eval", "both", "--episodes", "1"]);
    assert!(lines.contains("program:./dot.py  1 episode") && lines.contains("hopper  1 episode"), "{lines}");
}

#[test]
fn faults_of_an_external_environment_stop_the_run_and_spare_its_checkpoint() {
    for (instead, parts) in [
        ("raise ValueError('boom')", &["ended unexpectedly: it ended with exit code 1", "in step"][..]),
        ("os.kill(os.getpid(), signal.SIGKILL)", &["ended unexpectedly: it was ended by signal 9", "in step"]),
        ("answers.close(); sys.exit(0)", &["ended unexpectedly: it ended with exit code 0"]),
        (
            "sys.__stdout__.write('progress: 10 %\\n'); sys.__stdout__.flush()",
            &["not a message (\"progr\")", "standard error"],
        ),
        (
            "send(ERROR, b'Traceback (most recent call last):\\n  here\\nValueError: boom'); continue",
            &["failed in step", "ValueError: boom"],
        ),
        ("send(OBSERVATION, image(x, y)); continue", &["answered with the message observation instead of outcome"]),
        ("send(OUTCOME, bytes(10 + 3)); continue", &["outcome has 13 bytes instead of 12298", "[64, 64, 3]"]),
        (
            "send(OUTCOME, struct.pack('<fBBI', float('nan'), 0, 0, 1) + image(x, y)); continue",
            &["the reward is NaN: environments must give finite numbers"],
        ),
        (
            "send(OUTCOME, struct.pack('<fBBI', 0, 0, 0, 9) + image(x, y)); continue",
            &["reported 9 frames for the step"],
        ),
    ] {
        let program = Program::new();
        failing(&program, instead);
        let ended = program.run(&TRAIN);
        halted(&ended, parts);
        let left = program.names("run/checkpoints");
        assert_eq!(left, ["0000001000"], "{instead}");
        // The counter is past the step: the same command resumes and finishes.
        program.succeed(&TRAIN);
    }
}

#[test]
fn an_error_with_a_traceback_is_shown_whole() {
    let program = Program::new();
    failing(&program, "send(ERROR, b'Traceback (most recent call last):\\n  line 3\\nValueError: boom'); continue");
    let ended = program.run(&TRAIN);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines[1..], ["", "Traceback (most recent call last):", "  line 3", "ValueError: boom"], "{ended:?}");
}

#[test]
fn an_external_environment_that_hangs_is_not_waited_for_longer_than_the_setting_says() {
    let program = Program::new();
    failing(&program, "signal.pause()");
    let ended = program.run(&[&TRAIN[..], &["--set", "task.timeout=10"]].concat());
    halted(&ended, &["did not answer in step", "within 10 seconds", "task.timeout"]);
    // The time limit does not change results: the same run resumes with another one.
    program.succeed(&TRAIN);
}

#[test]
fn external_environments_that_cannot_be_opened_leave_nothing_behind() {
    let version = ("struct.pack(\"<I\", 1) + json", "struct.pack(\"<I\", 2) + json");
    for (change, parts) in [
        (version, &["while it was opened", "version 2 of the protocol, and this program version 1"][..]),
        (("\"frame_limit\": LIMIT,", ""), &["its info message is not valid: the key frame_limit is missing"]),
        (("\"image\": [64, 64, 3]", "\"image\": [32, 32, 3]"), &["observation.image must be [64, 64, 3]"]),
        (("while len(header", "sys.exit(3)\n    while len(header"), &["it ended with exit code 3 while it was opened"]),
        (("#!/usr/bin/env python3", "#!/no/such/program"), &["cannot be started", "the interpreter in its first line"]),
    ] {
        let program = Program::new();
        write_dot(&program, &[change]);
        let error = program.fail(1, &TRAIN);
        assert!(error.starts_with("the external environment program:./dot.py"), "{error}");
        assert!(parts.iter().all(|part| error.contains(part)), "{parts:?}: {error}");
        assert!(!program.path("run").exists());
    }
}

#[test]
fn programs_that_cannot_be_started_are_told_with_the_reason() {
    let program = Program::new();
    std::fs::create_dir(program.path("folder")).unwrap();
    std::fs::write(program.path("plain.py"), "#!/usr/bin/env python3\n").unwrap();
    std::fs::write(program.path("lost.py"), "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(program.path("lost.py"), std::fs::Permissions::from_mode(0o755)).unwrap();
    for (name, part) in [
        ("program:./nothing", "this file does not exist"),
        ("program:./folder", "it is a folder"),
        ("program:./plain.py", "it is not executable: chmod +x ./plain.py"),
        ("program:./lost.py", "check that the interpreter in its first line (/no/such/interpreter) exists"),
    ] {
        let error = program.fail(1, &["play", name]);
        assert!(error.contains(part), "{name}: {error}");
    }
}

#[test]
fn an_environment_whose_actions_have_changed_is_said_to_have() {
    let program = Program::new();
    write_dot(&program, &[]);
    program.succeed(&["train", "program:./dot.py", "--preset", "smoke", "--steps", "1000", "--logdir", "run"]);
    write_dot(
        &program,
        &[
            ("\"low\": [-1, -1], \"high\": [1, 1]", "\"low\": [-1, -1, -1], \"high\": [1, 1, 1]"),
            ("\"<2f\", payload", "\"<3f\", payload"),
            ("right, down =", "right, down, _ ="),
        ],
    );
    let part =
        "program:./dot.py now has 3 action elements, but the agent of run/checkpoints/0000001000 was trained with 2";
    for words in [&["play", "program:./dot.py", "--policy", "run"][..], &["eval", "run"], &TRAIN] {
        let error = program.fail(5, words);
        assert!(error.contains(part) && error.contains("the environment has changed"), "{words:?}: {error}");
    }
}

#[test]
fn pipes_that_are_typed_into_or_full_are_told_apart() {
    let program = Program::new();
    let mut child = program.command(&["serve", "hopper"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"hello\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains("standard input has \"hello\" where a message of the protocol must begin"), "{error}");
    assert!(!error.contains("its output"), "{error}");
}

#[test]
#[cfg(target_os = "linux")]
fn answers_that_cannot_be_written_are_an_error_of_the_output() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut child = Program::new()
        .command(&["serve", "hopper"])
        .stdin(Stdio::piped())
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A reset of 8 bytes before any hello, which is answered with an error.
    child.stdin.take().unwrap().write_all(&[8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.starts_with("error: cannot write to standard output: "), "{error}");
}

#[test]
fn discrete_actions_are_learned_with_a_one_hot_actor() {
    let program = Program::new();
    let discrete = [
        ("\"continuous\": {\"low\": [-1, -1], \"high\": [1, 1]}", "\"discrete\": 4"),
        ("right, down = struct.unpack(\"<2f\", payload)", "right, down = divmod(struct.unpack(\"<I\", payload)[0], 2)"),
    ];
    write_dot(&program, &discrete);
    program.succeed(&["play", "program:./dot.py"]);
    program.succeed(&TRAIN);
    assert!(std::fs::read_to_string(program.path("run/config.toml")).unwrap().contains("actor = \"one_hot\""));
    assert!(program.succeed(&TRAIN).contains("already finished"), "the same command belongs to the same run");
    program.succeed(&["eval", "run", "--episodes", "1"]);
    let error = program.fail(2, &["train", "hopper", "--preset", "smoke", "--set", "agent.actor=one_hot"]);
    assert!(
        error.starts_with("hopper has continuous actions, but agent.actor = \"one_hot\" produces discrete"),
        "{error}"
    );
    assert!(error.contains("set agent.actor = \"tanh_normal\""), "{error}");
    // No setting helps here, so none is suggested.
    let error = program.fail(2, &["train", "program:./dot.py", "hopper", "--preset", "smoke"]);
    assert!(error.starts_with("program:./dot.py has discrete actions and hopper continuous ones"), "{error}");
    assert!(!error.contains("agent.actor"), "{error}");
}

#[test]
fn an_external_environment_whose_chance_has_another_source_is_said_to_be_not_repeatable() {
    let program = Program::new();
    write_dot(&program, &[("chance.seed(*struct.unpack(\"<Q\", payload))", "chance.seed()")]);
    let out = program.succeed(&TRAIN);
    let notes: Vec<&str> = out.lines().filter(|line| line.contains("is not repeatable")).collect();
    assert_eq!(notes.len(), 1, "{out}");
    let config = std::fs::read_to_string(program.path("run/config.toml")).unwrap();
    assert!(config.contains("repeatable = false"), "{config}");
}

#[test]
fn names_that_no_external_environment_can_have_are_answered_with_what_names_look_like() {
    let program = Program::new();
    let error = program.fail(2, &["train", "gym:Hopper-v4", "--preset", "smoke"]);
    assert!(error.contains("\"gym:Hopper-v4\"") && error.contains("gymnasium:ID"), "{error}");
    let error = program.fail(2, &["play", "python:module"]);
    assert!(error.contains("python:MODULE:CALLABLE"), "{error}");
}

#[test]
fn python_that_is_missing_or_lacks_the_package_is_told_with_the_way_to_mend_it() {
    let program = Program::new();
    let play = ["play", "gymnasium:Pendulum-v1"];
    let fail = |python: &str| {
        let output = program.command(&play).env("DREAMGRAFT_PYTHON", python).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let error = fail("/no/such/python");
    assert!(
        error.contains("/no/such/python cannot be started") && error.contains("DREAMGRAFT_PYTHON names it"),
        "{error}"
    );
    // An interpreter without any package.
    let bare = program.path("bare");
    std::fs::write(&bare, "#!/bin/sh\nexec python3 -I -S \"$@\"\n").unwrap();
    std::fs::set_permissions(&bare, std::fs::Permissions::from_mode(0o755)).unwrap();
    let error = fail(bare.to_str().unwrap());
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("cannot import dreamgraft") && error.contains("-m pip install"), "{error}");
}

/// Numbers of the processes that run `dot.py` of this test.
#[cfg(target_os = "linux")]
fn processes(program: &Program) -> Vec<String> {
    let folder = program.path("").canonicalize().unwrap();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let words = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        let inside = std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == folder);
        if inside && words.contains("dot.py") && !words.contains("dreamgraft") {
            found.push(entry.file_name().into_string().unwrap());
        }
    }
    found
}

#[test]
#[cfg(target_os = "linux")]
fn an_external_environment_does_not_outlive_a_run_that_is_killed_even_if_it_is_busy() {
    let program = Program::new();
    // It is busy, and deaf to the end of its input; so is a process that it has started.
    let other = "subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()', 'of dot.py'])";
    failing(&program, &format!("import subprocess; {other}; open('busy', 'w').close(); signal.pause()"));
    let mut run = program.command(&TRAIN).stdout(Stdio::null()).spawn().unwrap();
    while !program.path("busy").exists() {
        assert!(run.try_wait().unwrap().is_none(), "the run ended");
        std::thread::yield_now();
    }
    assert!(processes(&program).len() >= 2);
    run.kill().unwrap();
    run.wait().unwrap();
    // It would be busy for ever.
    let deadline = Instant::now() + Duration::from_secs(300);
    while !processes(&program).is_empty() {
        assert!(Instant::now() < deadline, "the environment outlived its run");
        std::thread::yield_now();
    }
}

#[test]
fn a_study_takes_external_environments_as_tasks() {
    let program = Program::new();
    write_dot(&program, &[]);
    let text = "name = \"mine\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [0]\ntasks = [\"program:./dot.py\"]\n\
                [[method]]\nkind = \"baseline\"\n";
    std::fs::write(program.path("study.toml"), text).unwrap();
    let plan = program.succeed(&["study", "plan", "study.toml"]);
    assert!(plan.contains("runs/program-.-dot.py/baseline/0"), "{plan}");
    // Its runs start in the study's folder, and the environment is found from here nevertheless.
    program.succeed(&["study", "run", "study.toml"]);
    assert!(program.path("studies/mine/report/report.html").is_file());
    program.succeed(&["study", "run-one", "study.toml", "--dir", "one", "--index", "0"]);
    assert!(program.path("one/runs/program-.-dot.py/baseline/0/checkpoints").is_dir());
    // A transfer between such environments that cannot be done is refused before anything is trained.
    let transfer = format!(
        "{text}[[method]]\nkind = \"fractional\"\nfrom = \"other\"\nfractions = [0.2]\nset = {{ agent.units = 5 }}\n\
         [[source]]\nname = \"other\"\ntasks = [\"hopper\"]\nsteps = 1000\n"
    );
    std::fs::write(program.path("transfer.toml"), transfer.replace("mine", "yours")).unwrap();
    for command in ["plan", "run"] {
        let error = program.fail(2, &["study", command, "transfer.toml"]);
        assert!(error.contains("on program:./dot.py from") && error.contains("agent.units"), "{error}");
    }
    assert!(!program.path("studies/yours").exists());
    std::fs::write(program.path("wrong.toml"), text.replace("program:", "programm:")).unwrap();
    let error = program.fail(2, &["study", "plan", "wrong.toml"]);
    assert!(error.contains("names are gymnasium:ID"), "{error}");
}

#[test]
fn an_environment_with_short_episodes_is_not_told_to_set_what_only_built_in_tasks_have() {
    let program = Program::new();
    // Every episode is over after five steps.
    write_dot(&program, &[("False, frames == LIMIT, 1)", "frames == 5, frames == LIMIT, 1)")]);
    let settings = ["--set", "agent.length=60", "--set", "schedule.prefill_frames=100"];
    let error = program.fail(2, &[&TRAIN[..], &settings].concat());
    assert!(error.contains("random episodes of program:./dot.py") && error.contains("agent.length to"), "{error}");
    assert!(!error.contains("task.termination"), "{error}");
}
