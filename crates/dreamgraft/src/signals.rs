//! Signals that ask a run to stop, and one that a file grew too large.
//!
//! The first signal of [`STOP`] asks for a checkpoint, and a Ctrl-C after it ends the program at once. Other signals
//! after the first do not, because clusters send several before SIGKILL, and the checkpoint should be complete by then.
//! Not here: what a run does after a signal (`train`).

use crate::exit::Exit;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Ctrl-C, `kill` and most schedulers, a warning of pre-emption (Slurm's `--signal=USR1@60`), a terminal that went away.
const STOP: [i32; 4] = [SIGINT, SIGTERM, SIGUSR1, SIGHUP];

/// A flag that the first signal sets.
///
/// # Errors
/// If the system refuses.
pub fn interrupted() -> std::io::Result<Arc<AtomicBool>> {
    let asked = Arc::new(AtomicBool::new(false));
    let ignored = ignored();
    // The order matters: the handler that ends the program reads the flag before the same signal sets it.
    flag::register_conditional_shutdown(SIGINT, Exit::AtOnce as i32, Arc::clone(&asked))?;
    for signal in STOP {
        // `nohup` and shells have some signals ignored, and mean it.
        if ignored >> (signal - 1) & 1 == 0 || signal == SIGUSR1 {
            flag::register(signal, Arc::clone(&asked))?;
        }
    }
    // Without a handler, a file larger than `ulimit -f` would end the program. With it, that is an error like a full
    // disk.
    flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    Ok(asked)
}

/// The signals that this program was started to ignore, one bit each, where the system reports them (Linux).
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
