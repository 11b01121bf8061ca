//! The handshake: the version, then a JSON object.

use super::VERSION;
use super::malformed::Malformed;
use super::message::Kind;
use environment::{ActionKind, ActionSpace, Arguments, ImageSpace, ObservationSpace, Observe, TaskOptions, Timing};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The request to open an external environment. Keys that it does not know are ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hello {
    /// The requested part of its observations.
    pub observe: Observe,
    /// Simulator frames that an action is to be held for; 0 stands for the environment's own number.
    pub action_repeat: u32,
    /// Simulator frames of the longest episode; 0 stands for the environment's own number.
    pub frame_limit: u32,
    /// The arguments that it is made with.
    pub arguments: Arguments,
}

/// The description of an external environment, or of an agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// Its own name.
    pub name: String,
    /// The programs that it is made of.
    pub programs: String,
    /// The observations that it gives, or that an agent needs.
    pub observations: ObservationSpace,
    /// The actions that it accepts, or that an agent chooses.
    pub actions: ActionSpace,
    /// How time passes.
    pub timing: Timing,
    /// Whether it claims that the same seed and actions give the same episode.
    pub repeatable: bool,
    /// Notes for the user, a line each.
    pub notes: Vec<String>,
}

/// The JSON of an [`Info`].
#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "made_by")]
    programs: String,
    observation: Shown,
    action: Done,
    #[serde(default = "one")]
    action_repeat: u32,
    frame_limit: u32,
    #[serde(default = "thirtieth")]
    frame_seconds: f64,
    #[serde(default = "yes")]
    repeatable: bool,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Shown {
    #[serde(default)]
    image: Option<[usize; 3]>,
    #[serde(default)]
    vector: usize,
}

#[derive(Serialize, Deserialize)]
struct Done {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    continuous: Option<Bounds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    discrete: Option<usize>,
    #[serde(default, skip_serializing_if = "is_zero")]
    first: i64,
}

#[derive(Serialize, Deserialize)]
struct Bounds {
    low: Vec<f64>,
    high: Vec<f64>,
}

const fn is_zero(number: &i64) -> bool {
    *number == 0
}

const fn one() -> u32 {
    1
}

const fn thirtieth() -> f64 {
    1.0 / 30.0
}

const fn yes() -> bool {
    true
}

/// The most elements of an action, and numbers of a vector.
const MOST_ACTIONS: usize = 1024;
const LONGEST_VECTOR: usize = 65_536;
/// The longest texts that are kept of an external environment, in characters, and the most of them.
const LONGEST_TEXT: usize = 500;
const MOST_NOTES: usize = 20;

impl Hello {
    /// The request that these options make.
    pub fn of(options: &TaskOptions) -> Self {
        let TaskOptions { observe, action_repeat, frame_limit, arguments, .. } = options.clone();
        Self { observe, action_repeat, frame_limit, arguments }
    }

    /// Reads a request.
    ///
    /// # Errors
    /// If the version is another, or the rest not readable.
    pub fn decode(payload: &[u8]) -> Result<Self, Malformed> {
        let text = after_version(Kind::Hello, payload)?;
        serde_json::from_slice(text).map_err(|error| refuse(Kind::Hello, plain(&error)))
    }
}

/// A handshake's payload: the version, and a JSON object.
pub fn encode_handshake(object: &impl Serialize) -> Vec<u8> {
    let mut payload = VERSION.to_le_bytes().to_vec();
    payload.extend(serde_json::to_vec(object).expect("plain data"));
    payload
}

/// Reads the description that an external environment gives of itself.
///
/// # Errors
/// If the version is another, a key is missing, or has a value that it cannot have.
pub fn decode_info(payload: &[u8]) -> Result<Info, Malformed> {
    let text = after_version(Kind::Info, payload)?;
    let document: Document = serde_json::from_slice(text).map_err(|error| refuse(Kind::Info, plain(&error)))?;
    document.checked().map_err(|why| refuse(Kind::Info, why))
}

impl Info {
    /// The JSON object of it.
    pub fn to_json(&self) -> Value {
        let image = self.observations.image.map(|image| [image.height, image.width, image.channels]);
        let action = match &self.actions.kind {
            ActionKind::Continuous { low, high } => {
                let bounds = Bounds { low: low.clone(), high: high.clone() };
                Done { continuous: Some(bounds), discrete: None, first: 0 }
            }
            ActionKind::Discrete { first } => {
                Done { continuous: None, discrete: Some(self.actions.size), first: *first }
            }
        };
        let document = Document {
            name: self.name.clone(),
            programs: self.programs.clone(),
            observation: Shown { image, vector: self.observations.vector },
            action,
            action_repeat: self.timing.action_repeat,
            frame_limit: self.timing.frame_limit,
            frame_seconds: self.timing.frame_seconds,
            repeatable: self.repeatable,
            notes: self.notes.clone(),
        };
        serde_json::to_value(document).expect("plain data")
    }
}

impl Document {
    fn checked(self) -> Result<Info, String> {
        let range = |key: &str, holds: bool, range: &str| match holds {
            true => Ok(()),
            false => Err(format!("{key} must be {range}")),
        };
        let within = |value: u32, most: u32| (1..=most).contains(&value);
        range("action_repeat", within(self.action_repeat, 1000), "a whole number from 1 to 1000")?;
        range("frame_limit", within(self.frame_limit, 1_000_000_000), "a whole number from 1 to 1000000000")?;
        let seconds = self.frame_seconds;
        range("frame_seconds", seconds > 0.0 && seconds <= 86_400.0, "a number above 0 and at most 86400")?;
        let Shown { image, vector } = self.observation;
        range("observation.vector", vector <= LONGEST_VECTOR, "a whole number of at most 65536")?;
        range("observation", image.is_some() || vector > 0, "an image or a vector")?;
        let image = image.map(|[height, width, channels]| ImageSpace { height, width, channels });
        range("observation.image", image.is_none_or(|image| image == ImageSpace::STANDARD), "[64, 64, 3] or null")?;
        let Done { continuous, discrete, first } = self.action;
        let actions = match (continuous, discrete) {
            (Some(Bounds { low, high }), None) => {
                range("action.continuous.low", (1..=MOST_ACTIONS).contains(&low.len()), "a list of 1 to 1024 numbers")?;
                range("action.continuous.high", low.len() == high.len(), "as long as action.continuous.low")?;
                let ordered =
                    low.iter().zip(&high).all(|(low, high)| low.is_finite() && high.is_finite() && low <= high);
                range("action.continuous.low", ordered, "finite, and at most action.continuous.high")?;
                ActionSpace { size: low.len(), kind: ActionKind::Continuous { low, high } }
            }
            (None, Some(count)) => {
                range("action.discrete", (1..=MOST_ACTIONS).contains(&count), "a whole number from 1 to 1024")?;
                ActionSpace::discrete(count, first)
            }
            _ => return Err("action must have one of the keys continuous and discrete".to_owned()),
        };
        let timing =
            Timing { action_repeat: self.action_repeat, frame_limit: self.frame_limit, frame_seconds: seconds };
        Ok(Info {
            name: line(&self.name),
            programs: line(&self.programs),
            observations: ObservationSpace { image, vector },
            actions,
            timing,
            repeatable: self.repeatable,
            notes: self.notes.iter().take(MOST_NOTES).map(|note| line(note)).collect(),
        })
    }
}

/// The text on one line, and not too long.
fn line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().filter(|c| !c.is_control()).take(LONGEST_TEXT).collect()
}

/// The message of a JSON reader in plain English, and without the place in a text that the user does not see.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    match text.strip_prefix("missing field ") {
        Some(key) => format!("the key {} is missing", key.trim_matches('`')),
        None => match text.strip_prefix("unknown field ") {
            Some(rest) => format!("unknown key {rest}"),
            None if error.is_data() => text.to_owned(),
            None => format!("it is not JSON ({text})"),
        },
    }
}

fn refuse(kind: Kind, why: String) -> Malformed {
    Malformed::Handshake { message: kind.name(), why }
}

/// The part after the version, if the version is ours.
fn after_version(kind: Kind, payload: &[u8]) -> Result<&[u8], Malformed> {
    let Some((version, text)) = payload.split_first_chunk::<4>() else {
        return Err(refuse(
            kind,
            format!("it has {} bytes, but it must begin with a version of 4 bytes", payload.len()),
        ));
    };
    match u32::from_le_bytes(*version) {
        VERSION => Ok(text),
        found => Err(Malformed::Version { found }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(text: &str) -> Result<Info, Malformed> {
        decode_info(&[&VERSION.to_le_bytes(), text.as_bytes()].concat())
    }

    const LEAST: &str = r#"{"observation": {"vector": 3}, "action": {"discrete": 4}, "frame_limit": 9}"#;

    #[test]
    fn what_an_external_environment_leaves_out_has_a_default() {
        let info = info(LEAST).unwrap();
        assert_eq!((info.observations.image, info.observations.vector), (None, 3));
        assert_eq!(info.actions, ActionSpace::discrete(4, 0));
        assert_eq!(info.timing, Timing { action_repeat: 1, frame_limit: 9, frame_seconds: 1.0 / 30.0 });
        assert!(info.repeatable && info.notes.is_empty());
    }

    #[test]
    fn an_info_is_read_as_it_was_written() {
        let kind = ActionKind::Continuous { low: vec![-2.0, 0.0], high: vec![2.0, 0.1] };
        let written = Info {
            name: "mine".to_owned(),
            programs: "me 1.0".to_owned(),
            observations: ObservationSpace { image: Some(ImageSpace::STANDARD), vector: 0 },
            actions: ActionSpace { size: 2, kind },
            timing: Timing { action_repeat: 2, frame_limit: 100, frame_seconds: 0.05 },
            repeatable: false,
            notes: vec!["look out".to_owned()],
        };
        assert_eq!(decode_info(&encode_handshake(&written.to_json())).unwrap(), written);
    }

    #[test]
    fn values_that_no_external_environment_can_have_are_told_by_key() {
        for (text, part) in [
            (LEAST.replace("{\"vector\": 3}", "{}"), "observation must be an image or a vector"),
            (LEAST.replace("\"vector\": 3", "\"image\": [32, 32, 3]"), "observation.image must be [64, 64, 3]"),
            (LEAST.replace("{\"discrete\": 4}", "{\"discrete\": 0}"), "action.discrete must be"),
            (
                LEAST.replace("{\"discrete\": 4}", r#"{"continuous": {"low": [1], "high": [0]}}"#),
                "action.continuous.low",
            ),
            (LEAST.replace("{\"discrete\": 4}", r#"{"continuous": {"low": [1], "high": []}}"#), "as long as"),
            (LEAST.replace("\"frame_limit\": 9", "\"frame_limit\": 0"), "frame_limit must be"),
            (LEAST.replace(", \"frame_limit\": 9", ""), "the key frame_limit is missing"),
            (LEAST.replace("{\"discrete\": 4}", "{}"), "one of the keys continuous and discrete"),
            ("none".to_owned(), "expected"),
        ] {
            let message = info(&text).unwrap_err().to_string();
            assert!(message.contains(part), "{part}: {message}");
        }
    }

    #[test]
    fn a_version_of_the_future_is_told() {
        let message = decode_info(&2u32.to_le_bytes()).unwrap_err().to_string();
        assert!(message.contains("version 2 of the protocol, and this program version 1"), "{message}");
        assert!(decode_info(&[1, 0]).unwrap_err().to_string().contains("it has 2 bytes"));
    }

    #[test]
    fn what_is_asked_is_read_as_it_was_written() {
        let mut options = TaskOptions { action_repeat: 3, observe: Observe::Both, ..TaskOptions::default() };
        options.arguments.insert("g".to_owned(), 9.81.into());
        let hello = Hello::of(&options);
        assert_eq!(Hello::decode(&encode_handshake(&hello)).unwrap(), hello);
    }
}
