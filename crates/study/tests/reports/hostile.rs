//! Reports of damaged or malicious folders: everything else is still reported, and no file content becomes code of the
//! page.

use crate::content::balanced;
use crate::folders;
use study::manifest::{Manifest, Role};
use study::report::{MOST_BYTES, Media, Report, curves_json, figures_csv, markdown, page};
use study::results::Results;

const EVIL: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&|`";

#[test]
fn names_of_anything_stay_text() {
    let root = tempfile::tempdir().unwrap();
    let entries = [
        folders::entry(0, Role::Source, &["ant"], "source", Some(EVIL), 0, &[]),
        folders::entry(1, Role::Target, &["hopper"], EVIL, Some(EVIL), 1, &[0]),
        folders::entry(2, Role::Target, &["hopper"], "baseline", None, 1, &[]),
    ];
    let moved = entries.into_iter().zip(["a", "b<script>c", "d"]);
    let entries: Vec<_> = moved.map(|(entry, folder)| folders::moved(entry, folder, Some(EVIL))).collect();
    entries.iter().for_each(|entry| folders::run(root.path(), entry, folders::STEPS));
    let folder = root.path().join("b<script>c");
    let metrics = std::fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let name = serde_json::Value::from(format!("reward_source_use/{EVIL}"));
    std::fs::write(folder.join("metrics.jsonl"), format!("{metrics}{{\"step\":100000,{name}:0.5}}\n")).unwrap();
    let config = format!("seed = 1\n\"{}\" = 1\n[made_by]\nprocessor = '''{EVIL}'''\n", "<b onload=x>");
    std::fs::write(folder.join("config.toml"), config).unwrap();
    Manifest::new(EVIL, "<i>", entries).write(root.path()).unwrap();

    let results = Results::read(root.path()).unwrap();
    assert!(results.runs.iter().all(|run| run.problems.is_empty()), "{:?}", results.runs);
    let report = Report::new(&results);
    let html = page(&report, &Media::embed(&results, MOST_BYTES), None);
    balanced(&html);
    for tag in ["<script>alert", "<img src=x", "<b ", "<i>", "onload=x>"] {
        assert!(!html.contains(tag), "{tag}");
    }
    // One script, and data that cannot end it.
    assert_eq!(html.matches("<script").count(), html.matches("</script>").count());
    assert_eq!(html.matches("<script>").count(), 1);
    let words = markdown(&report);
    assert!(!words.contains("<script") && !words.contains("<img"), "{words}");
    csv::Reader::from_reader(figures_csv(&report).as_bytes())
        .records()
        .for_each(|record| assert_eq!(record.unwrap().len(), 11));
    assert!(serde_json::from_str::<serde_json::Value>(&curves_json(&results)).is_ok());
}

#[test]
fn a_run_cut_off_anywhere_is_reported_so_far() {
    let root = tempfile::tempdir().unwrap();
    folders::study(root.path(), "cut", &["ant"], 2);
    let manifest = Manifest::read(root.path()).unwrap();
    let path = root.path().join(&manifest.entries[1].folder).join("metrics.jsonl");
    let whole = std::fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(397) {
        std::fs::write(&path, &whole[..length]).unwrap();
        let results = Results::read(root.path()).unwrap();
        assert!(results.runs[1].problems.is_empty());
        balanced(&page(&Report::new(&results), &Media::embed(&results, 0), None));
    }
}

#[test]
fn invalid_files_are_named_and_the_rest_is_reported() {
    let root = tempfile::tempdir().unwrap();
    folders::study(root.path(), "nonsense", &["ant"], 2);
    let manifest = Manifest::read(root.path()).unwrap();
    let folder = |index: usize| root.path().join(&manifest.entries[index].folder);
    std::fs::write(folder(1).join("metrics.jsonl"), b"\x00\xff NaN\n{}\n[1]\n{\"step\":1e999}\n").unwrap();
    std::fs::write(folder(2).join("config.toml"), "][").unwrap();
    std::fs::write(folder(3).join("transfer.json"), "{\"format\":1}").unwrap();
    std::fs::write(folder(4).join("videos/0000100000-ant.gif"), "<svg onload=alert(1)>").unwrap();
    let line = "{\"step\":5000,\"train_return\":null}\n{\"step\":6000,\"train_return\":1e308}\n{\"step\":7000,\"train_return\":-1e308}\n";
    std::fs::write(folder(5).join("metrics.jsonl"), line).unwrap();
    let results = Results::read(root.path()).unwrap();
    let report = Report::new(&results);
    let problems = report.problems();
    for (index, file) in [(1, "metrics.jsonl"), (2, "config.toml"), (3, "transfer.json")] {
        let folder = manifest.entries[index].folder.display().to_string();
        assert!(problems.iter().any(|it| it.starts_with(&folder) && it.contains(file)), "{file}: {problems:?}");
    }
    let html = page(&report, &Media::embed(&results, MOST_BYTES), None);
    balanced(&html);
    assert!(html.contains("Files that could not be read"));
    assert!(!html.contains("NaN") && !html.contains(">inf"), "no figure of nothing");
    assert!(!html.contains("PHN2ZyBvbmxvYWQ"), "files that are not images are left out");
}

#[test]
fn folders_that_are_no_studies_are_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    let message = Results::read(root.path()).unwrap_err().to_string();
    assert!(message.contains(root.path().to_str().unwrap()) && message.contains("does not contain runs"), "{message}");
    std::fs::write(root.path().join("manifest.jsonl"), "{\"format\":9}\n").unwrap();
    let message = Results::read(root.path()).unwrap_err().to_string();
    assert!(message.contains("its format is 9"), "{message}");
}
