//! `dreamgraft watch`: the report of runs under way, until Ctrl-C.

use crate::args::study::Watch;
use crate::exit::{Exit, Failure};
use crate::{print, signals};
use std::sync::atomic::Ordering;
use std::time::Duration;
use train::TrainError;

/// The time after which a signal is noticed.
const NOTICE: Duration = Duration::from_millis(100);

/// Serves the page of the runs in a folder, until a signal ends it.
///
/// # Errors
/// If the folder cannot be read, the port is in use, or signals cannot be handled.
pub fn watch(typed: &Watch) -> Result<Exit, Failure> {
    if !typed.logdir.try_exists().map_err(|source| TrainError::Io { path: typed.logdir.clone(), source })? {
        let folder = typed.logdir.display();
        return Err(Failure::Arguments(format!(
            "{folder} does not exist; give a study's folder, or one with runs in it"
        )));
    }
    let asked_to_end = signals::interrupted().map_err(|source| TrainError::Signals { source })?;
    let watch = study::watch::Watch::start(&typed.logdir, typed.port)?;
    // The page does not need anyone who reads this line.
    print::say(&format!("watching {} at http://{}/ (Ctrl-C ends it)", typed.logdir.display(), watch.address()));
    while !asked_to_end.load(Ordering::SeqCst) {
        std::thread::park_timeout(NOTICE);
    }
    Ok(Exit::Done)
}
