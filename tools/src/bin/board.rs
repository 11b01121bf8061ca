//! The board: how many frames and core-minutes agents take to fixed returns, as a page of Markdown from finished runs.
//!
//! `cargo run --release -p dreamgraft-tools --bin board -- RESULTS > RESULTS/board.md`, where RESULTS holds run folders at any depth.
//! Runs of one task whose folders differ in the last part alone, the seed, are one row. Here: reading runs, and the tables. Not here: curves
//! (`curves`), and what a run is made of (`train`).

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a program prints")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The returns that count, task by task.
const RETURNS: [(&str, &[f64]); 6] = [
    ("inverted-pendulum-swingup", &[700.0]),
    ("inverted-double-pendulum-swingup", &[700.0, 1000.0]),
    ("half-cheetah", &[1000.0, 2000.0]),
    ("hopper", &[1000.0]),
    ("walker2d", &[500.0]),
    ("ant", &[1000.0]),
];

const HEAD: &str = "\
# Minutes to a return

How many frames and core-minutes agents take until an evaluation first reaches a fixed return: the median of the seeds that reach
it, and the lowest and highest in brackets. Rows that all seeds reach come first, the soonest at the top. Evaluations are single
episodes unless `schedule.eval_episodes` says otherwise, so a first good one can be luck; [Results](README.md) has the curves.
Core-minutes are what the threads of a run computed (`cpu_seconds` in `metrics.jsonl`), without its sources; runs of earlier
versions did not record them. Times on different CPUs cannot be compared.

A row is repeated by the study that its name begins with, `dreamgraft study run experiments/STUDY.toml`, or, one seed at a time
and without a transfer, by `dreamgraft train --config results/ROW/SEED/config.toml --logdir DIR`.

This page is written by a command, from the runs in this folder:

    cargo run --release -p dreamgraft-tools --bin board -- results > results/board.md
";

/// A finished run.
struct Run {
    task: String,
    observes: String,
    processor: String,
    commit: String,
    /// Its length, in frames.
    frames: f64,
    /// Frames, return, and core-seconds if they are known, of every evaluation.
    evaluations: Vec<(f64, f64, Option<f64>)>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [results] = arguments.as_slice() else {
        eprintln!("usage: board RESULTS");
        return ExitCode::from(2);
    };
    match page(Path::new(results)) {
        Ok(page) => {
            print!("{page}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The whole page about the runs below `results`.
fn page(results: &Path) -> Result<String, String> {
    let mut folders = Vec::new();
    run_folders(results, &mut folders)?;
    let mut rows: BTreeMap<PathBuf, Vec<Run>> = BTreeMap::new();
    for folder in folders {
        let Some(run) = read(&folder)? else { continue };
        let of_seeds = folder.parent().unwrap_or(&folder);
        // Runs of one study are in a folder of their seeds; others lie side by side.
        let row = of_seeds.strip_prefix(results).unwrap_or(of_seeds).to_owned();
        rows.entry(row).or_default().push(run);
    }
    let mut page = HEAD.to_owned();
    for (task, returns) in RETURNS {
        let of_task: Vec<_> = rows.iter().filter(|(_, runs)| runs[0].task == task).collect();
        if of_task.is_empty() {
            continue;
        }
        let put = |page: &mut String, line: &str| writeln!(page, "{line}").expect("writing to a string");
        put(&mut page, &format!("\n## {task}"));
        for &least in returns {
            let named = |(folder, runs): &(&PathBuf, &Vec<Run>)| Row::of(&folder.to_string_lossy(), runs, least);
            let (mut reached, missed): (Vec<Row>, Vec<Row>) =
                of_task.iter().map(named).partition(|row| !row.frames.is_empty());
            reached.sort_by(|one, other| one.place().partial_cmp(&other.place()).expect("frames are numbers"));
            put(&mut page, &format!("\n### A return of {least}\n"));
            if !reached.is_empty() {
                put(
                    &mut page,
                    "| runs | observes | seeds that reach it | frames | core-minutes | length | CPU | commit |",
                );
                put(&mut page, "| --- | --- | --- | --- | --- | --- | --- | --- |");
            }
            reached.iter().for_each(|row| put(&mut page, &row.line()));
            if !missed.is_empty() {
                let missed: Vec<String> = missed.iter().map(Row::missed).collect();
                let space = if reached.is_empty() { "" } else { "\n" };
                put(&mut page, &format!("{space}Not reached by {}.", missed.join(", ")));
            }
        }
    }
    Ok(page)
}

/// The seeds of one row, and those that reach a return.
struct Row {
    folder: String,
    observes: String,
    seeds: usize,
    /// Lengths of the runs, in frames.
    lengths: Vec<f64>,
    /// Frames of the seeds that reach the return.
    frames: Vec<f64>,
    /// Their core-minutes; `None` if one of them did not record them.
    minutes: Option<Vec<f64>>,
    processors: Vec<String>,
    commits: Vec<String>,
}

impl Row {
    fn of(folder: &str, runs: &[Run], least: f64) -> Self {
        let first = |run: &Run| run.evaluations.iter().find(|(_, earned, _)| *earned >= least).copied();
        let reached: Vec<_> = runs.iter().filter_map(first).collect();
        Self {
            folder: folder.to_owned(),
            observes: runs[0].observes.clone(),
            seeds: runs.len(),
            lengths: runs.iter().map(|run| run.frames).collect(),
            frames: reached.iter().map(|(frames, ..)| *frames).collect(),
            minutes: reached.iter().map(|(.., seconds)| seconds.map(|seconds| seconds / 60.0)).collect(),
            processors: distinct(runs.iter().map(|run| run.processor.clone())),
            commits: distinct(runs.iter().map(|run| run.commit.clone())),
        }
    }

    /// The order of a table: rows that all seeds reach first, then by the median of frames.
    fn place(&self) -> (bool, f64) {
        (self.frames.len() < self.seeds, median(&self.frames).unwrap_or(f64::MAX))
    }

    /// The row of a table.
    fn line(&self) -> String {
        format!(
            "| `{}` | {} | {} of {} | {} | {} | {} | {} | {} |",
            self.folder,
            self.observes,
            self.frames.len(),
            self.seeds,
            spread(&self.frames, 0),
            self.minutes.as_ref().map_or("not recorded".to_owned(), |minutes| spread(minutes, 1)),
            spread(&self.lengths, 0),
            self.processors.join(", "),
            self.commits.join(", ")
        )
    }

    /// How a row that no seed reaches is named.
    fn missed(&self) -> String {
        let seeds = if self.seeds == 1 { "one run".to_owned() } else { format!("{} runs", self.seeds) };
        format!("`{}` ({seeds}, {} frames)", self.folder, spread(&self.lengths, 0))
    }
}

/// Each text once, sorted.
fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    texts.collect::<BTreeSet<String>>().into_iter().collect()
}

/// `None` for an empty slice.
fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    Some(0.5 * (sorted[last / 2] + sorted[sorted.len() / 2]))
}

/// The median, with the lowest and the highest if they differ from it; `-` for an empty slice.
fn spread(numbers: &[f64], digits: usize) -> String {
    let Some(median) = median(numbers) else { return "-".to_owned() };
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low == high {
        return format!("{median:.digits$}");
    }
    format!("{median:.digits$} [{low:.digits$}, {high:.digits$}]")
}

/// Adds every folder with a run below `folder`, in the order of their names. Links are not followed: what two studies share
/// counts once.
fn run_folders(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let named = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.join("metrics.jsonl").is_file() && folder.join("config.toml").is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    let entries: Result<Vec<_>, _> = std::fs::read_dir(folder).map_err(named)?.collect();
    let mut inner: Vec<PathBuf> = entries.map_err(named)?.into_iter().map(|entry| entry.path()).collect();
    inner.sort();
    inner.iter().filter(|path| path.is_dir() && !path.is_symlink()).try_for_each(|path| run_folders(path, found))
}

/// The run in a folder, if it learned one task and was evaluated.
fn read(folder: &Path) -> Result<Option<Run>, String> {
    let path = folder.join("config.toml");
    let config: toml::Table = text(&path)?.parse().map_err(|error| format!("{}: {error}", path.display()))?;
    let at =
        |table: &str, key: &str| config.get(table).and_then(|table| table.get(key)).and_then(|value| value.as_str());
    let tasks = config.get("tasks").and_then(|tasks| tasks.as_array()).map_or(&[][..], Vec::as_slice);
    let [toml::Value::String(task)] = tasks else { return Ok(None) };
    let path = folder.join("metrics.jsonl");
    let (mut evaluations, mut seconds, mut last) = (Vec::new(), None, 0.0_f64);
    for (number, line) in text(&path)?.lines().enumerate() {
        let line: serde_json::Value =
            serde_json::from_str(line).map_err(|error| format!("{}:{}: {error}", path.display(), number + 1))?;
        seconds = line["cpu_seconds"].as_f64().or(seconds);
        last = line["step"].as_f64().unwrap_or(0.0).max(last);
        if let (Some(frames), Some(earned)) = (line["step"].as_f64(), line["eval_return"].as_f64()) {
            evaluations.push((frames, earned, seconds));
        }
    }
    let observes = at("task", "observe").unwrap_or("image").to_owned();
    let processor = at("made_by", "processor").unwrap_or("not recorded").to_owned();
    let commit = at("made_by", "commit").unwrap_or("not recorded").to_owned();
    let run = Run { task: task.clone(), observes, processor, commit, frames: last, evaluations };
    Ok((!run.evaluations.is_empty()).then_some(run))
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run folder with an evaluation of each return, every thousand frames and every half minute.
    fn write(folder: &Path, task: &str, returns: &[f64]) {
        std::fs::create_dir_all(folder).unwrap();
        let config = format!("tasks = [\"{task}\"]\n[task]\nobserve = \"vector\"\n[made_by]\nprocessor = \"P\"\n");
        std::fs::write(folder.join("config.toml"), config).unwrap();
        let mut lines = String::new();
        for (index, earned) in (1..).zip(returns) {
            writeln!(lines, r#"{{"step":{},"cpu_seconds":{}}}"#, 1000 * index, 30 * index).unwrap();
            writeln!(lines, r#"{{"step":{},"eval_return":{earned}}}"#, 1000 * index).unwrap();
        }
        std::fs::write(folder.join("metrics.jsonl"), lines).unwrap();
    }

    #[test]
    fn a_row_has_the_first_evaluations_that_reach_a_return() {
        let folder = tempfile::tempdir().unwrap();
        let at = |seed: &str| folder.path().join("study/runs/ant/baseline").join(seed);
        write(&at("1"), "ant", &[10.0, 1000.0, 900.0]);
        write(&at("2"), "ant", &[10.0, 20.0, 30.0]);
        write(&at("3"), "ant", &[10.0, 20.0, 30.0, 2000.0]);
        write(&folder.path().join("other/1"), "gymnasium:CartPole-v1", &[500.0]);
        let page = page(folder.path()).unwrap();
        let expected = "| `study/runs/ant/baseline` | vector | 2 of 3 | 3000 [2000, 4000] | 1.5 [1.0, 2.0] | 3000 [3000, 4000] | P | not recorded |";
        assert!(page.contains(expected), "{page}");
        assert!(!page.contains("CartPole") && page.matches("| `").count() == 1, "{page}");
    }

    #[test]
    fn rows_that_all_seeds_reach_come_first_and_those_that_none_reaches_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |row: &str, seed: &str| folder.path().join(row).join(seed);
        write(&at("a-late", "1"), "ant", &[0.0, 0.0, 1000.0]);
        write(&at("b-half", "1"), "ant", &[1000.0]);
        write(&at("b-half", "2"), "ant", &[0.0]);
        write(&at("c-soon", "1"), "ant", &[0.0, 1000.0]);
        write(&at("d-never", "1"), "ant", &[0.0, 0.0]);
        let page = page(folder.path()).unwrap();
        let rows: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        assert_eq!(rows, ["c-soon", "a-late", "b-half"], "{page}");
        assert!(page.ends_with("\nNot reached by `d-never` (one run, 2000 frames).\n"), "{page}");
    }

    #[test]
    fn a_damaged_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "ant", &[1.0]);
        std::fs::write(folder.path().join("metrics.jsonl"), "{\"step\":1}\n{\n").unwrap();
        assert!(page(folder.path()).unwrap_err().contains("metrics.jsonl:2: "));
    }
}
