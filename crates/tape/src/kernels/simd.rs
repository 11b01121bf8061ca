//! Which SIMD instruction set the kernels use: the widest that this CPU supports, or a narrower one that the environment
//! names.
//!
//! The choice is made once in a process, and every kernel goes through `dispatch`. Instruction sets with other vector widths
//! cut sums into other parts, so that their last bits differ. Not here: the kernels.

use pulp::{Scalar128b, Simd, WithSimd};
use std::ffi::OsString;
use std::fmt;
use std::sync::OnceLock;

/// A SIMD instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimdInstructionSet {
    /// AVX-512: sixteen numbers of f32 in a vector.
    Avx512,
    /// AVX2 with fused multiply-adds: eight.
    Avx2,
    /// NEON: four.
    Neon,
    /// The set that every CPU of an architecture supports (SSE2 on x86-64): groups of four numbers, whose products are
    /// rounded before they are added.
    Plain,
}

/// The environment names an instruction set that cannot be used here.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SimdError {
    /// An unknown name of an instruction set.
    #[error("{variable}={value} is not supported; set it to one of the SIMD instruction sets of this CPU: {}", names())]
    Unknown {
        /// The environment variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// This CPU lacks the instruction set.
    #[error("{variable}={value}: this CPU lacks this SIMD instruction set; it supports: {}", names())]
    Missing {
        /// The environment variable.
        variable: &'static str,
        /// Its value.
        value: SimdInstructionSet,
    },
}

/// A choice, with the proof that this CPU supports it.
#[derive(Clone, Copy)]
enum Chosen {
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    #[cfg(target_arch = "aarch64")]
    Neon(pulp::aarch64::Neon),
    Plain,
}

impl SimdInstructionSet {
    /// The environment variable that names the instruction set to use.
    pub const VARIABLE: &str = "DREAMGRAFT_SIMD";

    /// The variable's earlier name, which is read if [`SimdInstructionSet::VARIABLE`] is not set.
    pub const OLD_VARIABLE: &str = "DREAMGRAFT_VECTORS";

    /// All instruction sets, the widest first.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Plain];

    /// The instruction set that kernels use in this process: the one that the environment names if this CPU supports it,
    /// else the widest. (A program calls [`SimdInstructionSet::from_environment`] first, and reports its error.)
    pub fn current() -> Self {
        match chosen() {
            #[cfg(target_arch = "x86_64")]
            Chosen::Avx512(_) => Self::Avx512,
            #[cfg(target_arch = "x86_64")]
            Chosen::Avx2(_) => Self::Avx2,
            #[cfg(target_arch = "aarch64")]
            Chosen::Neon(_) => Self::Neon,
            Chosen::Plain => Self::Plain,
        }
    }

    /// The instruction sets that this CPU supports, the widest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|set| set.choice().is_some())
    }

    /// The instruction set that the environment names, or the widest if it names none.
    ///
    /// # Errors
    /// [`SimdError`] if the environment names one that does not exist, or that this CPU lacks.
    pub fn from_environment() -> Result<Self, SimdError> {
        Self::resolve([Self::VARIABLE, Self::OLD_VARIABLE].map(|variable| (variable, std::env::var_os(variable))))
    }

    /// The instruction set that the first variable with a value names.
    fn resolve(variables: [(&'static str, Option<OsString>); 2]) -> Result<Self, SimdError> {
        let set = |(variable, value): (_, Option<OsString>)| Some((variable, value.filter(|value| !value.is_empty())?));
        let Some((variable, value)) = variables.into_iter().find_map(set) else {
            return Ok(Self::available().next().unwrap_or(Self::Plain));
        };
        let value = value.to_string_lossy();
        let named = Self::ALL.into_iter().find(|set| set.name() == value);
        let value = named.ok_or_else(|| SimdError::Unknown { variable, value: value.into_owned() })?;
        value.choice().map(|_| value).ok_or(SimdError::Missing { variable, value })
    }

    /// The name, as the environment variable takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Plain => "plain",
        }
    }

    fn choice(self) -> Option<Chosen> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => pulp::x86::V4::try_new().map(Chosen::Avx512),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => pulp::x86::V3::try_new().map(Chosen::Avx2),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => pulp::aarch64::Neon::try_new().map(Chosen::Neon),
            Self::Plain => Some(Chosen::Plain),
            #[allow(unreachable_patterns, reason = "instruction sets of other architectures")]
            _ => None,
        }
    }
}

impl fmt::Display for SimdInstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The names of the supported instruction sets: `avx512, avx2, plain`.
fn names() -> String {
    SimdInstructionSet::available().map(SimdInstructionSet::name).collect::<Vec<_>>().join(", ")
}

#[inline]
fn chosen() -> Chosen {
    static CHOSEN: OnceLock<Chosen> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let set = SimdInstructionSet::from_environment().ok().or_else(|| SimdInstructionSet::available().next());
        set.and_then(SimdInstructionSet::choice).unwrap_or(Chosen::Plain)
    })
}

/// Whether kernels may use AVX-512.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx512() -> bool {
    SimdInstructionSet::current() == SimdInstructionSet::Avx512
}

/// Whether a multiply-add is one instruction of this set. Where it is not, the standard library would compute it number by
/// number, in a function call.
#[inline(always)]
pub(super) fn is_fused<S: Simd>() -> bool {
    std::any::TypeId::of::<S>() != std::any::TypeId::of::<Scalar128b>()
}

/// Runs `work` with the chosen instruction set. (A closure is compiled for each of them.)
#[inline(always)]
pub(crate) fn dispatch<W: WithSimd>(work: W) -> W::Output {
    match chosen() {
        #[cfg(target_arch = "x86_64")]
        Chosen::Avx512(simd) => Simd::vectorize(simd, work),
        #[cfg(target_arch = "x86_64")]
        Chosen::Avx2(simd) => Simd::vectorize(simd, work),
        #[cfg(target_arch = "aarch64")]
        Chosen::Neon(simd) => Simd::vectorize(simd, work),
        Chosen::Plain => Simd::vectorize(Scalar128b, work),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VARIABLES: [&str; 2] = [SimdInstructionSet::VARIABLE, SimdInstructionSet::OLD_VARIABLE];

    fn resolve(values: [Option<&str>; 2]) -> Result<SimdInstructionSet, SimdError> {
        SimdInstructionSet::resolve([0, 1].map(|index| (VARIABLES[index], values[index].map(OsString::from))))
    }

    #[test]
    fn either_variable_chooses_a_supported_instruction_set_and_nothing_else() {
        let widest = SimdInstructionSet::available().next().unwrap();
        assert_eq!(resolve([None, None]), Ok(widest));
        for (index, variable) in VARIABLES.into_iter().enumerate() {
            let resolve = |value| {
                let mut values = [None, None];
                values[index] = Some(value);
                resolve(values)
            };
            assert_eq!(resolve(""), Ok(widest));
            assert_eq!(resolve("plain"), Ok(SimdInstructionSet::Plain));
            for value in SimdInstructionSet::ALL {
                let supported = SimdInstructionSet::available().any(|other| other == value);
                let expected = if supported { Ok(value) } else { Err(SimdError::Missing { variable, value }) };
                assert_eq!(resolve(value.name()), expected);
            }
            for wrong in ["AVX2", "sse", " plain"] {
                let error = resolve(wrong).unwrap_err();
                assert_eq!(error, SimdError::Unknown { variable, value: wrong.to_owned() });
                let message = error.to_string();
                assert!(message.starts_with(&format!("{variable}={wrong} ")) && message.contains("plain"), "{message}");
            }
        }
    }

    #[test]
    fn the_new_variable_wins_over_the_old_one() {
        assert_eq!(resolve([Some("plain"), Some("sse")]), Ok(SimdInstructionSet::Plain));
        let error = SimdError::Unknown { variable: SimdInstructionSet::VARIABLE, value: "sse".to_owned() };
        assert_eq!(resolve([Some("sse"), Some("plain")]), Err(error));
        assert_eq!(resolve([Some(""), Some("plain")]), Ok(SimdInstructionSet::Plain));
    }

    #[test]
    fn no_cpu_has_two_architectures() {
        let available: Vec<_> = SimdInstructionSet::available().collect();
        assert!(available.ends_with(&[SimdInstructionSet::Plain]));
        let both = [SimdInstructionSet::Neon, SimdInstructionSet::Avx2].iter().all(|set| available.contains(set));
        assert!(!both, "{available:?}");
    }
}
