//! The losses of a gradient step, each written once.
//!
//! The functions in `world_model`, `barlow`, `behaviour` and `replay_value` record losses as [`Terms`] on a tape: which recorded
//! value counts, with which weight, under which metric. Two runners call them. The CPU's (`crate::shard`) computes as
//! it records, and seeds its walk back with the terms; the device's (`crate::device`) records without computing, and
//! plans sums and seeds from the same terms. Not here: the networks, and how either runner provides their inputs.

pub(crate) mod barlow;
pub(crate) mod behaviour;
mod formula;
pub(crate) mod replay_value;
mod terms;
mod weighing;
pub(crate) mod world_model;

pub(crate) use formula::LossFormula;
pub(crate) use terms::Terms;
