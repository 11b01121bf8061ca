//! `dreamgraft bench`: the speed of an agent on this machine.

use crate::args::bench::Bench;
use crate::exit::{Exit, Failure};
use crate::{device, meaning, print};
use train::Device;

/// Measures gradient and policy steps and prints one line of JSON.
///
/// # Errors
/// If the arguments or the device cannot be used.
pub fn bench(typed: &Bench) -> Result<Exit, Failure> {
    let config = meaning::benchmark(typed)?;
    let device = device::open(typed.device.device)?;
    let name = device.as_ref().map(cuda::Device::description);
    let named = name.as_deref().zip(device.as_ref().map(|device| device as &dyn Device));
    let measured = train::bench::measure((&typed.preset, &typed.set), &config, typed.updates, named)?;
    Ok(print::done(print::line(&measured.json()))?)
}
