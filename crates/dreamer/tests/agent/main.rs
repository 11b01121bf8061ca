//! The agent as a run uses it: determinism over threads, no allocation after the first step, checkpoints whole or
//! refused.

mod acting;
mod bits;
mod checkpoints;
mod kinds;
mod learning;
#[path = "../../../tape/tests/simd/mod.rs"]
mod simd;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use tape::SimdInstructionSet;

/// Counts allocations, to prove that a step makes none.
struct Counting;

thread_local! {
    /// Of this thread: others, the tests' own among them, go about their business meanwhile.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

// SAFETY: every call is handed on to the system's allocator unchanged.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are those `System` asks for.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
