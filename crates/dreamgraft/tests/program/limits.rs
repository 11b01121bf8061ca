//! Limits of memory that are smaller than the machine's: they are known before anything is written.

use crate::faults::{ended, under_shell};
use crate::program::{Program, smoke};
#[cfg(target_os = "linux")]
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

#[test]
#[cfg(target_os = "linux")]
fn a_limit_of_the_shell_counts_as_memory() {
    let program = Program::new();
    for (limit, option) in [("ulimit -v 3000000", "`ulimit -v`"), ("ulimit -d 2000000", "`ulimit -d`")] {
        let words = ["train", "hopper", "--logdir", "run", "--steps", "1e6"];
        let ended = ended(under_shell(&program, limit, &words));
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("GB of memory") && ended.stderr.contains(option), "{ended:?}");
    }
    assert!(program.names(".").is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn limits_under_which_nothing_can_work_are_named() {
    let program = Program::new();
    for kilobytes in [50_000, 80_000, 140_000] {
        for words in [&["train", "hopper", "--preset", "smoke", "--logdir", "run"][..], &["play", "hopper"], &["tasks"]]
        {
            let ended = ended(under_shell(&program, &format!("ulimit -v {kilobytes}"), words));
            assert_eq!(ended.code, Some(2), "{kilobytes} {words:?} {ended:?}");
            assert!(ended.stderr.contains("`ulimit -v`") && ended.stderr.contains("raise the limit"), "{ended:?}");
        }
    }
    assert!(program.names(".").is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn a_limit_of_the_stack_is_no_obstacle() {
    let program = Program::new();
    for words in [&smoke(&["--steps", "1000"])[..], &["tasks"], &["play", "hopper"], &["inspect", "run"]] {
        let ended = ended(under_shell(&program, "ulimit -s 64", words));
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{words:?} {ended:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_limit_of_processor_time_leaves_a_checkpoint() {
    let program = Program::new();
    // Both limits at once, as users and batch systems set them: at the hard one, the system kills without a signal.
    let ended = ended(under_shell(&program, "ulimit -t 2", &smoke(&["--steps", "1e9"])));
    assert_eq!(ended.code, Some(75), "{ended:?}");
    assert!(ended.stdout.contains("checkpoint saved"), "{ended:?}");
    program.succeed(&smoke(&["--steps", "1000"]));
}

#[test]
#[cfg(target_os = "linux")]
fn a_limit_of_open_files_is_named_with_the_next_step() {
    let program = Program::new();
    let ended = ended(under_shell(&program, "ulimit -n 6", &smoke(&["--steps", "1000"])));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("Too many open files") && ended.stderr.contains("`ulimit -n`"), "{ended:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_page_is_served_with_few_threads_or_the_limit_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let program = Program::new();
    let folder = program.path("");
    // Somebody else, because nothing limits the processes of root.
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_dreamgraft"), program.path("copy")).unwrap();
    let somebody = ["--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c"];
    let command = |script: &str| {
        let mut command = Command::new("setpriv");
        command.args(somebody).arg(script).current_dir(&folder).stdin(Stdio::null());
        command
    };
    if !command("./copy tasks").output().is_ok_and(|output| output.status.success()) {
        let _ = writeln!(std::io::stderr(), "SKIPPED: this system does not let a test be somebody else");
        return;
    }
    for limit in 1..=4 {
        let mut command = command(&format!("ulimit -u {limit}; exec ./copy watch . --port 0"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(address) = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()) else {
            let output = child.wait_with_output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.code() == Some(1) && text.contains("`ulimit -u`"), "{limit}: {output:?}");
            continue;
        };
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(read.is_ok() && answer.starts_with(b"HTTP/1.1 "), "{limit}");
    }
}

/// A memory cgroup of this number of bytes below that of this process, if the system lets a test make one.
#[cfg(target_os = "linux")]
struct Cgroup(PathBuf);

#[cfg(target_os = "linux")]
impl Cgroup {
    fn of(bytes: u64) -> Option<Self> {
        let own = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        // Version 2, and version 1.
        let versions =
            [("0::/", "/sys/fs/cgroup", "memory.max"), (":memory:/", "/sys/fs/cgroup/memory", "memory.limit_in_bytes")];
        let mounted = |root: &str| Path::new(root).join("cgroup.procs").exists();
        versions.into_iter().filter(|(_, root, _)| mounted(root)).find_map(|(key, root, limit)| {
            let path = own.lines().find_map(|line| line.split_once(key).map(|(_, path)| path))?;
            let folder = Path::new(root).join(path).join(format!("dreamgraft-{}-{bytes}", std::process::id()));
            std::fs::create_dir(&folder).ok()?;
            let made = Self(folder);
            std::fs::write(made.0.join(limit), bytes.to_string()).ok().map(|()| made)
        })
    }
}

#[cfg(target_os = "linux")]
impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_small_cgroup_is_refused_before_the_system_kills() {
    let program = Program::new();
    let one: &[&[&str]] = &[&["train", "hopper", "--logdir", "run"], &["play", "hopper"]];
    // Every environment takes its part.
    let several: &[&[&str]] = &[&["train", "hopper", "ant", "--preset", "smoke", "--logdir", "run"]];
    for (bytes, commands) in [(20_000_000, one), (30_000_000, one), (125_000_000, several)] {
        let Some(cgroup) = Cgroup::of(bytes) else {
            let _ = writeln!(std::io::stderr(), "SKIPPED: this system gives a test no cgroup of its own");
            return;
        };
        let enter = format!("echo $$ > {}/cgroup.procs", cgroup.0.display());
        for words in commands {
            let ended = ended(under_shell(&program, &enter, words));
            assert_eq!(ended.code, Some(2), "{bytes} {words:?} {ended:?}");
            assert!(ended.stderr.contains("cgroup") && ended.stderr.contains("raise the limit"), "{ended:?}");
        }
    }
    assert!(program.names(".").is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn images_of_a_report_beyond_the_memory_are_refused() {
    let program = Program::new();
    program.succeed(&smoke(&[]));
    // As large as images of a report may be.
    for name in program.names("run/videos") {
        let path = program.path("run/videos").join(name);
        std::fs::OpenOptions::new().append(true).open(path).unwrap().set_len(5_000_000).unwrap();
    }
    for number in 0..10 {
        let script = format!("mkdir -p runs; cp -r run runs/{number}");
        assert!(program.wrapped(&["sh", "-c", &script], &[]).status().unwrap().success());
    }
    let report = |limit: &str, images: &str| {
        ended(under_shell(&program, limit, &["study", "report", "runs", "--out", "out", "--images", images]))
    };
    let refused = report("ulimit -v 300000", "1000");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("`ulimit -v`") && refused.stderr.contains("--images"), "{refused:?}");
    assert!(!program.path("out").exists());
    assert_eq!(report("ulimit -v 300000", "0").code, Some(0));
}

#[test]
#[cfg(target_os = "linux")]
fn small_amounts_of_memory_are_not_rounded_to_nothing() {
    let program = Program::new();
    let words = smoke(&["--set", "agent.batch=500", "--set", "agent.length=400", "--steps", "1"]);
    let ended = ended(under_shell(&program, "ulimit -v 500000", &words));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains(" of memory") && !ended.stderr.contains("0.0 GB"), "{ended:?}");
    // Nor is one frame several.
    let text = program.succeed(&smoke(&["--steps", "1"]));
    assert!(text.contains("inverted-pendulum-swingup, 1 frame, "), "{text}");
}

#[test]
fn embeddings_of_a_frozen_encoder_count_as_memory() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    let words = ["train", "hopper", "--preset", "smoke", "--universal", "run", "--logdir", "frozen", "--steps", "1e11"];
    let settings = ["--set", "replay.budget=1MB", "--set", "replay.embeddings=100TB"];
    let error = program.fail(2, &[&words[..], &settings].concat());
    assert!(error.contains("GB for embeddings") && error.contains("replay.embeddings"), "{error}");
    assert!(!program.path("frozen").exists());
}
