//! A run that was stopped, killed or made longer is, bit for bit, the run that was not.

use crate::toy::{Listener, checkpoints, config, copy, finish, metrics, names, outcomes, run, stop_at};
use proptest::prelude::*;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use train::End;

#[test]
fn a_longer_run_is_the_run_made_longer() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    finish(&whole, &config(&["steps=800"]));
    finish(&parts, &config(&["steps=400"]));
    assert_ne!(outcomes(&parts), outcomes(&whole));
    finish(&parts, &config(&["steps=800"]));
    assert_eq!(outcomes(&parts), outcomes(&whole));
}

#[test]
fn a_run_whose_lock_another_process_took_writes_no_more_episodes() {
    let mut refused = 0;
    for at in (30..200).step_by(17) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let count = || names(&root.join("episodes")).len();
        let mut other = None;
        let mut listener = Listener::new(|event| {
            if event == at {
                std::fs::remove_file(root.join("run.lock")).unwrap();
                other = Some((train::RunLock::take(root).unwrap(), count()));
                // This process stands for another one.
                std::fs::write(root.join("run.lock"), "1\n").unwrap();
            }
        });
        let end = run(root, &config(&[]), &AtomicBool::new(false), &mut listener);
        drop(listener);
        let (_lock, before) = other.unwrap();
        assert_eq!(count(), before, "event {at}");
        refused += u32::from(end.is_err_and(|error| error.to_string().contains("in use by process")));
    }
    assert!(refused > 0);
}

#[test]
fn a_finished_run_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&[]));
    let before = outcomes(folder.path());
    for steps in ["steps=400", "steps=100"] {
        let end = run(folder.path(), &config(&[steps]), &AtomicBool::new(false), &mut Listener::new(|_| {})).unwrap();
        assert!(matches!(end, End::FinishedBefore { .. }), "{end:?}");
        assert_eq!(outcomes(folder.path()), before);
    }
}

#[test]
fn evaluations_and_logging_do_not_disturb_training() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    finish(&one, &config(&[]));
    finish(&other, &config(&["schedule.eval_every=40", "schedule.eval_episodes=1", "log.every=40", "log.videos=true"]));
    let (one, other) = (outcomes(&one), outcomes(&other));
    assert_eq!(one.agent, other.agent);
    assert_eq!(one.episodes, other.episodes);
}

#[test]
fn other_seeds_are_other_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    finish(&one, &config(&[]));
    finish(&other, &config(&["seed=4"]));
    let (one, other) = (outcomes(&one), outcomes(&other));
    assert_ne!(one.agent, other.agent);
    assert!(one.episodes.iter().zip(&other.episodes).all(|(a, b)| a.1 != b.1));
}

/// Changes the newest checkpoint of a run to one of a version whose streams were seeded with the run's seed, 3.
fn seeded_as_before(root: &Path) {
    let path = checkpoints(root).pop().unwrap().join("run.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let (mut kept, mut changed) = (String::new(), 0);
    for line in text.lines().filter(|line| !line.contains("\"run_crc32\"")) {
        let is_seed = line.trim_start().starts_with("\"seed\"");
        changed += u32::from(is_seed);
        kept.push_str(if is_seed { "\"seed\": 3," } else { line });
        kept.push('\n');
    }
    assert_eq!(changed, 4, "{text}");
    std::fs::write(path, kept).unwrap();
}

#[test]
fn a_checkpoint_of_an_earlier_version_resumes_with_its_saved_streams() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, parts, now] = ["whole", "parts", "now"].map(|name| folder.path().join(name));
    for root in [&whole, &parts, &now] {
        finish(root, &config(&["steps=400"]));
    }
    seeded_as_before(&whole);
    seeded_as_before(&parts);
    finish(&whole, &config(&["steps=800"]));
    finish(&parts, &config(&["steps=600"]));
    finish(&parts, &config(&["steps=800"]));
    finish(&now, &config(&["steps=800"]));
    let (whole, parts, now) = (outcomes(&whole), outcomes(&parts), outcomes(&now));
    assert_eq!(parts, whole);
    let streams = &whole.state["run"]["streams"];
    for name in ["environment", "prefill", "exploration", "replay"] {
        assert_eq!(streams[name]["seed"], 3, "{streams}");
    }
    // From then on, it draws other numbers than a new run, also in evaluations.
    let last = |outcomes: &crate::toy::Outcomes| {
        outcomes.metrics.iter().rfind(|line| line.get("eval_return").is_some()).unwrap()["eval_return"].clone()
    };
    assert_ne!(last(&whole), last(&now));
}

#[test]
fn evaluation_settings_may_change_and_do_not_change_learning() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    finish(&whole, &config(&["steps=800"]));
    finish(&parts, &config(&["steps=400"]));
    finish(&parts, &config(&["steps=800", "agent.evaluation=mean"]));
    let (one, other) = (outcomes(&whole), outcomes(&parts));
    assert_eq!((&one.episodes, &one.state["run"]["streams"]), (&other.episodes, &other.state["run"]["streams"]));
    let trained = |outcomes: &crate::toy::Outcomes| -> Vec<serde_json::Value> {
        outcomes.metrics.iter().filter(|line| line.get("train_return").is_some()).cloned().collect()
    };
    assert_eq!(trained(&one), trained(&other));
    assert_ne!(one.metrics, other.metrics);
    // And back again.
    finish(&parts, &config(&["steps=880", "agent.evaluation=mode"]));
    finish(&whole, &config(&["steps=880"]));
    assert_eq!(outcomes(&parts).agent, outcomes(&whole).agent);
}

#[test]
fn a_run_that_resumes_with_other_arithmetic_notes_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let path = root.join("config.toml");
    let notes = |steps: &str, change: &dyn Fn(String) -> String| {
        std::fs::write(&path, change(std::fs::read_to_string(&path).unwrap())).unwrap();
        let mut notes = finish(root, &config(&[steps])).notes;
        // The others are about the lines of the last evaluation, which come again.
        notes.retain(|note| note.contains("bitwise"));
        notes
    };
    finish(root, &config(&["steps=400"]));
    let text = std::fs::read_to_string(&path).unwrap();
    let value = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap_or_else(|| panic!("{text}"));
        line.to_owned()
    };
    let (simd, fingerprint) = (value("simd"), value("fingerprint"));
    assert!(notes("steps=440", &|text| text).is_empty());
    let found = notes("steps=480", &|text| text.replace(&fingerprint, "fingerprint = \"0123456789abcdef\""));
    assert!(found.len() == 1 && found[0].contains("was 0123456789abcdef"), "{found:?}");
    assert!(found[0].contains("it will not be bitwise identical") && !found[0].contains("SIMD"), "{found:?}");
    // It is now this machine's.
    assert!(notes("steps=520", &|text| text).is_empty());
    let found = notes("steps=560", &|text| text.replace(&simd, "simd = \"mmx\""));
    assert!(found.len() == 1 && found[0].contains("was mmx") && !found[0].contains("fingerprint"), "{found:?}");
    let both = |text: String| text.replace(&simd, "simd = \"mmx\"").replace(&fingerprint, "fingerprint = \"00\"");
    let found = notes("steps=600", &both);
    assert!(found.len() == 1 && found[0].contains("was mmx") && found[0].contains("was 00"), "{found:?}");
    // Folders of earlier versions do not record it.
    assert!(notes("steps=640", &|text| text.replace(&simd, "").replace(&fingerprint, "")).is_empty());
}

/// Events of an uninterrupted toy run.
fn events() -> usize {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&[])).events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_run_stopped_anywhere_and_again_is_the_whole_run(
        stops in prop::collection::vec(prop::sample::Index::arbitrary(), 1..4), several: bool,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
        let tasks = if several { "tasks=[\"point\", \"pair\"]" } else { "tasks=point" };
        let config = config(&[tasks]);
        let events = finish(&whole, &config).events;
        for stop in stops {
            if !stop_at(&parts, &config, stop.index(events)) {
                break;
            }
        }
        let end = run(&parts, &config, &AtomicBool::new(false), &mut Listener::new(|_| {})).unwrap();
        let stopped = matches!(end, End::Stopped { .. });
        prop_assert!(!stopped);
        prop_assert_eq!(outcomes(&parts), outcomes(&whole));
    }

    #[test]
    fn a_run_killed_anywhere_resumes_as_the_uninterrupted_run(kill in prop::sample::Index::arbitrary()) {
        let folder = tempfile::tempdir().unwrap();
        let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
        let at = kill.index(events());
        let mut listener = Listener::new(|event| if event == at { copy(&whole, &killed) });
        run(&whole, &config(&[]), &AtomicBool::new(false), &mut listener).unwrap();
        finish_or_finished(&killed);
        prop_assert_eq!(outcomes(&killed), outcomes(&whole));
    }
}

/// Runs to the end; a run killed after its last checkpoint has nothing more to do.
fn finish_or_finished(root: &Path) {
    let end = run(root, &config(&[]), &AtomicBool::new(false), &mut Listener::new(|_| {})).unwrap();
    assert!(!matches!(end, End::Stopped { .. }));
}

#[test]
fn files_from_after_the_checkpoint_are_moved_aside_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    // The last event before those of the final checkpoint and of the end: episodes and lines are ahead of the newest checkpoint.
    let config = config(&["checkpoint.best=false"]);
    let at = finish(&folder.path().join("counted"), &config).events - 3;
    let mut listener = Listener::new(|event| {
        if event == at {
            copy(&whole, &killed)
        }
    });
    run(&whole, &config, &AtomicBool::new(false), &mut listener).unwrap();
    let (episodes, lines) = (names(&killed.join("episodes")).len(), metrics(&killed).len());
    let listener = finish(&killed, &config);
    let aside = names(&killed.join("episodes/aside-1"));
    assert!(!aside.is_empty() && aside.len() < episodes, "{aside:?}");
    assert!(listener.notes.iter().any(|note| note.contains(&aside[0])), "{:?}", listener.notes);
    assert!(listener.notes.iter().any(|note| note.contains("of metrics from after")), "{:?}", listener.notes);
    assert!(lines > 0 && names(&killed).iter().any(|name| name.starts_with("metrics.jsonl.aside")));
    assert_eq!(outcomes(&killed), outcomes(&whole));
}

#[test]
fn a_damaged_newest_checkpoint_is_named_and_the_one_before_used() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    finish(&whole, &config(&["steps=800"]));
    let edited =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\"updates\": 43", "\"updates\": 44").into_bytes();
    let flipped = |bytes: &[u8]| bytes.iter().enumerate().map(|(i, b)| b ^ u8::from(i == 3)).collect();
    type Damage<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;
    let cases: [(&str, Damage); 5] = [
        ("agent.safetensors", &|bytes| bytes[..bytes.len() - 1].to_vec()),
        ("agent.safetensors", &flipped),
        ("run.json", &|bytes| bytes[..bytes.len() - 30].to_vec()),
        ("run.json", &edited),
        ("run.json", &|bytes| {
            String::from_utf8_lossy(bytes).replace("\"logged\": 400", "\"logged\": 360").into_bytes()
        }),
    ];
    for (file, damage) in cases {
        finish(&parts, &config(&["steps=400"]));
        let newest = checkpoints(&parts).pop().unwrap();
        let path = newest.join(file);
        let bytes = std::fs::read(&path).unwrap();
        let damaged = damage(&bytes);
        assert_ne!(damaged, bytes, "{file}");
        std::fs::write(&path, damaged).unwrap();
        let listener = finish(&parts, &config(&["steps=800"]));
        let named = listener.notes.iter().any(|note| note.contains(path.to_str().unwrap()));
        assert!(named, "{file}: {:?}", listener.notes);
        assert!(names(&parts.join("checkpoints")).iter().any(|name| name.starts_with("damaged-")));
        assert_eq!(outcomes(&parts), outcomes(&whole), "{file}");
        std::fs::remove_dir_all(&parts).unwrap();
    }
}

#[test]
fn a_checkpoint_killed_while_it_replaced_another_leaves_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    finish(&whole, &config(&[]));
    assert!(stop_at(&killed, &config(&[]), events() / 2));
    let newest = checkpoints(&killed).pop().unwrap();
    let replaced = newest.with_extension("replaced");
    std::fs::rename(&newest, &replaced).unwrap();
    std::fs::create_dir(newest.with_file_name(".0000000200.partial")).unwrap();
    assert!(stop_at(&killed, &config(&[]), 0), "stopped again before anything happened");
    assert!(replaced.exists());
    finish(&killed, &config(&[]));
    assert!(!replaced.exists());
    assert_eq!(outcomes(&killed), outcomes(&whole));
}

/// The state of a checkpoint as earlier builds wrote it, without a checksum: it is good as it is.
fn without_checksum(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let start = text.find("\"run_crc32\"").unwrap();
    let end = start + text[start..].find(',').unwrap() + 1;
    text[..start].to_owned() + &text[end..]
}

#[test]
fn a_checkpoint_of_another_version_stops_the_run_and_keeps_its_name() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&[]));
    let kept = names(&folder.path().join("checkpoints"));
    let path = checkpoints(folder.path()).pop().unwrap().join("run.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, state) = text.split_once("\"run\": ").unwrap();
    let state = state.trim_end().strip_suffix('}').unwrap().trim_end();
    let crc = |state: &str| format!("{}", crc32fast::hash(state.as_bytes()));
    let more = state.replacen('{', "{ \"more\": 1,", 1);
    let later = format!("{}\"run\": {more}\n}}\n", before.replace(&crc(state), &crc(&more)));
    assert_ne!(later, text);
    for (text, part) in
        [(later, "unknown field `more`"), (text.replace("\"format\": 1,", "\"format\": 9,"), "format is 9")]
    {
        std::fs::write(&path, text).unwrap();
        let error = run(folder.path(), &config(&["steps=800"]), &AtomicBool::new(false), &mut Listener::new(|_| {}));
        let message = error.unwrap_err().to_string();
        assert!(
            message.contains("was written by another version of dreamgraft") && message.contains(part),
            "{message}"
        );
        assert_eq!(names(&folder.path().join("checkpoints")), kept);
    }
}

#[test]
fn contradicting_counts_are_refused_with_any_checksum() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&[]));
    let path = checkpoints(folder.path()).pop().unwrap().join("run.json");
    let text = without_checksum(&path);
    assert_eq!(train::checkpoint::decode_state(text.as_bytes()).unwrap().position.frames.0, 400);
    for (from, to) in [
        ("\"steps\": 200", "\"steps\": 900"),
        ("\"episodes\": 10", "\"episodes\": 201"),
        ("\"evaluated\": 320", "\"evaluated\": 401"),
        ("\"too_short\": 0", "\"too_short\": 0, \"more\": 1"),
        ("\"frames\": 80", "\"frames\": 800"),
        ("\"updates\": 43", "\"updates\": 18446744073709551615"),
    ] {
        assert!(text.contains(from), "{from}: {text}");
        let why = train::checkpoint::decode_state(text.replace(from, to).as_bytes()).unwrap_err();
        assert!(why.contains("contradicts itself") || why.contains("damaged"), "{from}: {why}");
    }
}

#[test]
fn a_checkpoint_with_more_frames_than_its_steps_can_have_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&[]));
    let path = checkpoints(folder.path()).pop().unwrap().join("run.json");
    let text = without_checksum(&path);
    std::fs::write(&path, text.replace("\"steps\": 200", "\"steps\": 199")).unwrap();
    let error = run(folder.path(), &config(&["steps=800"]), &AtomicBool::new(false), &mut Listener::new(|_| {}));
    let message = error.unwrap_err().to_string();
    assert!(message.contains("400 frames in 199 steps, of which none has more than 2"), "{message}");
}

#[test]
fn a_checkpoint_that_the_system_cannot_read_now_stops_the_run_and_is_left_alone() {
    if !Path::new("/proc/self/mem").exists() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&[]));
    let newest = checkpoints(folder.path()).pop().unwrap();
    let (path, kept) = (newest.join("run.json"), folder.path().join("kept"));
    std::fs::rename(&path, &kept).unwrap();
    // A file whose first byte cannot be read by anyone.
    std::os::unix::fs::symlink("/proc/self/mem", &path).unwrap();
    let longer = config(&["steps=800"]);
    let error = run(folder.path(), &longer, &AtomicBool::new(false), &mut Listener::new(|_| {})).unwrap_err();
    assert!(error.is_of_the_system(), "{error}");
    assert!(names(&folder.path().join("checkpoints")).iter().all(|name| !name.starts_with("damaged")));
    std::fs::remove_file(&path).unwrap();
    std::fs::rename(&kept, &path).unwrap();
    finish(folder.path(), &longer);
}

#[test]
fn leftovers_of_a_killed_process_are_removed_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    finish(root, &config(&[]));
    let before = outcomes(root);
    std::fs::create_dir(root.join("checkpoints/.0000000777.partial")).unwrap();
    std::fs::write(root.join("checkpoints/.0000000777.partial/agent.safetensors"), "half").unwrap();
    for name in [".config.toml.1-0.partial", "episodes/.x.npz.1-0.partial", "videos/.x.gif.1-0.partial"] {
        std::fs::write(root.join(name), "half").unwrap();
    }
    run(root, &config(&[]), &AtomicBool::new(false), &mut Listener::new(|_| {})).unwrap();
    for folder in ["", "checkpoints", "episodes", "videos"] {
        assert!(names(&root.join(folder)).iter().all(|name| !name.ends_with(".partial")), "{folder}");
    }
    assert_eq!(outcomes(root), before);
}

#[test]
fn a_run_whose_checkpoints_were_removed_does_not_begin_again_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    finish(root, &config(&[]));
    let episodes = names(&root.join("episodes"));
    for emptied in [false, true] {
        std::fs::remove_dir_all(root.join("checkpoints")).unwrap();
        if emptied {
            std::fs::create_dir(root.join("checkpoints")).unwrap();
        }
        let error = run(root, &config(&[]), &AtomicBool::new(false), &mut Listener::new(|_| {})).unwrap_err();
        assert!(error.to_string().contains("10 episodes"), "{error}");
        assert_eq!(names(&root.join("episodes")), episodes);
    }
}

#[test]
fn a_shortened_file_of_metrics_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&[]));
    let path = folder.path().join("metrics.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    std::fs::write(&path, lines[..3].concat()).unwrap();
    let listener = finish(folder.path(), &config(&["steps=480"]));
    assert!(
        listener.notes.iter().any(|note| note.contains("3 lines") && note.contains("shortened")),
        "{:?}",
        listener.notes
    );
    let after = std::fs::read_to_string(&path).unwrap();
    assert!(after.starts_with(&lines[..3].concat()) && after.lines().count() > 3);
}

#[test]
fn without_any_good_checkpoint_the_run_refuses() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&[]));
    for checkpoint in checkpoints(folder.path()) {
        let path = checkpoint.join("agent.safetensors");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[2] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
    }
    let newest = checkpoints(folder.path()).pop().unwrap();
    let error = run(folder.path(), &config(&["steps=800"]), &AtomicBool::new(false), &mut Listener::new(|_| {}));
    let message = error.unwrap_err().to_string();
    assert!(message.contains(newest.to_str().unwrap()) && message.contains("changed"), "{message}");
    assert_eq!(checkpoints(folder.path()).pop().unwrap(), newest);
}
