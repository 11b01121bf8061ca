//! Obstacles of a run: full disks, folders that are read-only or removed, and foreign files.

use crate::program::{Ended, Program, outcomes, smoke};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// The message of a run that the operating system stopped: one line, with the place and how to resume.
fn halted(ended: &Ended, parts: &[&str]) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    for part in parts {
        assert!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
}

pub fn ended(mut command: Command) -> Ended {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The program under `sh`, after `before`.
pub fn under_shell(program: &Program, before: &str, words: &[&str]) -> Command {
    let script = format!("{before}; exec \"$0\" \"$@\"");
    program.wrapped(&["sh", "-c", &script], words)
}

#[test]
#[cfg(unix)]
fn files_that_cannot_grow_stop_the_run_and_spare_its_other_files() {
    let program = Program::new();
    program.succeed(&smoke(&[]));
    let whole = outcomes(&program.path("run"));
    std::fs::rename(program.path("run"), program.path("whole")).unwrap();
    // In blocks of 512 or 1024 bytes: too little for an episode, for an agent, for images or TensorBoard.
    let mut places = Vec::new();
    for blocks in [40, 130, 200] {
        let stopped = ended(under_shell(&program, &format!("ulimit -f {blocks}"), &smoke(&[])));
        halted(&stopped, &["File too large"]);
        places.push(stopped.stderr);
        // No incomplete file has its final name: with enough space, the run becomes identical to one that never
        // stopped.
        program.succeed(&smoke(&[]));
        assert_eq!(outcomes(&program.path("run")), whole, "{blocks} blocks");
        std::fs::remove_dir_all(program.path("run")).unwrap();
    }
    assert!(places[0].contains(".npz"), "{places:?}");
    assert!(
        places[0].contains("did not have a checkpoint yet") && places[0].contains("the same command"),
        "{places:?}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_and_one_that_cannot_be_written_stop_the_run_and_spare_its_checkpoint() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "6000"]));
    let whole = outcomes(&program.path("run"));
    std::fs::create_dir(program.path("disk")).unwrap();
    // A separate disk in a separate namespace, which needs no privileges if the system allows it.
    let script = "mount -t tmpfs -o size=$1 disk disk || exit 99; shift; program=$1; shift
        \"$program\" \"$@\"; full=$?
        mount -o remount,size=50m disk; mount -o remount,ro disk
        \"$program\" \"$@\"; protected=$?
        mount -o remount,rw disk
        \"$program\" \"$@\" >/dev/null; mended=$?
        cp -r disk/run mended; echo \"codes $full $protected $mended\"";
    let mut arguments = smoke(&["--steps", "6000"]);
    *arguments.iter_mut().find(|word| **word == "run").unwrap() = "disk/run";
    for size in ["40k", "400k", "1200k"] {
        let ended = match program.wrapped(&["unshare", "-rm", "sh", "-c", script, "sh", size], &arguments).output() {
            Ok(output) if String::from_utf8_lossy(&output.stdout).contains("codes") => output,
            other => {
                // Printed even if the output of tests is captured, because a skipped test must not look as if it had
                // run.
                let _ = writeln!(std::io::stderr(), "SKIPPED: this system gives a test no disk of its own: {other:?}");
                return;
            }
        };
        let [out, err] = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(out.contains("codes 1 1 0"), "{size}: {out}{err}");
        assert!(err.contains("No space left on device") && err.contains("Read-only file system"), "{err}");
        assert!(!err.contains("panicked") && !err.contains("drop"), "{err}");
        assert_eq!(err.lines().count(), 2, "{err}");
        assert_eq!(outcomes(&program.path("mended")), whole, "{size}");
        std::fs::remove_dir_all(program.path("mended")).unwrap();
    }
}

#[test]
fn a_folder_for_temporary_files_that_is_missing_is_no_obstacle() {
    let program = Program::new();
    for task in ["hopper", "inverted-pendulum-swingup", "ant"] {
        let mut command = program.command(&["play", task, "--termination", "stock"]);
        command.env("TMPDIR", "/nonexistent");
        let ended = ended(command);
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{ended:?}");
    }
}

/// Has the system keep the checkpoint in the folder `path`; false if nothing of this system does that.
fn protect(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    // Permissions stop everybody but root, and the attribute of some file systems stops root, too.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o555)).unwrap();
    let agent = path.join("agent.safetensors");
    let _ = Command::new("chattr").arg("+i").arg(&agent).stderr(Stdio::null()).status();
    let probe = path.join("probe");
    let open_to_all = std::fs::write(&probe, "").is_ok() && std::fs::remove_file(&probe).is_ok();
    !open_to_all || std::fs::OpenOptions::new().append(true).open(&agent).is_err()
}

fn release(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let _ = Command::new("chattr").arg("-i").arg(path.join("agent.safetensors")).stderr(Stdio::null()).status();
    let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755));
}

#[test]
#[cfg(unix)]
fn what_cannot_be_removed_does_not_end_a_run() {
    let program = Program::new();
    let train = |steps| smoke(&["--set", "checkpoint.best=false", "--steps", steps]);
    program.succeed(&train("6000"));
    let whole = outcomes(&program.path("run"));
    std::fs::rename(program.path("run"), program.path("whole")).unwrap();
    program.succeed(&train("1000"));
    if !protect(&program.path("run/checkpoints/0000001000")) {
        let _ = writeln!(std::io::stderr(), "SKIPPED: this system lets its user remove every file");
        return;
    }
    let text = program.run(&train("6000"));
    let doomed = program.path("run/checkpoints/.removed.partial");
    let listed = program.names("run/checkpoints");
    release(&doomed);
    assert_eq!((text.code, &*text.stderr), (Some(0), ""), "{text:?}");
    assert_eq!(text.stdout.matches("note: cannot remove run/checkpoints/").count(), 1, "{text:?}");
    assert!(text.stdout.contains("the run continues"), "{text:?}");
    // The kept checkpoint has lost its name, and the others are unchanged.
    assert_eq!(listed, [".removed.partial", "0000005000", "0000006000"]);
    assert_eq!(outcomes(&program.path("run")), whole);
    // Later, it goes.
    program.succeed(&train("7000"));
    assert_eq!(program.names("run/checkpoints"), ["0000006000", "0000007000"]);
}

#[test]
#[cfg(unix)]
fn a_video_beyond_the_limit_of_files_is_an_error() {
    let program = Program::new();
    let words = ["play", "inverted-pendulum-swingup", "--video", "swing.gif"];
    let ended = ended(under_shell(&program, "ulimit -f 40", &words));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("swing.gif") && ended.stderr.contains("File too large"), "{ended:?}");
    assert!(program.names(".").is_empty());
}

#[test]
#[cfg(unix)]
fn an_export_that_fails_leaves_nothing() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    let words = ["export", "run", "--out", "out", "--episodes", "1"];
    for blocks in [20, 150] {
        let ended = ended(under_shell(&program, &format!("ulimit -f {blocks}"), &words));
        assert_eq!(ended.code, Some(1), "{blocks}: {ended:?}");
        assert!(ended.stderr.contains("File too large"), "{ended:?}");
        assert_eq!(program.names("."), ["run"], "{blocks}");
    }
    std::fs::create_dir(program.path("out")).unwrap();
    let stopped = ended(under_shell(&program, "ulimit -f 20", &words));
    assert_eq!(stopped.code, Some(1), "{stopped:?}");
    assert_eq!(program.names("out"), Vec::<String>::new());
    program.succeed(&words);
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_nobody_can_read_does_not_stop_work_and_is_no_success() {
    let program = Program::new();
    let full = |words: &[&str]| {
        let ended = ended(program.wrapped(&["sh", "-c", "exec \"$0\" \"$@\" > /dev/full"], words));
        assert_eq!((ended.code, ended.stderr.lines().count()), (Some(1), 1), "{words:?} {ended:?}");
        assert!(ended.stderr.contains("No space left on device"), "{words:?} {ended:?}");
        ended.stderr
    };
    let error = full(&smoke(&[]));
    assert!(error.contains("cannot write to standard output") && error.contains("did everything else"), "{error}");
    assert!(program.succeed(&["inspect", "run"]).contains("finished"));
    assert!(program.succeed(&smoke(&[])).contains("this run is already finished"));
    for words in [&["study", "report", "run"][..], &["play", "hopper"], &["tasks"], &["--help"], &["inspect", "run"]] {
        full(words);
    }
    assert!(program.path("run/report/report.html").exists());
    // Nothing is written by a quiet run, and whoever closes the pipe has seen enough.
    let script =
        |words: &[&str], end: &str| ended(program.wrapped(&["sh", "-c", &format!("\"$0\" \"$@\" {end}")], words));
    let new = ["train", "hopper", "--preset", "smoke", "--steps", "1000", "--logdir"];
    let quiet = script(&[&new[..], &["quiet", "--quiet"]].concat(), "> /dev/full");
    assert_eq!((quiet.code, &*quiet.stderr), (Some(0), ""), "{quiet:?}");
    let closed = script(&[&new[..], &["closed"]].concat(), "| true; test -d closed/checkpoints/0000001000");
    assert_eq!((closed.code, &*closed.stderr), (Some(0), ""), "{closed:?}");
}

#[test]
fn a_folder_that_vanishes_stops_the_run() {
    let program = Program::new();
    let mut child = program.command(&smoke(&["--steps", "1e9"]));
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("checkpoint")));
    std::fs::rename(program.path("run"), program.path("elsewhere")).unwrap();
    let rest: Vec<String> = lines.map(|line| line.unwrap()).collect();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    halted(
        &Ended { code: output.status.code(), stdout: rest.concat(), stderr },
        &["No such file", "run/", "was removed"],
    );
    // The moved folder is still a run.
    std::fs::rename(program.path("elsewhere"), program.path("run")).unwrap();
    let text = program.succeed(&smoke(&["--steps", "3000"]));
    assert!(text.contains("resuming at frame") || text.contains("is finished"), "{text}");
}

#[test]
fn files_that_somebody_removes_from_a_run_under_way_are_put_back() {
    let program = Program::new();
    let mut child = program.command(&smoke(&["--steps", "1e9"]));
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("checkpoint")));
    for name in ["metrics.jsonl", "config.toml", "run.lock"] {
        std::fs::remove_file(program.path("run").join(name)).unwrap();
        let note = lines.find(|line| line.starts_with("note: ")).unwrap();
        assert!(note.contains(&format!("run/{name} was removed during the run; it was")), "{note}");
    }
    let error = program.fail(4, &smoke(&["--steps", "1e9"]));
    assert!(error.contains("is in use by process"), "{error}");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(75), "{rest:?}");
    // It is the run that it would have been.
    let frames = outcomes(&program.path("run")).state["position"]["frames"].as_u64().unwrap();
    let longer = smoke(&["--steps", &(frames + 1000).to_string()]).into_iter().map(str::to_owned).collect::<Vec<_>>();
    program.succeed(&longer);
    let parts = outcomes(&program.path("run"));
    std::fs::rename(program.path("run"), program.path("parts")).unwrap();
    program.succeed(&longer);
    assert_eq!(outcomes(&program.path("run")), parts);
}

#[test]
fn metrics_that_somebody_shortens_are_counted_again() {
    let program = Program::new();
    let mut child = program.command(&smoke(&["--steps", "1e9"]));
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("checkpoint")));
    let path = program.path("run/metrics.jsonl");
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    let note = lines.find(|line| line.starts_with("note: ")).unwrap();
    assert!(note.contains("run/metrics.jsonl was changed during the run: it had "), "{note}");
    // Three more lines, and a checkpoint that counts the lines that are there.
    assert_eq!(lines.by_ref().filter(|line| line.starts_with("frame")).take(3).count(), 3);
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(75));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("{\"step\":") && text.ends_with("}\n"), "{text:?}");
    let state = outcomes(&program.path("run")).state;
    assert_eq!(state["metrics_lines"], text.lines().count(), "{state}");
    let steps = (state["position"]["frames"].as_u64().unwrap() + 1000).to_string();
    let text = program.succeed(&smoke(&["--steps", &steps]));
    assert!(!text.contains("the file was shortened") && !text.contains("moved"), "{text}");
}

#[test]
fn sizes_beyond_the_machines_memory_are_refused_and_leave_nothing() {
    let program = Program::new();
    let sizes = ["--set", "agent.units=65536", "--set", "agent.depth=1024"];
    for arguments in [&["train", "hopper", "--logdir", "run"][..], &["bench"]] {
        let error = program.fail(2, &[arguments, &sizes].concat());
        assert!(error.contains("GB of memory") && error.contains("available"), "{error}");
    }
    assert!(program.names(".").is_empty());
}

#[test]
fn an_agent_without_its_run_is_refused_with_the_missing_file() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    std::fs::create_dir(program.path("alone")).unwrap();
    let agent = program.path("run/checkpoints/0000001000/agent.safetensors");
    std::fs::copy(agent, program.path("alone/agent.safetensors")).unwrap();
    let error = program.fail(5, &["eval", "alone/agent.safetensors"]);
    assert!(error.starts_with("alone/agent.safetensors") && error.contains("run.json is missing"), "{error}");
}

#[test]
fn a_frozen_encoder_needs_an_agent_that_it_is_from() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    let train = ["train", "hopper", "--preset", "smoke", "--steps", "1000", "--logdir"];
    program.succeed(&[&train[..], &["universal", "--universal", "run"]].concat());
    let again = [&train[..], &["again", "--config", "universal/config.toml"]].concat();
    let error = program.fail(2, &again);
    assert!(error.contains("agent.frozen_encoder") && error.contains("transfer.toml"), "{error}");
    assert!(!program.path("again").exists());
    program.succeed(&[&again[..], &["--plan", "universal/transfer.toml"]].concat());
    assert_eq!(outcomes(&program.path("again")), outcomes(&program.path("universal")));
}
