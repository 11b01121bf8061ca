//! The agent as a run uses it: determinism over threads, no allocation after the first step, checkpoints whole or
//! refused.

#[path = "../../tape/tests/simd/mod.rs"]
mod simd;

use dreamer::networks::IMAGE_NUMBERS;
use dreamer::{
    ActMode, ActionDistribution, Agent, AgentConfig, Divergence, DreamerError, Heads, ImageNetwork, LayerActivation,
    LossWeights, Metric, Norm, OptimiserRule, Precision, Reconstruction, ReturnScale,
};
use environment::Observation;
use random::Stream;
use rayon::ThreadPoolBuilder;
use replay::Batch;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::AtomicBool;
use tape::SimdInstructionSet;

/// Counts allocations, to prove that a step makes none.
struct Counting;

thread_local! {
    /// Of this thread: others, the tests' own among them, go about their business meanwhile.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

// SAFETY: every call is handed on to the system's allocator unchanged.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are those `System` asks for.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn tiny(discount_head: bool) -> AgentConfig {
    AgentConfig {
        depth: 2,
        stoch: 4,
        deter: 9,
        hidden: 8,
        units: 10,
        discount_head,
        batch: 5,
        length: 6,
        horizon: 4,
        shard: 2,
        ..AgentConfig::default()
    }
}

/// An agent that observes images and vectors.
fn with_vectors() -> AgentConfig {
    AgentConfig { vector: 3, vector_layers: 2, vector_units: 7, ..tiny(false) }
}

/// An agent with the options of DreamerV3 that are there.
fn with_options() -> AgentConfig {
    AgentConfig {
        norm: Norm::Rms,
        activation: LayerActivation::Silu,
        heads: Heads::TwoHot,
        bins: 31,
        divergence: Divergence::Balanced,
        free_nats: 1.0,
        actor: ActionDistribution::BoundedNormal,
        actor_entropy: 3e-3,
        return_scale: ReturnScale::Percentile,
        slow_value: 0.02,
        optimiser: OptimiserRule::LaProp,
        learning_rate_warmup: 2,
        imagine_from: 0.4,
        ..tiny(true)
    }
}

/// An agent of images and vectors without decoders, which learns the weights of its losses.
fn projecting() -> AgentConfig {
    AgentConfig {
        reconstruction: Reconstruction::Barlow,
        loss_weights: LossWeights::Harmony,
        discount_head: true,
        ..with_vectors()
    }
}

/// An agent with decoders, which learns the weights of its losses.
fn weighing() -> AgentConfig {
    AgentConfig { reconstruction: Reconstruction::Image, ..projecting() }
}

/// An agent with DreamerV3's networks of images, and without its other options.
fn with_images(image_network: ImageNetwork) -> AgentConfig {
    AgentConfig { image_network, image_blocks: 3, depth: 3, ..tiny(true) }
}

fn batch(config: &AgentConfig, actions: usize) -> Batch {
    let mut random = Stream::new(1, "batch");
    let rows = config.batch * config.length;
    let mut batch = Batch::new(config.batch, config.length);
    batch.action_size = actions;
    let space = config.observation_space();
    batch.image = (0..rows * space.image_bytes()).map(|_| random.below(256) as u8).collect();
    batch.vector = (0..rows * space.vector).map(|_| random.normal() as f32).collect();
    batch.action = (0..rows * actions).map(|_| random.uniform_in(-1.0, 1.0) as f32).collect();
    batch.first = (0..if config.resets { rows } else { 0 }).map(|row| f32::from(u8::from(row % 7 == 1))).collect();
    batch.reward = (0..rows).map(|_| random.normal() as f32).collect();
    batch.discount = (0..rows).map(|row| f32::from(u8::from(row % 7 != 0))).collect();
    batch
}

fn weights(agent: &Agent) -> Vec<u32> {
    let parameters = agent.learner().parameters();
    parameters.iter().flat_map(|p| parameters.values(p).iter().map(|x| x.to_bits()).collect::<Vec<_>>()).collect()
}

fn in_pool<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let vectors = AgentConfig { images: false, ..with_vectors() };
    let images = [ImageNetwork::V3Pool, ImageNetwork::V3Strided].map(with_images);
    let all = [tiny(false), tiny(true), with_vectors(), vectors, with_options(), projecting(), weighing()];
    for config in all.into_iter().chain(images) {
        let data = batch(&config, 2);
        let run = |threads| {
            in_pool(threads, || {
                let mut agent = Agent::new(&config, 2, 7).unwrap();
                let metrics: Vec<_> = (0..4).map(|_| agent.learn(&data).unwrap()).collect();
                (metrics, weights(&agent))
            })
        };
        let one = run(1);
        assert!(one.0.iter().all(|metrics| metrics.not_finite().is_none()));
        for threads in [2, 3, 8] {
            let many = run(threads);
            assert_eq!(one.0, many.0);
            assert!(one.1 == many.1, "weights differ on {threads} threads");
        }
    }
}

#[test]
fn an_embedding_is_bitwise_identical_in_any_batch() {
    for precision in [Precision::F32, Precision::Bf16] {
        // Not only the tiny sizes: larger ones are computed in other tiles.
        let agents = [2, 8].map(|depth| AgentConfig { depth, ..tiny(false) });
        let images = [ImageNetwork::V3Pool, ImageNetwork::V3Strided].map(with_images);
        for config in agents.into_iter().chain(images) {
            let config = AgentConfig { precision, frozen_encoder: true, ..config };
            let (data, size) = (batch(&config, 2), config.embed());
            let mut agent = Agent::new(&config, 2, 7).unwrap();
            assert_eq!(agent.embedding_size(), Some(size));
            let pixels = 64 * 64 * 3;
            let mut embed = |images: &[u8], threads| {
                let mut all = vec![0.0; images.len() / pixels * size];
                in_pool(threads, || agent.embed(images, &mut all));
                all
            };
            let images = data.image.repeat(3);
            let together = embed(&images, 2);
            for part in [1, 2, 7, 33] {
                for (index, images) in images.chunks(part * pixels).enumerate() {
                    let alone = embed(images, 1);
                    assert_eq!(
                        alone,
                        together[index * part * size..][..alone.len()],
                        "{part} at a time, {precision:?}"
                    );
                }
            }
        }
    }
    assert_eq!(Agent::new(&tiny(false), 2, 7).unwrap().embedding_size(), None);
}

#[test]
fn known_embeddings_change_nothing_but_the_work() {
    for precision in [Precision::F32, Precision::Bf16] {
        let config = AgentConfig { depth: 8, precision, frozen_encoder: true, ..tiny(true) };
        let unknown = batch(&config, 2);
        let run = |known: bool| {
            let mut agent = Agent::new(&config, 2, 7).unwrap();
            let mut data = unknown.clone();
            if known {
                data.embedding = vec![0.0; config.batch * config.length * config.embed()];
                agent.embed(&data.image, &mut data.embedding);
            }
            let metrics: Vec<_> = (0..3).map(|_| agent.learn(&data).unwrap()).collect();
            (metrics, weights(&agent))
        };
        let (computed, known) = (run(false), run(true));
        assert_eq!(computed.0, known.0);
        assert!(computed.1 == known.1, "weights differ in {precision:?}");
    }
}

#[test]
fn tf32_is_f32_on_the_cpu() {
    let run = |precision| {
        let config = AgentConfig { depth: 8, precision, ..tiny(false) };
        let mut agent = Agent::new(&config, 2, 7).unwrap();
        (agent.learn(&batch(&config, 2)).unwrap(), weights(&agent))
    };
    assert!(run(Precision::Tf32) == run(Precision::F32));
}

#[test]
fn embeddings_that_cannot_be_are_refused() {
    let frozen = AgentConfig { frozen_encoder: true, ..tiny(false) };
    let mut data = batch(&frozen, 2);
    data.embedding = vec![0.0; frozen.embed()];
    let short = Agent::new(&frozen, 2, 7).unwrap().learn(&data).unwrap_err().to_string();
    assert!(short.contains("embeddings has 64 numbers"), "{short}");
    data.embedding = vec![0.0; frozen.batch * frozen.length * frozen.embed()];
    let learned = Agent::new(&tiny(false), 2, 7).unwrap().learn(&data).unwrap_err().to_string();
    assert!(learned.contains("trains its encoder"), "{learned}");
}

#[test]
fn a_step_allocates_nothing_after_the_first() {
    let images = [ImageNetwork::V3Pool, ImageNetwork::V3Strided].map(with_images);
    for config in [tiny(true), with_vectors(), with_options(), projecting(), weighing()].into_iter().chain(images) {
        let data = batch(&config, 2);
        let seen = Observation { image: &data.image, vector: &data.vector }.part(&config.observation_space(), 0..1);
        in_pool(1, || {
            let mut agent = Agent::new(&config, 2, 7).unwrap();
            agent.learn(&data).unwrap();
            let mut state = agent.begin();
            let (mut random, mut action) = (Stream::new(1, "act"), [0.0; 2]);
            agent.act(&mut state, seen, ActMode::Explore, &mut random, &mut action);
            let before = ALLOCATIONS.get();
            for _ in 0..3 {
                agent.learn(&data).unwrap();
                agent.act(&mut state, seen, ActMode::Explore, &mut random, &mut action);
            }
            assert_eq!(ALLOCATIONS.get() - before, 0);
        });
    }
}

#[test]
fn learning_lowers_the_losses_on_one_batch() {
    // With norms, channels have the same size everywhere, so that plain images take longer.
    // The constant of 12,288 unit normals is all that a perfect model of V1 leaves; those of V3 have none.
    let floor = 0.5 * std::f64::consts::TAU.ln() * 12_288.0;
    for (config, left, floor) in [
        (tiny(true), 0.2, floor),
        (with_options(), 0.6, floor),
        (with_images(ImageNetwork::V3Pool), 0.5, 0.0),
        (with_images(ImageNetwork::V3Strided), 0.5, 0.0),
    ] {
        let mut data = batch(&config, 2);
        // Plain images, whose brightness is the reward.
        for (row, image) in data.image.chunks_exact_mut(64 * 64 * 3).enumerate() {
            image.fill((row * 83 % 256) as u8);
            data.reward[row] = (row * 83 % 256) as f32 / 64.0;
        }
        let mut agent = Agent::new(&config, 2, 7).unwrap();
        let first = agent.learn(&data).unwrap();
        let last = (0..300).map(|_| agent.learn(&data).unwrap()).last().unwrap();
        assert!(last[Metric::ImageLoss] - floor < left * (first[Metric::ImageLoss] - floor), "{first:?} {last:?}");
        assert!(last[Metric::RewardLoss] < 0.7 * first[Metric::RewardLoss], "{first:?} {last:?}");
        assert!(last[Metric::DiscountLoss] < first[Metric::DiscountLoss], "{first:?} {last:?}");
    }
}

#[test]
fn losses_without_decoders_and_with_learned_weights_fall_on_one_batch() {
    for config in [projecting(), weighing()] {
        let data = batch(&config, 2);
        let mut agent = Agent::new(&config, 2, 7).unwrap();
        let first = agent.learn(&data).unwrap();
        let last = (0..300).map(|_| agent.learn(&data).unwrap()).last().unwrap();
        let falling: &[Metric] = match config.reconstruction {
            Reconstruction::Barlow => &[Metric::ModelLoss, Metric::BarlowLoss, Metric::RewardLoss],
            Reconstruction::Image => &[Metric::ModelLoss, Metric::VectorLoss, Metric::RewardLoss],
        };
        for metric in falling {
            assert!(last[*metric] < 0.9 * first[*metric], "{}: {first:?} {last:?}", metric.name());
        }
        // The weight of a large loss falls.
        if config.reconstruction == Reconstruction::Image {
            assert!((first[Metric::ImageWeight] - 1.0).abs() < 1e-6 && last[Metric::ImageWeight] < 0.9, "{last:?}");
        }
    }
}

#[test]
fn an_agent_without_decoders_predicts_no_images() {
    let config = projecting();
    let (data, agent) = (batch(&config, 2), Agent::new(&config, 2, 7).unwrap());
    let seen = Observation { image: &data.image, vector: &data.vector }.part(&config.observation_space(), 0..6);
    assert!(!config.predicts_images() && weighing().predicts_images());
    assert!(agent.open_loop(seen, &data.action[..12], 3, &mut Stream::new(1, "open")).is_empty());
}

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

#[test]
fn an_interrupted_step_changes_nothing() {
    let config = tiny(false);
    let data = batch(&config, 2);
    let (mut agent, mut other) = (Agent::new(&config, 2, 7).unwrap(), Agent::new(&config, 2, 7).unwrap());
    let begun = weights(&agent);
    assert!(agent.learn_interruptible(&AtomicBool::new(true), &data).unwrap().is_none());
    assert!(weights(&agent) == begun && agent.updates() == 0);
    for _ in 0..2 {
        assert_eq!(agent.learn(&data).unwrap(), other.learn(&data).unwrap());
    }
    assert!(weights(&agent) == weights(&other));
}

#[test]
fn a_batch_that_does_not_fit_is_refused() {
    let config = tiny(false);
    let mut agent = Agent::new(&config, 2, 7).unwrap();
    let mut data = batch(&config, 3);
    assert!(agent.learn(&data).unwrap_err().to_string().contains("3 elements"));
    data = batch(&config, 2);
    data.reward.pop();
    assert!(agent.learn(&data).unwrap_err().to_string().contains("rewards"));
}

#[test]
fn open_loop_images_have_a_frame_for_every_step() {
    let config = tiny(false);
    let data = batch(&config, 2);
    let agent = Agent::new(&config, 2, 7).unwrap();
    let frames =
        agent.open_loop((&data.image[..6 * 64 * 64 * 3]).into(), &data.action[..12], 3, &mut Stream::new(1, "open"));
    assert_eq!(frames.len(), 6 * 64 * 64 * 3);
    let again =
        agent.open_loop((&data.image[..6 * 64 * 64 * 3]).into(), &data.action[..12], 3, &mut Stream::new(1, "open"));
    assert_eq!(frames, again);
}

/// The range starts at zero, so the first step divides by 1; then it holds a hundredth of the percentiles of that
/// step's returns.
#[test]
fn the_range_of_returns_follows_them_a_step_behind() {
    // Two-hot heads predict zero at first.
    let config = AgentConfig { heads: Heads::Normal, ..with_options() };
    let (data, mut agent) = (batch(&config, 2), Agent::new(&config, 2, 7).unwrap());
    let range = |agent: &Agent| {
        let parameters = agent.learner().parameters();
        parameters.values(parameters.find("return_range.bounds").unwrap()).to_vec()
    };
    assert_eq!(range(&agent), [0.0, 0.0]);
    let first = agent.learn(&data).unwrap();
    let [low, high] = range(&agent)[..] else { panic!("two bounds") };
    // The mean of the returns lies between the percentiles.
    let mean = first[Metric::ImaginedReturn] as f32;
    assert!(100.0 * low <= mean && mean <= 100.0 * high, "{low} {mean} {high}");
    // A range that is tiny changes no objective; a large one divides it.
    let mut other = Agent::new(&config, 2, 7).unwrap();
    let parameters = other.learner_mut().parameters_mut();
    let parameter = parameters.find("return_range.bounds").unwrap();
    parameters.values_mut(parameter).copy_from_slice(&[-2.0, 6.0]);
    let divided = other.learn(&data).unwrap();
    let (whole, eighth) = (first[Metric::ActorLoss], divided[Metric::ActorLoss]);
    assert!((whole - 8.0 * eighth).abs() < 1e-5 * whole.abs(), "{whole} {eighth}");
    assert_eq!(first[Metric::ModelLoss], divided[Metric::ModelLoss]);
}

#[test]
fn the_slow_value_head_starts_as_a_copy_and_follows() {
    let config = AgentConfig { slow_value: 0.25, ..tiny(false) };
    let (data, mut agent) = (batch(&config, 2), Agent::new(&config, 2, 7).unwrap());
    let numbers = |agent: &Agent, head: &str| {
        let parameters = agent.learner().parameters();
        let of = |part: &str| parameters.values(parameters.find(&format!("{head}.{part}")).unwrap()).to_vec();
        [of("h0.kernel"), of("hout.kernel"), of("hout.bias")].concat()
    };
    let mut slow = numbers(&agent, "value");
    for _ in 0..3 {
        agent.learn(&data).unwrap();
        let value = numbers(&agent, "value");
        slow.iter_mut().zip(&value).for_each(|(slow, value)| *slow = 0.75 * *slow + 0.25 * *value);
        assert_eq!(numbers(&agent, "slow_value"), slow);
        assert_ne!(slow, value);
    }
    // The value head learns the copy's predictions too.
    let mut alone = Agent::new(&AgentConfig { slow_value: 0.0, ..config }, 2, 7).unwrap();
    for _ in 0..3 {
        alone.learn(&data).unwrap();
    }
    assert_ne!(numbers(&alone, "value"), numbers(&agent, "value"));
}

#[test]
fn bounded_actions_are_within_bounds_and_their_mode_is_their_mean() {
    let config = with_options();
    let (data, agent) = (batch(&config, 2), Agent::new(&config, 2, 7).unwrap());
    let (mut state, mut random, mut action) = (agent.begin(), Stream::new(3, "act"), [0.0; 2]);
    let image = &data.image[..IMAGE_NUMBERS];
    let mut cut_off = 0;
    for _ in 0..200 {
        agent.act(&mut state, image.into(), ActMode::Sample, &mut random, &mut action);
        assert!(action.iter().all(|a| (-1.0..=1.0).contains(a)), "{action:?}");
        cut_off += action.iter().filter(|a| a.abs() == 1.0).count();
        let (means, stds) = state.distribution.split_at(2);
        assert!(means.iter().all(|x| x.abs() < 1.0) && stds.iter().all(|x| (0.1..=1.0).contains(x)));
    }
    assert!(cut_off > 0);
    agent.act(&mut state, image.into(), ActMode::Evaluate, &mut random, &mut action);
    assert_eq!(action, state.distribution[..2]);
}

#[test]
fn an_agent_with_one_hot_actions_learns_and_acts() {
    let config = AgentConfig { actor: ActionDistribution::OneHot, exploration_epsilon: 0.5, ..tiny(false) };
    let mut agent = Agent::new(&config, 3, 1).unwrap();
    let mut data = batch(&config, 3);
    for (index, action) in data.action.chunks_exact_mut(3).enumerate() {
        action.copy_from_slice(&[0.0; 3]);
        action[index % 3] = 1.0;
    }
    for _ in 0..3 {
        assert_eq!(agent.learn(&data).unwrap().not_finite(), None);
    }
    let mut random = Stream::new(2, "play");
    let mut chosen = [[0; 3]; 2];
    for (counts, mode) in chosen.iter_mut().zip([ActMode::Explore, ActMode::Evaluate]) {
        let (mut state, mut action) = (agent.begin(), [0.0; 3]);
        for _ in 0..200 {
            agent.act(&mut state, (&data.image[..IMAGE_NUMBERS]).into(), mode, &mut random, &mut action);
            assert_eq!(action.iter().sum::<f32>(), 1.0, "{action:?}");
            counts[action.iter().position(|x| *x == 1.0).expect("a one")] += 1;
            assert!((state.distribution.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{:?}", state.distribution);
        }
    }
    assert!(chosen[0].iter().all(|count| *count > 20), "exploration chooses everything: {chosen:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.safetensors");
    agent.save(&path).unwrap();
    let mut again = Agent::load(&path).unwrap();
    assert_eq!(agent.learn(&data).unwrap().named(), again.learn(&data).unwrap().named());
}

#[test]
fn an_agent_that_observes_vectors_learns_them_and_acts_on_them() {
    for images in [false, true] {
        let config = AgentConfig { images, model_learning_rate: 3e-3, ..with_vectors() };
        let data = batch(&config, 2);
        let mut agent = Agent::new(&config, 2, 7).unwrap();
        let first = agent.learn(&data).unwrap();
        let last = (0..200).map(|_| agent.learn(&data).unwrap()).last().unwrap();
        let floor = 0.5 * std::f64::consts::TAU.ln() * 3.0;
        let loss = |metrics: &dreamer::StepMetrics| metrics[Metric::VectorLoss] - floor;
        assert!(loss(&last) < 0.5 * loss(&first), "{first:?} {last:?}");
        assert_eq!(last[Metric::ImageLoss] > 0.0, images);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.safetensors");
        agent.save(&path).unwrap();
        let mut again = Agent::load(&path).unwrap();
        let space = config.observation_space();
        let act = |agent: &Agent, vector: &[f32]| {
            let (mut state, mut action) = (agent.begin(), [0.0; 2]);
            let seen = Observation { image: &data.image[..space.image_bytes()], vector };
            agent.act(&mut state, seen, ActMode::Sample, &mut Stream::new(3, "act"), &mut action);
            action
        };
        assert_eq!(act(&agent, &data.vector[..3]), act(&again, &data.vector[..3]));
        assert_ne!(act(&agent, &data.vector[..3]), act(&agent, &[4.0, -4.0, 9.0]));
        assert_eq!(agent.learn(&data).unwrap(), again.learn(&data).unwrap());
        // A batch without the vectors is refused.
        let mut without = data.clone();
        without.vector.clear();
        let error = agent.learn(&without).unwrap_err().to_string();
        assert!(error.contains("vectors has 0 numbers"), "{error}");
    }
}
