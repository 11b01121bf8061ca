//! A line of `metrics.jsonl`: those of its numbers that reports show. The others, which are most of it, are skipped.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt::Formatter;

/// The beginning of the names of what a meta-model reads from the latent state.
pub const LATENT_USE: &str = "reward_latent_use/";

/// The same of its sources.
pub const SOURCE_USE: &str = "reward_source_use/";

/// The names of numbers that are read. Those of runs of several tasks are followed by `/` and a task.
const READ: [&str; 8] =
    ["step", "updates", "seconds", "cpu_seconds", "episodes", "train_return", "train_length", "eval_return"];

/// The numbers of a line.
pub struct Line<'a> {
    /// Its frames; `None` if it does not have that number.
    pub step: Option<u64>,
    numbers: Vec<(Cow<'a, str>, Number)>,
}

impl Line<'_> {
    /// A number that is read, by its name.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.numbers.iter().find(|(known, _)| known == name)?.1.as_f64()
    }

    /// All of them.
    pub fn numbers(&self) -> impl Iterator<Item = (&str, f64)> {
        self.numbers.iter().filter_map(|(name, number)| Some((&**name, number.as_f64()?)))
    }
}

/// Whether a number with this name is read.
fn is_read(name: &str) -> bool {
    let first = name.split_once('/').map_or(name, |(first, _)| first);
    READ.contains(&first) || name.starts_with(LATENT_USE) || name.starts_with(SOURCE_USE)
}

impl<'de: 'a, 'a> Deserialize<'de> for Line<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMap;

        impl<'de> Visitor<'de> for OfMap {
            type Value = Line<'de>;

            fn expecting(&self, to: &mut Formatter<'_>) -> std::fmt::Result {
                to.write_str("metrics by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line<'de>, A::Error> {
                let mut line = Line { step: None, numbers: Vec::with_capacity(READ.len()) };
                while let Some(Name(name)) = map.next_key()? {
                    if !is_read(&name) {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    let number: Number = map.next_value()?;
                    if name == "step" {
                        line.step = number.as_u64();
                    }
                    // Of several numbers with one name, the last counts.
                    match line.numbers.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, known)) => *known = number,
                        None => line.numbers.push((name, number)),
                    }
                }
                Ok(line)
            }
        }

        deserializer.deserialize_map(OfMap)
    }
}

/// A name, which is only copied if it is escaped.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfText;

        impl<'de> Visitor<'de> for OfText {
            type Value = Name<'de>;

            fn expecting(&self, to: &mut Formatter<'_>) -> std::fmt::Result {
                to.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(OfText)
    }
}

/// A value under the name of a number.
#[derive(Clone, Copy)]
enum Number {
    Whole(u64),
    Negative(i64),
    Fraction(f64),
    /// Something else.
    None,
}

impl Number {
    fn as_f64(self) -> Option<f64> {
        match self {
            Self::Whole(number) => Some(number as f64),
            Self::Negative(number) => Some(number as f64),
            Self::Fraction(number) => Some(number),
            Self::None => None,
        }
    }

    fn as_u64(self) -> Option<u64> {
        if let Self::Whole(number) = self { Some(number) } else { None }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfAny;

        impl<'de> Visitor<'de> for OfAny {
            type Value = Number;

            fn expecting(&self, to: &mut Formatter<'_>) -> std::fmt::Result {
                to.write_str("a value")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number::Whole(number))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(u64::try_from(number).map_or(Number::Negative(number), Number::Whole))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
                Ok(Number::Fraction(number))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Number, E> {
                Ok(Number::None)
            }

            fn visit_unit<E>(self) -> Result<Number, E> {
                Ok(Number::None)
            }

            fn visit_str<E>(self, _: &str) -> Result<Number, E> {
                Ok(Number::None)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Number, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Number::None)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Number, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Number::None)
            }
        }

        deserializer.deserialize_any(OfAny)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_shown_are_read_and_others_are_skipped() {
        let line: Line<'_> = serde_json::from_str(
            r#"{"kl":1,"step":3,"train_return/ant":-2,"episodes":1.5,"updates":null,"seconds":"x","cpu_seconds":[1,{}],
                "eval_return":{"a":[1]},"train_\u006cength":7,"reward_source_use/a/b":0.5,"step":4,"image_loss":{"b":"}"}}"#,
        )
        .unwrap();
        assert_eq!(line.step, Some(4));
        let all: Vec<(&str, f64)> = line.numbers().collect();
        let expected = [
            ("step", 4.0),
            ("train_return/ant", -2.0),
            ("episodes", 1.5),
            ("train_length", 7.0),
            ("reward_source_use/a/b", 0.5),
        ];
        assert_eq!(all, expected);
        assert_eq!((line.number("train_length"), line.number("kl"), line.number("updates")), (Some(7.0), None, None));
    }

    #[test]
    fn a_line_must_be_a_table_and_its_step_a_whole_number() {
        for text in ["", "[]", "3", "NaN", "{\"step\":1", "{\"step\":1,}", "{\"step\":1} 2", "{\"kl\":nan,\"step\":1}"]
        {
            assert!(serde_json::from_str::<Line<'_>>(text).is_err(), "{text}");
        }
        for text in ["{}", "{\"step\":-1}", "{\"step\":1.0}", "{\"step\":\"1\"}", "{\"step\":1,\"step\":null}"] {
            assert_eq!(serde_json::from_str::<Line<'_>>(text).unwrap().step, None, "{text}");
        }
    }
}
