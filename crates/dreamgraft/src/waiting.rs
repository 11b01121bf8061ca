//! Waiting for another process to leave a run folder: `train --wait`.
//!
//! Here: when to try again. Not here: whether the folder is free, which only locking it can show (`train`).

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Time between two looks at the folder.
const LOOK: Duration = Duration::from_millis(500);

/// Waits a while, and until no process of this machine works in the run folder `root`; one of another machine cannot be seen.
/// False if `interrupted` was set.
pub fn until_free(root: &Path, interrupted: &AtomicBool) -> bool {
    loop {
        if interrupted.load(Ordering::Relaxed) {
            return false;
        }
        std::thread::sleep(LOOK);
        if !train::in_use(root) {
            return !interrupted.load(Ordering::Relaxed);
        }
    }
}
