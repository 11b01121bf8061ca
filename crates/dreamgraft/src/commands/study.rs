//! `dreamgraft study` and its commands.
//!
//! Here: the printed lines. Not here: studies themselves, and how runs are started (`study`).

mod costs;

use super::report::report;
use crate::args::study::{Launcher, PlanArgs, ReportArgs, RunArgs, RunOneArgs, StatusArgs, StudyCommand, StudyPlace};
use crate::exit::{Exit, Failure};
use crate::print::{self, say};
use crate::{device, signals};
use costs::measured;
use environment::Catalogue;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;
use study::copied::CopiedRun;
use study::estimate::{self, Costs};
use study::local::{self, Ended, Pool, PoolEvent};
use study::share::{Sharing, Store};
use study::slurm::{self, Profile, Scripts};
use study::status::{self, State, Status};
use study::study_file::{self, LoadedStudy, StudyFile};
use study::{Entry, Manifest, StudyError};
use train::{Disk, Files, Needs, RunRequest, TrainError};
use wording::{counted, grouped};

/// Runs one of the commands of `dreamgraft study`.
///
/// # Errors
/// As each of its commands.
pub fn study(catalogue: &dyn Catalogue, typed: &StudyCommand) -> Result<Exit, Failure> {
    match typed {
        StudyCommand::Plan(typed) => plan(catalogue, typed),
        StudyCommand::Run(typed) => run(catalogue, typed),
        StudyCommand::Status(typed) => status_of(typed),
        StudyCommand::RunOne(typed) => run_one(catalogue, typed),
        StudyCommand::Report(typed) => {
            let (folder, read) = folder_of(&typed.study, typed.dir.as_deref())?;
            if let Some(note) = read.and_then(|read| edited(&read, &folder)) {
                print::note(&note);
            }
            report(&folder, typed)
        }
    }
}

impl StudyPlace {
    /// The study's folder.
    fn folder(&self, study: &StudyFile) -> PathBuf {
        self.dir.clone().unwrap_or_else(|| study::default_folder(study))
    }
}

/// How many of the `runs` of a study at once, and how many threads each has.
fn divided(jobs: Option<u64>, runs: usize) -> (usize, usize) {
    let cores = train::threads(0);
    let jobs = jobs.map_or(cores, |jobs| usize::try_from(jobs).unwrap_or(usize::MAX)).min(runs.max(1));
    (jobs, (cores / jobs).max(1))
}

fn program() -> Result<PathBuf, Failure> {
    let unknown = |source| TrainError::Io { path: "this program".into(), source };
    Ok(std::env::current_exe().map_err(unknown)?)
}

fn plan(catalogue: &dyn Catalogue, typed: &PlanArgs) -> Result<Exit, Failure> {
    let read = study_file::read(&typed.place.file)?;
    let folder = typed.place.folder(&read.study);
    let manifest = match study::recorded(&read, catalogue, &folder)? {
        Some(recorded) => recorded,
        None => {
            let manifest = study::manifest_of(&read, catalogue)?;
            study::check_folder(&folder)?;
            study::check_transfers(&read, catalogue, &manifest)?;
            manifest
        }
    };
    let states = status::status(&folder, &manifest);
    let mut lines = Vec::new();
    if let Some(path) = typed.share.clone().filter(|store| store.exists() && !store.is_dir()) {
        return Err(TrainError::WrongKind { path, found: "file", needed: "folder" }.into());
    }
    // A plan makes no folder.
    let store = typed.share.as_deref().filter(|store| store.is_dir());
    let program = program()?;
    let sharing =
        store.map(|store| Sharing::new(catalogue, &program, false, &folder, &manifest, Some(store))).transpose()?;
    let is_shared = |entry: &Entry| sharing.as_ref().is_some_and(|sharing| sharing.is_found(entry));
    let shared: Vec<bool> = manifest.entries.iter().map(is_shared).collect();
    for entry in &manifest.entries {
        let state = if shared[entry.index] { "shared" } else { states[entry.index].state.name() };
        let after: Vec<String> = entry.after.iter().map(usize::to_string).collect();
        let after = if after.is_empty() { String::new() } else { format!("  after {}", after.join(", ")) };
        let (index, folder) = (entry.index, entry.folder.display());
        let steps = match &entry.pilot {
            // Which of the candidates has more is not known yet.
            Some(pilot) => format!("{} or more", counted(pilot.slices[0], "frame")),
            None => counted(entry.steps, "frame"),
        };
        lines.push(format!("{index:>4}  {state:8}  {steps:>17}  {folder}{after}"));
    }
    let configs = manifest.entries.iter().map(estimate::config).collect::<Result<Vec<_>, _>>()?;
    let tasks = configs.iter().map(|config| estimate::tasks(catalogue, config)).collect::<Result<Vec<_>, _>>()?;
    let (jobs, threads) = divided(typed.jobs, manifest.entries.len());
    let (costs, origin) = match estimate::seen(&states) {
        // The speed of runs has playing and evaluation in it.
        Some(rate) => {
            (Costs { update: rate, step: 0.0, evaluation_step: 0.0 }, "the speed of this study's runs so far")
        }
        None => {
            let mut config = train::for_tasks(&configs[0], &tasks[0]);
            config.threads = threads;
            let costs = measured(catalogue, &manifest.entries[0].request, &config)?;
            (costs, "measured now with three gradient steps and an episode, and no other runs")
        }
    };
    let updates: Vec<u64> =
        configs.iter().zip(&tasks).map(|(config, tasks)| estimate::updates(config, tasks)).collect();
    let has_ended = |state: State| matches!(state, State::Finished | State::Dropped);
    let left: Vec<f64> = states
        .iter()
        .map(|state| estimate::seconds_left(&configs[state.index], &tasks[state.index], state.updates, &costs))
        .zip(&states)
        .map(|(seconds, state)| if has_ended(state.state) || shared[state.index] { 0.0 } else { seconds })
        .collect();
    let frames: u64 = manifest.entries.iter().map(Entry::expected_frames).sum();
    let finished = states.iter().filter(|state| state.state == State::Finished).count();
    lines.push(format!(
        "{}, {finished} of them finished; {}, {} in all, in {}",
        counted(manifest.entries.len() as u64, "run"),
        counted(frames, "frame"),
        counted(updates.iter().sum(), "gradient step"),
        folder.display()
    ));
    lines.push(format!(
        "about {} left with {} at a time, each on {} ({:.3} s per gradient step: {origin})",
        time(estimate::makespan(&manifest, &left, jobs)),
        counted(jobs as u64, "run"),
        counted(threads as u64, "thread"),
        costs.update
    ));
    if let Some(store) = &typed.share {
        let count = shared.iter().filter(|shared| **shared).count();
        lines.push(format!("{} in {} will be copied, not trained", counted(count as u64, "run"), store.display()));
        let reasons = sharing.iter().flat_map(Sharing::reasons);
        lines.extend(reasons.map(|why| format!("note: some runs cannot be shared: {why}")));
    }
    lines.extend(needs_of(&estimate::needs(catalogue, &manifest)?, threads));
    lines.extend(estimate::short(&configs).map(|note| format!("note: {note}")));
    lines.extend(manifest.shared_seeds().iter().map(|note| format!("note: {note}")));
    lines.extend(study::unused(&read.study).iter().map(|note| format!("note: {note}")));
    lines.extend(edited(&read, &folder).map(|note| format!("note: {note}")));
    Ok(print::done(lines.iter().try_for_each(|line| print::line(line)))?)
}

/// Lines for people about the memory and the files of runs with these needs.
fn needs_of(needs: &[Needs], threads: usize) -> Vec<String> {
    let memory = || needs.iter().map(|needs| needs.memory(threads));
    let (least, most) = (memory().min().unwrap_or(0), memory().max().unwrap_or(0));
    let range = match (wording::bytes(least), wording::bytes(most)) {
        (least, most) if least == most => most,
        (least, most) => format!("{least} to {most}"),
    };
    let sum = |of: fn(&Disk) -> Files| needs.iter().map(|needs| of(&needs.disk)).fold(Files::default(), Files::and);
    let parts = [
        ("episodes", sum(|disk| disk.episodes)),
        ("videos and plots", sum(|disk| disk.videos)),
        ("checkpoints", sum(|disk| disk.checkpoints)),
        ("metrics and TensorBoard events", sum(|disk| disk.records)),
    ];
    let all = parts.iter().fold(Files::default(), |all, (_, files)| all.and(*files));
    let each = parts.iter().map(|(name, files)| format!("{} of {name}", wording::bytes(files.bytes)));
    let mut lines = vec![
        format!("estimated memory of a run with {}: {range}", counted(threads as u64, "thread")),
        format!(
            "estimated files of all runs: {}, {} ({}), if images are like those of the built-in tasks",
            counted(all.count, "file"),
            wording::bytes(all.bytes),
            each.collect::<Vec<_>>().join(", ")
        ),
    ];
    let going = needs.iter().filter(|needs| needs.disk.episodes_go).map(|needs| needs.disk.episodes);
    let going = going.fold(Files::default(), Files::and);
    if going.count > 0 {
        lines.push(format!(
            "of these, {} with {} of episodes are removed as runs finish (replay.files)",
            counted(going.count, "file"),
            wording::bytes(going.bytes)
        ));
    }
    lines
}

/// That the study's file, or the first line of the manifest in its folder, was edited since the folder was made.
fn edited(read: &LoadedStudy, folder: &Path) -> Option<String> {
    let header = Manifest::read(folder).ok()?.header;
    (header.document != read.checksum || header.study != read.study.name).then(|| {
        format!(
            "{} was created from another version of {}, or its manifest was edited: `study run` refuses it",
            folder.display(),
            read.path.display()
        )
    })
}

fn run(catalogue: &dyn Catalogue, typed: &RunArgs) -> Result<Exit, Failure> {
    let slurm_only = typed.profile.is_some() || typed.dry_run;
    if slurm_only && matches!(typed.launcher, Launcher::Local) {
        return Err(Failure::Arguments("--profile and --dry-run need --launcher slurm".to_owned()));
    }
    let read = study_file::read(&typed.place.file)?;
    let folder = typed.place.folder(&read.study);
    if matches!(typed.launcher, Launcher::Local) {
        // A device that cannot be used is reported before anything is written or started.
        device::open(typed.device.device)?;
    }
    let manifest = study::prepare(&read, catalogue, &folder)?;
    match typed.launcher {
        Launcher::Local => run_here(catalogue, typed, &read.study, &folder, &manifest),
        Launcher::Slurm => run_on_slurm(catalogue, typed, &folder, &manifest),
    }
}

fn run_here(
    catalogue: &dyn Catalogue,
    typed: &RunArgs,
    study: &StudyFile,
    folder: &Path,
    manifest: &Manifest,
) -> Result<Exit, Failure> {
    let (interrupted, told) = signals::interrupted_with_others().map_err(|source| TrainError::Signals { source })?;
    let program = program()?;
    // The memory of a GPU is enough for few runs, so several at a time must be requested with --jobs.
    let device = typed.device.name();
    let (jobs, threads) = divided(typed.jobs.or(device.is_some().then_some(1)), manifest.entries.len());
    let on_device = device.is_some();
    let sharing = Sharing::new(catalogue, &program, on_device, folder, manifest, typed.share.as_deref())?;
    store_finished(&sharing);
    let (sharing, device) = (Some(&sharing), device.as_deref());
    let unchanged = || study::check_unchanged(&typed.place.file, folder, manifest);
    let pool = Pool { program: &program, folder, manifest, jobs, threads, sharing, unchanged: &unchanged, device };
    let (total, began) = (manifest.entries.len(), Instant::now());
    let mut finished = status::status(folder, manifest).iter().filter(|run| run.state == State::Finished).count();
    say(&format!("{} in {}, {finished} of them finished", counted(total as u64, "run"), folder.display()));
    study::unused(study).iter().for_each(|note| say(&format!("note: {note}")));
    let ended = pool.run(&interrupted, &mut |event| match event {
        PoolEvent::Started { entry, killed: 0 } => {
            say(&format!("run {} started: {}", entry.index, entry.folder.display()))
        }
        PoolEvent::Started { entry, .. } => {
            say(&format!("run {} was killed and resumes: {}", entry.index, entry.folder.display()));
        }
        PoolEvent::Finished { entry } => {
            finished += 1;
            let after = time(began.elapsed().as_secs_f64());
            say(&format!(
                "run {} is finished: {} ({finished} of {total}, after {after})",
                entry.index,
                entry.folder.display()
            ));
        }
        PoolEvent::Copied { entry, copied } => {
            finished += 1;
            say(&format!("{} ({finished} of {total})", was_copied(entry, copied)));
        }
        PoolEvent::NotShared { entry, why } => say(&format!("note: run {} is not shared: {why}", entry.index)),
        PoolEvent::Dropped { entry, slice } => {
            finished += 1;
            say(&format!(
                "run {} is dropped: other candidates were better after {}: {} ({finished} of {total})",
                entry.index,
                counted(*slice, "frame"),
                entry.folder.display()
            ));
        }
        PoolEvent::Failed { entry, why } => {
            print::error(&format!("run {} failed: {}: {why}", entry.index, entry.folder.display()))
        }
        PoolEvent::Elsewhere { entry } => {
            say(&format!(
                "run {} is in use by another process; waiting for it: {}",
                entry.index,
                entry.folder.display()
            ));
        }
        PoolEvent::Stopping { workers } => {
            // From now on, a Ctrl-C leaves nothing behind.
            told.store(true, Ordering::Relaxed);
            say(&format!("stopping: {} saving a checkpoint", counted(*workers as u64, "run")))
        }
    })?;
    let Ended { finished, failed, left, stopped } = ended;
    if stopped {
        say(&format!("stopped with {finished} of {total} runs finished; the same command resumes"));
        return Ok(Exit::Stopped);
    }
    if failed > 0 {
        print::error(&format!(
            "{finished} of {total} runs are finished, {failed} failed, {left} depend on failed runs; the same command \
             tries them again"
        ));
        return Ok(Exit::Failed);
    }
    report(folder, &ReportArgs::default())
}

fn run_on_slurm(
    catalogue: &dyn Catalogue,
    typed: &RunArgs,
    folder: &Path,
    manifest: &Manifest,
) -> Result<Exit, Failure> {
    let profile = typed.profile.as_deref().map(Profile::read).transpose()?.unwrap_or_default();
    let whole = |path: &Path| path.canonicalize().map_err(|source| TrainError::Io { path: path.to_owned(), source });
    let (program, file, folder) = (program()?, whole(&typed.place.file)?, whole(folder)?);
    let device = typed.device.name();
    let device = device.as_deref();
    let share = if typed.dry_run {
        let store = typed.share.as_deref().map(Store::check).transpose()?;
        // A store that is not there yet has no runs.
        let found = store.as_deref().filter(|store| store.is_dir());
        let sharing = Sharing::new(catalogue, &program, device.is_some(), &folder, manifest, found)?;
        if let Some(store) = &store {
            let count = counted(sharing.found() as u64, "run");
            say(&format!("{count} in {} would be copied, not trained", store.display()));
        }
        store
    } else {
        let sharing = Sharing::new(catalogue, &program, device.is_some(), &folder, manifest, typed.share.as_deref())?;
        store_finished(&sharing);
        for entry in &manifest.entries {
            match sharing.fetch(entry) {
                Ok(Some(copied)) => say(&was_copied(entry, &copied)),
                Ok(None) => {}
                Err(why) => say(&format!("note: run {} is not shared: {why}", entry.index)),
            }
        }
        typed.share.as_deref().map(whole).transpose()?
    };
    let scripts = Scripts {
        program: &program,
        study_file: &file,
        folder: &folder,
        manifest,
        needs: &estimate::needs(catalogue, manifest)?,
        profile: &profile,
        most: slurm::largest_array(),
        share: share.as_deref(),
        device,
    };
    let arrays = scripts.write()?;
    if arrays.is_empty() {
        return report(&folder, &ReportArgs::default());
    }
    let jobs =
        if typed.dry_run { vec!["not submitted".to_owned(); arrays.len()] } else { slurm::submit(&folder, &arrays)? };
    for (array, job) in arrays.iter().zip(jobs) {
        say(&format!("{}: {}, job {job}", array.script.display(), counted(array.runs.len() as u64, "run")));
    }
    say(&format!("`dreamgraft study status {}` prints their progress", wording::shell_path(&folder)));
    Ok(Exit::Done)
}

fn run_one(catalogue: &dyn Catalogue, typed: &RunOneArgs) -> Result<Exit, Failure> {
    let read = study_file::read(&typed.place.file)?;
    let folder = typed.place.folder(&read.study);
    // Each of thousands of jobs comes here; the first command has checked the study's runs.
    let manifest = match study::unchanged(&read, &folder)? {
        Some(manifest) => manifest,
        None => study::prepare(&read, catalogue, &folder)?,
    };
    status::check_ready(&folder, &manifest, typed.index)?;
    let entry = &manifest.entries[typed.index];
    if entry.pilot.is_some() && !status::is_finished(&folder, entry) {
        return Err(StudyError::PilotOnSlurm { method: entry.method.clone() }.into());
    }
    let program = program()?;
    let on_device = typed.device.name().is_some();
    let sharing = Sharing::new(catalogue, &program, on_device, &folder, &manifest, typed.share.as_deref())?;
    let root = folder.join(&entry.folder);
    if status::is_finished(&folder, entry) {
        say(&format!("run {} is finished: {}", entry.index, root.display()));
        if sharing.put(entry)? {
            say("it was copied to the shared runs");
        }
        return Ok(Exit::Done);
    }
    match sharing.fetch(entry) {
        Ok(Some(copied)) => {
            say(&was_copied(entry, &copied));
            return Ok(Exit::Done);
        }
        Ok(None) => {}
        Err(why) => say(&format!("note: run {} is not shared: {why}", entry.index)),
    }
    sharing.begin(entry)?;
    // The run replaces this process: signals and the exit code are its own.
    let request =
        RunRequest { threads: typed.threads, device: typed.device.name(), wait: true, ..study::launch_request(entry) };
    let error = local::command(&program, &folder, &request).exec();
    Err(StudyError::Launch { program: program.display().to_string(), why: format!("cannot be started ({error})") }
        .into())
}

/// The folder of a study that is given as a study file (with `--dir`, if that was typed), which is read, or as its folder.
fn folder_of(study: &Path, dir: Option<&Path>) -> Result<(PathBuf, Option<LoadedStudy>), Failure> {
    match (dir, study.is_dir()) {
        (None, true) => Ok((study.to_owned(), None)),
        (Some(_), true) => Err(Failure::Arguments(format!(
            "--dir can be used with a study file only, but {} is a folder; remove --dir",
            study.display()
        ))),
        (dir, false) => {
            let read = study_file::read(study)?;
            Ok((dir.map_or_else(|| study::default_folder(&read.study), Path::to_owned), Some(read)))
        }
    }
}

fn status_of(typed: &StatusArgs) -> Result<Exit, Failure> {
    let (folder, _) = folder_of(&typed.study, typed.dir.as_deref())?;
    let manifest = Manifest::read(&folder)?;
    let states = status::status(&folder, &manifest);
    let mut lines: Vec<String> = states.iter().map(|run| if typed.json { json(run) } else { line(run) }).collect();
    if !typed.json {
        let count = |state: State| states.iter().filter(|run| run.state == state).count();
        let all = [State::Finished, State::Dropped, State::Running, State::Stopped, State::Failed, State::Waiting];
        let is_shown = |state: &State| *state != State::Dropped || count(State::Dropped) > 0;
        let counts = all.into_iter().filter(is_shown);
        let counts: Vec<String> = counts.map(|state| format!("{} {}", count(state), state.name())).collect();
        let (frames, steps) = (states.iter().map(|run| run.frames).sum(), states.iter().map(|run| run.expected).sum());
        lines.push(format!(
            "{}: {}; {} of {}",
            counted(states.len() as u64, "run"),
            counts.join(", "),
            grouped(frames),
            counted(steps, "frame")
        ));
    }
    Ok(print::done(lines.iter().try_for_each(|line| print::line(line)))?)
}

/// That a run was copied from the shared runs.
fn was_copied(entry: &Entry, copied: &CopiedRun) -> String {
    let (index, folder, store) = (entry.index, entry.folder.display(), copied.store.display());
    format!("run {index} was copied from {store}, where the study {} stored it: {folder}", copied.study)
}

/// Copies the finished runs of a study to those that are shared.
fn store_finished(sharing: &Sharing<'_>) {
    let (count, failed) = sharing.put_all();
    if count > 0 {
        say(&format!("{} copied to the shared runs", counted(count as u64, "finished run")));
    }
    if let Some(why) = failed {
        say(&format!("note: a finished run is not shared: {why}"));
    }
}

fn json(run: &Status) -> String {
    serde_json::to_string(run).expect("plain numbers")
}

fn line(run: &Status) -> String {
    let last = run.eval_return.map(|mean| format!("  return {}", wording::rounded(mean, 0))).unwrap_or_default();
    let (state, frames, steps) = (run.state.name(), grouped(run.frames), counted(run.steps, "frame"));
    let shared =
        run.shared.as_ref().map(|copied| format!("  copied from the study {}", copied.study)).unwrap_or_default();
    let why = run.failure.as_ref().map(|why| format!("  {why}")).unwrap_or_default();
    format!("{:>4}  {state:8}  {frames:>10} of {steps:>17}  {}{last}{shared}{why}", run.index, run.folder.display())
}

/// A time in its largest units.
fn time(seconds: f64) -> String {
    match seconds {
        s if s < 60.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}
