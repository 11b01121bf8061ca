//! Signals that ask a run to stop, and one that a file grew too large.
//!
//! The first signal of [`STOP`] asks for a checkpoint, and a Ctrl-C after it ends the program at once. Other signals
//! after the first do not, because clusters send several before SIGKILL, and the checkpoint should be complete by then.
//! Not here: how a run reacts to a signal (`train`).

use crate::exit::Exit;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Ctrl-C, `kill` and most schedulers, warnings of pre-emption (Slurm's `--signal=USR1@120`; Grid Engine sends SIGUSR2 as well),
/// Ctrl-\, a terminal that went away, and a limit of processor time (`ulimit -t`).
const STOP: [i32; 7] = [SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGQUIT, SIGHUP, SIGXCPU];

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
        if ignored >> (signal - 1) & 1 == 0 || [SIGUSR1, SIGUSR2, SIGXCPU].contains(&signal) {
            flag::register(signal, Arc::clone(&asked))?;
        }
    }
    Ok(asked)
}

/// Turns a file beyond the limit of `ulimit -f` into an error, like a full disk. Without a handler, the signal ends the
/// program.
pub fn outlive_file_limit() {
    // A system that refuses this ends the program at the limit, as it would have without.
    let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// The signals that this program was started to ignore, a bit each, if the system reports them (Linux).
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
