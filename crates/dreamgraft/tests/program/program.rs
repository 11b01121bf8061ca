//! Running the program, and reading its files.

use serde_json::Value;
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The arguments of the smallest run.
pub const SMOKE: [&str; 6] = ["train", "inverted-pendulum-swingup", "--preset", "smoke", "--logdir", "run"];

/// The program in a separate folder.
pub struct Program {
    folder: TempDir,
}

/// The result of a call of the program.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with `arguments`, not started yet.
    pub fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dreamgraft"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Like [`Program::command`], with the program and its arguments as the last arguments of another program.
    pub fn wrapped(&self, wrapper: &[&str], arguments: &[&str]) -> Command {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).arg(env!("CARGO_BIN_EXE_dreamgraft")).args(arguments);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs the program with `arguments`, which must not make it panic.
    pub fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Ended {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ended = Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!ended.stderr.contains("panicked") && ended.code.is_some(), "{ended:?}");
        ended
    }

    /// Runs the program with `arguments`, which must succeed, and returns its stdout.
    pub fn succeed(&self, arguments: &[impl AsRef<OsStr>]) -> String {
        let ended = self.run(arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
        ended.stdout
    }

    /// Runs the program with `arguments`, which must end with `code` and an error of one line, and returns that line.
    pub fn fail(&self, code: i32, arguments: &[impl AsRef<OsStr>]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        let error = ended.stderr.strip_prefix("error: ").unwrap_or_else(|| panic!("{ended:?}"));
        assert_eq!(error.lines().count(), 1, "{error}");
        error.to_owned()
    }

    /// Names in a folder, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Cuts a file to half its length.
    pub fn truncate(&self, name: &str) {
        let bytes = std::fs::read(self.path(name)).unwrap();
        std::fs::write(self.path(name), &bytes[..bytes.len() / 2]).unwrap();
    }
}

/// [`SMOKE`] and more arguments.
pub fn smoke<'a>(more: &[&'a str]) -> Vec<&'a str> {
    SMOKE.iter().chain(more).copied().collect()
}

/// All that two runs of one configuration must have in common, bit for bit: metrics without times, episodes, the newest
/// checkpoint's agent and state.
#[derive(Debug, PartialEq)]
pub struct Outcomes {
    pub metrics: Vec<Value>,
    pub episodes: Vec<(String, u64)>,
    pub agent: (usize, u64),
    pub state: Value,
}

/// The content of the run folder `root`.
pub fn outcomes(root: &Path) -> Outcomes {
    let names = |folder: PathBuf| {
        let mut names: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names
    };
    let numbered =
        |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().bytes().all(|byte| byte.is_ascii_digit());
    let newest = names(root.join("checkpoints")).into_iter().rfind(numbered).unwrap();
    let state: Value = serde_json::from_slice(&std::fs::read(newest.join("run.json")).unwrap()).unwrap();
    let mut state = state["run"].clone();
    for time in ["seconds", "cpu_seconds"] {
        state.as_object_mut().unwrap().remove(time).expect("a checkpoint counts it");
    }
    let agent = std::fs::read(newest.join("agent.safetensors")).unwrap();
    let number = |path: &PathBuf| path.file_name()?.to_str()?.split('-').nth(1).map(str::to_owned);
    let episodes = names(root.join("episodes")).into_iter().filter(|path| path.is_file());
    Outcomes {
        metrics: metrics(root),
        episodes: episodes.map(|path| (number(&path).unwrap(), hash(&std::fs::read(&path).unwrap()))).collect(),
        agent: (agent.len(), hash(&agent)),
        state,
    }
}

/// A hash instead of millions of bytes: differences can be read.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// The metrics of the run in `root`, without those that are times or sizes of the process.
pub fn metrics(root: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(root.join("metrics.jsonl")).unwrap();
    let timeless = |line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let timed = [
            "updates_per_second",
            "frames_per_second",
            "seconds",
            "cpu_seconds",
            "resident_bytes",
            "replay_embedding_bytes",
        ];
        line.as_object_mut().unwrap().retain(|name, _| !timed.contains(&&**name) && !name.starts_with("share_"));
        line
    };
    text.lines().map(timeless).collect()
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
