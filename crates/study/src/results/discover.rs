//! Runs in a folder that does not belong to a study, such as `runs/`: method and seed come from the names of their
//! folders.

use super::folder::read_run;
use super::settings::{Texts, settings, tasks_of};
use super::transfer_record::TransferRecord;
use super::{Ancestry, Results, ResultsError, RunResult, command};
use crate::manifest::{FILE, Manifest};
use environment::file_name;
use files::layout;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use wording::{counted, grouped, natural_order};

/// How deep runs are looked for: `runs/TASK/METHOD/SEED` and some more.
const DEPTH: usize = 6;

/// The most runs that are read.
const MOST_RUNS: usize = 20_000;

/// The most entries of folders that are looked at.
const MOST_ENTRIES: usize = 2_000_000;

/// The runs in and below `root`.
///
/// # Errors
/// If the folder cannot be read, or does not contain runs.
pub fn runs_in(root: &Path) -> Result<Results, ResultsError> {
    std::fs::read_dir(root).map_err(ResultsError::io(root))?;
    let Search { folders, notes, .. } = Search::of(root);
    if folders.is_empty() {
        return Err(ResultsError::NoRuns { path: root.to_owned() });
    }
    let mut texts = Texts::default();
    let name = root.canonicalize().ok().and_then(|root| Some(root.file_name()?.to_string_lossy().into_owned()));
    Ok(Results {
        pilots: Vec::new(),
        name: name.unwrap_or_else(|| root.display().to_string()),
        root: root.to_owned(),
        document: None,
        baseline: None,
        runs: folders.iter().map(|folder| found(root, folder, &mut texts)).collect(),
        notes,
    })
}

/// The folders of runs in `root`, relative to it: those of the study's manifest, or all there are.
pub fn run_folders(root: &Path) -> Vec<PathBuf> {
    if root.join(FILE).exists() {
        let manifest = Manifest::read(root).map(|manifest| manifest.entries).unwrap_or_default();
        return manifest.into_iter().map(|entry| entry.folder).collect();
    }
    Search::of(root).folders
}

/// A search for run folders.
#[derive(Default)]
struct Search {
    /// Those found, relative to the root, in the order of their names.
    folders: Vec<PathBuf>,
    /// The files that were passed over, with the reasons.
    notes: Vec<String>,
    /// Entries of folders that were looked at.
    entries: usize,
    /// Folders that were looked at: links may lead to one of them again.
    seen: BTreeSet<(u64, u64)>,
    /// Whether a limit ended the search.
    cut: bool,
}

impl Search {
    /// Searches `root` and the folders below, links included.
    fn of(root: &Path) -> Self {
        let mut search = Self::default();
        search.look(root, Path::new(""), DEPTH);
        if search.cut {
            let (most, runs) = (grouped(MOST_RUNS as u64), counted(search.folders.len() as u64, "run"));
            let entries = grouped(MOST_ENTRIES as u64);
            search.notes.push(format!(
                "{} contains more than {most} runs or {entries} files and folders, the most that are read: these are \
                 the first {runs}; give a folder inside it to see others",
                root.display()
            ));
        }
        search
    }

    fn look(&mut self, root: &Path, folder: &Path, depth: usize) {
        let path = root.join(folder);
        let place = path.metadata().map(|metadata| (metadata.dev(), metadata.ino()));
        if place.is_ok_and(|place| !self.seen.insert(place)) {
            self.notes.push(format!("{}: skipped, because it is a link to a folder that is shown", path.display()));
            return;
        }
        if path.join(layout::CONFIG).is_file() {
            self.cut |= self.folders.len() == MOST_RUNS;
            if !self.cut {
                self.folders.push(folder.to_owned());
            }
            return;
        }
        let mut below = Vec::new();
        match std::fs::read_dir(&path) {
            Ok(all) => {
                for entry in all.flatten() {
                    self.entries += 1;
                    if self.entries > MOST_ENTRIES {
                        self.cut = true;
                        break;
                    }
                    let is_folder = entry.file_type().is_ok_and(|kind| {
                        kind.is_dir() || kind.is_symlink() && entry.path().metadata().is_ok_and(|to| to.is_dir())
                    });
                    if is_folder {
                        below.push(folder.join(entry.file_name()));
                    }
                }
            }
            Err(error) => self.notes.push(format!("{}: {error}", path.display())),
        }
        below.sort_by(|one, other| {
            natural_order(&one.to_string_lossy(), &other.to_string_lossy()).then_with(|| one.cmp(other))
        });
        for folder in below.iter().filter(|_| depth > 0) {
            if self.cut {
                return;
            }
            self.look(root, folder, depth - 1);
        }
    }
}

/// The run that was found in `folder`.
fn found(root: &Path, folder: &Path, texts: &mut Texts) -> RunResult {
    // `read_run` reports an unreadable configuration.
    let settings = settings(&root.join(folder)).ok().flatten().unwrap_or_default();
    let number = |key: &str| settings.get(key).and_then(|text| text.parse::<u64>().ok());
    let tasks = tasks_of(&settings);
    let mut run = read_run(root, folder, &tasks, number("steps").unwrap_or(u64::MAX));
    run.seed = number("seed").unwrap_or(0);
    run.method = method(folder, &tasks, run.seed);
    if tasks.len() > 1 {
        // The returns of an agent that also learns other tasks are a different statistic.
        run.method.push_str(&format!(" ({})", tasks.join(" + ")));
    }
    match TransferRecord::read(&root.join(folder), run.transfer.as_ref()) {
        Ok(None) => {}
        Ok(Some(record)) => {
            run.from_scratch = false;
            run.ancestry = Ancestry::new(root, &record);
            // Runs with transfers from other tasks are another method, independent of the names of their folders.
            run.source = Some(run.ancestry.tasks.join("+")).filter(|tasks| !tasks.is_empty());
            run.problems.extend(run.ancestry.gaps.iter().cloned());
        }
        Err(why) => {
            // It has a transfer, even if its content is not known.
            run.from_scratch = false;
            run.ancestry.gaps.push(why.clone());
            if !run.problems.contains(&why) {
                run.problems.push(why);
            }
        }
    }
    let mut words = vec![OsString::from("train")];
    words.extend(tasks.into_iter().map(OsString::from));
    words.extend(["--config".into(), root.join(folder).join(layout::CONFIG).into_os_string()]);
    if run.transfer.is_some() {
        words.extend(["--plan".into(), root.join(folder).join(layout::TRANSFER_PLAN).into_os_string()]);
    }
    if let Some(record) = &run.guide {
        words.extend(["--guide".into(), record.guide.file.clone().into_os_string()]);
    }
    if let Some(record) = &run.rehearsal {
        words.extend(["--rehearse".into(), record.folder.clone().into_os_string()]);
        words.extend(["--share".into(), record.share.to_string().into()]);
    }
    words.extend(["--logdir", "ANOTHER"].map(OsString::from));
    run.command = command(&words);
    texts.share(&mut run);
    run
}

/// The name of a run folder without its tasks and its seed: `small` for `runs/hopper/small/3`.
fn method(folder: &Path, tasks: &[String], seed: u64) -> String {
    let mut words: Vec<String> =
        folder.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    // Folders of external environments have a name of their own: `gymnasium-Pendulum-v1` for `gymnasium:Pendulum-v1`.
    let of_tasks = tasks.join("+");
    words.retain(|word| *word != of_tasks && *word != file_name(&of_tasks));
    if let Some(last) = words.pop() {
        let without = last.strip_suffix(&seed.to_string()).map(|rest| rest.trim_end_matches(['-', '_']));
        let without = without.map(|rest| rest.strip_suffix("seed").unwrap_or(rest).trim_end_matches(['-', '_']));
        words.extend(Some(without.unwrap_or(&last)).filter(|rest| !rest.is_empty()).map(str::to_owned));
    }
    if words.is_empty() { "run".to_owned() } else { words.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Progress;

    #[test]
    fn methods_are_folders_without_task_and_seed() {
        let method = |folder: &str, seed| method(Path::new(folder), &["ant".to_owned()], seed);
        assert_eq!(method("ant/small/0", 0), "small");
        assert_eq!(method("ant/small-paper-0.2/3", 3), "small-paper-0.2");
        assert_eq!(method("ant/small-seed-3", 3), "small");
        assert_eq!(method("ant/small-seed-3", 4), "small-seed-3");
        assert_eq!((method("", 0).as_str(), method("7", 7).as_str()), ("run", "run"));
    }

    #[test]
    fn the_folder_of_an_external_environment_is_not_part_of_the_method() {
        let tasks = ["hopper".to_owned(), "gymnasium:ALE/Pong-v5".to_owned()];
        assert_eq!(method(Path::new("gymnasium-ALE-Pong-v5/small/0"), &tasks[1..], 0), "small");
        assert_eq!(method(Path::new("hopper+gymnasium-ALE-Pong-v5/small/0"), &tasks, 0), "small");
    }

    #[test]
    fn runs_are_found_wherever_they_lie_and_not_below_one_another() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["ant/small/0", "ant/small/0/checkpoints/x", "b", "empty"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let config = "tasks = [\"ant\"]\nseed = 0\nsteps = 2000\n";
        for folder in ["ant/small/0", "ant/small/0/checkpoints/x", "b"] {
            std::fs::write(root.path().join(folder).join("config.toml"), config).unwrap();
        }
        std::fs::write(root.path().join("b/metrics.jsonl"), "{\"step\":1000,\"train_return\":5}\n").unwrap();
        let results = runs_in(root.path()).unwrap();
        let found: Vec<_> =
            results.runs.iter().map(|run| (run.folder.to_str().unwrap(), run.method.as_str())).collect();
        assert_eq!(found, [("ant/small/0", "small"), ("b", "b")]);
        assert_eq!(results.runs[1].progress, Progress::Underway(1000));
        assert_eq!(results.runs[1].series("ant").unwrap().training.overall(), Some(5.0));
        assert!(results.runs[1].command.starts_with("dreamgraft train ant --config "), "{}", results.runs[1].command);
    }

    #[test]
    fn a_run_with_a_transfer_is_not_a_baseline_even_if_it_cannot_be_read() {
        let root = tempfile::tempdir().unwrap();
        let make = |name: &str, file: Option<(&str, &str)>| {
            let folder = root.path().join(name);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("config.toml"), "tasks = [\"ant\"]\nseed = 0\nsteps = 2000\n").unwrap();
            file.iter().for_each(|(name, text)| std::fs::write(folder.join(name), text).unwrap());
        };
        make("a", Some((layout::TRANSFER_REPORT, "{")));
        let rule = "[[rule]]\nmatch = \"**\"\ntake = \"full\"\nsource = \"x\"\n";
        make("b", Some((layout::TRANSFER_PLAN, &format!("format = 1\n[sources]\nx = \"nowhere\"\n{rule}"))));
        make("c", None);
        let results = runs_in(root.path()).unwrap();
        let found: Vec<(bool, usize)> = results.runs.iter().map(|run| (run.from_scratch, run.problems.len())).collect();
        assert_eq!(found, [(false, 1), (false, 3), (true, 0)], "{:?}", results.runs);
    }

    #[test]
    fn links_to_runs_are_followed_each_folder_once() {
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for folder in [elsewhere.path().join("ant/7"), root.path().join("a/0")] {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("config.toml"), "tasks = [\"ant\"]\nseed = 0\nsteps = 2000\n").unwrap();
        }
        let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, root.path().join(name)).unwrap();
        link(&elsewhere.path().join("ant/7"), "b");
        link(elsewhere.path(), "c");
        link(root.path(), "a/loop");
        link(root.path(), "d");
        link(Path::new("/nowhere"), "e");
        let results = runs_in(root.path()).unwrap();
        let found: Vec<&str> = results.runs.iter().map(|run| run.folder.to_str().unwrap()).collect();
        assert_eq!(found, ["a/0", "b"]);
        assert_eq!(run_folders(root.path()).len(), 2);
        // The loops, and the run that was reached by another link.
        assert_eq!(results.notes.len(), 3, "{:?}", results.notes);
        assert!(results.notes.iter().all(|note| note.contains("skipped, because")), "{:?}", results.notes);
    }

    #[test]
    fn a_folder_without_runs_is_an_error_that_names_it() {
        let root = tempfile::tempdir().unwrap();
        let message = runs_in(root.path()).unwrap_err().to_string();
        assert!(message.contains(root.path().to_str().unwrap()), "{message}");
        assert!(runs_in(&root.path().join("none")).is_err());
    }
}
