//! Ctrl-C and SIGTERM: the first asks a run to stop, the second ends the program at once.

use crate::exit::AT_ONCE;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A flag that the first signal sets.
///
/// # Errors
/// If the system refuses.
pub fn interrupted() -> std::io::Result<Arc<AtomicBool>> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The order matters: what ends the program looks at the flag before the same signal sets it.
        flag::register_conditional_shutdown(signal, AT_ONCE, Arc::clone(&asked))?;
        flag::register(signal, Arc::clone(&asked))?;
    }
    Ok(asked)
}
