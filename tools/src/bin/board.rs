//! The board: how many frames and core-minutes agents take to fixed returns, as a page of Markdown from finished runs.
//!
//! `cargo run --release -p dreamgraft-tools --bin board -- RESULTS > RESULTS/board.md`, where RESULTS holds run folders at any depth.
//! Runs of one task whose folders differ in the last part alone, the seed, are one row. Here: reading runs, and the tables. Not here: curves
//! (`curves`), and what a run is made of (`train`).

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a program prints")]

use std::collections::BTreeMap;
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
it, and the lowest and highest in brackets. Evaluations are single episodes unless `schedule.eval_episodes` says otherwise, so a first
good one can be luck; [Results](README.md) has the curves. Core-minutes are what the threads of a run computed
(`cpu_seconds` in `metrics.jsonl`); runs of earlier versions did not record them. Times on different CPUs cannot be
compared.

This page is written by a command, from the runs in this folder:

    cargo run --release -p dreamgraft-tools --bin board -- results > results/board.md
";

/// A finished run.
struct Run {
    task: String,
    observes: String,
    processor: String,
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
        put(&mut page, &format!("\n## {task}\n"));
        put(&mut page, "| runs | observes | return | seeds that reach it | frames | core-minutes | CPU |");
        put(&mut page, "| --- | --- | --- | --- | --- | --- | --- |");
        for &least in returns {
            for (folder, runs) in &of_task {
                put(&mut page, &row(&folder.to_string_lossy(), runs, least));
            }
        }
    }
    Ok(page)
}

/// One row of a table.
fn row(folder: &str, runs: &[Run], least: f64) -> String {
    let reached: Vec<_> =
        runs.iter().filter_map(|run| run.evaluations.iter().find(|(_, earned, _)| *earned >= least)).copied().collect();
    let frames: Vec<f64> = reached.iter().map(|(frames, ..)| *frames).collect();
    let minutes: Option<Vec<f64>> = reached.iter().map(|(.., seconds)| seconds.map(|seconds| seconds / 60.0)).collect();
    let mut processors: Vec<&str> = runs.iter().map(|run| run.processor.as_str()).collect();
    processors.sort_unstable();
    processors.dedup();
    format!(
        "| `{folder}` | {} | {least} | {} of {} | {} | {} | {} |",
        runs[0].observes,
        reached.len(),
        runs.len(),
        spread(&frames, 0),
        minutes.map_or("not recorded".to_owned(), |minutes| spread(&minutes, 1)),
        processors.join(", ")
    )
}

/// The median, with the lowest and the highest if there are several.
fn spread(numbers: &[f64], digits: usize) -> String {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.as_slice() {
        [] => "-".to_owned(),
        [one] => format!("{one:.digits$}"),
        [low, .., high] => {
            let median = 0.5 * (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]);
            format!("{median:.digits$} [{low:.digits$}, {high:.digits$}]")
        }
    }
}

/// Adds every folder with a run below `folder`, in the order of their names.
fn run_folders(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let named = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.join("metrics.jsonl").is_file() && folder.join("config.toml").is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    let entries: Result<Vec<_>, _> = std::fs::read_dir(folder).map_err(named)?.collect();
    let mut inner: Vec<PathBuf> = entries.map_err(named)?.into_iter().map(|entry| entry.path()).collect();
    inner.sort();
    inner.iter().filter(|path| path.is_dir()).try_for_each(|path| run_folders(path, found))
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
    let (mut evaluations, mut seconds) = (Vec::new(), None);
    for (number, line) in text(&path)?.lines().enumerate() {
        let line: serde_json::Value =
            serde_json::from_str(line).map_err(|error| format!("{}:{}: {error}", path.display(), number + 1))?;
        seconds = line["cpu_seconds"].as_f64().or(seconds);
        if let (Some(frames), Some(earned)) = (line["step"].as_f64(), line["eval_return"].as_f64()) {
            evaluations.push((frames, earned, seconds));
        }
    }
    let observes = at("task", "observe").unwrap_or("image").to_owned();
    let processor = at("made_by", "processor").unwrap_or("not recorded").to_owned();
    let run = Run { task: task.clone(), observes, processor, evaluations };
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
        let expected =
            "| `study/runs/ant/baseline` | vector | 1000 | 2 of 3 | 3000 [2000, 4000] | 1.5 [1.0, 2.0] | P |";
        assert!(page.contains(expected), "{page}");
        assert!(!page.contains("CartPole") && page.matches("| `").count() == 1, "{page}");
    }

    #[test]
    fn a_damaged_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "ant", &[1.0]);
        std::fs::write(folder.path().join("metrics.jsonl"), "{\"step\":1}\n{\n").unwrap();
        assert!(page(folder.path()).unwrap_err().contains("metrics.jsonl:2: "));
    }
}
