//! Transfer between agents, described by plans.
//!
//! A [`Plan`] describes which parameters a new agent receives from which earlier agents, and which fraction of them.
//! [`Sources`] are these earlier agents. [`target_config`] gives the configuration of the new agent. [`resolve`]
//! computes the new value of every parameter, or an error, before anything is changed. [`Resolved::apply`] grafts, and
//! [`Report`] describes the result. [`graft`] does all of this.
//!
//! ```no_run
//! use transfer::{Plan, Sources, graft};
//! # fn main() -> Result<(), transfer::TransferError> {
//! let mut plan = Plan::find("paper")?;
//! plan.add_source("source", "runs/hopper+ant".as_ref())?;
//! plan.set_fraction(0.3)?;
//! let sources = Sources::open(&plan)?;
//! let grafted = graft(&plan, &dreamer::AgentConfig::default(), 6, 0, &sources)?;
//! println!("{}", grafted.report);
//! # Ok(())
//! # }
//! ```
//!
//! A plan can also be written in code:
//!
//! ```
//! use transfer::Plan;
//! let text = r#"
//!     format = 1
//!     [[rule]]
//!     match = "world_model.**"
//!     take = "full"
//!     [[rule]]
//!     match = "**"
//!     rest = true
//!     take = "random"
//! "#;
//! let mut plan = Plan::parse(text, "my plan")?;
//! plan.add_source("source", "runs/hopper/small/0".as_ref())?;
//! assert_eq!(plan.rules().len(), 2);
//! assert_eq!(Plan::parse(&plan.to_toml(), "again")?.rules().len(), 2);
//! # Ok::<(), transfer::PlanError>(())
//! ```
//!
//! A rule has four forms on its way: as text (`document::RuleText`), checked ([`Rule`]), with its sources found and next to the rules
//! that a meta-model stands for (`matching::Effective`), and in the report ([`report::RuleReport`]).
//!
//! The agent does not know that transfer exists. Not here: training, and the command line.

pub mod arithmetic;
mod choice;
mod description;
mod document;
mod error;
mod fit;
mod fittable;
mod fraction;
mod fraction_fit;
mod graft;
mod lineage;
mod locate;
mod matching;
mod meta_model;
mod mixture;
mod pattern;
mod plain;
mod plan;
mod preset;
pub mod rank;
mod record;
pub mod report;
mod resolve;
mod rows;
mod source;
mod table;

pub use choice::{Candidate, Choice, ChoiceReport, ChooseBy, Standing};
pub use document::{FORMAT, MetaModelPredictions, MetaModelStart, Misfit, Take, counted_from_one};
pub use error::{MisfitError, PlanError, SourceError, TransferError, UNNAMED_SOURCE};
pub use fraction::{Fraction, NotAFraction};
pub use fraction_fit::fit_fractions;
pub use graft::{Grafted, graft, new_target};
pub use meta_model::{InputUse, input_use, target_config};
pub use pattern::Pattern;
pub use plain::plain;
pub use plan::{LONGEST_SOURCE_NAME, MOST_SOURCES, MetaModel, Plan, Rule, RuleSources, SourceRef};
pub use preset::Preset;
pub use record::{decode_report, is_record, read_report, write_record, write_report};
pub use report::Report;
pub use resolve::{Resolved, resolve};
pub use rows::{RowInput, rows_of};
pub use source::{Source, SourceProvenance, Sources, sha256_of};
