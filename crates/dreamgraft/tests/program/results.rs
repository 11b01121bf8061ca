//! The results in the folder `results/` of the repository.

use crate::program::Program;
use std::path::Path;

/// After a change of reports, `dreamgraft study report results/STUDY` writes them again.
#[test]
fn every_report_of_the_repository_is_what_its_data_gives() {
    let program = Program::new();
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results").canonicalize().unwrap();
    let mut reports = 0;
    for entry in std::fs::read_dir(results).unwrap() {
        let study = entry.unwrap().path();
        if !study.join("report").is_dir() {
            continue;
        }
        let name = study.file_name().unwrap().to_str().unwrap();
        program.succeed(&["study", "report", study.to_str().unwrap(), "--out", name]);
        for file in program.names(name) {
            let written = std::fs::read_to_string(program.path(name).join(&file)).unwrap();
            let kept = std::fs::read_to_string(study.join("report").join(&file)).unwrap_or_default();
            assert!(written == kept, "results/{name}/report/{file} is not what `dreamgraft study report` writes");
        }
        reports += 1;
    }
    assert!(reports > 0);
}
