//! The TOML form of a plan: its keys, and errors of reading them.
//!
//! Here: the text, with the line of each rule. Not here: its meaning and its checks ([`crate::plan`]).

use crate::choice::Choice;
use crate::error::PlanError;
use crate::fraction::Fraction;
use crate::pattern::Pattern;
use crate::plain::plain;
use crate::rows::RowInput;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, SeqAccess, Unexpected, Visitor, value};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::path::PathBuf;

/// Version of the plan's format: another one is not read.
pub const FORMAT: u32 = 1;

/// A whole plan.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub format: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub untrained_sources: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, SourceText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta_model: Option<MetaModelText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choose: Option<Choice>,
    #[serde(default)]
    pub rule: Vec<RuleText>,
}

/// A source: its path, or its path and checksum.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "it must be a path, or { path = \"...\", sha256 = \"...\" }")]
pub(crate) enum SourceText {
    Path(#[serde(with = "files::path_text")] PathBuf),
    Pinned(PinnedText),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PinnedText {
    #[serde(with = "files::path_text")]
    pub path: PathBuf,
    pub sha256: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetaModelText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<usize>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub any_encoder: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub start: MetaModelStart,
    #[serde(default, skip_serializing_if = "is_default")]
    pub predictions: MetaModelPredictions,
    #[serde(default, skip_serializing_if = "is_default")]
    pub l1: f64,
}

/// How a reward meta-model starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetaModelStart {
    /// With random weights for the predictions of its sources, as published (Eq. 4).
    #[default]
    Random,
    /// With weights of zero for them: the first predictions are those of the same agent without sources. These weights are trained
    /// from the first gradient step on, since only this one factor is zero.
    Silent,
}

impl fmt::Display for MetaModelStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Random => "random",
            Self::Silent => "silent",
        })
    }
}

/// How a reward meta-model reads the predictions of its sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetaModelPredictions {
    /// As they are, as published (Eq. 4).
    #[default]
    Raw,
    /// Minus their mean, over their standard deviation: both of the run's random episodes, measured once, so that no source is louder
    /// than the others.
    Standardised,
}

impl fmt::Display for MetaModelPredictions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw => "raw",
            Self::Standardised => "standardised",
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleText {
    #[serde(rename = "match")]
    pub patterns: OneOrMany<Pattern>,
    #[serde(default, skip_serializing_if = "OneOrMany::is_empty")]
    pub rows: OneOrMany<RowInput>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub optional: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub rest: bool,
    pub take: Take,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<BTreeMap<String, f64>>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub misfit: Misfit,
    #[serde(default, skip_serializing_if = "is_default")]
    pub frozen: bool,
}

/// How much of its source a parameter receives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Take {
    /// Nothing: it keeps its random start.
    Random,
    /// Everything: it becomes the source's.
    Full,
    /// The mean of several sources that descend from one agent.
    Soup,
    /// Its random start plus this fraction of the source's (Eq. 3).
    Fraction(Fraction),
    /// The weighted mean of its random start and the source's: this is the weight of the source's, from 0 to 1.
    Interpolate(f64),
}

impl<'de> Deserialize<'de> for Take {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> Visitor<'de> for Written {
            type Value = Take;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"random\", \"full\", \"soup\", { fraction = 0.2 }, { fraction = \"fit\" } or { interpolate = 0.2 }")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Take, E> {
                match text {
                    "random" => Ok(Take::Random),
                    "full" => Ok(Take::Full),
                    "soup" => Ok(Take::Soup),
                    "fraction" | "interpolate" => {
                        Err(E::custom(format!("write {text} with its number: {{ {text} = 0.2 }}")))
                    }
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut keys: A) -> Result<Take, A::Error> {
                let wrong = |why: String| {
                    A::Error::custom(format!("{why}; write {{ fraction = 0.2 }} or {{ interpolate = 0.2 }}"))
                };
                let Some(key) = keys.next_key::<String>()? else {
                    return Err(wrong("it is an empty table".to_owned()));
                };
                let take = match &*key {
                    "fraction" => Take::Fraction(keys.next_value()?),
                    "interpolate" => Take::Interpolate(keys.next_value()?),
                    _ => return Err(wrong(format!("unknown key `{key}`"))),
                };
                match keys.next_key::<String>()? {
                    None => Ok(take),
                    Some(other) => {
                        Err(wrong(format!("it has the keys `{key}` and `{other}`, and only one can be used")))
                    }
                }
            }
        }
        deserializer.deserialize_any(Written)
    }
}

impl fmt::Display for Take {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => f.write_str("random"),
            Self::Full => f.write_str("full"),
            Self::Soup => f.write_str("soup"),
            Self::Fraction(omega) => write!(f, "fraction {omega}"),
            Self::Interpolate(weight) => write!(f, "interpolate {weight}"),
        }
    }
}

/// The treatment of a layer whose source is missing or has another shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Misfit {
    /// The transfer is refused.
    #[default]
    Error,
    /// The layer keeps its random values, and the report notes it.
    Random,
}

impl<'de> Deserialize<'de> for Misfit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Misfit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"random\"; otherwise leave misfit out")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Misfit, E> {
                match text {
                    "random" => Ok(Misfit::Random),
                    "error" => Ok(Misfit::Error),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Written)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One value, or a list of them.
#[derive(Debug)]
pub(crate) struct OneOrMany<T>(pub Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> OneOrMany<T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Serialize> Serialize for OneOrMany<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a list of texts")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(OneOrMany(vec![T::deserialize(value::StrDeserializer::new(text))?]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = list.next_element()? {
                    all.push(one);
                }
                if all.is_empty() {
                    return Err(serde::de::Error::custom("the list is empty"));
                }
                Ok(OneOrMany(all))
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// Reads a plan; the second value is the line of each rule, from 1.
pub(crate) fn read(text: &str, name: &str) -> Result<(Document, Vec<usize>), PlanError> {
    let at = |span: Option<Range<usize>>| match span {
        Some(span) => format!("{name} (line {})", line_of(text, span.start)),
        None => name.to_owned(),
    };
    let syntax = |error: toml::de::Error| PlanError::Syntax { place: at(error.span()), why: one_line(error.message()) };
    // The version first: a later format may have keys that this one does not know.
    let table = toml::de::DeTable::parse(text).map_err(syntax)?;
    let table = table.get_ref();
    match table.get("format").map(|format| format.get_ref()) {
        None => {
            let why = format!("the key is missing; a plan starts with `format = {FORMAT}`");
            return Err(PlanError::Key { key: "format".into(), place: name.to_owned(), why });
        }
        Some(found) if found.as_integer().map(toml::de::DeInteger::as_str) != Some("1") => {
            let found: String = toml_text(found);
            return Err(PlanError::Format { plan: name.to_owned(), found, ours: FORMAT });
        }
        Some(_) => {}
    }
    let rules = table.get("rule").and_then(|rules| rules.get_ref().as_array());
    let lines = rules.map(|rules| rules.iter().map(|rule| line_of(text, rule.span().start)).collect());
    Ok((decode(text, &at)?, lines.unwrap_or_default()))
}

fn decode<T: DeserializeOwned>(text: &str, at: &dyn Fn(Option<Range<usize>>) -> String) -> Result<T, PlanError> {
    let deserializer = toml::Deserializer::parse(text)
        .map_err(|error| PlanError::Syntax { place: at(error.span()), why: one_line(error.message()) })?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let (key, error) = (one_line(&error.path().to_string()), error.into_inner());
        PlanError::Key {
            key: counted_from_one(&key, 0),
            place: at(error.span()),
            why: one_line(&plain(error.message())),
        }
    })
}

/// A path as people write it, such as `rule 4, take.fraction` of `rule[3].take.fraction`; the indices of `path` count from
/// `first`.
pub fn counted_from_one(path: &str, first: usize) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('[') {
        let Some((index, behind)) =
            after.split_once(']').and_then(|(index, behind)| Some((index.parse::<usize>().ok()?, behind)))
        else {
            break;
        };
        text.push_str(&format!("{before} {}", index + 1 - first.min(1)));
        rest = match behind.strip_prefix('.') {
            Some(key) => {
                text.push_str(", ");
                key
            }
            None => behind,
        };
    }
    text + rest
}

fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|&byte| byte == b'\n').count()
}

fn toml_text(value: &toml::de::DeValue<'_>) -> String {
    match value {
        toml::de::DeValue::Integer(number) => number.as_str().to_owned(),
        toml::de::DeValue::String(text) => format!("{text:?}"),
        other => format!("a {}", other.type_str()),
    }
}

/// A parser's message on one line, cut to a length that can be read.
fn one_line(message: &str) -> String {
    const READABLE: usize = 300;
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= READABLE {
        return line;
    }
    line.chars().take(READABLE).chain("...".chars()).collect()
}
