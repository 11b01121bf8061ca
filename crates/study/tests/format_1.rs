//! Studies whose manifests have format 1, without requests: the folder `format-1` contains files of the earlier
//! program.

use files::sha256;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use study::manifest::{FILE, Manifest};
use study::{prepare, recorded, study_file};
use train::Origin;

/// A study of every kind of method but `plan`, and the one of `experiments/smoke.toml`.
const STUDIES: [&str; 2] = ["every", "smoke"];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format-1").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(folder(name).join(FILE)).unwrap()
}

#[test]
fn they_are_read_with_the_arguments_they_had() {
    for name in STUDIES {
        let text = text(name);
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        assert_eq!(lines.next().unwrap()["format"], 1);
        let manifest = Manifest::parse(&text).unwrap();
        let arguments: Vec<Value> = manifest.entries.iter().map(|entry| json!(entry.arguments)).collect();
        assert_eq!(arguments, lines.map(|line| line["arguments"].clone()).collect::<Vec<_>>());
        // Written again, it is one of today's.
        let written = manifest.to_text();
        assert!(written.starts_with("{\"format\":2,"), "{written}");
        assert_eq!(Manifest::parse(&written).unwrap(), manifest);
    }
}

#[test]
fn their_requests_are_those_that_the_document_asks_for_today() {
    let manifest = Manifest::parse(&text("every")).unwrap();
    let last = manifest.entries.iter().rfind(|entry| entry.method == "meta-model").unwrap();
    let Origin::Universal { encoder, rewards, any_encoder: false, untrained: false, plan: None } = &last.request.origin
    else {
        panic!("{last:?}")
    };
    assert_eq!(*encoder, manifest.entries[last.after[0]].folder);
    assert_eq!(rewards.len(), 2);
    for name in STUDIES {
        let read = study_file::read(&folder(name).join("study.toml")).unwrap();
        assert_eq!(
            recorded(&read, tasks::catalogue(), &folder(name)).unwrap(),
            Some(study::manifest_of(&read, tasks::catalogue()).unwrap()),
            "{name}"
        );
    }
}

#[test]
fn they_are_continued_and_their_manifests_stay_as_they_are() {
    for name in STUDIES {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join(FILE), text(name)).unwrap();
        let read = study_file::read(&folder(name).join("study.toml")).unwrap();
        let manifest = prepare(&read, tasks::catalogue(), root.path()).unwrap();
        assert_eq!(manifest.entries.len(), text(name).lines().count() - 1);
        assert_eq!(std::fs::read_to_string(root.path().join(FILE)).unwrap(), text(name));
    }
}

#[test]
fn arguments_that_no_study_typed_are_refused() {
    let text = text("smoke");
    let mut lines: Vec<&str> = text.lines().collect();
    for (from, to) in [
        ("\"--steps\",\"4000\"", "\"--steps\",\"04000\""),
        ("\"--steps\",\"4000\"", "\"--steps\",\"many\""),
        ("\"--steps\",\"4000\"", "\"--wait\""),
        ("\"train\"", "\"play\""),
        ("\"--seed\"", "\"--fraction\",\"0.5\",\"--seed\""),
    ] {
        let changed = lines[1].replacen(from, to, 1);
        assert_ne!(changed, lines[1]);
        let body: String = [&*changed].iter().chain(&lines[2..]).map(|line| format!("{line}\n")).collect();
        let mut header: Value = serde_json::from_str(lines[0]).unwrap();
        header["lines"] = sha256(body.as_bytes()).into();
        let message = Manifest::parse(&format!("{header}\n{body}")).unwrap_err();
        assert!(message.contains("line 2: a study does not create runs with these arguments"), "{message}");
    }
    lines.truncate(2);
    assert!(Manifest::parse(&lines.join("\n")).unwrap_err().contains("cut off"));
}
