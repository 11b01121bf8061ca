//! A run that is killed at any moment, again and again, ends as the run that never was.
//!
//! The first test kills a few times, after a number of lines of output, independent of the machine's speed. The long
//! one must be requested: `DREAMGRAFT_KILLS=1000 DREAMGRAFT_SEED=3 cargo test --release -p dreamgraft --test program
//! hundreds -- --ignored`

use crate::program::{Outcomes, Program, outcomes};
use crate::{external, study};
use random::Stream;
use replay::{EpisodeName, read_episode};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Sizes so small that a kill mostly hits the writing of files.
const TINY: [&str; 5] = ["agent.depth=1", "agent.units=2", "agent.batch=1", "agent.length=2", "checkpoint.kept=2"];

/// Kinds of runs that are killed: their tasks and other arguments. A study is one more kind ([`Harness::study`]).
const KINDS: [(&[&str], &[&str]); 7] = [
    (&["inverted-pendulum-swingup"], &["--steps", "4000"]),
    (&["inverted-pendulum-swingup", "hopper"], &["--steps", "6000"]),
    (&["inverted-pendulum-swingup"], &["--universal", "source", "--reward-from", "u/one", "--steps", "4000"]),
    (&["inverted-double-pendulum-swingup"], &["--from", "source", "--steps", "3000"]),
    (&["hopper"], &["--set", "task.observe=vector", "--set", "agent.vector_units=4", "--steps", "3000"]),
    (&["inverted-pendulum-swingup"], &["--set", "agent.precision=bf16", "--steps", "3000"]),
    // The environment that `docs/protocol.md` shows, in Python.
    (&["program:./dot.py"], &["--steps", "2500"]),
];

/// The arguments of the study that is killed.
const STUDY: [&str; 5] = ["study", "run", "tiny.toml", "--jobs", "2"];

fn arguments<'a>(tasks: &[&'a str], folder: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let settings = TINY.iter().flat_map(|setting| ["--set", setting]);
    let arguments = ["train"].iter().chain(tasks).copied();
    arguments.chain(["--preset", "smoke", "--logdir", folder]).chain(settings).chain(more.iter().copied()).collect()
}

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// After this many lines of its output.
    Lines(usize),
    /// This long after its start.
    After(Duration),
}

/// The program with source agents and a study file, and the result of each kind of run without disturbances.
struct Harness {
    program: Program,
    whole: Vec<Outcomes>,
    /// How long each of them took.
    lives: Vec<Duration>,
    /// The same of the study: the results of its runs, and how long all of them took.
    whole_study: Vec<Outcomes>,
    study_life: Duration,
    /// Finished episodes that were ever seen, by the folder of their run and their name.
    seen: BTreeMap<PathBuf, BTreeMap<String, Vec<u8>>>,
    kills: u32,
    checkpoints: u64,
}

impl Harness {
    fn new() -> Self {
        // With the study file in its folder.
        let program = study::tiny();
        external::write_dot(&program, &[]);
        program.succeed(&arguments(KINDS[0].0, "source", &["--steps", "1000"]));
        program.succeed(&arguments(KINDS[0].0, "u/one", &["--universal", "source", "--steps", "1000"]));
        let (mut lives, mut whole) = (Vec::new(), Vec::new());
        for (number, (tasks, more)) in KINDS.iter().enumerate() {
            let (began, folder) = (Instant::now(), format!("whole-{number}"));
            program.succeed(&arguments(tasks, &folder, more));
            lives.push(began.elapsed());
            whole.push(outcomes(&program.path(&folder)));
        }
        let began = Instant::now();
        program.succeed(&STUDY);
        let study_life = began.elapsed();
        let whole_study = study::folders(&program).iter().map(|folder| outcomes(folder)).collect();
        std::fs::remove_dir_all(program.path("studies")).unwrap();
        let (seen, kills, checkpoints) = (BTreeMap::new(), 0, 0);
        Self { program, whole, lives, whole_study, study_life, seen, kills, checkpoints }
    }

    /// A run of kind `kind`, or after the last of these a study, that is killed at each of `moments`, and then left alone.
    fn any(&mut self, kind: usize, moments: impl IntoIterator<Item = Moment>) {
        if kind < KINDS.len() { self.run(kind, moments) } else { self.study(moments) }
    }

    /// How long one of kind `kind` takes without disturbances.
    fn life(&self, kind: usize) -> Duration {
        self.lives.get(kind).copied().unwrap_or(self.study_life)
    }

    /// A run of kind `kind` that is killed at each of `moments`, and then left alone.
    fn run(&mut self, kind: usize, moments: impl IntoIterator<Item = Moment>) {
        let (tasks, more) = KINDS[kind];
        let (arguments, root) = (arguments(tasks, "killed", more), self.program.path("killed"));
        self.seen.clear();
        for moment in moments {
            if !self.kill(&arguments, moment) {
                break;
            }
            self.check(&root);
        }
        self.program.succeed(&arguments);
        self.check(&root);
        assert_eq!(outcomes(&root), self.whole[kind], "kind {kind} after {} kills", self.kills);
        assert_none_partial(&root);
        std::fs::remove_dir_all(&root).unwrap();
    }

    /// A study that is killed with all its runs at each of `moments`, and then left alone.
    fn study(&mut self, moments: impl IntoIterator<Item = Moment>) {
        self.seen.clear();
        for moment in moments {
            if !self.kill(&STUDY, moment) {
                break;
            }
            if self.program.path("studies/tiny/manifest.jsonl").exists() {
                study::folders(&self.program).iter().for_each(|root| self.check(root));
            }
        }
        self.program.succeed(&STUDY);
        for (root, whole) in study::folders(&self.program).iter().zip(std::mem::take(&mut self.whole_study)) {
            self.check(root);
            assert_eq!(outcomes(root), whole, "{root:?} after {} kills", self.kills);
            assert_none_partial(root);
            self.whole_study.push(whole);
        }
        std::fs::remove_dir_all(self.program.path("studies")).unwrap();
    }

    /// Starts the program and kills it at a moment, with its workers if it has any; `false` if it had ended by then.
    fn kill(&mut self, arguments: &[&str], moment: Moment) -> bool {
        let mut child = self.program.command(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, receiver) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reader = std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        match moment {
            Moment::Lines(count) => {
                let _ = receiver.iter().take(count).count();
            }
            Moment::After(time) => {
                let end = Instant::now() + time;
                while receiver.recv_timeout(end.saturating_duration_since(Instant::now()))
                    != Err(RecvTimeoutError::Timeout)
                    && child.try_wait().unwrap().is_none()
                {}
            }
        }
        let workers = if arguments[0] == "study" { stopped_workers(&mut child) } else { Vec::new() };
        child.kill().unwrap();
        let status = child.wait().unwrap();
        // After the process that would start them again.
        for worker in &workers {
            // One that ended just before cannot be killed.
            let killed = Command::new("kill").args(["-KILL", worker]).stderr(Stdio::null()).status().unwrap();
            self.kills += u32::from(killed.success());
        }
        drop(receiver);
        let _ = reader.join().unwrap();
        self.kills += u32::from(status.code().is_none());
        // It may have ended by itself just before: well, then.
        assert!(status.code().is_none() || status.success(), "{status:?} at {moment:?}");
        status.code().is_none()
    }

    /// Checks the folder after a kill: every file with its final name is complete, and no finished episode is missing.
    fn check(&mut self, root: &Path) {
        let mut found = BTreeMap::new();
        for path in files(root) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if EpisodeName::parse(&name).is_some() {
                read_episode(&path, 1 << 24).unwrap();
                found.insert(name, std::fs::read(&path).unwrap());
            } else if name == "metrics.jsonl" {
                // An incomplete last line is cut off when the run resumes.
                train::output::count_lines(&std::fs::read(&path).unwrap()).unwrap();
            } else if name == "config.toml" {
                train::stored_config(root).unwrap();
            } else if name == "transfer.json" {
                transfer::read_report(root).unwrap().unwrap();
            }
        }
        for (name, bytes) in self.seen.get(root).into_iter().flatten() {
            assert!(found.get(name) == Some(bytes), "the finished episode {name} is gone, or another one");
        }
        self.seen.insert(root.to_owned(), found);
        for entry in std::fs::read_dir(root.join("checkpoints")).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if !name.ends_with(".partial") {
                train::checkpoint::load::<dreamer::Agent>(&path).unwrap();
                self.checkpoints += 1;
            }
        }
    }
}

/// Pauses a study that is still running (SIGSTOP), and returns the process numbers of its workers; empty if it has
/// ended.
fn stopped_workers(study: &mut Child) -> Vec<String> {
    let process = study.id();
    if study.try_wait().unwrap().is_some() {
        return Vec::new();
    }
    study::kill("-STOP", &process.to_string());
    // Of the task of this number, the main thread, which starts the workers.
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    children.split_whitespace().map(str::to_owned).collect()
}

fn assert_none_partial(root: &Path) {
    let left: Vec<PathBuf> =
        files(root).into_iter().filter(|path| path.to_string_lossy().contains(".partial")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// All files below a folder; empty if the folder does not exist.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

#[test]
fn killed_a_few_times_a_run_loses_nothing() {
    let mut harness = Harness::new();
    for (kind, lines) in
        [(0, vec![0, 1, 3, 2]), (1, vec![4, 2]), (2, vec![1, 3]), (6, vec![3]), (KINDS.len(), vec![2, 3])]
    {
        harness.any(kind, lines.into_iter().map(Moment::Lines));
    }
    assert!(harness.kills >= 3, "{} kills", harness.kills);
}

#[test]
#[ignore = "takes minutes: DREAMGRAFT_KILLS processes are killed, at moments drawn from DREAMGRAFT_SEED"]
fn killed_hundreds_of_times_a_run_loses_nothing() {
    let setting = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (kills, seed) = (setting("DREAMGRAFT_KILLS", 300) as u32, setting("DREAMGRAFT_SEED", 1));
    let (mut random, mut harness, mut runs) = (Stream::new(seed, "kills"), Harness::new(), 0);
    while harness.kills < kills {
        // A life that ends before its moment ends its run: mostly early moments, so that one run is killed often.
        let kind = runs % (KINDS.len() + 1);
        let life = harness.life(kind).mul_f64(0.5);
        let moments = (0..1 + random.below(20)).map(|_| Moment::After(life.mul_f64(random.uniform())));
        let moments: Vec<Moment> = moments.collect();
        harness.any(kind, moments);
        runs += 1;
        let Harness { kills, checkpoints, .. } = harness;
        let _ =
            writeln!(std::io::stdout(), "{kills} kills in {runs} runs, {checkpoints} checkpoints read: nothing lost");
    }
}
