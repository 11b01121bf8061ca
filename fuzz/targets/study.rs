//! Study files: any text gives runs or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::{Path, PathBuf};
use study::study_file::{self, Method, Read};
use study::{Manifest, manifest_of};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let path = Path::new("study.toml");
    let Ok(study) = study_file::parse(path, text) else { return };
    // Files that a study file names are not part of this test.
    if study.method.iter().any(|method| matches!(method, Method::Plan { .. })) {
        return;
    }
    let read = Read { study, path: PathBuf::from(path), text: text.to_owned(), checksum: String::new() };
    if let Ok(manifest) = manifest_of(&read, tasks::catalogue()) {
        assert!(manifest.entries.iter().all(|entry| entry.folder.components().all(|part| part.as_os_str() != "..")));
        let again = Manifest::parse(&manifest.to_text()).expect("what was written is read");
        assert_eq!(again, manifest);
    }
});
