//! Compares gradient steps on a device with those on the CPU, for every kind of agent.
//!
//! Here: the common part of the tests of emulated kernels and of a real device.

use dreamer::{
    ActionDistribution, ActorGradient, Agent, AgentConfig, Cell, Divergence, Heads, ImageNetwork, Latent,
    LayerActivation, Learner, LossWeights, Norm, OptimiserRule, Optimisers, Precision, Reconstruction, ReturnScale,
    ReturnsFrom, RewardSource, StepMetrics,
};
use random::Stream;
use replay::Batch;
use tape::plan::Device;

/// Numbers in an action.
pub const ACTIONS: usize = 3;

/// Sizes that no tile and no block divides.
pub fn small() -> AgentConfig {
    AgentConfig {
        depth: 2,
        stoch: 5,
        deter: 7,
        hidden: 9,
        units: 11,
        batch: 3,
        length: 4,
        horizon: 4,
        shard: 2,
        discount: 0.9,
        free_nats: 0.0,
        ..AgentConfig::default()
    }
}

/// A batch drawn at random, with ends of episodes.
pub fn batch(config: &AgentConfig) -> Batch {
    let mut random = Stream::new(5, "batch");
    let transitions = config.batch * config.length;
    let mut batch = Batch::new(config.batch, config.length);
    batch.action_size = ACTIONS;
    let space = config.observation_space();
    batch.image = (0..transitions * space.image_bytes()).map(|_| random.below(256) as u8).collect();
    batch.first = (0..if config.resets { transitions } else { 0 }).map(|at| f32::from(u8::from(at % 3 == 1))).collect();
    batch.vector = (0..transitions * space.vector).map(|_| 3.0 * random.normal() as f32).collect();
    batch.action = (0..transitions * ACTIONS).map(|_| random.uniform_in(-1.0, 1.0) as f32).collect();
    batch.reward = (0..transitions).map(|_| random.normal() as f32).collect();
    batch.discount = (0..transitions).map(|i| if i % 5 == 4 { 0.0 } else { 1.0 }).collect();
    batch
}

/// A new agent, whose reward sources have standards that change the predictions, if it standardises any, and whose learned
/// weights of losses have already left those of the settings. Two-hot heads predict small numbers: at first, the
/// probabilities of the outermost bins cancel out but for rounding, which their size makes large.
fn agent(config: &AgentConfig) -> Agent {
    let mut agent = Agent::new(config, ACTIONS, 3).unwrap();
    let parameters = agent.learner_mut().parameters_mut();
    for parameter in parameters.iter() {
        if parameters.path(parameter).contains(".standard.") {
            let values = parameters.values_mut(parameter).iter_mut().enumerate();
            values.for_each(|(index, value)| *value = 0.4 * *value + 0.2 * (index as f32 + 1.0));
        }
        if parameters.path(parameter).contains(".loss_weights.") {
            parameters.values_mut(parameter).fill(0.3);
        }
        let of_two_hot_head = config.heads == Heads::TwoHot
            && ["world_model.reward.hout.", "value.hout."]
                .iter()
                .any(|path| parameters.path(parameter).starts_with(path));
        if of_two_hot_head {
            let is_kernel = parameters.path(parameter).ends_with("kernel");
            let values = parameters.values_mut(parameter).iter_mut().enumerate();
            values.for_each(|(index, value)| {
                let from_middle = (index % config.bins) as f32 - 0.5 * (config.bins - 1) as f32;
                *value = if is_kernel { 0.3 * (index as f32).sin() } else { -0.2 * from_middle * from_middle };
            });
        }
    }
    agent
}

/// Largest difference over the norm.
fn apart(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut found.iter().zip(expected).map(|(&a, &b)| f64::from(a) - f64::from(b)));
    difference / norm(&mut expected.iter().map(|&x| f64::from(x))).max(1e-12)
}

/// Runs steps on both, and compares metrics, gradients, parameters and optimisers: closely for each step from the same
/// checkpoint, and roughly for three consecutive steps, because differences in rounding grow.
///
/// # Panics
/// If they differ.
pub fn compare(what: &str, config: &AgentConfig, known_embeddings: bool, device: &dyn Device, tolerances: [f64; 3]) {
    let [mut here, mut onward] = [0, 1].map(|_| agent(config));
    let move_there = |agent: &mut Agent| agent.move_to(device).unwrap();
    move_there(&mut onward);
    let mut batch = batch(config);
    if known_embeddings {
        batch.embedding.resize(config.batch * config.length * config.embed(), 0.0);
        here.embed(&batch.image, &mut batch.embedding);
    }
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("agent.safetensors");
    let [metrics, gradients, parameters] = tolerances.map(|tolerance| 4.0 * tolerance);
    let loose = [metrics.max(2e-2), gradients.max(0.1), parameters.max(1e-3)];
    for step in 0..3 {
        here.save(&checkpoint).unwrap();
        let mut there = Agent::load(&checkpoint).unwrap();
        move_there(&mut there);
        let expected = here.learn(&batch).unwrap();
        let found = there.learn(&batch).unwrap();
        there.sync_from_device().unwrap();
        same(&format!("{what}, step {step}"), (&there, &found), (&here, &expected), tolerances);
        let found = onward.learn(&batch).unwrap();
        onward.sync_from_device().unwrap();
        same(&format!("{what}, onward to step {step}"), (&onward, &found), (&here, &expected), loose);
    }
}

/// As [`compare`], of one step of a new agent: for large ones.
///
/// # Panics
/// If they differ.
pub fn compare_one(what: &str, config: &AgentConfig, device: &dyn Device, tolerances: [f64; 3]) {
    let [mut here, mut there] = [0, 1].map(|_| agent(config));
    there.move_to(device).unwrap();
    let batch = batch(config);
    let [found, expected] = [&mut there, &mut here].map(|agent| agent.learn(&batch).unwrap());
    there.sync_from_device().unwrap();
    same(what, (&there, &found), (&here, &expected), tolerances);
}

/// Compares a step there with the same here: metrics, gradients and parameters within three tolerances.
fn same(
    what: &str,
    (there, found): (&Agent, &StepMetrics),
    (here, expected): (&Agent, &StepMetrics),
    tolerances: [f64; 3],
) {
    for ((name, found), (_, expected)) in found.named().into_iter().zip(expected.named()) {
        let scale = expected.abs().max(1e-2);
        assert!((found - expected).abs() <= tolerances[0] * scale, "{what}: {name} is {found}, not {expected}");
    }
    let (a, b) = (there.learner(), here.learner());
    let parameters = b.parameters();
    let [found, expected] = [a, b].map(|learner| <[_; 2]>::from(learner.last_gradients()));
    for (found, expected) in found.into_iter().zip(expected) {
        for parameter in parameters.iter() {
            if let (Some(found), Some(expected)) = (found.of(parameter), expected.of(parameter)) {
                let (apart, path) = (apart(found, expected), parameters.path(parameter));
                assert!(apart < tolerances[1], "{what}: the gradient of {path} is {apart:e} apart");
            }
        }
    }
    let optimisers = |learner: &Learner<f32>| {
        let Optimisers { model, actor, value } = learner.optimisers();
        [model, actor, value].map(|optimiser| {
            let (first, second) = optimiser.moments();
            ([first.to_vec(), second.to_vec()], optimiser.updates())
        })
    };
    for ((found, taken), (expected, steps)) in optimisers(a).into_iter().zip(optimisers(b)) {
        assert_eq!(taken, steps, "{what}");
        for (found, expected) in found.iter().zip(&expected) {
            let apart = apart(found, expected);
            assert!(apart < tolerances[1], "{what}: moments are {apart:e} apart");
        }
    }
    let apart = apart(a.parameters().data(), parameters.data());
    assert!(apart < tolerances[2], "{what}: parameters are {apart:e} apart");
    assert_eq!(there.updates(), here.updates());
}

/// How far metrics, gradients and parameters of small agents may be apart, relatively: sums of thousands of terms are
/// rounded in another order, and Adam's first steps are as long for the smallest of gradients as for the largest.
pub const F32: [f64; 3] = [1e-5, 1e-3, 1e-4];

/// The same in bf16: the CPU does not round the factors of its smallest matrix products.
pub const BF16: [f64; 3] = [5e-2, 0.2, 1e-2];

/// The same in tf32, in which the CPU rounds no factors: half of those for bf16, where it rounds most. Products alone
/// have bounds of a few roundings (`products`).
pub const TF32: [f64; 3] = [2.5e-2, 0.1, 5e-3];

/// Every kind of agent, by name; whether its embeddings are known before, and the tolerances of
/// [`compare`].
pub fn kinds() -> Vec<(&'static str, AgentConfig, bool, [f64; 3])> {
    let plain = RewardSource { layers: 2, units: 6, ..RewardSource::default() };
    let nested = RewardSource { layers: 1, units: 4, sources: vec![plain.clone()], ..RewardSource::default() };
    let standardised = AgentConfig {
        reward_sources: vec![plain.clone(), RewardSource { standardised: true, ..nested.clone() }],
        reward_sources_standardised: true,
        reward_sources_l1: 0.3,
        ..small()
    };
    let frozen = AgentConfig { frozen_encoder: true, ..small() };
    let vectors = AgentConfig { vector: 5, vector_layers: 2, vector_units: 7, vector_scale: 3.0, ..small() };
    let larger = AgentConfig { depth: 5, deter: 70, hidden: 130, units: 90, batch: 4, shard: 4, length: 6, ..small() };
    // So many that products of a recurrent unit are not small.
    let many = AgentConfig {
        images: false,
        batch: 48,
        length: 32,
        deter: 70,
        vector: 5,
        vector_layers: 1,
        vector_units: 7,
        shard: 48,
        horizon: 2,
        ..small()
    };
    vec![
        ("plain", small(), false, F32),
        ("many rows", many, false, F32),
        ("free nats beyond the divergence", AgentConfig { free_nats: 1e3, ..small() }, false, F32),
        ("warmup and entropy", AgentConfig { actor_warmup: 2, actor_entropy: 1e-3, ..small() }, false, F32),
        (
            "one-hot actions",
            AgentConfig { actor: ActionDistribution::OneHot, actor_entropy: 1e-3, ..small() },
            false,
            F32,
        ),
        (
            "bounded normal actions",
            AgentConfig { actor: ActionDistribution::BoundedNormal, actor_entropy: 1e-3, ..small() },
            false,
            F32,
        ),
        (
            "normal actions by their density",
            AgentConfig { actor_gradient: ActorGradient::Reinforce, actor_entropy: 1e-3, ..small() },
            false,
            F32,
        ),
        (
            "bounded normal actions by their density, with a scale of returns",
            AgentConfig {
                actor: ActionDistribution::BoundedNormal,
                actor_gradient: ActorGradient::Reinforce,
                return_scale: ReturnScale::Percentile,
                ..small()
            },
            false,
            F32,
        ),
        (
            "one-hot actions by their density",
            AgentConfig {
                actor: ActionDistribution::OneHot,
                actor_gradient: ActorGradient::Reinforce,
                actor_entropy: 1e-3,
                ..small()
            },
            false,
            F32,
        ),
        (
            "balanced divergence",
            AgentConfig { divergence: Divergence::Balanced, free_nats: 2.0, ..small() },
            false,
            F32,
        ),
        ("sequences that cross from one episode into the next", AgentConfig { resets: true, ..small() }, false, F32),
        (
            "a cell in blocks",
            AgentConfig { cell: Cell::BlockGru, deter: 12, blocks: 3, prior_layers: 2, ..small() },
            false,
            F32,
        ),
        (
            "a cell in blocks with categorical states, norms and SiLU",
            AgentConfig {
                cell: Cell::BlockGru,
                deter: 12,
                blocks: 2,
                latent: Latent::Categorical,
                stoch: 3,
                classes: 4,
                norm: Norm::Rms,
                activation: LayerActivation::Silu,
                free_nats: 0.1,
                ..small()
            },
            false,
            F32,
        ),
        (
            "categorical states",
            AgentConfig { latent: Latent::Categorical, stoch: 3, classes: 4, free_nats: 0.1, ..small() },
            false,
            F32,
        ),
        (
            "categorical states with a balanced divergence from a part of the states",
            AgentConfig {
                latent: Latent::Categorical,
                stoch: 3,
                classes: 4,
                divergence: Divergence::Balanced,
                free_nats: 0.1,
                imagine_from: 0.4,
                actor: ActionDistribution::OneHot,
                ..small()
            },
            false,
            F32,
        ),
        ("returns from the starting states", AgentConfig { returns_from: ReturnsFrom::Start, ..small() }, false, F32),
        (
            "returns from the starting states with a discount head, by the density of actions",
            AgentConfig {
                returns_from: ReturnsFrom::Start,
                discount_head: true,
                actor_gradient: ActorGradient::Reinforce,
                imagine_from: 0.4,
                ..small()
            },
            false,
            F32,
        ),
        (
            "values of replayed states",
            AgentConfig { returns_from: ReturnsFrom::Start, replay_value: 0.3, ..small() },
            false,
            F32,
        ),
        (
            "values of replayed states of several episodes, without the world model",
            AgentConfig {
                returns_from: ReturnsFrom::Start,
                replay_value: 0.3,
                replay_value_trains_model: false,
                resets: true,
                slow_value: 0.3,
                heads: Heads::TwoHot,
                bins: 41,
                return_scale: ReturnScale::Percentile,
                ..small()
            },
            false,
            F32,
        ),
        ("two-hot heads", AgentConfig { heads: Heads::TwoHot, bins: 41, ..small() }, false, F32),
        (
            "a scale of returns",
            AgentConfig { return_scale: ReturnScale::Percentile, actor_entropy: 1e-3, ..small() },
            false,
            F32,
        ),
        (
            "LaProp",
            AgentConfig { optimiser: OptimiserRule::LaProp, learning_rate_warmup: 2, clip_ratio: 0.01, ..small() },
            false,
            F32,
        ),
        ("a slow value head", AgentConfig { slow_value: 0.3, ..small() }, false, F32),
        (
            "a slow two-hot value head with norms",
            AgentConfig { slow_value: 0.3, heads: Heads::TwoHot, bins: 41, norm: Norm::Rms, ..small() },
            false,
            F32,
        ),
        ("rollouts from a part of the states", AgentConfig { imagine_from: 0.4, ..small() }, false, F32),
        (
            "one-hot actions from a part of the states",
            AgentConfig { actor: ActionDistribution::OneHot, imagine_from: 0.3, length: 5, ..small() },
            false,
            F32,
        ),
        ("norms and ELU", AgentConfig { norm: Norm::Rms, ..small() }, false, F32),
        ("SiLU", AgentConfig { activation: LayerActivation::Silu, discount_head: true, ..small() }, false, F32),
        (
            "norms and SiLU",
            AgentConfig { norm: Norm::Rms, activation: LayerActivation::Silu, ..larger.clone() },
            false,
            F32,
        ),
        (
            "images as DreamerV3 reads them, with max pooling",
            AgentConfig { image_network: ImageNetwork::V3Pool, deter: 8, image_blocks: 4, ..small() },
            false,
            F32,
        ),
        (
            "images as DreamerV3 reads them, with strides, and vectors",
            AgentConfig {
                image_network: ImageNetwork::V3Strided,
                deter: 12,
                image_blocks: 2,
                latent: Latent::Categorical,
                stoch: 3,
                classes: 4,
                depth: 3,
                ..vectors.clone()
            },
            false,
            F32,
        ),
        (
            "a frozen encoder of images as DreamerV3 reads them",
            AgentConfig { image_network: ImageNetwork::V3Pool, deter: 8, image_blocks: 1, ..frozen.clone() },
            false,
            F32,
        ),
        (
            "projections in place of decoders",
            AgentConfig { reconstruction: Reconstruction::Barlow, ..small() },
            false,
            F32,
        ),
        (
            "projections in place of decoders of images and vectors, with learned weights of losses",
            AgentConfig {
                reconstruction: Reconstruction::Barlow,
                loss_weights: LossWeights::Harmony,
                barlow_scale: 0.3,
                ..vectors.clone()
            },
            false,
            F32,
        ),
        (
            "projections that are compared with a frozen encoder's embeddings",
            AgentConfig { reconstruction: Reconstruction::Barlow, ..frozen.clone() },
            false,
            F32,
        ),
        (
            "learned weights of losses",
            AgentConfig { loss_weights: LossWeights::Harmony, discount_head: true, ..vectors.clone() },
            false,
            F32,
        ),
        (
            "learned weights of losses, and free nats beyond the divergence",
            AgentConfig { loss_weights: LossWeights::Harmony, free_nats: 1e3, ..small() },
            false,
            F32,
        ),
        (
            "learned weights of losses with a balanced divergence",
            AgentConfig {
                loss_weights: LossWeights::Harmony,
                divergence: Divergence::Balanced,
                free_nats: 0.1,
                kl_scale: 0.7,
                ..small()
            },
            false,
            F32,
        ),
        ("discount head", AgentConfig { discount_head: true, discount_layers: 2, ..small() }, false, F32),
        ("vectors", AgentConfig { images: false, ..vectors.clone() }, false, F32),
        ("images and vectors", vectors.clone(), false, F32),
        ("frozen encoder of images and vectors", AgentConfig { frozen_encoder: true, ..vectors }, false, F32),
        ("frozen encoder", frozen.clone(), false, F32),
        ("known embeddings", frozen, true, F32),
        ("reward meta-model", AgentConfig { reward_sources: vec![plain, nested], ..small() }, false, F32),
        ("standardised reward sources with L1", standardised, false, F32),
        ("products that are split", larger.clone(), false, F32),
        (
            "bf16, frozen encoder",
            AgentConfig { precision: Precision::Bf16, frozen_encoder: true, ..small() },
            false,
            BF16,
        ),
        (
            "bf16, images as DreamerV3 reads them",
            AgentConfig {
                precision: Precision::Bf16,
                image_network: ImageNetwork::V3Pool,
                depth: 6,
                deter: 72,
                ..larger.clone()
            },
            false,
            BF16,
        ),
        ("tf32", AgentConfig { precision: Precision::Tf32, ..larger.clone() }, false, TF32),
        ("bf16", AgentConfig { precision: Precision::Bf16, ..larger }, false, BF16),
    ]
}
