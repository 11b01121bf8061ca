//! The fraction of Eq. 3: a number, or one that is fitted to the target's first episodes.
//!
//! Here: the value, as it is written and typed. Not here: the fit (`fraction_fit`).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// The fraction w in `W_target = W_random + w * W_source` (Eq. 3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fraction {
    /// This number, from 0 to 1.
    Of(f64),
    /// The number with which the output layer predicts the target's first episodes best, found before the first gradient step.
    Fit,
}

impl Fraction {
    /// How a fitted fraction is written.
    const FIT: &str = "fit";

    /// This number; -0.0 is 0.0, so that equal fractions have one name.
    fn of(omega: f64) -> Self {
        Self::Of(omega + 0.0)
    }

    /// Whether it is fitted, or a number from 0 to 1.
    pub fn is_in_range(self) -> bool {
        match self {
            Self::Of(omega) => (0.0..=1.0).contains(&omega),
            Self::Fit => true,
        }
    }
}

impl From<f64> for Fraction {
    fn from(omega: f64) -> Self {
        Self::of(omega)
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(omega) => omega.fmt(f),
            Self::Fit => f.write_str(Self::FIT),
        }
    }
}

/// The typed text is not a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be a number from 0 to 1, such as 0.2, or fit")]
pub struct NotAFraction;

impl FromStr for Fraction {
    type Err = NotAFraction;

    fn from_str(typed: &str) -> Result<Self, NotAFraction> {
        match typed.trim() {
            Self::FIT => Ok(Self::Fit),
            number => {
                let number = number.parse().map(Self::of).ok();
                number.filter(|fraction| fraction.is_in_range()).ok_or(NotAFraction)
            }
        }
    }
}

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Of(omega) => serializer.serialize_f64(*omega),
            Self::Fit => serializer.serialize_str(Self::FIT),
        }
    }
}

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl de::Visitor<'_> for Written {
            type Value = Fraction;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number from 0 to 1, or \"fit\"")
            }

            fn visit_f64<E: de::Error>(self, omega: f64) -> Result<Fraction, E> {
                Ok(Fraction::of(omega))
            }

            fn visit_i64<E: de::Error>(self, omega: i64) -> Result<Fraction, E> {
                Ok(Fraction::Of(omega as f64))
            }

            fn visit_u64<E: de::Error>(self, omega: u64) -> Result<Fraction, E> {
                Ok(Fraction::Of(omega as f64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Fraction, E> {
                match text {
                    Fraction::FIT => Ok(Fraction::Fit),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_a_number_from_0_to_1_or_fit() {
        for (typed, meant) in [("0.2", Fraction::Of(0.2)), ("1", Fraction::Of(1.0)), (" fit ", Fraction::Fit)] {
            assert_eq!(typed.parse(), Ok(meant));
        }
        for wrong in ["", "1.1", "-0.1", "nan", "inf", "Fit", "0,2"] {
            assert_eq!(wrong.parse::<Fraction>(), Err(NotAFraction), "{wrong}");
        }
    }

    #[test]
    fn a_written_fraction_is_read_again() {
        for fraction in [Fraction::Of(0.0), Fraction::Of(0.2), Fraction::Of(f64::MIN_POSITIVE), Fraction::Fit] {
            let text = serde_json::to_string(&fraction).unwrap();
            assert_eq!(serde_json::from_str::<Fraction>(&text).unwrap(), fraction, "{text}");
            assert_eq!(fraction.to_string().parse(), Ok(fraction));
        }
        assert_eq!(serde_json::from_str::<Fraction>("1").unwrap(), Fraction::Of(1.0));
        assert!(serde_json::from_str::<Fraction>("\"best\"").is_err());
        // -0.0 is written as 0.0 is.
        for zero in ["-0.0".parse().unwrap(), serde_json::from_str("-0.0").unwrap(), Fraction::from(-0.0)] {
            assert_eq!(format!("{zero} {zero:?}"), "0 Of(0.0)");
        }
    }
}
