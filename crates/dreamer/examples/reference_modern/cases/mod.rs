//! The reference cases: each computes the results `CASE/out/...` from the inputs `CASE/in/...`, with the agent's own code.
//!
//! Here: the list of cases. A module has the cases of one part of the agent. Not here: files of tensors, and the
//! comparison with known results, which the tests have.

mod actions;
mod agent;
mod barlow;
mod case;
mod categorical;
mod cell;
mod discount;
mod divergence;
mod dynamics;
mod harmony;
mod images;
pub mod meta_model;
pub mod modern;
mod norms;
mod optimiser;
mod reinforce;
mod resets;
mod return_scale;
mod returns;
mod shapes;
mod two_hot;
pub mod v3;
mod v3_names;
mod values;
mod vectors;
pub mod whole;
mod world_model;

pub use case::{Case, Results};

use crate::tensors::Tensors;

/// Computes the results of a case.
pub type Compute = fn(&Case) -> Result<Results, String>;

/// All cases, by name.
pub const CASES: [(&str, Compute); 41] = [
    ("balanced_kl/categorical", divergence::categorical),
    ("balanced_kl/gaussian", divergence::gaussian),
    ("barlow", barlow::loss),
    ("block_gru", cell::blocks),
    ("bounded_normal", actions::bounded_normal),
    ("categorical/latent", categorical::latent),
    ("continue", discount::head),
    ("discrete_actor/categorical", categorical::unmixed_actions),
    ("discrete_actor/onehot", categorical::one_hot_actions),
    ("dynamics/rollout", dynamics::rollout),
    ("dynamics/trajectory", dynamics::trajectory),
    ("harmony/one_kl", harmony::one_kl),
    ("harmony/split_kl", harmony::split_kl),
    ("lambda/imagined", returns::imagined),
    ("lambda/imagined_fixed_discount", returns::with_fixed_discount),
    ("lambda/replay", returns::replayed),
    ("laprop_agc", optimiser::laprop),
    ("modern", modern::agent),
    ("reinforce/continuous", reinforce::continuous),
    ("reinforce/discrete", reinforce::discrete),
    ("replay_value", values::replayed),
    ("resets/categorical", resets::categorical),
    ("resets/gaussian", resets::gaussian),
    ("resets/gaussian_norm", resets::gaussian_norm),
    ("return_scale/given", return_scale::updates),
    ("return_scale/zero", return_scale::updates),
    ("rms_norm/conv", norms::convolution),
    ("rms_norm/dense", norms::dense),
    ("rms_norm/plain", norms::plain),
    ("rms_norm/silu", norms::silu),
    ("slow_value/loss", values::imagined),
    ("slow_value/update", values::slow_update),
    ("twohot/n255", two_hot::predictions),
    ("twohot/small", two_hot::predictions),
    ("twohot/symlog", two_hot::logarithm),
    ("v3", v3::agent),
    ("v3_image/pool", images::pool),
    ("v3_image/strided", images::strided),
    ("v3_vector", vectors::vectors),
    ("zero_columns/later", meta_model::zero_columns),
    ("zero_columns/start", meta_model::zero_columns),
];

/// Computes the results of a case from inputs of the right shapes. A two-hot head's case may be named after its bins, such
/// as `twohot/n255`.
pub fn results(case: &Case) -> Result<Results, String> {
    let known = CASES.iter().find(|(name, _)| *name == case.name).map(|(_, compute)| *compute);
    let with_bins = case.name.strip_prefix("twohot/n").filter(|count| count.parse::<usize>().is_ok());
    let compute = known.or(with_bins.map(|_| two_hot::predictions as Compute)).ok_or("this agent does not have it")?;
    shapes::check(case)?;
    compute(case)
}

/// The names of the cases that a file has inputs of.
pub fn names(tensors: &Tensors) -> Vec<String> {
    let mut names: Vec<String> =
        tensors.keys().filter_map(|name| Some(name.split_once("/in/")?.0.to_owned())).collect();
    names.dedup();
    names
}
