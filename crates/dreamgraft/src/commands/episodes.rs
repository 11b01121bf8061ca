//! `dreamgraft episodes`: episodes of other programs.

use crate::args::episodes::{AddArgs, EpisodesCommand};
use crate::exit::{Exit, Failure};
use crate::print;
use environment::Catalogue;
use train::Added;
use wording::counted;

/// Adds episodes to a run.
///
/// # Errors
/// If a file cannot be used, or the run cannot learn from it.
pub fn episodes(catalogue: &dyn Catalogue, typed: &EpisodesCommand) -> Result<Exit, Failure> {
    let EpisodesCommand::Add(AddArgs { run, files, task }) = typed;
    let Added { folder, episodes, transitions, renamed, known } =
        train::add_episodes(catalogue, run, files, task.as_deref())?;
    for (path, named) in renamed {
        let (path, task) = (path.display(), task.as_deref().unwrap_or_default());
        print::note(&format!("{path} names the task {named}; it was added as an episode of {task}, because of --task"));
    }
    for (path, equal) in known {
        let (path, equal) = (path.display(), equal.display());
        print::note(&format!("{path} was not added: the run has this episode already, in {equal}"));
    }
    let (count, folder) = (counted(episodes, "episode"), folder.display());
    let text = format!("{count} with {} added in {folder}", counted(transitions, "transition"));
    Ok(print::done(print::line(&text))?)
}
