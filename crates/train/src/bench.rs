//! Measures the speed of gradient steps and policy steps on this machine, in the same terms as the programs it is
//! compared with.
//!
//! The data is random and there is no environment, so this measures the agent alone.

use crate::config::Config;
use crate::{TrainError, system};
use dreamer::{ActMode, Agent, AgentConfig, Given, Precision};
use environment::Observation;
use random::Stream;
use replay::Batch;
use serde::Serialize;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use tape::SimdInstructionSet;
use tape::plan::Device;

/// Elements of the action of a measured agent.
const ACTION_SIZE: usize = 6;
/// Policy steps measured.
const POLICY_STEPS: usize = 300;
/// Policy steps of an evaluation that are measured.
const EVALUATION_STEPS: usize = 50;

/// The results; one JSON object.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// The program.
    pub peer: String,
    /// Name of the sizes.
    pub size: String,
    /// The settings that differ from the preset, as typed.
    pub set: Vec<String>,
    /// The precision of matrix products.
    pub precision: Precision,
    /// The source of embeddings.
    pub encoder: Encoder,
    /// Median seconds of a gradient step.
    pub step_s_median: f64,
    /// Fastest step.
    pub step_s_min: f64,
    /// Slowest step.
    pub step_s_max: f64,
    /// Steps measured.
    pub n: usize,
    /// Seconds until the agent was made.
    pub start_to_ready_s: f64,
    /// Seconds for the first step, which allocates the memory of all others.
    pub start_to_first_step_s: f64,
    /// Median milliseconds of a policy step: one observation in, one action out.
    pub policy_ms_median: f64,
    /// Median time of a policy step in an evaluation, milliseconds: it may draw many samples.
    pub evaluation_ms_median: f64,
    /// 95th percentile of the same.
    pub policy_ms_p95: f64,
    /// Largest memory held, in MB (Linux).
    pub peak_rss_mb: Option<f64>,
    /// Threads that worked.
    pub threads: usize,
    /// Vector instructions that kernels used.
    #[serde(rename = "vectors")]
    pub simd: &'static str,
    /// The device of the gradient steps: `cpu`, or a GPU.
    pub device: String,
}

/// The source of the embeddings of the images of a step.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoder {
    /// From an encoder that learns.
    Learned,
    /// From a frozen encoder, computed again in each step.
    Frozen,
    /// From the replay memory, which keeps a frozen encoder's.
    Kept,
}

impl Measured {
    /// The measurement as one line of JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("plain numbers")
    }
}

/// Sizes that the peers' programs know by name, for one table of them and us.
///
/// Every name except `small` stands for the published sizes. `small` has the sizes at which other programs are
/// measured, not those of the preset `small`.
pub fn sizes(name: &str) -> AgentConfig {
    let paper = AgentConfig::default();
    match name {
        "small" => AgentConfig {
            depth: 16,
            stoch: 16,
            deter: 128,
            hidden: 128,
            units: 128,
            horizon: 10,
            batch: 16,
            length: 32,
            shard: 4,
            ..paper
        },
        _ => paper,
    }
}

/// Measures the agent of a configuration: one step to allocate memory, then `updates` gradient steps, then policy steps.
/// As in a run, embeddings of a frozen encoder are kept if `replay.embeddings` is not 0. With a `device` and its name,
/// gradient steps run there.
///
/// # Errors
/// [`TrainError`] if the configuration is out of range, no threads can be had or the device cannot be used.
pub fn measure(
    (size, set): (&str, &[String]),
    config: &Config,
    updates: u64,
    device: Option<(&str, &dyn Device)>,
) -> Result<Measured, TrainError> {
    let kept = config.replay.embeddings.0 > 0;
    let (threads, config) = (crate::threads(config.threads), &config.agent);
    match device {
        None => crate::agent::footprint::check_learner(config, ACTION_SIZE, threads)?,
        Some((_, device)) => dreamer::check_device(config, ACTION_SIZE, device)?,
    }
    let began = Instant::now();
    crate::entrance::pool(threads)?.install(|| {
        let mut batch = random_batch(config);
        let mut agent = Agent::new(config, ACTION_SIZE, 0)?;
        if let Some((_, device)) = device {
            agent.move_to(device)?;
        }
        let start_to_ready_s = began.elapsed().as_secs_f64();
        let encoder = match agent.embedding_size() {
            None => Encoder::Learned,
            Some(_) if !kept => Encoder::Frozen,
            Some(size) => {
                batch.embedding.resize(batch.batch * batch.length * size, 0.0);
                agent.embed(&batch.image, &mut batch.embedding);
                Encoder::Kept
            }
        };
        agent.learn(&batch)?;
        let start_to_first_step_s = began.elapsed().as_secs_f64();
        let mut step_times = Vec::with_capacity(updates as usize);
        let never = AtomicBool::new(false);
        for left in (0..updates.max(1)).rev() {
            let began = Instant::now();
            // As in a run, a device is sent the next batch while it computes.
            let given = if step_times.is_empty() { Given::Batch(&batch) } else { Given::Prepared };
            if agent.start_on_device(&never, given)? && left > 0 {
                agent.prepare(&batch)?;
            }
            agent.learn(&batch)?;
            step_times.push(began.elapsed().as_secs_f64());
        }
        agent.sync_from_device()?;
        let (mut state, mut random, mut action) = (agent.begin(), Stream::new(0, "bench"), [0.0; ACTION_SIZE]);
        let space = agent.config().observation_space();
        let seen = Observation { image: &batch.image, vector: &batch.vector }.part(&space, 0..1);
        let mut policy_times = Vec::with_capacity(POLICY_STEPS);
        for _ in 0..POLICY_STEPS {
            let began = Instant::now();
            agent.act(&mut state, seen, ActMode::Sample, &mut random, &mut action);
            policy_times.push(began.elapsed().as_secs_f64() * 1e3);
        }
        let mut evaluation_times = Vec::with_capacity(EVALUATION_STEPS);
        for _ in 0..EVALUATION_STEPS {
            let began = Instant::now();
            agent.act(&mut state, seen, ActMode::Evaluate, &mut random, &mut action);
            evaluation_times.push(began.elapsed().as_secs_f64() * 1e3);
        }
        evaluation_times.sort_by(f64::total_cmp);
        step_times.sort_by(f64::total_cmp);
        policy_times.sort_by(f64::total_cmp);
        Ok(Measured {
            peer: format!("dreamgraft-{}", env!("CARGO_PKG_VERSION")),
            size: size.to_owned(),
            set: set.to_vec(),
            precision: config.precision,
            encoder,
            step_s_median: median(&step_times),
            step_s_min: step_times[0],
            step_s_max: step_times[step_times.len() - 1],
            n: step_times.len(),
            start_to_ready_s,
            start_to_first_step_s,
            policy_ms_median: median(&policy_times),
            evaluation_ms_median: median(&evaluation_times),
            policy_ms_p95: policy_times[POLICY_STEPS * 95 / 100],
            peak_rss_mb: system::peak_resident_bytes().map(|bytes| bytes as f64 / 1e6),
            threads,
            simd: SimdInstructionSet::current().name(),
            device: device.map_or("cpu", |(name, _)| name).to_owned(),
        })
    })
}

fn median(sorted: &[f64]) -> f64 {
    0.5 * (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2])
}

/// Bytes, actions and rewards drawn at random: the time of a step does not depend on them.
fn random_batch(config: &AgentConfig) -> Batch {
    let mut random = Stream::new(0, "bench batch");
    let transitions = config.batch * config.length;
    let mut batch = Batch::new(config.batch, config.length);
    batch.action_size = ACTION_SIZE;
    let space = config.observation_space();
    batch.image = (0..transitions * space.image_bytes()).map(|_| random.below(256) as u8).collect();
    batch.vector = (0..transitions * space.vector).map(|_| random.normal() as f32).collect();
    batch.action = (0..transitions * ACTION_SIZE).map(|_| random.uniform_in(-1.0, 1.0) as f32).collect();
    batch.reward = (0..transitions).map(|_| random.normal() as f32).collect();
    batch.discount = vec![1.0; transitions];
    batch.first = vec![0.0; if config.resets { transitions } else { 0 }];
    batch
}
