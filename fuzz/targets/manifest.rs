//! `manifest.jsonl`: any bytes give the runs that were written, or an error. Lines also get a matching header, because
//! otherwise no input would pass the checksum.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use std::path::Component;
use study::Manifest;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let sum: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let runs = text.lines().count();
    let header = |format: u32| {
        format!(r#"{{"format":{format},"study":"s","document":"d","runs":{runs},"lines":"{sum}"}}"#)
    };
    for text in [text, &format!("{}\n{text}", header(1)), &format!("{}\n{text}", header(2))] {
        if let Ok(manifest) = Manifest::parse(text) {
            for entry in &manifest.entries {
                assert!(entry.after.iter().all(|first| *first < entry.index));
                assert!(entry.folder.components().all(|part| matches!(part, Component::Normal(_))));
            }
            let written = Manifest::new(&manifest.header.study, &manifest.header.document, manifest.entries);
            assert_eq!(Manifest::parse(&written.to_text()).expect("what was written is read"), written);
        }
    }
});
