//! Signals that ask a run to stop, and one that a file grew too large.
//!
//! The first signal of [`STOP`] asks for a checkpoint, and a Ctrl-C after it ends the program at once. Other signals
//! after the first do not, because clusters send several before SIGKILL, and the checkpoint should be complete by then.
//! Not here: how a run reacts to a signal (`train`).

use crate::exit::Exit;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Ctrl-C, `kill` and most schedulers, warnings of pre-emption (Slurm's `--signal=USR1@120`; Grid Engine sends SIGUSR2 as well),
/// Ctrl-\, a terminal that went away, and a limit of processor time (`ulimit -t`).
const STOP: [i32; 7] = [SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGQUIT, SIGHUP, SIGXCPU];

/// The most seconds of processor time between SIGXCPU and the end, for the checkpoint. They are those of all threads together.
const MOST_TIME: u64 = 60;

/// A flag that the first signal sets.
///
/// # Errors
/// If the system refuses.
pub fn interrupted() -> std::io::Result<Arc<AtomicBool>> {
    let asked = Arc::new(AtomicBool::new(false));
    end_at_once_if(&asked, &asked)?;
    Ok(asked)
}

/// A flag that the first signal sets, and one for the caller to set: only then does a Ctrl-C end the program at once. So a program
/// that has others to stop does not leave them behind.
///
/// # Errors
/// If the system refuses.
pub fn interrupted_with_others() -> std::io::Result<(Arc<AtomicBool>, Arc<AtomicBool>)> {
    let (asked, told) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    end_at_once_if(&told, &asked)?;
    Ok((asked, told))
}

/// Has every signal set `asked`, and a Ctrl-C end the program if `ready` was set before.
fn end_at_once_if(ready: &Arc<AtomicBool>, asked: &Arc<AtomicBool>) -> std::io::Result<()> {
    let ignored = ignored();
    // The order matters: the handler that ends the program reads the flag before the same signal sets it.
    flag::register_conditional_shutdown(SIGINT, Exit::AtOnce as i32, Arc::clone(ready))?;
    for signal in STOP {
        // `nohup` and shells have some signals ignored, and mean it.
        if ignored >> (signal - 1) & 1 == 0 || [SIGUSR1, SIGUSR2, SIGXCPU].contains(&signal) {
            flag::register(signal, Arc::clone(asked))?;
        }
    }
    bring_time_limit_forward();
    Ok(())
}

/// Has the system send SIGXCPU before it kills this program for its processor time. `ulimit -t` sets the times of both to
/// the same, and the program would be killed without a signal.
fn bring_time_limit_forward() {
    let Rlimit { current, maximum } = getrlimit(Resource::Cpu);
    if let Some(earlier) = earlier(current, maximum) {
        // A system that refuses this kills the program, as it would have without.
        let _ = setrlimit(Resource::Cpu, Rlimit { current: Some(earlier), maximum });
    }
}

/// The seconds after which SIGXCPU comes, if that must be changed: `current` is what they are, and `maximum` when the
/// program is killed.
fn earlier(current: Option<u64>, maximum: Option<u64>) -> Option<u64> {
    let maximum = maximum.filter(|maximum| current.is_none_or(|current| current >= *maximum))?;
    let time = (maximum / 10).clamp(1, MOST_TIME);
    maximum.checked_sub(time).filter(|earlier| *earlier > 0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signal_comes_before_the_limit_unless_the_user_chose_a_time() {
        let found = [(None, None), (Some(5), None), (Some(5), Some(9)), (Some(1), Some(1)), (Some(0), Some(0))]
            .map(|(current, maximum)| earlier(current, maximum));
        assert_eq!(found, [None; 5]);
        let same = [2, 10, 40, 600, 86_400, u64::MAX].map(|limit| earlier(Some(limit), Some(limit)).unwrap());
        assert_eq!(same, [1, 9, 36, 540, 86_340, u64::MAX - 60]);
        assert_eq!(earlier(None, Some(100)), Some(90));
    }
}
