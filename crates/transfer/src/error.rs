//! What can be wrong with a plan, a source, or a transfer, each with its place and the next step.

use std::path::PathBuf;

/// A plan that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("cannot read the plan {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is far larger than any plan.
    #[error("{path} is larger than {limit} bytes: it is no plan")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size that is read.
        limit: u64,
    },
    /// Neither a preset nor a file.
    #[error("{typed:?} is neither a preset nor a file; the nearest preset is {nearest:?}")]
    Unknown {
        /// What was typed.
        typed: String,
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
    #[error("{origin} has format {found}, and this program reads format = {ours}")]
    Format {
        /// The plan.
        origin: String,
        /// What it says.
        found: String,
        /// What is read.
        ours: u32,
    },
    /// A key that does not exist, is missing, or has a value of the wrong kind.
    #[error("{key} in {place}: {why}")]
    Key {
        /// The key's path, such as `rule[2].take`.
        key: String,
        /// File and line.
        place: String,
        /// What is wrong, and what is allowed.
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
        /// What it may be.
        range: String,
    },
    /// Keys that contradict each other.
    #[error("{place}: {why}")]
    Contradiction {
        /// The rule, or the plan.
        place: String,
        /// What contradicts, and what to do.
        why: String,
    },
    /// A source that the plan does not have.
    #[error("{place} takes from the source {name:?}, and the plan has {known}")]
    UnknownSource {
        /// The rule.
        place: String,
        /// The name.
        name: String,
        /// The names it has, in words.
        known: String,
    },
    /// A rule that names no source where there is not exactly one.
    #[error(
        "{place} names no source, and the plan has {known}; give the rule `source = \"NAME\"`, or the plan one source"
    )]
    WhichSource {
        /// The rule.
        place: String,
        /// The names the plan has, in words.
        known: String,
    },
    /// A source that nothing takes from.
    #[error("no rule of {origin} takes from its source {name:?}; remove it, or name it in a rule")]
    UnusedSource {
        /// The plan.
        origin: String,
        /// The source.
        name: String,
    },
    /// A name given to two sources.
    #[error("{origin} has a source {name:?} already; choose another name")]
    DoubleSource {
        /// The plan.
        origin: String,
        /// The source.
        name: String,
    },
    /// A fraction was asked of a plan without any.
    #[error(
        "{origin} has no rule with a fraction, so there is none to change; leave the fraction out, or choose another plan"
    )]
    NoFraction {
        /// The plan.
        origin: String,
    },
}

/// A source that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A path that leads to no agent.
    #[error("the source {name:?}: {path} {why}")]
    NotFound {
        /// The source's name.
        name: String,
        /// The path.
        path: PathBuf,
        /// What it is instead, and what to do.
        why: String,
    },
    /// A file that cannot be read.
    #[error("the source {name:?}: cannot read {path}: {source}")]
    Read {
        /// The source's name.
        name: String,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file that is not what was written.
    #[error("the source {name:?}: {path} {why}")]
    Damaged {
        /// The source's name.
        name: String,
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// Another checkpoint than the one that the plan was made for.
    #[error(
        "the source {name:?}: {path} has the SHA-256 {found}, and the plan says {expected}; give the checkpoint it was \
         made for, or remove sha256 from the plan"
    )]
    Checksum {
        /// The source's name.
        name: String,
        /// The file.
        path: PathBuf,
        /// Its checksum.
        found: String,
        /// The plan's.
        expected: String,
    },
    /// An agent that has not learned yet: all its parameters are random.
    #[error(
        "the source {name:?}: {path} has not learned yet (0 gradient steps), so there is nothing to take; let it train longer"
    )]
    Untrained {
        /// The source's name.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// The agent's file cannot be read as an agent.
    #[error("the source {name:?}: {source}")]
    Agent {
        /// The source's name.
        name: String,
        /// The agent's reason.
        source: dreamer::DreamerError,
    },
}

/// A parameter that is missing in a source, or has another shape or meaning there.
#[derive(Debug, thiserror::Error)]
#[error(
    "{parameter} {shape} does not fit {given} of the source {source_name:?}, from which {place} takes it ({take}): {why}. \
     {advice}"
)]
pub struct MisfitError {
    /// The target's parameter, or rows of it.
    pub parameter: String,
    /// Its shape.
    pub shape: String,
    /// How much was to be taken.
    pub take: String,
    /// The source's parameter with its shape, or what is missing.
    pub given: String,
    /// The source.
    pub source_name: String,
    /// The rule.
    pub place: String,
    /// What differs.
    pub why: String,
    /// What to do.
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
        "{place}: {pattern:?} matches no parameter of the target; the nearest is {nearest}; correct the pattern, or say \
         `optional = true` if some targets have no such parameter"
    )]
    NothingMatched {
        /// The rule.
        place: String,
        /// The pattern.
        pattern: String,
        /// The path most like it.
        nearest: String,
    },
    /// A pattern whose parameters were all taken above.
    #[error(
        "{place}: {pattern:?} finds nothing left: {parameter} and all others it matches are matched by {above}; remove it, or put it above"
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
    },
    /// Two rules that match the same parameter.
    #[error(
        "{parameter} {shape} is matched by both {above} and {place}; make the patterns exclude each other, or give the \
         second `rest = true` if it is for what the rules above it leave"
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
    },
    /// Parameters that no rule matches.
    #[error("no rule of {origin} matches {parameters}; every parameter needs one, if only `take = \"random\"`")]
    Unmatched {
        /// The plan.
        origin: String,
        /// The parameters with their shapes.
        parameters: String,
    },
    /// Rows that a parameter does not have.
    #[error("{place}: {parameter} {shape} has no rows for {rows:?}; {has}")]
    NoSuchRows {
        /// The rule.
        place: String,
        /// The parameter.
        parameter: String,
        /// Its shape.
        shape: String,
        /// The rows asked for.
        rows: String,
        /// What rows it has, in words.
        has: String,
    },
    /// A parameter that does not fit its source.
    #[error(transparent)]
    Misfit(Box<MisfitError>),
    /// A source of which nothing was taken.
    #[error("nothing is taken from the source {name:?}: no parameter that a rule would take from it fits ({example})")]
    NothingTaken {
        /// The source.
        name: String,
        /// One parameter that did not fit, and why.
        example: String,
    },
    /// A rule that freezes what the agent cannot freeze.
    #[error(
        "{place} freezes {parameter}, which the agent cannot freeze: it can freeze world_model.encoder.** as a whole; \
         remove `frozen` or make a rule of its own for the encoder"
    )]
    CannotFreeze {
        /// The rule.
        place: String,
        /// The parameter.
        parameter: String,
    },
    /// Only a part of the encoder is frozen.
    #[error(
        "{frozen} freezes part of the encoder, and {parameter} is under {place}, which does not; the encoder is frozen whole or not at all"
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
        "{parameter} is frozen and would keep random values for ever ({place}{why}); transfer it, or do not freeze it"
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
    #[error("the target was not made for {origin}: {why}; make it with `target_config`")]
    Target {
        /// The plan.
        origin: String,
        /// What differs.
        why: String,
    },
    /// A configuration that already asks for other reward models.
    #[error("agent.reward_sources is set, and {origin} sets it too; leave it out of the configuration")]
    DoubleMetaModel {
        /// The plan.
        origin: String,
    },
    /// A source of a reward meta-model with another latent state.
    #[error(
        "{place}: the reward model of {name:?} reads a latent state of stoch {theirs_stoch} and deter {theirs_deter}, the \
         target's has stoch {stoch} and deter {deter}; use a source of the target's sizes"
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
    /// A source of a reward meta-model with another encoder.
    #[error(
        "{place}: the source {name:?} does not share the target's encoder ({why}), so its reward model was trained on \
         other features; use sources that were trained with the universal encoder, or say \
         `any_encoder = true` (--any-encoder)"
    )]
    OtherEncoder {
        /// The plan's section.
        place: String,
        /// The source.
        name: String,
        /// What differs.
        why: String,
    },
    /// A meta-model whose encoder will drift away from its sources'.
    #[error(
        "{place}: the target's encoder is not frozen, so its features would drift away from those the sources were trained \
         on; give the encoder's rule `frozen = true`, or say `any_encoder = true`"
    )]
    LooseEncoder {
        /// The plan's section.
        place: String,
    },
    /// A number too large for the agent's precision.
    #[error(
        "{parameter} would hold numbers that are not finite under {place}; its source holds numbers too large to add"
    )]
    NotFinite {
        /// The parameter.
        parameter: String,
        /// The rule.
        place: String,
    },
    /// A target that is no new agent.
    #[error(
        "the target has taken {updates} gradient steps: parameters are grafted onto new agents, whose optimisers are fresh"
    )]
    AlreadyLearned {
        /// Its gradient steps.
        updates: u64,
    },
    /// The target is not the one that was resolved.
    #[error("{parameter} is not as it was when the transfer was resolved; resolve it again for this target")]
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
