//! `dreamgraft export`: a folder with an agent for others, as model hubs want it.

use crate::args::outside::Export;
use crate::exit::{Exit, Failure};
use crate::{card, meaning, plays, print};
use environment::Catalogue;
use files::layout::{EXPORTED_AGENT, EXPORTED_CONFIG};
use std::io::Write;
use std::path::Path;
use train::{Film, Learned, PlayEvent, PlayOptions, Plays, Policy, TrainError, WhoPlays, export, find_learned};

/// Writes the agent without its optimisers, its returns, an animation of it, and a page about all of it.
///
/// # Errors
/// If there is no such agent, an episode cannot be played, or the folder cannot be written.
pub fn export(catalogue: &dyn Catalogue, typed: &Export) -> Result<Exit, Failure> {
    let (learned, _) = find_learned::<Policy>(&typed.run)?;
    let out = &typed.out;
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| TrainError::Io { path, source }
    };
    if out.exists() && std::fs::read_dir(out).map_err(io(out))?.next().is_some() {
        return Err(Failure::Arguments(format!("--out {}: it is not empty; choose another folder", out.display())));
    }
    // Checked before anything is played.
    files::check_writable(&out.join("README.md"), true).map_err(io(out))?;
    let options = PlayOptions {
        policy: WhoPlays::Run(typed.run.clone()),
        task: None,
        settings: Vec::new(),
        film: Film::IfPossible,
        evaluation: None,
        episodes: typed.episodes,
        seed: typed.seed,
    };
    // Steps that can fail for outside reasons come first: then nothing is left behind.
    let all = train::play(catalogue, &options, |event| {
        if let PlayEvent::Note(text) = event {
            let _ = writeln!(std::io::stderr(), "note: {text}");
        }
        true
    })?;
    let is_new = !out.exists();
    files::create_folders(out).map_err(io(out))?;
    let names = write(typed, &learned, &all).inspect_err(|_| clear(out, is_new))?;
    Ok(print::done(print::line(&format!("{}: {}", out.display(), names.join(", "))))?)
}

/// Removes the files that were written into a folder that was empty or new, so that the same command can be tried
/// again.
fn clear(folder: &Path, is_new: bool) {
    // The error of writing is the one to report.
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.for_each(|file| drop(std::fs::remove_file(file.path())));
    if is_new {
        let _ = std::fs::remove_dir(folder);
    }
}

/// Writes the files of an export; their names.
fn write(typed: &Export, learned: &Learned<Policy>, all: &[Plays]) -> Result<Vec<String>, Failure> {
    let out = &typed.out;
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| TrainError::Io { path, source }
    };
    export::write(out, learned)?;
    let results: Vec<serde_json::Value> = all.iter().map(plays::value).collect();
    let write = |name: &str, text: String| {
        let path = out.join(name);
        files::write_atomically(&path, |file| file.write_all(text.as_bytes())).map_err(io(&path))
    };
    write("results.json", format!("{:#}\n", serde_json::Value::from(results)))?;
    let mut videos = Vec::new();
    let shown = all.iter().filter(|played| played.last.as_ref().is_some_and(|last| !last.image().is_empty()));
    for played in shown {
        let path = meaning::video_of(&out.join("replay.gif"), &played.task, all.len() > 1);
        played.write_video(&path)?;
        videos.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
    }
    write("README.md", card::card(&typed.run, learned, all, &videos))?;
    let files = [EXPORTED_AGENT, EXPORTED_CONFIG, "results.json", "README.md"].map(str::to_owned);
    Ok(files.into_iter().chain(videos).collect())
}
