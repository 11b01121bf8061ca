//! The results that the server shows, read again when files have changed.

use super::request::Answer;
use crate::report::{Media, Report, mime, page, read_image};
use crate::results::{Results, ResultsError, run_folders};
use files::layout;
use rustix::time::{ClockId, clock_gettime};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two looks at the files.
const PAUSE: Duration = Duration::from_secs(2);

/// And making pages takes no more than one part of so many of the time of one core: the machine has runs to do.
const SHARE: u32 = 4;

/// A page and the state from which it was created.
#[derive(Debug)]
pub struct Shown {
    root: PathBuf,
    results: Results,
    page: String,
    /// The state of the files that the page shows.
    state: String,
    /// When they were last looked at.
    looked: Instant,
    /// How long they are then left alone.
    pause: Duration,
    /// Whether a thread is making a newer page.
    renewing: bool,
}

impl Shown {
    /// Reads the runs in `root`; there may be none yet.
    ///
    /// # Errors
    /// If the folder or the study's manifest cannot be read.
    pub fn new(root: &Path) -> Result<Self, ResultsError> {
        let state = state_of(root);
        let results = read(root)?;
        let page = page(&Report::new(&results), &Media::Served, Some(&state));
        // The first page takes long: all intervals are computed for it, and later ones only where a number has changed.
        let pause = PAUSE;
        Ok(Self { root: root.to_owned(), results, page, state, looked: Instant::now(), pause, renewing: false })
    }

    /// Reads the changed files again, unless they were looked at just now. Meanwhile, others are shown the page that
    /// there is.
    ///
    /// # Errors
    /// If the folder or the study's manifest cannot be read.
    pub fn renew(shown: &Mutex<Self>) -> Result<(), ResultsError> {
        let (root, state) = {
            let mut now = lock(shown);
            if now.renewing || now.looked.elapsed() < now.pause {
                return Ok(());
            }
            (now.renewing, now.looked) = (true, Instant::now());
            (now.root.clone(), now.state.clone())
        };
        // Whoever panics here leaves the page to the next.
        let _renewing = Renewing(shown);
        if state_of(&root) != state {
            let began = worked();
            let newer = Self::new(&root)?;
            let pause = PAUSE.max(SHARE * worked().saturating_sub(began));
            *lock(shown) = Self { pause, ..newer };
        }
        Ok(())
    }

    /// The page.
    pub fn page(&self) -> Answer {
        Answer { status: 200, mime: "text/html; charset=utf-8", body: self.page.clone().into_bytes() }
    }

    /// The state of the page.
    pub fn state(&self) -> Answer {
        Answer::text(200, &self.state)
    }

    /// An image of the page.
    pub fn image(&self, run: usize, image: usize) -> Answer {
        let known = self.results.runs.get(run).and_then(|run| run.images.get(image));
        match known.and_then(|image| Some((image, read_image(image)?))) {
            Some((image, body)) => Answer { status: 200, mime: mime(image.kind), body },
            None => Answer::text(404, "this image does not exist any more"),
        }
    }
}

/// The time that this thread has computed.
fn worked() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// The shown page. One that a thread left when it panicked may be used: it is read again.
pub fn lock(shown: &Mutex<Shown>) -> MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody makes a newer page, until this is dropped.
struct Renewing<'a>(&'a Mutex<Shown>);

impl Drop for Renewing<'_> {
    fn drop(&mut self) {
        lock(self.0).renewing = false;
    }
}

/// The runs in `root`, or an empty list: the first may be about to begin.
fn read(root: &Path) -> Result<Results, ResultsError> {
    match Results::read(root) {
        Err(ResultsError::NoRuns { .. }) => Ok(Results {
            pilots: Vec::new(),
            baseline: None,
            name: root.display().to_string(),
            root: root.to_owned(),
            document: None,
            runs: Vec::new(),
            notes: Vec::new(),
        }),
        other => other,
    }
}

/// A hash of the state from which a page is created: it changes when a file changes.
fn state_of(root: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    let mut file = |path: PathBuf| {
        let known = path.metadata().ok().map(|known| (known.len(), known.modified().ok()));
        (path, known).hash(&mut hasher);
    };
    file(root.join(crate::manifest::FILE));
    for folder in run_folders(root) {
        for name in [layout::CONFIG, layout::METRICS, layout::TRANSFER_REPORT, layout::VIDEOS] {
            file(root.join(&folder).join(name));
        }
    }
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_follows_the_files() {
        let root = tempfile::tempdir().unwrap();
        let mut states = vec![state_of(root.path())];
        let folder = root.path().join("ant/small/0");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), "tasks = [\"ant\"]\nsteps = 9\nseed = 0\n").unwrap();
        states.push(state_of(root.path()));
        std::fs::write(folder.join("metrics.jsonl"), "{\"step\":1}\n").unwrap();
        states.push(state_of(root.path()));
        assert_eq!(states[2], state_of(root.path()));
        std::fs::write(folder.join("metrics.jsonl"), "{\"step\":1}\n{\"step\":2}\n").unwrap();
        states.push(state_of(root.path()));
        states.sort();
        states.dedup();
        assert_eq!(states.len(), 4);
    }

    #[test]
    fn others_are_answered_while_a_page_is_made() {
        let root = tempfile::tempdir().unwrap();
        let mut shown = Shown::new(root.path()).unwrap();
        (shown.pause, shown.renewing) = (Duration::ZERO, true);
        let before = shown.state.clone();
        let shown = Mutex::new(shown);
        std::fs::create_dir_all(root.path().join("ant/small/0")).unwrap();
        std::fs::write(root.path().join("ant/small/0/config.toml"), "tasks = [\"ant\"]\nsteps = 9\n").unwrap();
        Shown::renew(&shown).unwrap();
        assert_eq!(lock(&shown).state, before, "somebody else is making it");
        drop(Renewing(&shown));
        Shown::renew(&shown).unwrap();
        let now = lock(&shown);
        assert!(now.state != before && !now.renewing);
    }

    #[test]
    fn a_page_without_runs_notes_it() {
        let root = tempfile::tempdir().unwrap();
        let shown = Shown::new(root.path()).unwrap();
        let page = String::from_utf8(shown.page().body).unwrap();
        assert!(page.contains("There are no runs to compare yet."));
        assert_eq!(shown.image(0, 0).status, 404);
        assert!(Shown::new(&root.path().join("none")).is_err());
    }
}
