//! The random streams of a run, one per use, so that drawing more for one use does not change another.
//!
//! Here: their key, their names and how they are saved. Not here: the agent's own stream, which its checkpoint keeps.

use crate::Frames;
use crate::config::Config;
use random::{Stream, StreamState};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The seed of all of a run's streams, those of its agent included.
///
/// It depends on the tasks of the run, in their order, and on its seed. Runs of different tasks do not share random
/// numbers, even with equal seeds, so that targets are independent of their sources. It does not depend on the method:
/// runs of one task and one seed share their random prefill episodes and the initial states of their evaluations, so
/// that methods are compared in pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunKey(u64);

/// Every key that depends on tasks has this bit. No seed has it (`seed` is at most 2^63 - 1), so that a key is never mistaken
/// for a seed.
const OF_TASKS: u64 = 1 << 63;

impl RunKey {
    /// The key of a run of this configuration: the first 63 bits of a SHA-256 of its tasks and its seed.
    pub fn of(config: &Config) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"dreamgraft run");
        for task in &config.tasks {
            // A zero before every name: no two lists of names give the same bytes.
            hasher.update([0]);
            hasher.update(task);
        }
        hasher.update([0]);
        hasher.update(config.seed.to_le_bytes());
        let digest = hasher.finalize();
        let first = std::array::from_fn(|byte| digest[byte]);
        Self(u64::from_le_bytes(first) | OF_TASKS)
    }

    /// The number that streams are seeded with.
    pub fn seed(self) -> u64 {
        self.0
    }

    /// Whether streams with this key can belong to a run of this configuration. Earlier versions used the run's seed itself as
    /// the key; their checkpoints keep it to the end of the run.
    pub fn fits(self, config: &Config) -> bool {
        self == Self::of(config) || self.run_seed() == Some(config.seed)
    }

    /// The run's seed, if the key is one, as in checkpoints of earlier versions.
    pub fn run_seed(self) -> Option<u64> {
        (self.0 & OF_TASKS == 0).then_some(self.0)
    }
}

/// The streams that training draws from. An evaluation draws from [`EvaluationStreams`] instead and so disturbs none of them.
#[derive(Clone, Debug)]
pub struct Streams {
    /// Starts of training episodes.
    pub environment: Stream,
    /// Actions of the prefill.
    pub prefill: Stream,
    /// The agent's actions in training episodes, exploration noise included.
    pub exploration: Stream,
    /// Which windows of which episodes are learned from.
    pub replay: Stream,
    /// Which sequences are rehearsed, and which windows of which episodes of the other run these are; `None` in a run
    /// that rehearses nothing.
    pub rehearsal: Option<Stream>,
}

/// The state of [`Streams`] in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamsState {
    environment: StreamState,
    prefill: StreamState,
    exploration: StreamState,
    replay: StreamState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rehearsal: Option<StreamState>,
}

impl StreamsState {
    /// The key of the run that they belong to.
    pub fn key(&self) -> RunKey {
        RunKey(self.environment.seed)
    }
}

impl Streams {
    /// The streams of the run with this key, at their beginning; those of a run that rehearses episodes of another one,
    /// if `rehearses`.
    pub fn new(RunKey(seed): RunKey, rehearses: bool) -> Self {
        Self {
            environment: Stream::new(seed, "environment"),
            prefill: Stream::new(seed, "prefill"),
            exploration: Stream::new(seed, "exploration"),
            replay: Stream::new(seed, "replay"),
            rehearsal: rehearses.then(|| Stream::new(seed, "rehearsal")),
        }
    }

    /// The key of the run that they belong to.
    pub fn key(&self) -> RunKey {
        self.state().key()
    }

    /// The streams' places.
    pub fn state(&self) -> StreamsState {
        StreamsState {
            environment: self.environment.state(),
            prefill: self.prefill.state(),
            exploration: self.exploration.state(),
            replay: self.replay.state(),
            rehearsal: self.rehearsal.as_ref().map(Stream::state),
        }
    }

    /// The streams with this `state`, or `None` if the state is not valid (a damaged file).
    pub fn resume(state: &StreamsState) -> Option<Self> {
        Some(Self {
            environment: Stream::resume(&state.environment)?,
            prefill: Stream::resume(&state.prefill)?,
            exploration: Stream::resume(&state.exploration)?,
            replay: Stream::resume(&state.replay)?,
            rehearsal: match &state.rehearsal {
                Some(state) => Some(Stream::resume(state)?),
                None => None,
            },
        })
    }
}

/// The streams of an evaluation.
#[derive(Clone, Debug)]
pub struct EvaluationStreams {
    /// Starts of its episodes.
    pub starts: Stream,
    /// The agent's actions in them.
    pub actions: Stream,
}

impl EvaluationStreams {
    /// Those of a training run's evaluation after `frames` frames: the same however many evaluations came before it.
    pub fn scheduled(RunKey(seed): RunKey, frames: Frames) -> Self {
        Self {
            starts: Stream::new(seed, "evaluation-starts").part(frames.0),
            actions: Stream::new(seed, "evaluation-actions").part(frames.0),
        }
    }

    /// The streams of episode `index` of an evaluation by command, which has its own seed instead of a run's.
    pub fn asked_for(seed: u64, index: u64) -> Self {
        Self {
            starts: Stream::new(seed, "asked-starts").part(index),
            actions: Stream::new(seed, "asked-actions").part(index),
        }
    }
}

/// The stream of the open-loop plot after `frames` frames.
pub fn open_loop(RunKey(seed): RunKey, frames: Frames) -> Stream {
    Stream::new(seed, "open-loop").part(frames.0)
}

/// The stream of the imagination from step `from` of an episode on, when a command with a `seed` asks for it.
pub fn imagined(seed: u64, from: u64) -> Stream {
    Stream::new(seed, "imagined").part(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(tasks: &[&str], seed: u64) -> RunKey {
        RunKey::of(&Config { tasks: tasks.iter().map(|task| (*task).to_owned()).collect(), seed, ..Config::default() })
    }

    #[test]
    fn resumed_streams_continue_and_are_independent() {
        let mut streams = Streams::new(key(&["hopper"], 3), true);
        streams.exploration.normal();
        streams.replay.uniform();
        let text = serde_json::to_string(&streams.state()).unwrap();
        // A run without a rehearsal has the same others, and writes the same state as earlier versions.
        let without = Streams::new(key(&["hopper"], 3), false).state();
        assert!(!serde_json::to_string(&without).unwrap().contains("rehearsal"));
        assert_eq!(StreamsState { rehearsal: None, ..Streams::new(key(&["hopper"], 3), true).state() }, without);
        let mut resumed = Streams::resume(&serde_json::from_str(&text).unwrap()).unwrap();
        let draws = |streams: &mut Streams| {
            let rehearsal = streams.rehearsal.as_mut().unwrap();
            [&mut streams.environment, &mut streams.prefill, &mut streams.exploration, &mut streams.replay, rehearsal]
                .map(|stream| stream.uniform())
        };
        let (expected, found) = (draws(&mut streams), draws(&mut resumed));
        assert_eq!(found, expected);
        assert!((0..5).all(|i| (0..i).all(|j| found[i] != found[j])));
    }

    #[test]
    fn a_key_depends_on_the_tasks_their_order_and_the_seed_and_on_nothing_else() {
        let keys = [
            key(&["hopper"], 0),
            key(&["hopper"], 1),
            key(&["ant"], 0),
            key(&["hopper", "ant"], 0),
            key(&["ant", "hopper"], 0),
            key(&["hopperant"], 0),
        ];
        assert!((0..keys.len()).all(|i| (0..i).all(|j| keys[i] != keys[j])), "{keys:?}");
        let mut config = Config { tasks: vec!["hopper".to_owned()], steps: Frames(9), ..Config::default() };
        config.agent.horizon = 3;
        assert_eq!(RunKey::of(&config), keys[0]);
        // Checkpoints hold it: it must be the same in every version.
        assert_eq!(keys[0].seed(), 0xeef8_7f79_7ff8_843f);
    }

    #[test]
    fn a_seed_is_a_key_of_earlier_versions_and_no_key_of_now_is_a_seed() {
        let config = |seed| Config { tasks: vec!["hopper".to_owned()], seed, ..Config::default() };
        assert!(RunKey(7).fits(&config(7)) && RunKey::of(&config(7)).fits(&config(7)));
        assert!(!RunKey(7).fits(&config(8)) && !RunKey::of(&config(7)).fits(&config(8)));
        assert_eq!((RunKey(7).run_seed(), RunKey::of(&config(7)).run_seed()), (Some(7), None));
    }
}
