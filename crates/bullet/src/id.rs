//! [`WorldId`]: the world that an object belongs to.

use std::sync::atomic::{AtomicU64, Ordering};

/// Distinguishes the bodies of different worlds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorldId(u64);

impl WorldId {
    /// An identifier that no other world of this process has.
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self(COUNT.fetch_add(1, Ordering::Relaxed))
    }
}
