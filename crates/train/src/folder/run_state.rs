//! The state of a run in its checkpoint: its content, its text, and whether a text can be one. Files are read and written in
//! `checkpoint`.

use crate::Frames;
use crate::agent::environments::ExternalEnvironment;
use crate::config::{Config, StopSettings};
use crate::run::meters::Meters;
use crate::run::returns::Returns;
use crate::run::schedule::{Position, Prefilled};
use crate::run::stop::{self, Stop};
use crate::streams::StreamsState;
use environment::TaskOptions;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The version of `run.json`; another one is not read.
pub const FORMAT: u32 = 1;

/// The content of a checkpoint besides the agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunState {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of the program that wrote it.
    pub dreamgraft: String,
    /// Names of the tasks.
    pub tasks: Vec<String>,
    /// How the tasks behave.
    pub task: TaskOptions,
    /// The tasks that are external environments.
    #[serde(default, rename = "worlds", skip_serializing_if = "Vec::is_empty")]
    pub external: Vec<ExternalEnvironment>,
    /// The position of the run. Its episodes are those numbered below `position.episodes`.
    pub position: Position,
    /// The random streams.
    pub streams: StreamsState,
    /// The measurements since the last line of metrics.
    pub meters: Meters,
    /// The returns that decide about an early end; checkpoints of earlier builds have none.
    #[serde(default, skip_serializing_if = "Returns::is_empty")]
    pub returns: Returns,
    /// Lines of `metrics.jsonl` that belong to the run at this place.
    pub metrics_lines: u64,
    /// Seconds worked on the run, over all its sessions.
    pub seconds: f64,
    /// Seconds that threads computed for the run; checkpoints of earlier builds have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<f64>,
    /// Whether the run had its last evaluation, with all its frames or when a rule ended it.
    pub finished: bool,
}

/// `run.json`: the text of the state, and checksums of it and of the agent's file.
#[derive(Serialize, Deserialize)]
struct RunFile<'a> {
    agent_bytes: u64,
    agent_crc32: u32,
    /// Of the text of `run`; checkpoints of earlier builds have none.
    #[serde(default)]
    run_crc32: Option<u32>,
    #[serde(borrow)]
    run: &'a RawValue,
}

/// The part of the state that is read first: a later format may have keys that this one does not know.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// The limit for the size of a `run.json` in bytes: a thousand times its usual size.
pub(super) const LONGEST: u64 = 1 << 20;

/// The text of a `run.json` with this state, next to an agent's file of this size and checksum.
pub(super) fn encode(agent_bytes: u64, agent_crc32: u32, state: &RunState) -> Result<String, serde_json::Error> {
    // Strings in JSON do not contain line breaks, so indenting changes only the layout.
    let run = RawValue::from_string(serde_json::to_string_pretty(state)?.replace('\n', "\n  "))?;
    let run_crc32 = Some(crc32fast::hash(run.get().as_bytes()));
    serde_json::to_string_pretty(&RunFile { agent_bytes, agent_crc32, run_crc32, run: &run })
}

/// The state in a `run.json` with these arbitrary bytes.
///
/// # Errors
/// A description of the problem.
pub fn decode_state(text: &[u8]) -> Result<RunState, String> {
    decode(text).map(|(_, _, run)| run).map_err(|fault| match fault {
        Fault::Damage(why) | Fault::OtherVersion(why) => why,
    })
}

/// Why a `run.json` cannot be used.
pub(super) enum Fault {
    /// It is not as it was written.
    Damage(String),
    /// It is as it was written, by a version that knows more or other things.
    OtherVersion(String),
}

/// Size and CRC-32 of the agent's file, and the state.
pub(super) fn decode(text: &[u8]) -> Result<(u64, u32, RunState), Fault> {
    if text.len() as u64 > LONGEST {
        return Err(Fault::Damage(format!("it is larger than {LONGEST} bytes; use another checkpoint")));
    }
    let damaged = |error: serde_json::Error| Fault::Damage(format!("it is damaged ({error}); use another checkpoint"));
    let RunFile { agent_bytes, agent_crc32, run_crc32, run } = serde_json::from_slice(text).map_err(damaged)?;
    let Version { format } = serde_json::from_str(run.get()).map_err(damaged)?;
    if format != FORMAT {
        return Err(Fault::OtherVersion(format!("its format is {format}, but this version reads format {FORMAT}")));
    }
    let found = crc32fast::hash(run.get().as_bytes());
    if let Some(written) = run_crc32.filter(|written| *written != found) {
        return Err(Fault::Damage(format!(
            "it was changed (the CRC-32 of its run is {found:08x} instead of {written:08x}); use another checkpoint"
        )));
    }
    let run: RunState = serde_json::from_str(run.get()).map_err(|error| {
        let why = error.to_string();
        // The checksum shows that it is whole.
        if run_crc32.is_some() && why.starts_with("unknown field") { Fault::OtherVersion(why) } else { damaged(error) }
    })?;
    run.check().map_err(|why| Fault::Damage(format!("it contradicts itself: {why}; use another checkpoint")))?;
    Ok((agent_bytes, agent_crc32, run))
}

impl RunState {
    /// Whether the run has `steps` frames and its last evaluation. A run that was made longer is not finished.
    pub fn has_all(&self, steps: Frames) -> bool {
        self.finished && self.position.frames >= steps
    }

    /// Whether the run has its last evaluation, and all its frames or an end by a rule, as `config` has them. A run that was made
    /// longer is not finished, nor is one whose rule was changed so that it no longer ends the run.
    pub fn is_finished(&self, config: &Config) -> bool {
        self.has_all(config.steps) || self.finished && self.rule(&config.stop).is_some()
    }

    /// The task, the mean return and the frames of the best scheduled evaluation of each task.
    pub fn best_evaluations(&self) -> impl Iterator<Item = (&str, f64, Frames)> {
        let of = |(index, task)| self.returns.best_evaluation(index).map(|best| (task, best.mean, best.frames));
        self.tasks.iter().map(String::as_str).enumerate().filter_map(of)
    }

    /// The rule among `stop` that ends the run here, however many frames it has.
    pub fn rule(&self, stop: &StopSettings) -> Option<Stop> {
        stop::reached(stop, &self.returns)
    }

    /// Checks that its counts are consistent, so that an edited file does not give a run that could not have existed.
    fn check(&self) -> Result<(), String> {
        const MOST: u64 = 1 << 50;
        let position = &self.position;
        let Position { frames, agent_steps, episodes, prefill, updates, .. } = position;
        let random = |of: fn(&Prefilled) -> u64| prefill.iter().map(of).fold(0, u64::saturating_add);
        let evaluated = position.evaluated.unwrap_or_default();
        let claims = [
            (frames.0.max(*updates).max(*episodes) <= MOST, "a count is too large for any run"),
            (agent_steps.0 <= frames.0, "it has more steps than frames"),
            (*episodes <= agent_steps.0, "it has more episodes than steps"),
            (prefill.len() <= self.tasks.len(), "more tasks are prefilled than the run has"),
            (random(|task| task.episodes) <= *episodes, "it has more random episodes than episodes"),
            (random(|task| task.frames.0) <= frames.0, "it has more random frames than frames"),
            (
                random(|task| task.transitions) <= agent_steps.0.saturating_add(*episodes),
                "it has too many random transitions",
            ),
            (evaluated <= *frames && position.logged <= *frames, "it was evaluated or logged in the future"),
            (self.seconds.is_finite() && self.seconds >= 0.0, "its time is not a valid time"),
            (
                self.cpu_seconds.is_none_or(|seconds| seconds.is_finite() && seconds >= 0.0),
                "its time of the processor is not a valid time",
            ),
        ];
        match claims.iter().find(|(holds, _)| !holds) {
            Some((_, why)) => Err((*why).to_owned()),
            None => self.returns.check(self.tasks.len(), *frames).map_err(str::to_owned),
        }
    }
}
