//! `metrics.jsonl`: any bytes give a number of lines, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(lines) = train::output::count_lines(bytes) {
        assert!(lines <= bytes.iter().filter(|byte| **byte == b'\n').count() as u64);
    }
});
