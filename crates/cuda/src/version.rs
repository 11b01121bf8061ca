//! Versions of CUDA: a driver's, a compiler's.

use std::fmt;

/// A version of CUDA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Before the point.
    pub major: u32,
    /// After the point.
    pub minor: u32,
}

impl Version {
    /// From the number that the driver answers: 12040 is 12.4.
    pub(crate) fn from_driver(number: i32) -> Self {
        let number = u32::try_from(number).unwrap_or(0);
        Self { major: number / 1000, minor: number % 1000 / 10 }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drivers_number_is_a_version() {
        assert_eq!(Version::from_driver(12040).to_string(), "12.4");
        assert_eq!(Version::from_driver(13000).to_string(), "13.0");
        assert!(Version::from_driver(11080) < Version::from_driver(12000));
    }
}
