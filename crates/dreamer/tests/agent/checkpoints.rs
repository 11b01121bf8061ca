//! Checkpoints: whole, or refused with a reason.

use super::kinds::{batch, projecting, tiny, weights, with_images, with_options};
use dreamer::{ActMode, Agent, AgentConfig, DreamerError, ImageNetwork};
use random::Stream;

#[test]
fn a_loaded_agent_continues_as_the_saved_one() {
    let images = AgentConfig { vector: 0, ..projecting() };
    for config in [tiny(false), with_options(), images, with_images(ImageNetwork::V3Strided)] {
        let data = batch(&config, 3);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.safetensors");
        let mut agent = Agent::new(&config, 3, 7).unwrap();
        agent.learn(&data).unwrap();
        agent.save(&path).unwrap();
        let mut loaded = Agent::load(&path).unwrap();
        assert_eq!((loaded.updates(), loaded.action_size(), loaded.config()), (1, 3, &config));
        for _ in 0..3 {
            assert_eq!(agent.learn(&data).unwrap(), loaded.learn(&data).unwrap());
        }
        assert!(weights(&agent) == weights(&loaded));
        let act = |agent: &Agent| {
            let (mut state, mut random, mut action) = (agent.begin(), Stream::new(3, "act"), [0.0; 3]);
            for mode in [ActMode::Explore, ActMode::Sample, ActMode::Evaluate] {
                agent.act(&mut state, (&data.image[..64 * 64 * 3]).into(), mode, &mut random, &mut action);
                assert!(action.iter().all(|a| (-1.0..=1.0).contains(a)));
            }
            action
        };
        assert_eq!(act(&agent), act(&loaded));
    }
}

#[test]
fn equal_agents_are_the_same_bytes() {
    let config = AgentConfig { gradient_clip: 0.1 + 0.2, ..tiny(true) };
    let data = batch(&config, 3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.safetensors");
    let bytes = |agent: &Agent| {
        agent.save(&path).unwrap();
        std::fs::read(&path).unwrap()
    };
    let mut agent = Agent::new(&config, 3, 7).unwrap();
    agent.learn(&data).unwrap();
    let saved = bytes(&agent);
    let mut again = Agent::new(&config, 3, 7).unwrap();
    again.learn(&data).unwrap();
    // Whether an order is left to chance shows in several files, not in two.
    for _ in 0..5 {
        assert!(bytes(&again) == saved);
    }
    assert!(bytes(&Agent::load(&path).unwrap()) == saved);
}

#[test]
fn damaged_checkpoints_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.safetensors");
    let agent = Agent::new(&tiny(false), 3, 7).unwrap();
    agent.save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let refused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        match Agent::load(&path) {
            Err(DreamerError::Checkpoint { why, .. }) => why,
            other => panic!("{other:?}"),
        }
    };
    for length in (0..whole.len()).step_by(whole.len() / 97) {
        refused(&whole[..length]);
    }
    assert!(refused(b"not a checkpoint at all").contains("safetensors"));
    let at = whole.len() - 4;
    let nan = [&whole[..at], &f32::NAN.to_le_bytes()].concat();
    assert!(refused(&nan).contains("NaN"));
    let text = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = whole.windows(from.len()).position(|w| w == from.as_bytes());
        let at = at.unwrap_or_else(|| panic!("no {from} in the file"));
        [&whole[..at], to.as_bytes(), &whole[at + from.len()..]].concat()
    };
    assert!(refused(&text(r#"\"format\":1,"#, r#"\"format\":9,"#)).contains("format is 9"));
    assert!(refused(&text(r#"{"dreamgraft":"#, r#"{"dreamdraft":"#)).contains("another program"));
    for lost in ["format", "config", "action_size", "updates", "noise"] {
        let (key, other) = (format!(r#"\"{lost}\":"#), format!(r#"\"{}\":"#, "x".repeat(lost.len())));
        let why = refused(&text(&key, &other));
        assert!(why.contains("metadata is damaged"), "{lost}: {why}");
    }
    assert!(refused(&text(r#"\"action_size\":3,"#, r#"\"action_size\":0,"#)).contains("0 elements"));
    // A header that claims a gigantic agent is refused before memory is allocated for it.
    assert!(refused(&text(r#"\"units\":10,"#, r#"\"units\":99,"#)).contains("truncated"));
    assert!(refused(&text(r#"[7,8]"#, r#"[8,7]"#)).contains("instead of F32"));
    assert!(refused(&[&whole[..], b"more"].concat()).contains("longer"));
    assert!(refused(&(1u64 << 40).to_le_bytes()).contains("claims 1099511627776 bytes"));
    assert!(refused(&text(r#"\"stoch\":4,"#, r#"\"stoch\":0,"#)).contains("agent.stoch"));
}

#[test]
fn the_actor_waits_for_its_warmup_across_a_checkpoint() {
    let config = AgentConfig { actor_warmup: 3, ..tiny(false) };
    let data = batch(&config, 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.safetensors");
    let actor = |agent: &Agent| {
        let parameters = agent.learner().parameters();
        parameters.values(parameters.find("actor.h0.kernel").unwrap()).to_vec()
    };
    let mut agent = Agent::new(&config, 2, 7).unwrap();
    let begun = actor(&agent);
    for update in 1..=6 {
        agent.learn(&data).unwrap();
        assert_eq!(actor(&agent) == begun, update <= 3, "after {update} updates");
        if update == 2 || update == 5 {
            agent.save(&path).unwrap();
            let mut loaded = Agent::load(&path).unwrap();
            let mut whole = Agent::new(&config, 2, 7).unwrap();
            for _ in 0..6 {
                whole.learn(&data).unwrap();
            }
            for _ in update..6 {
                loaded.learn(&data).unwrap();
            }
            assert!(weights(&whole) == weights(&loaded));
        }
    }
}
