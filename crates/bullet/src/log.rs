//! Bullet's messages: kept for the load that caused them, never printed.
//!
//! Here: [`collect`]. Bullet's direct calls of `printf` are removed at compile time (`source/quiet.h`).

use std::cell::RefCell;

thread_local! {
    /// Messages of the call that runs on this thread, while one is being listened to.
    static MESSAGES: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work` and returns the messages of Bullet during it, on one line.
pub fn collect<T>(work: impl FnOnce() -> T) -> (T, String) {
    MESSAGES.set(Some(String::new()));
    let result = work();
    let messages = MESSAGES.take().unwrap_or_default();
    let lines: Vec<&str> = messages.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    (result, lines.join("; "))
}

/// Adds a message, if anyone listens on this thread. Never panics: C++ is the caller.
pub fn note(message: &str) {
    // Bullet announces an error with a separate message that names the place in its sources.
    if message.starts_with("b3Error[") || message.starts_with("b3Warning[") {
        return;
    }
    let _ = MESSAGES.try_with(|messages| {
        if let Ok(mut messages) = messages.try_borrow_mut()
            && let Some(text) = messages.as_mut()
        {
            text.push_str(message);
            text.push('\n');
        }
    });
}
