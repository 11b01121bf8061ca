//! `dreamgraft transfer rank`: earlier agents in the order in which they promise to help.

use crate::args::rank::TransferRank;
use crate::exit::{Exit, Failure};
use crate::{meaning, print};
use environment::Catalogue;
use std::io::{IsTerminal, Write};
use std::path::Path;
use train::{RankEpisodes, RankEvent, RankOptions, RunRequest, TrainError};
use transfer::rank::ranked_plan;
use wording::{shell_path, shell_word};

/// Prints the ranking, and writes the plan that was asked for.
///
/// # Errors
/// If an argument, an agent or an episode cannot be used, or the plan cannot be written.
pub fn transfer_rank(catalogue: &dyn Catalogue, typed: &TransferRank) -> Result<Exit, Failure> {
    if let Some(path) = &typed.plan {
        check_new(path)?;
    }
    let mut request = RunRequest::new(vec![typed.task.clone()], "small");
    typed.set.iter().try_for_each(|setting| meaning::check_of_task(setting))?;
    (request.seed, request.settings, request.config) = (Some(typed.seed), typed.set.clone(), typed.config.clone());
    let count = usize::try_from(typed.episodes).unwrap_or(usize::MAX);
    let episodes = match &typed.episodes_of {
        Some(run) => RankEpisodes::OfRun(run.clone(), count),
        None => RankEpisodes::Random(count),
    };
    let options = RankOptions { from: typed.from.clone(), target: typed.target.clone(), episodes };
    let ranking = train::rank(catalogue, &request.configuration()?, &options, |event| {
        // For people who wait; results alone go to stdout.
        if !std::io::stderr().is_terminal() {
            return;
        }
        let line = match event {
            RankEvent::Episodes(count) => format!("{count} episodes of {}", typed.task),
            RankEvent::Scores(name) => format!("scoring {name}"),
        };
        let _ = writeln!(std::io::stderr(), "{line}");
    })?;
    let mut text = if typed.json { ranking.to_json() } else { ranking.to_string() };
    if let (Some(path), Some(plan)) = (&typed.plan, ranked_plan(&ranking)) {
        let failed = |source| TrainError::Io { path: path.clone(), source };
        files::write_atomically(path, |file| file.write_all(plan.as_bytes())).map_err(failed)?;
        if !typed.json {
            let file = typed.config.iter().map(|file| format!(" --config {}", shell_path(file)));
            let set = typed.set.iter().map(|setting| format!(" --set {}", shell_word(setting)));
            let settings: String = file.chain(set).collect();
            let (written, task, path) = (path.display(), shell_word(&typed.task), shell_path(path));
            text.push_str(&format!("\nwrote {written}; `dreamgraft train {task}{settings} --plan {path}` uses it, with the --preset of these agents\n"));
        }
    }
    Ok(print::done(print::text(text.trim_end()))?)
}

/// Checks before the work that the plan can be written, and replaces no other file.
///
/// # Errors
/// If the file exists, or cannot be made.
fn check_new(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() {
        let why = "this file exists; remove it or give another name";
        return Err(Failure::Arguments(format!("--plan {}: {why}", path.display())));
    }
    files::check_writable(path, false).map_err(|source| TrainError::Io { path: path.to_owned(), source })?;
    Ok(())
}
