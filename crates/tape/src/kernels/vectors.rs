//! Which vector instructions kernels run with: the widest that this processor has, or fewer if the environment says so.
//!
//! Here: the choice, made once for a process, and `dispatch`, through which every kernel goes. Not here: kernels.
//! Sums are cut into other parts by other vectors, so that their last bits differ.

use pulp::{Scalar128b, Simd, WithSimd};
use std::ffi::OsStr;
use std::fmt;
use std::sync::OnceLock;

/// Vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vectors {
    /// AVX-512: sixteen numbers in f32.
    Avx512,
    /// AVX2 with fused multiply-adds: eight.
    Avx2,
    /// NEON: four.
    Neon,
    /// Those that every processor of its kind has (SSE2 on x86-64): groups of four, whose products are rounded before they are added.
    Plain,
}

/// A choice that cannot be used here.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VectorsError {
    /// No name of vectors.
    #[error("{variable}={value} names no vectors; here there are {there}", variable = Vectors::VARIABLE, there = names())]
    Unknown {
        /// What was given.
        value: String,
    },
    /// Vectors of another processor.
    #[error("{variable}={value}, but this processor has none of these; here there are {there}", variable = Vectors::VARIABLE, there = names())]
    Missing {
        /// What was given.
        value: Vectors,
    },
}

/// A choice with the proof that the processor has it.
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

impl Vectors {
    /// The environment's variable that names what to use.
    pub const VARIABLE: &str = "DREAMGRAFT_VECTORS";

    /// All, the widest first.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Plain];

    /// What kernels use in this process: what the environment names if this processor has it, else the widest.
    /// (A program asks [`Vectors::from_environment`] first, and says what is wrong.)
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

    /// Those that this processor has, the widest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|vectors| vectors.choice().is_some())
    }

    /// What the environment names, or the widest if it names none.
    ///
    /// # Errors
    /// [`VectorsError`] if it names what does not exist, or what this processor has not.
    pub fn from_environment() -> Result<Self, VectorsError> {
        Self::named(std::env::var_os(Self::VARIABLE).as_deref())
    }

    fn named(name: Option<&OsStr>) -> Result<Self, VectorsError> {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Ok(Self::available().next().unwrap_or(Self::Plain));
        };
        let value = name.to_string_lossy();
        let named = Self::ALL.into_iter().find(|vectors| vectors.name() == value);
        let value = named.ok_or_else(|| VectorsError::Unknown { value: value.into_owned() })?;
        value.choice().map(|_| value).ok_or(VectorsError::Missing { value })
    }

    /// As it is typed.
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
            #[allow(unreachable_patterns, reason = "of other processors")]
            _ => None,
        }
    }
}

impl fmt::Display for Vectors {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `avx512, avx2, plain`.
fn names() -> String {
    Vectors::available().map(Vectors::name).collect::<Vec<_>>().join(", ")
}

#[inline]
fn chosen() -> Chosen {
    static CHOSEN: OnceLock<Chosen> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let vectors = Vectors::from_environment().ok().or_else(|| Vectors::available().next());
        vectors.and_then(Vectors::choice).unwrap_or(Chosen::Plain)
    })
}

/// Whether kernels may use AVX-512.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx512() -> bool {
    Vectors::current() == Vectors::Avx512
}

/// Whether a multiply-add of these vectors is one instruction. Where it is none, a function computes it, number by number.
#[inline(always)]
pub(super) fn is_fused<S: Simd>() -> bool {
    std::any::TypeId::of::<S>() != std::any::TypeId::of::<Scalar128b>()
}

/// Runs `work` with the chosen vectors. (A closure is compiled for them.)
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

    #[test]
    fn names_choose_what_is_there_and_nothing_else() {
        let named = |name: &str| Vectors::named(Some(OsStr::new(name)));
        let widest = Vectors::available().next().unwrap();
        assert_eq!(Vectors::named(None), Ok(widest));
        assert_eq!(named(""), Ok(widest));
        assert_eq!(named("plain"), Ok(Vectors::Plain));
        for vectors in Vectors::ALL {
            let there = Vectors::available().any(|other| other == vectors);
            let expected = if there { Ok(vectors) } else { Err(VectorsError::Missing { value: vectors }) };
            assert_eq!(named(vectors.name()), expected);
        }
        for wrong in ["AVX2", "sse", " plain"] {
            let error = named(wrong).unwrap_err();
            assert_eq!(error, VectorsError::Unknown { value: wrong.to_owned() });
            assert!(error.to_string().contains("plain"), "{error}");
        }
    }

    #[test]
    fn no_processor_is_of_two_kinds() {
        let there: Vec<_> = Vectors::available().collect();
        assert!(there.ends_with(&[Vectors::Plain]));
        assert!(!(there.contains(&Vectors::Neon) && there.contains(&Vectors::Avx2)), "{there:?}");
    }
}
