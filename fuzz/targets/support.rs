//! `guide.json` and `rehearsal.json`: any bytes give a record or an error; a share is one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use train::{GuideRecord, RehearsalRecord};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = GuideRecord::decode(bytes) {
        let _ = record.difference(None);
    }
    if let Ok(record) = RehearsalRecord::decode(bytes) {
        assert!(record.share > 0.0 && record.share < 1.0);
        let _ = record.differences(None);
    }
});
