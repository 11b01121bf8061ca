//! The kinds of arguments that kernels take.

use std::fmt;

use tape::plan::Argument;

/// The kind of a kernel's argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An address of the device's memory.
    Place,
    /// A 32-bit integer.
    Whole,
    /// A 32-bit real.
    Real,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Place => "a pointer",
            Self::Whole => "an int",
            Self::Real => "a float",
        })
    }
}

impl From<&Argument> for Kind {
    fn from(argument: &Argument) -> Self {
        match argument {
            Argument::Place(_) => Self::Place,
            Argument::Whole(_) => Self::Whole,
            Argument::Real(_) => Self::Real,
        }
    }
}
