//! How launchers ask for a run: its request, with settings that change no results.
//!
//! Not here: starting processes (`local`), scripts (`slurm`).

use crate::manifest::Entry;
use train::RunRequest;

/// Into how many parts videos divide a run of a study, unless the study file sets it.
const VIDEOS: u64 = 4;

/// The request of a run, with fewer videos than a single run writes: there are many runs, and the report shows the last video
/// of each. A study file that sets `log.videos` or `log.video_every` is left alone.
pub fn request(entry: &Entry) -> RunRequest {
    let mut request = entry.request.clone();
    if !request.settings.iter().any(|setting| setting.starts_with("log.video")) {
        request.settings.push(format!("log.video_every={}", (entry.steps / VIDEOS).max(1)));
    }
    request
}
