//! `transfer.json`: whatever the bytes, a report or a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(report) = transfer::decode_report(bytes) {
        // What a run shows of it.
        let _ = report.to_string();
        let _ = report.to_json();
    }
});
