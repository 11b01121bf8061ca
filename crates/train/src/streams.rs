//! The random streams of a run, one per use, so that drawing more for one use does not change another.
//!
//! Here: their names and how they are saved. Not here: the agent's own stream, which its checkpoint keeps.

use crate::Frames;
use serde::{Deserialize, Serialize};
use random::{Stream, StreamState};

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
}

/// What a checkpoint keeps of [`Streams`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamsState {
    environment: StreamState,
    prefill: StreamState,
    exploration: StreamState,
    replay: StreamState,
}

impl StreamsState {
    /// The seed of the run that they are of.
    pub fn seed(&self) -> u64 {
        self.environment.seed
    }
}

impl Streams {
    /// The streams of a run of `seed`, at their beginning.
    pub fn new(seed: u64) -> Self {
        Self {
            environment: Stream::new(seed, "environment"),
            prefill: Stream::new(seed, "prefill"),
            exploration: Stream::new(seed, "exploration"),
            replay: Stream::new(seed, "replay"),
        }
    }

    /// The streams' places.
    pub fn state(&self) -> StreamsState {
        StreamsState {
            environment: self.environment.state(),
            prefill: self.prefill.state(),
            exploration: self.exploration.state(),
            replay: self.replay.state(),
        }
    }

    /// The streams that `state` was taken from, or `None` if no streams can have such a state (a damaged file).
    pub fn resume(state: &StreamsState) -> Option<Self> {
        Some(Self {
            environment: Stream::resume(&state.environment)?,
            prefill: Stream::resume(&state.prefill)?,
            exploration: Stream::resume(&state.exploration)?,
            replay: Stream::resume(&state.replay)?,
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
    pub fn scheduled(seed: u64, frames: Frames) -> Self {
        Self {
            starts: Stream::new(seed, "evaluation-starts").part(frames.0),
            actions: Stream::new(seed, "evaluation-actions").part(frames.0),
        }
    }

    /// Those of episode `index` of an evaluation that was asked for by hand.
    pub fn asked_for(seed: u64, index: u64) -> Self {
        Self {
            starts: Stream::new(seed, "asked-starts").part(index),
            actions: Stream::new(seed, "asked-actions").part(index),
        }
    }
}

/// The stream of the open-loop picture after `frames` frames.
pub fn open_loop(seed: u64, frames: Frames) -> Stream {
    Stream::new(seed, "open-loop").part(frames.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resumed_streams_go_on_and_are_independent() {
        let mut streams = Streams::new(3);
        streams.exploration.normal();
        streams.replay.uniform();
        let text = serde_json::to_string(&streams.state()).unwrap();
        let mut resumed = Streams::resume(&serde_json::from_str(&text).unwrap()).unwrap();
        let draws = |streams: &mut Streams| {
            [&mut streams.environment, &mut streams.prefill, &mut streams.exploration, &mut streams.replay]
                .map(|stream| stream.uniform())
        };
        let (expected, found) = (draws(&mut streams), draws(&mut resumed));
        assert_eq!(found, expected);
        assert!((0..4).all(|i| (0..i).all(|j| found[i] != found[j])));
    }
}
