//! Where gradient steps are taken: `--device`.
//!
//! Not here: what a device does with them (`cuda`).

use crate::exit::Failure;
use clap::Args;
use std::str::FromStr;

/// The option `--device`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Where {
    /// Where gradient steps are taken: cpu, cuda (the first NVIDIA device) or cuda:N (docs/gpu.md)
    #[arg(long, default_value = "cpu", value_name = "cpu|cuda[:N]")]
    device: Choice,
}

/// What was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Cpu,
    Cuda(usize),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let problem = || "it must be cpu, cuda or cuda:N, such as cuda:0".to_owned();
        match typed.split_once(':') {
            None if typed == "cpu" => Ok(Self::Cpu),
            None if typed == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                number.parse().map(Self::Cuda).map_err(|_| problem())
            }
            _ => Err(problem()),
        }
    }
}

/// The device of this name, or none if there is no name.
///
/// # Errors
/// If it cannot be used.
pub fn open(name: Option<&str>) -> Result<Option<cuda::Device>, Failure> {
    let Some(name) = name else { return Ok(None) };
    let device = name.parse().map_err(|why| Failure::Words(format!("--device {name}: {why}")))?;
    Where { device }.open()
}

impl Where {
    /// The device, or none if it is this machine's processor.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn open(self) -> Result<Option<cuda::Device>, Failure> {
        match self.device {
            Choice::Cpu => Ok(None),
            Choice::Cuda(number) => Ok(Some(cuda::Device::open(number)?)),
        }
    }

    /// The option's value for another process, or none if it is the default.
    pub fn name(self) -> Option<String> {
        match self.device {
            Choice::Cpu => None,
            Choice::Cuda(number) => Some(format!("cuda:{number}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_they_say() {
        assert_eq!("cpu".parse(), Ok(Choice::Cpu));
        assert_eq!("cuda".parse(), Ok(Choice::Cuda(0)));
        assert_eq!("cuda:3".parse(), Ok(Choice::Cuda(3)));
        for wrong in ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:1:2", "CPU", "cuda:99999999999999999999"] {
            assert!(wrong.parse::<Choice>().is_err(), "{wrong}");
        }
    }
}
