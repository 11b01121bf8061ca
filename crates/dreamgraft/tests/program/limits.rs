//! Limits of memory that are smaller than the machine's: they are known before anything is written.

use crate::faults::{ended, under_shell};
use crate::program::{Program, smoke};
#[cfg(target_os = "linux")]
use std::io::Write;
#[cfg(target_os = "linux")]
use std::path::{Path, PathBuf};

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
fn a_limit_of_open_files_is_named_with_the_next_step() {
    let program = Program::new();
    let ended = ended(under_shell(&program, "ulimit -n 6", &smoke(&["--steps", "1000"])));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("Too many open files") && ended.stderr.contains("`ulimit -n`"), "{ended:?}");
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
    for bytes in [20_000_000, 30_000_000] {
        let Some(cgroup) = Cgroup::of(bytes) else {
            let _ = writeln!(std::io::stderr(), "SKIPPED: this system gives a test no cgroup of its own");
            return;
        };
        let enter = format!("echo $$ > {}/cgroup.procs", cgroup.0.display());
        for words in [&["train", "hopper", "--logdir", "run"][..], &["play", "hopper"]] {
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
