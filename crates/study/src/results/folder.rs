//! Reads one run folder: settings, metrics, transfer, the names of its last images.

use super::clock::threads;
use super::metrics::read_metrics;
use super::opening::not_only_random;
use super::settings::{Settings, settings};
use super::{Ancestry, Clock, Image, ImageKind, Progress, RunResult, SourceUse};
use crate::copied::copied;
use crate::manifest::Role;
use environment::file_name;
use files::layout;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use train::Frames;
use train::checkpoint::{RunState, newest_state};

/// The most files in `videos/` that are looked at.
const MOST_IMAGES: usize = 100_000;

/// Reads the run in `root`/`folder`, of `tasks` and `steps` frames. Missing information is left empty, and unreadable
/// files are problems of the run.
pub fn read_run(root: &Path, folder: &Path, tasks: &[String], steps: u64) -> RunResult {
    let path = root.join(folder);
    let mut run = RunResult {
        folder: folder.to_owned(),
        role: Role::Target,
        tasks: tasks.to_vec(),
        method: String::new(),
        source: None,
        from_scratch: true,
        ancestry: Ancestry::default(),
        seed: 0,
        steps,
        command: String::new(),
        progress: Progress::NotBegun,
        failure: None,
        series: Vec::new(),
        random_unknown: None,
        source_use: Vec::new(),
        seconds: None,
        threads: None,
        clock: Clock::default(),
        settings: Settings::new(),
        provenance: Settings::new(),
        shared: copied(&path),
        transfer: None,
        guide: None,
        rehearsal: None,
        images: Vec::new(),
        problems: Vec::new(),
    };
    match settings(&path) {
        Ok(Some(all)) => {
            for (key, value) in all {
                match key.strip_prefix("made_by.") {
                    Some(key) => run.provenance.insert(key.into(), value),
                    None => run.settings.insert(key, value),
                };
            }
        }
        Ok(None) => return run,
        Err(problem) => run.problems.push(problem),
    }
    run.threads = threads(&run.settings, &run.provenance);
    match train::GuideRecord::read(&path) {
        Ok(guide) => run.guide = guide,
        Err(error) => run.problems.push(error.to_string()),
    }
    match train::RehearsalRecord::read(&path) {
        Ok(rehearsal) => run.rehearsal = rehearsal,
        Err(error) => run.problems.push(error.to_string()),
    }
    let (mut last, mut is_read) = (None, true);
    if let Some(metrics) = read_metrics(&path.join(layout::METRICS), tasks) {
        last = metrics.frames;
        (run.series, run.source_use) = (metrics.series, metrics.source_use);
        (run.seconds, run.clock) = (metrics.seconds, metrics.clock);
        if let Some(first) = &metrics.first {
            run.random_unknown = match run.guide {
                Some(_) => Some("an earlier agent played its first episodes (--guide)".to_owned()),
                None => not_only_random(&run.settings, tasks.len(), first),
            };
        }
        if run.random_unknown.is_none() {
            for series in &mut run.series {
                series.training = std::mem::take(&mut series.training).with_random_first();
            }
        }
        is_read = metrics.problems.is_empty();
        run.problems.extend(metrics.problems);
    }
    // Whether a run is finished stands in its checkpoint. Committed results have none: there, the last line decides.
    let state = newest_state(&path);
    if let Some(state) = state.as_ref().filter(|state| ended_early(state, &path, Frames(steps))) {
        // It is as long as it came to be: its curve is not cut off, it is at its end.
        run.steps = state.position.frames.0;
    }
    let steps = run.steps;
    run.progress = match (&state, last) {
        (Some(state), _) if state.has_all(Frames(steps)) => Progress::Finished,
        (None, Some(frames)) if frames >= steps => Progress::Finished,
        (_, None) => Progress::NotBegun,
        (_, Some(frames)) => Progress::Underway(frames),
    };
    if let Some(frames) = state.map(|state| state.position.frames.0)
        && run.progress == Progress::Finished
        && last.unwrap_or(0) < frames
        && is_read
    {
        run.problems.push(format!(
            "{}: the run is finished, with {}, but its metrics end earlier: lines were cut or removed",
            path.join(layout::METRICS).display(),
            wording::counted(frames, "frame")
        ));
    }
    match transfer::read_report(&path) {
        Ok(report) => {
            if let Some(report) = &report {
                name_by_tasks(&mut run.source_use, report);
            }
            // Most of a report is about single parameters, which no table shows; studies have thousands of reports.
            run.transfer = report.map(|report| transfer::Report { parts: Vec::new(), ..report });
        }
        Err(error) => run.problems.push(error.to_string()),
    }
    match images(&path.join(layout::VIDEOS), tasks) {
        Ok(images) => run.images = images,
        Err(error) => run.problems.push(format!("{}: {error}", path.join(layout::VIDEOS).display())),
    }
    run
}

/// Whether the run in `folder`, whose newest checkpoint has `state`, ended before its `steps` frames by a rule of its settings.
fn ended_early(state: &RunState, folder: &Path, steps: Frames) -> bool {
    state.finished
        && state.position.frames < steps
        && train::stored_config(folder).is_ok_and(|config| state.rule(&config.stop).is_some())
}

/// Names the sources of a reward meta-model by their tasks, if that distinguishes them: their names in a plan are those
/// of folders.
fn name_by_tasks(uses: &mut [SourceUse], report: &transfer::Report) {
    let names = report.meta_model.as_ref().map_or(&[][..], |meta_model| &meta_model.sources);
    let tasks = |name: &str| {
        let source = report.sources.iter().find(|source| source.name == name)?;
        Some(source.provenance.tasks.join(" + ")).filter(|tasks| !tasks.is_empty())
    };
    let all: Vec<Option<String>> = names.iter().map(|name| tasks(name)).collect();
    for used in uses.iter_mut().filter(|used| !used.latent) {
        let Some(own) = names.iter().position(|name| *name == used.name).and_then(|index| all[index].clone()) else {
            continue;
        };
        if all.iter().filter(|other| **other == Some(own.clone())).count() == 1 {
            used.name = own;
        }
    }
}

/// The last image of each kind and task in `videos/`; empty if the folder does not exist.
fn images(folder: &Path, tasks: &[String]) -> std::io::Result<Vec<Image>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut named: BTreeMap<(String, bool), Vec<(u64, PathBuf)>> = BTreeMap::new();
    for entry in entries.take(MOST_IMAGES) {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some((frames, task, kind)) = name.and_then(|name| parsed(name, tasks)) {
            named.entry((task, kind == ImageKind::OpenLoop)).or_default().push((frames, path));
        }
    }
    let last = named.into_iter().filter_map(|((task, is_open_loop), mut paths)| {
        paths.sort_unstable();
        let kind = if is_open_loop { ImageKind::OpenLoop } else { ImageKind::Episode };
        paths.into_iter().rev().find_map(|(frames, path)| {
            // Links could lead anywhere.
            let metadata = path.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some(Image { path, kind, task: task.clone(), frames, bytes: metadata.len() })
        })
    });
    Ok(last.collect())
}

/// `<frames>-<task>.gif` or `<frames>-<task>-open-loop.png`.
fn parsed(name: &str, tasks: &[String]) -> Option<(u64, String, ImageKind)> {
    let (frames, rest) = name.split_once('-')?;
    let (task, kind) = match rest.strip_suffix("-open-loop.png") {
        Some(task) => (task, ImageKind::OpenLoop),
        None => (rest.strip_suffix(".gif")?, ImageKind::Episode),
    };
    let task = tasks.iter().find(|known| file_name(known) == task)?;
    Some((frames.parse().ok()?, task.clone(), kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks() -> Vec<String> {
        vec!["ant".to_owned(), "hopper".to_owned()]
    }

    #[test]
    fn images_of_environments_of_other_programs_are_found_under_the_names_of_their_files() {
        let tasks = ["gymnasium:Pendulum-v1".to_owned()];
        let found = parsed("0000001000-gymnasium-Pendulum-v1-open-loop.png", &tasks);
        assert_eq!(found, Some((1000, tasks[0].clone(), ImageKind::OpenLoop)));
    }

    #[test]
    fn the_last_images_of_each_task_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "0000001000-ant.gif",
            "0000020000-ant.gif",
            "0000003000-ant-open-loop.png",
            "0000001000-hopper.gif",
            "0000001000-walker2d.gif",
            "x-ant.gif",
            ".0000090000-ant.gif.7-1.partial",
        ];
        names.iter().for_each(|name| std::fs::write(folder.path().join(name), name).unwrap());
        std::fs::create_dir(folder.path().join("0000050000-ant.gif")).unwrap();
        let found = images(folder.path(), &tasks()).unwrap();
        let found: Vec<_> = found.iter().map(|image| (image.task.as_str(), image.frames, image.bytes)).collect();
        assert_eq!(found, [("ant", 20_000, 18), ("ant", 3000, 28), ("hopper", 1000, 21)]);
        assert!(images(&folder.path().join("none"), &tasks()).unwrap().is_empty());
    }

    #[test]
    fn a_folder_without_a_run_is_not_started_and_an_invalid_one_is_noted() {
        let root = tempfile::tempdir().unwrap();
        let run = read_run(root.path(), Path::new("none"), &tasks(), 10);
        assert_eq!((run.progress, run.problems.len()), (Progress::NotBegun, 0));
        let folder = root.path().join("bad");
        std::fs::create_dir(&folder).unwrap();
        for (name, text) in [("config.toml", "a = "), ("transfer.json", "{"), ("metrics.jsonl", "x\n"), ("videos", "")]
        {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let run = read_run(root.path(), Path::new("bad"), &tasks(), 10);
        assert_eq!(run.problems.len(), 4, "{:?}", run.problems);
        for (problem, name) in run.problems.iter().zip(["config.toml", "metrics.jsonl", "transfer.json", "videos"]) {
            assert!(problem.contains(name), "{problem}");
        }
    }

    #[test]
    fn settings_are_listed_by_their_paths() {
        let folder = tempfile::tempdir().unwrap();
        let text = "seed = 3\ntasks = [\"ant\"]\n[agent]\nrate = 1e-3\n[made_by]\nprocessor = \"<b>\"\n";
        std::fs::write(folder.path().join("config.toml"), text).unwrap();
        std::fs::write(folder.path().join("metrics.jsonl"), "{\"step\":9}\n").unwrap();
        let run = read_run(folder.path(), Path::new(""), &tasks(), 10);
        assert_eq!((&*run.settings["seed"], &*run.settings["tasks"]), ("3", "[\"ant\"]"));
        assert_eq!((&*run.settings["agent.rate"], &*run.provenance["processor"]), ("0.001", "<b>"));
        assert_eq!(run.progress, Progress::Underway(9));
        assert_eq!(read_run(folder.path(), Path::new(""), &tasks(), 9).progress, Progress::Finished);
    }
}
