//! Errors of a transfer, each with its place and the next step.
//!
//! Here: a transfer that cannot be done, and a parameter that does not fit. In `plan` and `source`: what can be wrong with these alone.

mod plan;
mod source;

use std::path::PathBuf;

pub use plan::PlanError;
pub use source::{SourceError, UNNAMED_SOURCE};

/// A parameter that is missing in a source, or has another shape or meaning there.
#[derive(Debug, thiserror::Error)]
#[error(
    "{place} transfers {parameter} {shape} ({take}), but it does not match {given} of the source {source_name:?}: \
     {why}. {advice}"
)]
pub struct MisfitError {
    /// The target's parameter, or rows of it.
    pub parameter: String,
    /// Its shape.
    pub shape: String,
    /// The fraction that the rule transfers.
    pub take: String,
    /// The parameter of the source with its shape, or the missing parameter.
    pub given: String,
    /// The source.
    pub source_name: String,
    /// The rule.
    pub place: String,
    /// The difference.
    pub why: String,
    /// The next step.
    pub advice: String,
}

/// A transfer that cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The target's configuration.
    #[error(transparent)]
    Agent(#[from] dreamer::DreamerError),
    /// A pattern that no parameter of the target matches.
    #[error(
        "{place}: {pattern:?} does not match any parameter of the target; the nearest is {nearest}; correct the \
         pattern, or add `optional = true` if some targets do not have this parameter"
    )]
    NothingMatched {
        /// The rule.
        place: String,
        /// The pattern.
        pattern: String,
        /// The path most like it.
        nearest: String,
    },
    /// A pattern whose parameters are all under earlier rules.
    #[error(
        "{place}: {pattern:?} has no parameters left: {above} already matches {parameter} and all others; {}",
        if *by_meta_model { "remove this pattern" } else { "remove this pattern, or move it above that rule" }
    )]
    Shadowed {
        /// The rule.
        place: String,
        /// The pattern.
        pattern: String,
        /// One of the parameters.
        parameter: String,
        /// The rule that matches it.
        above: String,
        /// Whether that is one of the plan's meta-model.
        by_meta_model: bool,
    },
    /// Two rules that match the same parameter.
    #[error(
        "both {above} and {place} match {parameter} {shape}; {}",
        if *by_meta_model {
            "the meta-model has rules of its own for its sources: remove this pattern"
        } else {
            "make the patterns exclude each other, or add `rest = true` to the second rule if it is for the remaining parameters"
        }
    )]
    Overlap {
        /// The parameter, or rows of it.
        parameter: String,
        /// Its shape.
        shape: String,
        /// The first rule.
        above: String,
        /// The second rule.
        place: String,
        /// Whether the first one is one of the plan's meta-model.
        by_meta_model: bool,
    },
    /// Parameters that no rule matches.
    #[error(
        "no rule of {plan} matches {parameters}; every parameter needs a rule, at least one with `take = \"random\"`"
    )]
    Unmatched {
        /// The plan.
        plan: String,
        /// The parameters with their shapes.
        parameters: String,
    },
    /// Rows that a parameter does not have.
    #[error("{place}: {parameter} {shape} does not have rows {rows:?}; {has}")]
    NoSuchRows {
        /// The rule.
        place: String,
        /// The parameter.
        parameter: String,
        /// Its shape.
        shape: String,
        /// The requested rows.
        rows: String,
        /// The rows that it has, as text.
        has: String,
    },
    /// A parameter that does not fit its source.
    #[error(transparent)]
    Misfit(Box<MisfitError>),
    /// A source from which nothing would be transferred.
    #[error("nothing would be transferred from the source {name:?}: no parameter under its rules matches ({example})")]
    NothingTransferred {
        /// The source.
        name: String,
        /// One parameter that did not fit, and why.
        example: String,
    },
    /// A rule that freezes parameters that the agent cannot freeze.
    #[error(
        "{place} freezes {parameter}, but an agent can freeze only world_model.encoder.**, as a whole; remove \
         `frozen`, or write a separate rule for the encoder"
    )]
    CannotFreeze {
        /// The rule.
        place: String,
        /// The parameter.
        parameter: String,
    },
    /// A fraction that no data can decide.
    #[error(
        "{place} fits the fraction of {parameter}, which cannot be fitted: {why}. Only the output layers of the reward, value and \
         discount models can be fitted; give a number instead: {{ fraction = 0.2 }} in the plan, or --fraction 0.2"
    )]
    CannotFit {
        /// The rule.
        place: String,
        /// The parameter.
        parameter: String,
        /// The reason.
        why: String,
    },
    /// No episodes to fit fractions to.
    #[error("{plan} fits a fraction to the target's first episodes, but there are none; give the fraction as a number")]
    NothingToFit {
        /// The plan.
        plan: String,
    },
    /// Only a part of the encoder is frozen.
    #[error(
        "{frozen} freezes part of the encoder, but {place} does not freeze {parameter}; freeze the whole encoder or \
         nothing"
    )]
    PartlyFrozen {
        /// The rule that freezes.
        frozen: String,
        /// A parameter of the encoder under another rule.
        parameter: String,
        /// That rule.
        place: String,
    },
    /// A frozen parameter that would stay random.
    #[error(
        "{parameter} is frozen, so it would keep its random values ({place}{why}); transfer it, or do not freeze it"
    )]
    FrozenRandom {
        /// The parameter.
        parameter: String,
        /// The rule.
        place: String,
        /// Why it stays random, or nothing.
        why: String,
    },
    /// The target was not made for the plan.
    #[error("the target was not created for {plan}: {why}; create it with `target_config`")]
    Target {
        /// The plan.
        plan: String,
        /// The difference.
        why: String,
    },
    /// A configuration that already asks for other reward models.
    #[error("both the configuration and {plan} set agent.reward_sources; remove it from the configuration")]
    DoubleMetaModel {
        /// The plan.
        plan: String,
    },
    /// A source of a reward meta-model with another latent state.
    #[error(
        "{place}: the reward model of {name:?} reads a latent state with stoch {theirs_stoch} and deter \
         {theirs_deter}, but the target has stoch {stoch} and deter {deter}; use a source with the same sizes as the \
         target"
    )]
    OtherFeature {
        /// The plan's section.
        place: String,
        /// The source.
        name: String,
        /// The source's size of the stochastic state.
        theirs_stoch: usize,
        /// The source's size of the deterministic state.
        theirs_deter: usize,
        /// The target's size of the stochastic state.
        stoch: usize,
        /// The target's size of the deterministic state.
        deter: usize,
    },
    /// A source whose layers compute something else than those of the target, with parameters of the same shapes.
    #[error(
        "source \"{name}\" ({place}): it has {key} = {theirs}, but the target has {ours}, so the same parameters would compute \
         something else; give the target the same setting (--set '{key}={theirs}'), or use another source"
    )]
    OtherLayers {
        /// The plan's section.
        place: String,
        /// The source.
        name: String,
        /// The setting.
        key: &'static str,
        /// The source's value, as it is typed.
        theirs: String,
        /// The target's value.
        ours: String,
    },
    /// A source of a reward meta-model with another encoder.
    #[error(
        "{place}: the source {name:?} does not share the target's encoder ({why}), so its reward model was trained on \
         other features; use sources that were trained with the universal encoder, or set `any_encoder = true` \
         (--any-encoder)"
    )]
    OtherEncoder {
        /// The plan's section.
        place: String,
        /// The source.
        name: String,
        /// The difference.
        why: String,
    },
    /// A meta-model whose encoder will drift away from its sources'.
    #[error(
        "{place}: the target's encoder is not frozen, so its features would drift away from those that the sources \
         were trained on; add `frozen = true` to the encoder's rule, or set `any_encoder = true`"
    )]
    LooseEncoder {
        /// The plan's section.
        place: String,
    },
    /// A soup of agents that do not descend from one.
    #[error(
        "{place} makes a soup of agents without a common origin: {parameter} of {} and of {} does not descend \
         from one agent ({}: {}; {}: {}), so the mean would be meaningless; make a soup of agents that started from one agent \
         in full, for example with --plan fine-tune, or only of the layers that they copied from it",
        .sources[0].0, .sources[1].0, .sources[0].0, .sources[0].1, .sources[1].0, .sources[1].1
    )]
    Strangers {
        /// The rule.
        place: String,
        /// The parameter.
        parameter: String,
        /// Two sources by name, and how the parameter of each began.
        sources: Box<[(String, String); 2]>,
    },
    /// A number too large for the agent's precision.
    #[error(
        "{parameter} would become infinite or NaN under {place}, because the numbers of its source are too large to add"
    )]
    NotFinite {
        /// The parameter.
        parameter: String,
        /// The rule.
        place: String,
    },
    /// A target that is not a new agent.
    #[error("the target has taken {updates} gradient steps, but parameters can only be transferred to a new agent")]
    AlreadyLearned {
        /// Its gradient steps.
        updates: u64,
    },
    /// The target is not the one that was resolved.
    #[error("{parameter} changed after the transfer was resolved; resolve it again for this target")]
    OtherTarget {
        /// The first parameter that differs.
        parameter: String,
    },
    /// A record that cannot be written or read.
    #[error("{path}: {source}")]
    Record {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}
