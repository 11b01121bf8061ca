//! The arguments of `dreamgraft bench`.

use super::device::DeviceOption;
use super::number::whole_between;
use crate::exit;
use clap::Args;
use clap::builder::PossibleValuesParser;

/// The long help of `dreamgraft bench`.
pub(super) const BENCH: &str = "Measure the speed of gradient and policy steps on this machine, and print one line of \
    JSON.\n\n\
    The data is random and no environment is simulated, so this measures the agent alone. The sizes are those at which \
    other programs were measured. The environment variable DREAMGRAFT_SIMD (avx512, avx2, neon or \
    plain) selects the SIMD instruction set.";

/// The names of sizes.
fn sizes() -> impl Iterator<Item = &'static str> {
    let v3 = train::config::presets().map(|(name, _)| name).filter(|name| name.starts_with("v3"));
    ["paper", "small"].into_iter().chain(v3)
}

/// `dreamgraft bench`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::PRINT))]
pub struct Bench {
    /// The sizes: paper (the published sizes), small (batch 16 x 32, depth 16; not the preset small of `train`), or v3
    /// and v3-1m to v3-200m (the presets of DreamerV3)
    #[arg(long, default_value = "small", value_name = "NAME", value_parser = PossibleValuesParser::new(sizes()), hide_possible_values = true)]
    pub preset: String,
    /// One setting, such as agent.horizon=10, which takes precedence over --preset; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Number of gradient steps to measure, after a first one that allocates memory
    #[arg(long = "steps", default_value_t = 15, value_name = "N", value_parser = whole_between::<1, 100_000>, allow_negative_numbers = true)]
    pub updates: u64,
    /// The device for gradient steps
    #[command(flatten)]
    pub device: DeviceOption,
}
