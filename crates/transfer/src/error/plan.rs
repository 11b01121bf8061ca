//! Errors of a plan: its text, its sources' names, and what it says.

use std::path::PathBuf;

/// A plan that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("cannot read the plan {path}: {}", wording::of_system(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is far larger than any plan.
    #[error("{path} is larger than {limit} bytes, so it cannot be a plan")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size that is read.
        limit: u64,
    },
    /// Neither a preset nor a file.
    #[error(
        "{typed:?} is neither a built-in plan nor an existing file{} `dreamgraft transfer plan --help` lists the built-in plans",
        wording::did_you_mean(nearest)
    )]
    Unknown {
        /// The text as typed.
        typed: PathBuf,
        /// The preset most like it.
        nearest: &'static str,
    },
    /// The text is not TOML.
    #[error("{place} is not valid TOML: {why}")]
    Syntax {
        /// File and line.
        place: String,
        /// The parser's reason, on one line.
        why: String,
    },
    /// Another version of the format.
    #[error(
        "{plan} has format = {found}, but this program reads format = {ours}; a newer version of dreamgraft may have written it"
    )]
    Format {
        /// The plan.
        plan: String,
        /// The format of the plan.
        found: String,
        /// The format that this program reads.
        ours: u32,
    },
    /// A key that does not exist, is missing, or has a value of the wrong kind.
    #[error("{key} in {place}: {why}")]
    Key {
        /// The key's path, such as `rule 2, take`.
        key: String,
        /// File and line.
        place: String,
        /// The problem and the allowed values.
        why: String,
    },
    /// A value out of range.
    #[error("{key} = {value} in {place} is out of range: it must be {range}")]
    Range {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// The rule, or the plan.
        place: String,
        /// The allowed values.
        range: String,
    },
    /// Keys that contradict each other.
    #[error("{place}: {why}")]
    Contradiction {
        /// The rule, or the plan.
        place: String,
        /// The contradiction and the next step.
        why: String,
    },
    /// A source that the plan does not have.
    #[error("{place} names the source {name:?}, but the plan has {known}")]
    UnknownSource {
        /// The rule.
        place: String,
        /// The name.
        name: String,
        /// The names of the plan's sources, as text.
        known: String,
    },
    /// A rule that names no source where there is not exactly one.
    #[error(
        "{place} does not name a source, and the plan has {known}; add `source = \"NAME\"` to the rule, or give the \
         plan exactly one source"
    )]
    WhichSource {
        /// The rule.
        place: String,
        /// The names of the plan's sources, as text.
        known: String,
    },
    /// A rule whose source is still to be chosen.
    #[error("the source of {place} is chosen only when a run begins; `dreamgraft transfer plan` shows the choice")]
    Open {
        /// The rule.
        place: String,
    },
    /// A source that no rule uses.
    #[error("no rule of {plan} uses the source {name:?}; remove the source, or name it in a rule")]
    UnusedSource {
        /// The plan.
        plan: String,
        /// The source.
        name: String,
    },
    /// No rule transfers anything.
    #[error(
        "no rule of {plan} transfers anything: `take` is \"random\" in all of them; give a rule another `take`, or leave out the plan and its sources"
    )]
    TakesNothing {
        /// The plan.
        plan: String,
    },
    /// A name given to two sources.
    #[error("{plan} already has a source {name:?}; choose another name")]
    DoubleSource {
        /// The plan.
        plan: String,
        /// The source.
        name: String,
    },
    /// A fraction for a plan without fractions.
    #[error("{plan} does not have a rule with a fraction; remove the fraction, or choose another plan")]
    NoFraction {
        /// The plan.
        plan: String,
    },
}
