//! `transfer.json`: any bytes give a report or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(report) = transfer::decode_report(bytes) {
        // The parts that a run prints.
        let _ = report.to_string();
        let _ = report.to_json();
    }
});
