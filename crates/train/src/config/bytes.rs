//! Sizes of memory as people write them: `2GB`, `512 MiB`, `1000000`.
//!
//! Here: [`ByteSize`], its text and its place in a configuration. Not here: the use of the limit.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Units from the largest: a size is written in the largest that divides it, so that reading gives the same number.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) =
            UNITS.into_iter().find(|(_, size)| self.0.is_multiple_of(*size) && self.0 > 0).unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let problem =
            || format!("{text:?} is not a size in bytes: write for example \"2GB\", \"512MiB\" or 2000000000");
        let text = text.trim();
        let digits = text.replace('_', "");
        if let Ok(bytes) = digits.parse::<u64>() {
            return Ok(Self(bytes));
        }
        if let Ok(bytes) = digits.parse::<f64>() {
            return whole_bytes(bytes).ok_or_else(problem);
        }
        let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (number, unit) = (text[..split].trim().replace('_', ""), text[split..].trim());
        let scale = match unit {
            "" => 1,
            unit => UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(problem)?.1,
        };
        if let Ok(whole) = number.parse::<u64>() {
            return whole.checked_mul(scale).map(Self).ok_or_else(problem);
        }
        let bytes = number.parse::<f64>().map_err(|_| problem())? * scale as f64;
        whole_bytes(bytes).ok_or_else(problem)
    }
}

/// This many bytes, if that is a whole number.
fn whole_bytes(bytes: f64) -> Option<ByteSize> {
    ((0.0..9e18).contains(&bytes) && bytes.fract() == 0.0).then_some(ByteSize(bytes as u64))
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a size such as \"2GB\", or a number of bytes")]
        enum Written {
            Number(u64),
            Real(f64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(bytes) => Ok(Self(bytes)),
            Written::Real(bytes) => {
                whole_bytes(bytes).ok_or_else(|| serde::de::Error::custom("expected a whole number of bytes"))
            }
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in
            [("2GB", 2_000_000_000), ("1.5 gb", 1_500_000_000), ("512MiB", 1 << 29), ("1_000", 1000), ("0", 0)]
        {
            assert_eq!(text.parse::<ByteSize>().unwrap(), ByteSize(bytes), "{text}");
        }
        for text in ["", "GB", "2XB", "-1GB", "1.5B", "nan", "99999999999TB"] {
            assert!(text.parse::<ByteSize>().unwrap_err().contains("is not a size in bytes"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn writing_and_reading_is_exact(bytes: u64) {
            let size = ByteSize(bytes);
            prop_assert_eq!(size.to_string().parse::<ByteSize>().unwrap(), size);
        }
    }
}
