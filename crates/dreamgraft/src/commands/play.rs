//! `dreamgraft play` and `dreamgraft eval`: plays episodes and prints their results.

use crate::args::play::{Eval, Play, Results};
use crate::exit::{Exit, Failure};
use crate::{meaning, plays, print};
use environment::Catalogue;
use train::{PlayEvent, PlayOptions, TrainError};
use wording::rounded;

/// Plays episodes with the agent of a run.
///
/// # Errors
/// If no episode can be played, or the video cannot be written.
pub fn eval(catalogue: &dyn Catalogue, typed: &Eval) -> Result<Exit, Failure> {
    episodes(catalogue, &meaning::evaluation(typed), &typed.results)
}

/// Plays episodes of a task.
///
/// # Errors
/// If no episode can be played, or the video cannot be written.
pub fn play(catalogue: &dyn Catalogue, typed: &Play) -> Result<Exit, Failure> {
    episodes(catalogue, &meaning::playing(typed)?, &typed.results)
}

/// Plays episodes and prints their results: lines for people as it goes, or JSON at the end. Notes go to stderr.
fn episodes(catalogue: &dyn Catalogue, options: &PlayOptions, results: &Results) -> Result<Exit, Failure> {
    if let Some(path) = &results.video {
        // Checked before anything is played.
        files::check_writable(path, false).map_err(|source| TrainError::Io { path: path.clone(), source })?;
    }
    let mut printed = Ok(());
    let all = train::play(catalogue, options, |event| {
        match event {
            PlayEvent::Note(text) => print::note(text),
            PlayEvent::Episode { task, index, score, frames } if !results.json => {
                let (number, score) = (index + 1, rounded(score, 3));
                printed = print::line(&format!("{task}  episode {number:>3}  return {score}  {}", frames.counted()));
            }
            PlayEvent::Episode { .. } => {}
        }
        // If stdout is closed, the remaining episodes are not needed.
        printed.is_ok()
    })?;
    let texts =
        all.iter().map(|plays| if results.json { plays::json(plays) } else { plays::summary(plays, &options.policy) });
    let end = print::done(printed.and_then(|()| texts.into_iter().try_for_each(|text| print::line(&text))))?;
    if let Some(path) = &results.video {
        for plays in &all {
            let path = meaning::video_of(path, &plays.task, all.len() > 1);
            plays.write_video(&path)?;
            // JSON stays JSON, and a closed stdout is not an error.
            if !results.json {
                print::say(&format!("wrote {}", path.display()));
            }
        }
    }
    Ok(end)
}
