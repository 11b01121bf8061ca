//! Transfer between agents with other options than the paper's: norms, SiLU, two-hot heads, a range of returns.

use crate::common::{config, learned, learner, plan, preset, sources, values};
use dreamer::{
    ActionDistribution, Agent, AgentConfig, Cell, Divergence, Heads, ImageNetwork, Latent, LayerActivation, Learner,
    LossWeights, Norm, Reconstruction, ReturnScale, RewardSource,
};
use tape::{Tape, Workspace};
use transfer::{Plan, Sources, graft, resolve};

/// An agent with many of DreamerV3's options.
fn options() -> AgentConfig {
    AgentConfig {
        latent: Latent::Categorical,
        classes: 4,
        cell: Cell::BlockGru,
        blocks: 1,
        prior_layers: 2,
        norm: Norm::Rms,
        activation: LayerActivation::Silu,
        heads: Heads::TwoHot,
        bins: 21,
        divergence: Divergence::Balanced,
        actor: ActionDistribution::BoundedNormal,
        return_scale: ReturnScale::Percentile,
        ..config()
    }
}

/// The paths of all parameters that differ between two agents.
fn differing(one: &Learner<f32>, other: &Learner<f32>) -> Vec<String> {
    let parameters = one.parameters();
    let paths = parameters.iter().map(|parameter| parameters.path(parameter).to_owned());
    paths.filter(|path| values(one, path) != values(other, path)).collect()
}

#[test]
fn the_papers_plan_takes_norms_with_their_layers_and_a_fraction_of_whole_two_hot_layers() {
    let (source, target) = (trained(&options(), 4, 1), learner::<f32>(&options(), 3, 2));
    let plan = preset("paper");
    let sources = sources(&[("a", &source)]);
    let resolved = resolve(&plan, &target, &sources).unwrap();
    let mut after = learner::<f32>(&options(), 3, 2);
    resolved.apply(&mut after).unwrap();
    for path in [
        "world_model.encoder.h2.scale",
        "world_model.rssm.action_in.scale",
        "world_model.reward.h0.scale",
        "actor.h1.scale",
    ] {
        assert_eq!(values(&after, path), values(&source, path), "{path}");
        assert_ne!(values(&after, path), values(&target, path), "{path}");
    }
    for path in ["world_model.reward.hout.kernel", "value.hout.bias"] {
        let pairs = values(&target, path).iter().zip(values(&source, path));
        let expected: Vec<f32> =
            pairs.map(|(own, theirs)| (f64::from(*own) + 0.2 * f64::from(*theirs)) as f32).collect();
        assert_eq!(values(&after, path), expected, "{path}");
        assert_ne!(values(&after, path), values(&target, path), "{path}");
    }
    // The range is the target's own, and no part of the report.
    assert_eq!(values(&after, "return_range.bounds"), [0.0, 0.0]);
    assert_ne!(values(&source, "return_range.bounds"), [0.0, 0.0]);
    assert!(!resolved.report().to_string().contains("return_range"));
    // The same source in full changes everything but what depends on the action.
    let mut full = learner::<f32>(&options(), 4, 2);
    resolve(&preset("full"), &full, &sources).unwrap().apply(&mut full).unwrap();
    assert_eq!(differing(&full, &source), ["return_range.bounds"]);
}

/// An agent after two gradient steps, whose parameters are all its own.
fn trained(config: &AgentConfig, action_size: usize, seed: u64) -> Learner<f32> {
    let agent = learned(Agent::new(config, action_size, seed).unwrap());
    let mut copy = Learner::new(config, action_size).unwrap();
    copy.parameters_mut().data_mut().copy_from_slice(agent.learner().parameters().data());
    copy
}

#[test]
fn agents_with_other_options_do_not_fit_and_the_message_names_the_setting() {
    let target = learner::<f32>(&config(), 3, 2);
    let refused = |plan: &str, source: &Learner<f32>, target: &Learner<f32>| {
        let Err(error) = resolve(&preset(plan), target, &sources(&[("a", source)])) else { panic!("it was resolved") };
        let message = error.to_string();
        assert_eq!(message.lines().count(), 1, "{message}");
        message
    };
    for (changed, from_there, from_here) in [
        (
            AgentConfig { norm: Norm::Rms, ..config() },
            "agent.norm = \"rms\", but the target has \"none\"",
            "agent.norm",
        ),
        (
            AgentConfig { activation: LayerActivation::Silu, ..config() },
            "agent.activation = \"silu\", but the target has \"elu\"",
            "agent.activation = \"elu\", but the target has \"silu\"",
        ),
        (
            AgentConfig { heads: Heads::TwoHot, ..config() },
            "agent.heads (twohot and normal)",
            "agent.heads (normal and twohot)",
        ),
    ] {
        let other = learner::<f32>(&changed, 3, 1);
        for plan in ["full", "paper"] {
            let message = refused(plan, &other, &target);
            assert!(message.contains(from_there), "{from_there}: {message}");
            let message = refused(plan, &target, &other);
            assert!(message.contains(from_here), "{from_here}: {message}");
        }
    }
}

/// An agent with DreamerV3's networks of images.
fn with_images(image_network: ImageNetwork) -> AgentConfig {
    AgentConfig { image_network, image_blocks: 1, ..options() }
}

#[test]
fn agents_that_halve_images_in_another_way_do_not_fit() {
    let [pool, strided] =
        [ImageNetwork::V3Pool, ImageNetwork::V3Strided].map(|network| learner::<f32>(&with_images(network), 3, 1));
    for plan in ["full", "paper", "encoder-only"] {
        for (source, target, names) in
            [(&pool, &strided, ["v3_pool", "v3_strided"]), (&strided, &pool, ["v3_strided", "v3_pool"])]
        {
            let error = resolve(&preset(plan), target, &sources(&[("a", source)])).unwrap_err().to_string();
            let [theirs, ours] = names;
            let expected = format!("agent.image_network = \"{theirs}\", but the target has \"{ours}\"");
            assert!(error.contains(&expected), "{plan}: {error}");
        }
        let old = learner::<f32>(&options(), 3, 2);
        let error = resolve(&preset(plan), &old, &sources(&[("a", &pool)])).unwrap_err().to_string();
        assert!(error.contains("agent.image_network (v3_pool and v1)"), "{plan}: {error}");
    }
    // Their other parts fit.
    let rules = "[[rule]]\nmatch = \"world_model.rssm.**\"\nsource = \"a\"\ntake = \"full\"\n\
                 [[rule]]\nmatch = \"**\"\nrest = true\ntake = \"random\"\n";
    resolve(&plan(&["a"], rules), &strided, &sources(&[("a", &pool)])).unwrap();
}

#[test]
fn networks_of_images_are_transferred_whole_whatever_norms_the_others_have() {
    let (source, mut target) =
        (trained(&with_images(ImageNetwork::V3Pool), 3, 1), learner::<f32>(&with_images(ImageNetwork::V3Pool), 3, 2));
    resolve(&preset("full"), &target, &sources(&[("a", &source)])).unwrap().apply(&mut target).unwrap();
    assert_eq!(differing(&target, &source), ["return_range.bounds"]);
    let plain = AgentConfig { norm: Norm::None, activation: LayerActivation::Elu, ..with_images(ImageNetwork::V3Pool) };
    let mut target = learner::<f32>(&plain, 3, 2);
    resolve(&preset("encoder-only"), &target, &sources(&[("a", &source)])).unwrap().apply(&mut target).unwrap();
    let path = "world_model.encoder.h4.scale";
    assert_eq!(values(&target, path), values(&source, path));
}

/// An agent without decoders, with learned weights of its losses.
fn projecting() -> AgentConfig {
    AgentConfig { reconstruction: Reconstruction::Barlow, loss_weights: LossWeights::Harmony, ..options() }
}

#[test]
fn projectors_are_transferred_like_decoders_and_learned_weights_only_with_everything() {
    let source = trained(&projecting(), 4, 1);
    let (projector, weight) = ("world_model.projector.kernel", "world_model.loss_weights.reward");
    assert_ne!(values(&source, weight), [0.0]);
    for (name, with_projector, with_weights) in
        [("paper", true, false), ("full", true, true), ("universal", true, false), ("encoder-only", false, false)]
    {
        // The universal encoder is frozen.
        let config = AgentConfig { frozen_encoder: name == "universal", ..projecting() };
        let mut target = learner::<f32>(&config, 3, 2);
        let before = values(&target, projector).to_vec();
        resolve(&preset(name), &target, &sources(&[("a", &source)])).unwrap().apply(&mut target).unwrap();
        let expected = if with_projector { values(&source, projector) } else { &before[..] };
        assert_eq!(values(&target, projector), expected, "{name}");
        let expected = if with_weights { values(&source, weight) } else { &[0.0] };
        assert_eq!(values(&target, weight), expected, "{name}");
    }
}

#[test]
fn agents_with_and_without_decoders_do_not_fit_and_the_message_names_the_setting() {
    let without = learner::<f32>(&AgentConfig { loss_weights: LossWeights::Fixed, ..projecting() }, 3, 1);
    let weighing = learner::<f32>(&AgentConfig { reconstruction: Reconstruction::Image, ..projecting() }, 3, 1);
    let with = learner::<f32>(&options(), 3, 2);
    for (source, target, setting) in [
        (&with, &without, "agent.reconstruction (image and barlow)"),
        (&without, &with, "agent.reconstruction (barlow and image)"),
        (&with, &weighing, "agent.loss_weights (fixed and harmony)"),
    ] {
        let Err(error) = resolve(&preset("full"), target, &sources(&[("a", source)])) else { panic!("{setting}") };
        let message = error.to_string();
        assert!(message.contains(setting) && message.lines().count() == 1, "{setting}: {message}");
    }
}

#[test]
fn fractions_of_two_hot_heads_are_not_fitted() {
    let (source, target) = (learner::<f32>(&options(), 3, 1), learner::<f32>(&options(), 3, 2));
    let rules = "[[rule]]\nmatch = \"world_model.reward.hout.*\"\nsource = \"a\"\ntake = { fraction = \"fit\" }\n\
                 [[rule]]\nmatch = \"**\"\nrest = true\ntake = \"random\"\n";
    let error = resolve(&plan(&["a"], rules), &target, &sources(&[("a", &source)])).unwrap_err().to_string();
    assert!(error.contains("the reward of a two-hot head is not linear in its output layer"), "{error}");
}

/// Predicted rewards of an agent for some features.
fn rewards(learner: &Learner<f32>, source: Option<usize>) -> Vec<f32> {
    let (rows, width) = (5, learner.config().feature());
    let feature: Vec<f32> = (0..rows * width).map(|index| (index as f32 * 0.37).sin()).collect();
    let (set, mut workspace) = (learner.parameters().set(|_| false), Workspace::default());
    let mut tape = Tape::new(learner.parameters(), &set, &mut workspace);
    let feature = tape.constant(rows, width, |y| y.copy_from_slice(&feature));
    let reward = &learner.networks().reward;
    let predicted = match source {
        Some(source) => reward.source_predictions(&mut tape, feature)[source],
        None => reward.forward(&mut tape, feature),
    };
    tape.value(predicted).to_vec()
}

/// A meta-model may read reward models whose options are not its own.
#[test]
fn a_meta_model_reads_reward_models_with_other_options() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(format!("{name}.safetensors"));
    // Both have the encoder of the target, which has no norms: heads alone differ.
    let plain = learned(Agent::new(&config(), 4, 1).unwrap());
    plain.save(&path("universal")).unwrap();
    let two_hot = AgentConfig { heads: Heads::TwoHot, bins: 15, ..config() };
    let over = Plan::universal(&path("universal"), &[], 1).unwrap();
    let source = graft(&over, &two_hot, 3, 2, &Sources::open(&over).unwrap()).unwrap().agent;
    learned(source).save(&path("source")).unwrap();
    let source = Agent::load(&path("source")).unwrap();
    let named = [("source".to_owned(), path("source"))];
    let plan = Plan::universal(&path("universal"), &named, 1).unwrap();
    let sources = Sources::open(&plan).unwrap();
    for base in [config(), AgentConfig { heads: Heads::TwoHot, ..config() }] {
        let target = graft(&plan, &base, 6, 9, &sources).unwrap().agent;
        let expected = RewardSource { layers: 2, units: 14, bins: 15, ..RewardSource::default() };
        assert_eq!(target.config().reward_sources, [expected]);
        let predicted = rewards(source.learner(), None);
        assert!(predicted.iter().any(|reward| *reward != 0.0));
        assert_eq!(rewards(target.learner(), Some(0)), predicted);
        let after = learned(target);
        assert_eq!(rewards(after.learner(), Some(0)), predicted);
        after.save(&path("target")).unwrap();
        assert_eq!(Agent::load(&path("target")).unwrap().config(), after.config());
    }
}

/// The same shapes, with other meanings: three distributions over two classes, and two over three; another distribution of actions.
#[test]
fn parameters_of_the_same_shapes_that_mean_something_else_do_not_fit() {
    let states = |stoch, classes| AgentConfig { latent: Latent::Categorical, stoch, classes, ..config() };
    let (source, target) = (learner::<f32>(&states(2, 3), 3, 1), learner::<f32>(&states(3, 2), 3, 2));
    for plan in ["full", "paper"] {
        let Err(error) = resolve(&preset(plan), &target, &sources(&[("a", &source)])) else {
            panic!("it was resolved")
        };
        assert!(error.to_string().contains("agent.classes = 3, but the target has 2"), "{error}");
    }
    // The encoder reads no state.
    resolve(&preset("encoder-only"), &target, &sources(&[("a", &source)])).unwrap();
    let bounded = learner::<f32>(&AgentConfig { actor: ActionDistribution::BoundedNormal, ..config() }, 3, 1);
    let target = learner::<f32>(&config(), 3, 2);
    let Err(error) = resolve(&preset("full"), &target, &sources(&[("a", &bounded)])) else { panic!("it was resolved") };
    let message = "agent.actor = \"bounded_normal\", but the target has \"tanh_normal\"";
    assert!(error.to_string().contains(message), "{error}");
    // The published plan leaves the actor's output layer random.
    resolve(&preset("paper"), &target, &sources(&[("a", &bounded)])).unwrap();
}
