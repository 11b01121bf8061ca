//! Built-in plans with agents that observe vectors of different lengths.

use crate::common::{config, learner, preset, sources, values};
use dreamer::{AgentConfig, Learner};
use transfer::{Plan, Report, TransferError, resolve};

/// The target after the transfer from `source`.
fn grafted(plan: &Plan, target: &Learner<f32>, source: &Learner<f32>) -> Result<(Learner<f32>, Report), TransferError> {
    let resolved = resolve(plan, target, &sources(&[("a", source)]))?;
    let mut after = learner(target.config(), target.action_size(), 2);
    resolved.apply(&mut after)?;
    Ok((after, resolved.report().clone()))
}

/// Agents of two tasks whose vectors have different lengths.
fn observing_vectors() -> (Learner<f32>, Learner<f32>) {
    let vectors = |vector| AgentConfig { images: false, vector, vector_layers: 2, vector_units: 6, ..config() };
    (learner(&vectors(4), 4, 1), learner(&vectors(7), 3, 2))
}

#[test]
fn vectors_of_different_lengths_leave_the_layers_that_read_and_write_them_random() {
    let (source, target) = observing_vectors();
    for name in ["paper", "full"] {
        let (after, report) = grafted(&preset(name), &target, &source).unwrap();
        for layer in ["encoder.vector.h0.kernel", "encoder.vector.h0.bias", "decoder.vector.hout.kernel"] {
            let path = format!("world_model.{layer}");
            assert_eq!(values(&after, &path), values(&target, &path), "{name}: {path}");
        }
        for layer in ["encoder.vector.h1.kernel", "decoder.vector.h0.kernel", "rssm.obs1.kernel"] {
            let path = format!("world_model.{layer}");
            assert_eq!(values(&after, &path), values(&source, &path), "{name}: {path}");
        }
        assert!(report.to_string().contains("the source has 4 vector rows, but the target has 7"), "{report}");
    }
    // Of equal lengths, they are transferred too.
    let same = learner::<f32>(source.config(), 3, 2);
    let (after, _) = grafted(&preset("paper"), &same, &source).unwrap();
    let path = "world_model.encoder.vector.h0.kernel";
    assert_eq!(values(&after, path), values(&source, path));
}

#[test]
fn the_other_presets_refuse_vectors_of_different_lengths_with_a_next_step() {
    let (source, target) = observing_vectors();
    for name in ["encoder-only", "fine-tune"] {
        let message = grafted(&preset(name), &target, &source).unwrap_err().to_string();
        for expected in [
            "length of the observed vector (4 and 7)".to_owned(),
            format!("`dreamgraft transfer preset {name} > my-plan.toml`"),
            "misfit = \"random\"".to_owned(),
        ] {
            assert!(message.contains(&expected), "{expected}: {message}");
        }
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}
