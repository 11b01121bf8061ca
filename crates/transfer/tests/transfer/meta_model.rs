//! Transfer against numbers from independent double-precision programs, and the purpose of the reward meta-model (Eq.
//! 4): the predictions of the sources matter, and gradients pass through them.

#[path = "common/reference.rs"]
mod reference;
#[path = "../../../tape/tests/simd/mod.rs"]
mod simd;

use self::reference::agent::{Reference, Tensors, read};
use self::reference::{MetaModel, with_meta_model};
use dreamer::SourceAblation;
use dreamer::networks::IMAGE_NUMBERS;
use tape::SimdInstructionSet;

/// The file, and its agent with a reward meta-model.
fn meta_model() -> (Tensors, Reference) {
    let (tensors, config) = read(include_bytes!("../../../dreamer/tests/golden/dreamer.safetensors")).unwrap();
    let reference = with_meta_model(&tensors, &config, MetaModel::Eq4).unwrap();
    (tensors, reference)
}

fn difference(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().fold(1e-300_f64, |most, x| most.max(x.abs()));
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / largest).fold(0.0, f64::max)
}

#[test]
fn equals_the_reference() {
    let (theirs, config) = read(include_bytes!("../../../dreamer/tests/golden/dreamer.safetensors")).unwrap();
    for (kind, below, prefix, count) in [
        (MetaModel::Eq4, "mmtl/eq4/", "mmtl/meta/", 35),
        (MetaModel::Released, "mmtl/released/", "mmtl/meta_released/", 34),
    ] {
        let ours = reference::meta_model(&theirs, &config, kind).unwrap();
        let expected: Tensors = theirs.clone().into_iter().filter(|(name, _)| name.starts_with(below)).collect();
        assert_eq!((expected.len(), ours.keys().collect::<Vec<_>>()), (count, expected.keys().collect()));
        for (name, (shape, expected)) in &expected {
            let (our_shape, ours) = &ours[name];
            assert_eq!(our_shape, shape, "{name}");
            if let Some(layer) = name.strip_prefix(&format!("{below}adam1/reward/")) {
                // The step, not the number: it is a difference of near numbers.
                let before = &theirs[&format!("{prefix}{layer}")].1;
                let step = |after: &[f64]| after.iter().zip(before).map(|(a, b)| a - b).collect::<Vec<_>>();
                assert!(difference(&step(ours), &step(expected)) < 1e-8, "{name}");
            } else {
                let error = difference(ours, expected);
                assert!(error < 1e-9, "{name} is off by {error:e}");
            }
        }
    }
}

#[test]
fn fractional_transfer_equals_the_reference_bit_for_bit() {
    let (theirs, config) = read(include_bytes!("../../../dreamer/tests/golden/dreamer.safetensors")).unwrap();
    let ours = reference::fractional(&theirs, &config).unwrap();
    let expected: Tensors = theirs.into_iter().filter(|(name, _)| name.starts_with("ftl/result/")).collect();
    assert_eq!(expected.len(), 39);
    assert_eq!(ours, expected);
}

#[test]
fn frozen_parameters_have_no_gradient_and_stay() {
    let (_, mut reference) = meta_model();
    let before = reference.learner.parameters().clone();
    let ours = reference.compute().unwrap();
    let after = reference.learner.parameters();
    let mut frozen = 0;
    for parameter in before.iter() {
        let path = before.path(parameter);
        let stays = path.starts_with("world_model.encoder.") || path.starts_with("world_model.reward_sources.");
        assert_eq!(stays, before.values(parameter) == after.values(parameter), "{path}");
        assert_eq!(stays, !ours.contains_key(&format!("grad/{}", reference::agent::theirs(path))), "{path}");
        frozen += usize::from(stays);
    }
    assert_eq!(frozen, 8 + 2 * 6);
}

#[test]
fn a_source_changes_the_prediction_and_the_gradient_of_the_latent_state() {
    let (_, mut reference) = meta_model();
    let before = reference.compute().unwrap();
    let (_, mut reference) = meta_model();
    let parameters = reference.learner.parameters_mut();
    // The latent state reaches the source through its first layer alone: without it, a constant is left.
    let kernel = parameters.find("world_model.reward_sources.0.h0.kernel").unwrap();
    parameters.values_mut(kernel).fill(0.0);
    let after = reference.compute().unwrap();
    assert!(difference(&after["out/reward_mean"].1, &before["out/reward_mean"].1) > 1e-3);
    assert!(difference(&after["grad/dynamics/obs2/kernel"].1, &before["grad/dynamics/obs2/kernel"].1) > 1e-6);
    assert!(difference(&after["grad/actor/h0/kernel"].1, &before["grad/actor/h0/kernel"].1) > 1e-6);
}

/// The effect of ablating each source in the file's first sequence, after `change` of a parameter.
fn ablation(path: &str, change: impl Fn(&mut [f64])) -> SourceAblation {
    let (theirs, mut reference) = meta_model();
    let parameters = reference.learner.parameters_mut();
    let parameter = parameters.find(path).unwrap();
    change(parameters.values_mut(parameter));
    let images: Vec<u8> = theirs["in/image_u8"].1.iter().map(|&x| x as u8).collect();
    let (steps, actions) = (theirs["in/image_u8"].0[1], &theirs["in/action"].1);
    let size = actions.len() / (images.len() / IMAGE_NUMBERS);
    reference.learner.ablate_sources((&images[..steps * IMAGE_NUMBERS]).into(), &actions[..steps * size]).unwrap()
}

#[test]
fn sources_without_influence_get_no_use() {
    let heard = ablation("world_model.reward.h0.kernel", |_| ());
    assert!(heard.changes.iter().all(|&change| change > 1e-6) && heard.spread > 1e-6, "{heard:?}");
    // A source with the same prediction for every state has no effect.
    let constant = ablation("world_model.reward_sources.0.hout.kernel", |kernel| kernel.fill(0.0));
    assert!(constant.changes[0] < 1e-15 && constant.changes[1] > 1e-6, "{constant:?}");
    // Nor does one to which the meta-model does not listen: a row of zeros.
    let units = 14;
    let deaf = ablation("world_model.reward.h0.kernel", |kernel| kernel[units..2 * units].fill(0.0));
    assert!(deaf.changes[0] > 1e-6 && deaf.changes[1] == 0.0, "{deaf:?}");
    // An agent without sources has none to ablate.
    let (tensors, config) = read(include_bytes!("../../../dreamer/tests/golden/dreamer.safetensors")).unwrap();
    let plain = Reference::new(tensors, &config).unwrap().learner;
    assert_eq!(plain.ablate_sources((&[0; IMAGE_NUMBERS]).into(), &[0.0; 3]), None);
}
