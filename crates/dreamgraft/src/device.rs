//! Opens the device on which gradient steps run.
//!
//! Not here: the option `--device` (`args::device`), and how a device computes (`cuda`).

use crate::args::device::DeviceName;
use crate::exit::Failure;

/// Opens the device with the name that a user typed; `None` for the CPU, which needs no device.
///
/// # Errors
/// If the name is not valid, or the device cannot be used.
pub fn open_named(name: Option<&str>) -> Result<Option<cuda::Device>, Failure> {
    let Some(name) = name else { return Ok(None) };
    open(name.parse().map_err(|why| Failure::Arguments(format!("--device {name}: {why}")))?)
}

/// Opens a device; `None` for the CPU.
///
/// # Errors
/// If the device cannot be used.
pub fn open(device: DeviceName) -> Result<Option<cuda::Device>, Failure> {
    match device {
        DeviceName::Cpu => Ok(None),
        DeviceName::Cuda(number) => Ok(Some(cuda::Device::open(number)?)),
    }
}
