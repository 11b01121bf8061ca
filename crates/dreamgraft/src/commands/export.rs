//! `dreamgraft export`: a folder with an agent for others, as model hubs want it.

use crate::args::outside::Export;
use crate::exit::{Exit, Failure};
use crate::{card, meaning, plays, print};
use environment::Catalogue;
use files::layout::{EXPORTED_AGENT, EXPORTED_CONFIG};
use std::io::Write;
use std::path::Path;
use train::{Film, PlayEvent, PlayOptions, Policy, TrainError, WhoPlays, export, find_learned};

/// Writes the agent without its optimisers, what it earns, an animation of it, and a page about all of it.
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
    let options = PlayOptions {
        policy: WhoPlays::Run(typed.run.clone()),
        task: None,
        settings: Vec::new(),
        film: Film::IfPossible,
        evaluation: None,
        episodes: typed.episodes,
        seed: typed.seed,
    };
    // First what can fail for reasons of the world: then nothing is left behind.
    let all = train::play(catalogue, &options, |event| {
        if let PlayEvent::Note(text) = event {
            let _ = writeln!(std::io::stderr(), "note: {text}");
        }
        true
    })?;
    files::create_folders(out).map_err(io(out))?;
    export::write(out, &learned)?;
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
    write("README.md", card::card(&typed.run, &learned, &all, &videos))?;
    let files = [EXPORTED_AGENT, EXPORTED_CONFIG, "results.json", "README.md"].map(str::to_owned);
    let names: Vec<String> = files.into_iter().chain(videos).collect();
    Ok(print::done(print::line(&format!("{}: {}", out.display(), names.join(", "))))?)
}
