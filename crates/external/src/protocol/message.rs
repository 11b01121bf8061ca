//! Messages: the payload of each kind of frame.

use super::malformed::Malformed;
use environment::{ImageSpace, ObservationSpace};

/// The kind of a frame. Requests are below 16, answers are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Request: the version, and the options of the environment.
    Hello = 1,
    /// Request: begin an episode from this seed.
    Reset = 2,
    /// Request: a step with this action.
    Step = 3,
    /// Request: end.
    Close = 4,
    /// Request, of an agent: act on this observation.
    Act = 5,
    /// Answer: the version, and the description of the environment.
    Info = 16,
    /// Answer: an observation.
    Observation = 17,
    /// Answer: the outcome of a step.
    Outcome = 18,
    /// Answer, of an agent: its action.
    Action = 19,
    /// Answer: why there is no other answer.
    Error = 20,
    /// Answer, of an agent: an episode has begun.
    Ready = 21,
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::Hello,
        Self::Reset,
        Self::Step,
        Self::Close,
        Self::Act,
        Self::Info,
        Self::Observation,
        Self::Outcome,
        Self::Action,
        Self::Error,
        Self::Ready,
    ];

    /// The kind with this number.
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// Its name in messages and in `docs/protocol.md`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Reset => "reset",
            Self::Step => "step",
            Self::Close => "close",
            Self::Act => "act",
            Self::Info => "info",
            Self::Observation => "observation",
            Self::Outcome => "outcome",
            Self::Action => "action",
            Self::Error => "error",
            Self::Ready => "ready",
        }
    }
}

/// An observation as bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObservationBytes<'a> {
    /// The image's bytes; none without an image.
    pub image: &'a [u8],
    /// The bytes of the vector's numbers; none without a vector.
    pub vector: &'a [u8],
}

/// The outcome of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stepped<'a> {
    /// The sum of the frames' rewards.
    pub reward: f32,
    /// Whether the episode ended in a state from which nothing more can be earned.
    pub terminated: bool,
    /// Whether the episode ended although more could be earned.
    pub truncated: bool,
    /// Simulator frames that it took.
    pub frames: u32,
    /// The observation after the step.
    pub observation: ObservationBytes<'a>,
}

/// Bytes of an outcome before its observation.
const OUTCOME: usize = 10;

impl<'a> ObservationBytes<'a> {
    /// Reads an observation of this space.
    ///
    /// # Errors
    /// If it has another length, or a number that is not finite.
    pub fn decode(payload: &'a [u8], space: &ObservationSpace) -> Result<Self, Malformed> {
        Self::of(payload, 0, Kind::Observation, space)
    }

    /// Reads the observation after the first `before` bytes of a message.
    fn of(payload: &'a [u8], before: usize, kind: Kind, space: &ObservationSpace) -> Result<Self, Malformed> {
        let (image, vector) = (space.image_bytes(), 4 * space.vector);
        let expected = before + image + vector;
        if payload.len() != expected {
            let what = shape(space, before);
            return Err(Malformed::Length { message: kind.name(), found: payload.len(), expected, what });
        }
        let (image, vector) = payload[before..].split_at(image);
        let broken = numbers(vector).enumerate().find(|(_, number)| !number.is_finite());
        if let Some((index, value)) = broken {
            return Err(Malformed::NotFinite { what: format!("number {index} of the vector observation"), value });
        }
        Ok(Self { image, vector })
    }
}

impl<'a> Stepped<'a> {
    /// Reads the outcome of a step in an external environment with this space.
    ///
    /// # Errors
    /// If it has another length, or a number that is not finite.
    pub fn decode(payload: &'a [u8], space: &ObservationSpace) -> Result<Self, Malformed> {
        let observation = ObservationBytes::of(payload, OUTCOME, Kind::Outcome, space)?;
        let four = |at: usize| [0, 1, 2, 3].map(|byte| payload[at + byte]);
        let reward = f32::from_le_bytes(four(0));
        if !reward.is_finite() {
            return Err(Malformed::NotFinite { what: "the reward".to_owned(), value: reward });
        }
        let (terminated, truncated) = (payload[4] != 0, payload[5] != 0);
        Ok(Self { reward, terminated, truncated, frames: u32::from_le_bytes(four(6)), observation })
    }
}

/// Appends an observation.
pub fn encode_observation(image: &[u8], vector: &[f32], payload: &mut Vec<u8>) {
    payload.extend(image);
    to_bytes(vector, payload);
}

/// Appends all of an outcome that comes before its observation.
pub fn encode_stepped(reward: f32, terminated: bool, truncated: bool, frames: u32, payload: &mut Vec<u8>) {
    payload.extend(reward.to_le_bytes());
    payload.extend([u8::from(terminated), u8::from(truncated)]);
    payload.extend(frames.to_le_bytes());
}

/// The numbers that these bytes are, four each.
pub fn numbers(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number))
}

/// Appends the bytes of these numbers.
pub fn to_bytes(numbers: &[f32], bytes: &mut Vec<u8>) {
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

/// The expected content of a message, as text.
fn shape(space: &ObservationSpace, before: usize) -> String {
    let mut parts = Vec::new();
    if before > 0 {
        parts.push(format!("reward, flags and frames ({before} bytes)"));
    }
    if let Some(ImageSpace { height, width, channels }) = space.image {
        parts.push(format!("an image [{height}, {width}, {channels}]"));
    }
    if space.vector > 0 {
        parts.push(format!("a vector [{}] of 32-bit numbers", space.vector));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: ObservationSpace =
        ObservationSpace { image: Some(ImageSpace { height: 1, width: 2, channels: 3 }), vector: 2 };

    #[test]
    fn an_outcome_is_read_as_it_was_written() {
        let mut payload = Vec::new();
        encode_stepped(-1.5, true, false, 4, &mut payload);
        encode_observation(&[1, 2, 3, 4, 5, 6], &[0.5, -2.0], &mut payload);
        let stepped = Stepped::decode(&payload, &SPACE).unwrap();
        assert_eq!((stepped.reward, stepped.terminated, stepped.truncated, stepped.frames), (-1.5, true, false, 4));
        assert_eq!(stepped.observation.image, [1, 2, 3, 4, 5, 6]);
        assert_eq!(numbers(stepped.observation.vector).collect::<Vec<_>>(), [0.5, -2.0]);
    }

    #[test]
    fn another_shape_is_told_with_the_one_that_belongs_there() {
        let message = ObservationBytes::decode(&[0; 13], &SPACE).unwrap_err().to_string();
        let parts = ["observation has 13 bytes instead of 14", "an image [1, 2, 3], a vector [2] of 32-bit numbers"];
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }

    #[test]
    fn numbers_that_are_not_finite_are_told_by_name() {
        let mut payload = Vec::new();
        encode_stepped(f32::NAN, false, false, 1, &mut payload);
        encode_observation(&[0; 6], &[0.0, f32::INFINITY], &mut payload);
        let message = Stepped::decode(&payload, &SPACE).unwrap_err().to_string();
        assert!(message.starts_with("number 1 of the vector observation is inf"), "{message}");
        payload[14 + 6..].copy_from_slice(&[0; 4]);
        let message = Stepped::decode(&payload, &SPACE).unwrap_err().to_string();
        assert!(message.starts_with("the reward is NaN"), "{message}");
    }

    #[test]
    fn every_kind_has_its_number() {
        for number in 0..=255 {
            assert!(Kind::of(number).is_none_or(|kind| kind as u8 == number));
        }
        assert_eq!((0..=255).filter_map(Kind::of).count(), Kind::ALL.len());
    }
}
