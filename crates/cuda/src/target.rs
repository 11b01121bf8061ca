//! The target for which kernels are compiled: machine code of the device if the compiler knows it, and otherwise the
//! newest intermediate code that it knows, which the driver translates when it loads it.
//!
//! Machine code is preferred since a driver takes that of a compiler newer than itself (of the same major version), and
//! not its intermediate code.

use std::fmt;

/// A device's compute capability: its generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Capability {
    /// Before the point.
    pub major: u32,
    /// After the point, one digit.
    pub minor: u32,
}

impl Capability {
    /// From the compiler's number: 90 is 9.0, 120 is 12.0.
    pub(crate) fn from_number(number: i32) -> Self {
        let number = u32::try_from(number).unwrap_or(0);
        Self { major: number / 10, minor: number % 10 }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The output format of the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Machine code of devices of just this capability.
    Machine(Capability),
    /// Intermediate code, for devices of this capability and newer.
    Intermediate(Capability),
}

impl Target {
    /// The best for a device that a compiler can make, of the capabilities that it knows; `None` if all are newer.
    pub(crate) fn choose(device: Capability, known: &[Capability]) -> Option<Self> {
        let newest = known.iter().copied().filter(|&capability| capability <= device).max()?;
        Some(if newest == device { Self::Machine(newest) } else { Self::Intermediate(newest) })
    }
}

impl Target {
    /// The capability that code is compiled for.
    pub fn capability(self) -> Capability {
        let (Self::Machine(capability) | Self::Intermediate(capability)) = self;
        capability
    }
}

impl fmt::Display for Target {
    /// As the compiler calls it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, Capability { major, minor }) = match self {
            Self::Machine(capability) => ("sm", capability),
            Self::Intermediate(capability) => ("compute", capability),
        };
        write!(f, "{kind}_{major}{minor}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<Capability> {
        [70, 75, 80, 90].map(Capability::from_number).to_vec()
    }

    fn chosen(number: i32) -> Option<String> {
        Target::choose(Capability::from_number(number), &known()).map(|target| target.to_string())
    }

    #[test]
    fn a_known_device_gets_machine_code() {
        assert_eq!(chosen(90).as_deref(), Some("sm_90"));
        assert_eq!(chosen(70).as_deref(), Some("sm_70"));
    }

    #[test]
    fn a_newer_or_unnamed_device_gets_intermediate_code() {
        assert_eq!(chosen(120).as_deref(), Some("compute_90"));
        assert_eq!(chosen(86).as_deref(), Some("compute_80"));
    }

    #[test]
    fn an_older_device_gets_none() {
        assert_eq!(chosen(61), None);
    }
}
