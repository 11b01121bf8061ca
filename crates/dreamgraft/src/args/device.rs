//! The option `--device`.
//!
//! Not here: opening a device (`device`).

use clap::Args;
use std::str::FromStr;

/// The option `--device`.
#[derive(Clone, Copy, Debug, Args)]
pub struct DeviceOption {
    /// The device for gradient steps: cpu, cuda (the first NVIDIA GPU) or cuda:N
    #[arg(long, default_value = "cpu", value_name = "cpu|cuda[:N]")]
    pub device: DeviceName,
}

/// The name of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceName {
    /// The CPU of this machine.
    Cpu,
    /// The NVIDIA GPU with this number.
    Cuda(usize),
}

impl FromStr for DeviceName {
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

impl DeviceOption {
    /// The value of the option for another process; `None` for the CPU, which is the default.
    pub fn name(self) -> Option<String> {
        match self.device {
            DeviceName::Cpu => None,
            DeviceName::Cuda(number) => Some(format!("cuda:{number}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices_are_parsed() {
        assert_eq!("cpu".parse(), Ok(DeviceName::Cpu));
        assert_eq!("cuda".parse(), Ok(DeviceName::Cuda(0)));
        assert_eq!("cuda:3".parse(), Ok(DeviceName::Cuda(3)));
        for wrong in ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:1:2", "CPU", "cuda:99999999999999999999"] {
            assert!(wrong.parse::<DeviceName>().is_err(), "{wrong}");
        }
    }
}
