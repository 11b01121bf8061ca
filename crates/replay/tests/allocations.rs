//! Sampling allocates nothing once the buffers have grown.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use common::numbered;
use random::Stream;
use replay::{Batch, Replay, WindowStarts};

/// Allocations of all threads: images are decompressed by a pool.
static COUNT: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: everything is the system's own allocator's work; counting touches an atomic number only.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn sampling_allocates_nothing_after_the_first_batch() {
    let mut replay = Replay::new(2, u64::MAX).unwrap();
    for id in 0..20 {
        replay.add(numbered(2, 40, id)).unwrap();
    }
    let mut random = Stream::new(1, "replay");
    let mut batch = Batch::new(8, 16);
    // In the pool's own thread, as a run samples: giving work to a pool from outside may allocate. One thread alone: a
    // second one allocates its buffers when it first gets work, which may be at any time.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let counts = pool.install(|| {
        let mut draw = |starts| {
            let before = COUNT.load(Ordering::Relaxed);
            replay.sample(&mut random, starts, &mut batch).unwrap();
            COUNT.load(Ordering::Relaxed) - before
        };
        (0..40).map(|i| draw([WindowStarts::Inside, WindowStarts::Edges][i % 2])).collect::<Vec<_>>()
    });
    assert!(counts[0] > 0, "the first batch allocates its buffers, so this test can count");
    assert_eq!(counts[2..].iter().sum::<usize>(), 0, "{counts:?}");
}
