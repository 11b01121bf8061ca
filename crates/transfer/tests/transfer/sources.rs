//! Sources on disk: runs, checkpoints, files, damage; and the files of a transfer in a run folder.

use crate::common::{config, learned, values};
use dreamer::Agent;
use files::layout::{TRANSFER_PLAN, TRANSFER_REPORT};
use std::fs;
use std::path::{Path, PathBuf};
use transfer::{Plan, Sources, graft, new_target, read_report, write_record};

/// Writes a checkpoint as a run does.
fn checkpoint(folder: &Path, seed: u64, frames: u64) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let file = folder.join("agent.safetensors");
    learned(Agent::new(&config(), 3, seed).unwrap()).save(&file).unwrap();
    let bytes = fs::read(&file).unwrap();
    let run = format!(
        r#"{{"agent_bytes": {}, "agent_crc32": {}, "run": {{"format": 1, "tasks": ["hopper", "ant"], "position": {{"frames": {frames}, "steps": 1}}}}}}"#,
        bytes.len(),
        crc32(&bytes)
    );
    fs::write(folder.join("run.json"), run).unwrap();
    file
}

/// The CRC-32 of zip and png, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
}

fn plan(path: &Path) -> Plan {
    let mut plan = Plan::find("fine-tune").unwrap();
    plan.add_source("a", path).unwrap();
    plan
}

fn error(path: &Path) -> String {
    Sources::open(&plan(path)).unwrap_err().to_string()
}

#[test]
fn a_run_means_its_newest_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints");
    checkpoint(&checkpoints.join("0000002000"), 1, 2000);
    let newest = checkpoint(&checkpoints.join("0000010000"), 2, 10_000);
    for other in ["damaged-1-0000099999", ".0000099999.partial", "0000010000.replaced", "notes"] {
        checkpoint(&checkpoints.join(other), 3, 1);
    }
    for path in [folder.path(), newest.parent().unwrap(), &newest] {
        let sources = Sources::open(&plan(path)).unwrap();
        let provenance = sources.get("a").unwrap().provenance();
        assert_eq!((&provenance.path, &provenance.file), (&path.to_owned(), &newest));
        assert_eq!((provenance.frames, provenance.tasks.join(" ")), (Some(10_000), "hopper ant".to_owned()));
        assert_eq!(provenance.bytes, fs::metadata(&newest).unwrap().len());
        assert_eq!(provenance.sha256.len(), 64);
    }
    // While a checkpoint is replaced by another of the same frames, the replaced one is all there is.
    fs::remove_dir_all(checkpoints.join("0000010000")).unwrap();
    let sources = Sources::open(&plan(folder.path())).unwrap();
    assert!(sources.get("a").unwrap().provenance().file.ends_with("0000010000.replaced/agent.safetensors"));
}

#[test]
fn an_agents_file_of_any_name_is_a_source() {
    let folder = tempfile::tempdir().unwrap();
    let file = checkpoint(folder.path(), 1, 2000);
    // The other file in the folder belongs to another agent.
    let copy = folder.path().join("mine.safetensors");
    learned(Agent::new(&config(), 3, 9).unwrap()).save(&copy).unwrap();
    let sources = Sources::open(&plan(&copy)).unwrap();
    let provenance = sources.get("a").unwrap().provenance();
    assert_eq!((provenance.frames, provenance.tasks.len()), (None, 0));
    assert_ne!(provenance.sha256, Sources::open(&plan(&file)).unwrap().get("a").unwrap().provenance().sha256);
}

#[test]
fn paths_that_are_not_sources_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let message = error(&missing);
    assert!(message.contains("the source \"a\"") && message.contains(missing.to_str().unwrap()), "{message}");
    assert!(error(folder.path()).contains("is not the file of an agent"), "{}", error(folder.path()));
    fs::create_dir(folder.path().join("checkpoints")).unwrap();
    assert!(error(folder.path()).contains("without a checkpoint"), "{}", error(folder.path()));
    let text = folder.path().join("text");
    fs::write(&text, "not an agent").unwrap();
    let message = error(&text);
    assert!(
        message.contains("the source \"a\"") && message.contains("is not the file of an agent; give the run folder"),
        "{message}"
    );
}

#[test]
fn damage_is_refused_and_never_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints");
    checkpoint(&checkpoints.join("0000002000"), 1, 2000);
    let newest = checkpoint(&checkpoints.join("0000010000"), 2, 10_000);
    let whole = fs::read(&newest).unwrap();
    // One number of a parameter is another one: the file is a valid agent still.
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(&newest, &changed).unwrap();
    let message = error(folder.path());
    assert!(
        message.contains("0000010000") && message.contains("is damaged") && message.contains("CRC-32"),
        "{message}"
    );
    fs::write(&newest, &whole[..whole.len() / 2]).unwrap();
    assert!(error(folder.path()).contains("is damaged"));
    fs::remove_file(&newest).unwrap();
    let message = error(folder.path());
    assert!(message.contains("0000010000") && message.contains("cannot be read"), "{message}");
    fs::write(&newest, &whole).unwrap();
    fs::write(newest.with_file_name("run.json"), "{").unwrap();
    assert!(error(folder.path()).contains("damaged run.json"));
}

#[test]
fn the_record_of_a_transfer_gives_the_same_transfer_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = checkpoint(&folder.path().join("checkpoints/0000010000"), 2, 10_000);
    let run = folder.path().join("run");
    fs::create_dir(&run).unwrap();
    assert_eq!(read_report(&run).unwrap(), None);
    let mut plan = Plan::find("paper").unwrap();
    plan.add_source("a", folder.path()).unwrap();
    plan.set_fraction(0.3).unwrap();
    let first = graft(&plan, &config(), 3, 7, &Sources::open(&plan).unwrap()).unwrap();
    write_record(&run, &plan, &first.report).unwrap();
    assert_eq!(read_report(&run).unwrap().as_ref(), Some(&first.report));
    // A newer checkpoint does not change the meaning of the record.
    checkpoint(&folder.path().join("checkpoints/0000020000"), 5, 20_000);
    let again = Plan::read(&run.join(TRANSFER_PLAN)).unwrap();
    let second = graft(&again, &config(), 3, 7, &Sources::open(&again).unwrap()).unwrap();
    for parameter in first.agent.learner().parameters().iter() {
        let values = |agent: &Agent| agent.learner().parameters().values(parameter).to_vec();
        assert_eq!(values(&first.agent), values(&second.agent));
    }
    // Another agent in its place is refused.
    let bytes = fs::read(&file).unwrap();
    checkpoint(file.parent().unwrap(), 6, 10_000);
    let message = Sources::open(&again).unwrap_err().to_string();
    assert!(message.contains("SHA-256") && message.contains(&first.report.sources[0].provenance.sha256), "{message}");
    fs::write(&file, bytes).unwrap();
    // Reports of other versions, or of nothing, are refused.
    let report = fs::read_to_string(run.join(TRANSFER_REPORT)).unwrap();
    for (text, expected) in [
        (report.replace("\"format\": 1", "\"format\": 2"), "format is 2"),
        ("{".to_owned(), "not JSON"),
        ("{}".to_owned(), "not the report"),
    ] {
        fs::write(run.join(TRANSFER_REPORT), text).unwrap();
        let message = read_report(&run).unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains(TRANSFER_REPORT), "{message}");
    }
}

#[test]
fn an_untrained_agent_is_not_a_source() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.safetensors");
    Agent::new(&config(), 3, 1).unwrap().save(&file).unwrap();
    let message = error(&file);
    assert!(message.contains("has not been trained yet") && message.contains("new.safetensors"), "{message}");
}

#[test]
fn a_random_start_is_never_the_sources_own() {
    // Source and target of one seed: Eq. 3 adds the source to a start that is not the one the source had.
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    checkpoint(&one, 7, 2000);
    checkpoint(&two, 8, 2000);
    let start = |path: &Path, seed: u64| {
        let agent = new_target(&config(), 3, seed, &Sources::open(&plan(path)).unwrap()).unwrap();
        values(agent.learner(), "value.hout.kernel").to_vec()
    };
    let scratch = Agent::new(&config(), 3, 7).unwrap();
    let first = start(&one, 7);
    assert_ne!(first, values(scratch.learner(), "value.hout.kernel"));
    // It follows from the seed and the sources alone.
    assert_eq!(start(&one, 7), first);
    assert_ne!(start(&two, 7), first);
    assert_ne!(start(&one, 8), first);
}
