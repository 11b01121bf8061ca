//! The report of a transfer: every parameter with its source and rule, for people, other programs, and the run folder.
//!
//! Here: the report as data. Not here: its tables (`table`) and its files (`record`).

use crate::arithmetic::norm;
use crate::choice::ChoiceReport;
use crate::document::{MetaModelPredictions, MetaModelStart, Take};
use crate::fraction::Fraction;
use crate::rows::RowInput;
use crate::source::SourceProvenance;
use dreamer::Learner;
use serde::{Deserialize, Serialize};
use tape::Real;

/// Version of the report's format: another one is not read.
pub const REPORT_FORMAT: u32 = 1;

/// A transfer, parameter by parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`REPORT_FORMAT`].
    pub format: u32,
    /// Version of the program that made it.
    pub dreamgraft: String,
    /// The origin of the plan.
    pub plan: String,
    /// The description in the plan.
    pub description: String,
    /// The agent that was made.
    pub target: TargetReport,
    /// The origin of its parameters.
    pub sources: Vec<SourceReport>,
    /// The rules, in the order in which they were read.
    pub rules: Vec<RuleReport>,
    /// Every parameter of the target, or rows of it, in the agent's order.
    pub parts: Vec<PartReport>,
    /// The totals.
    pub totals: Totals,
    /// The reward meta-model, if the plan makes one.
    pub meta_model: Option<MetaModelReport>,
    /// The fractions that were fitted; empty before the random episodes, and if the plan fits none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fractions: Vec<FittedFraction>,
    /// How one of several sources was chosen, if the plan left it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<ChoiceReport>,
}

/// The agent that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetReport {
    /// Elements of its actions.
    pub action_size: usize,
    /// Its parameters.
    pub parameters: usize,
    /// The numbers in them.
    pub numbers: usize,
    /// Whether its encoder is frozen.
    pub frozen_encoder: bool,
}

/// An agent that was a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// Its name in the plan.
    pub name: String,
    /// Elements of its actions.
    pub action_size: usize,
    /// Its origin.
    #[serde(flatten)]
    pub provenance: SourceProvenance,
}

/// A rule and how much of the target it was about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleReport {
    /// Which one, and where it stands.
    pub place: String,
    /// Its patterns.
    #[serde(rename = "match")]
    pub patterns: Vec<String>,
    /// The rows it is about; empty for all.
    pub rows: Vec<RowInput>,
    /// How much is transferred.
    pub take: Take,
    /// Whether it freezes.
    pub frozen: bool,
    /// How many parameters, or rows of one, are under it.
    pub parts: usize,
    /// How many numbers these hold.
    pub numbers: usize,
    /// How many of them stayed random because their source did not fit.
    pub misfits: usize,
}

/// A parameter, or rows of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartReport {
    /// The parameter's path in the target.
    pub path: String,
    /// The rows, if it is not the whole parameter.
    pub rows: Option<RowsReport>,
    /// The shape of the parameter, or of the rows.
    pub shape: Vec<usize>,
    /// The rule's place in [`Report::rules`], from 0.
    pub rule: usize,
    /// How much was transferred; random if a source did not match.
    pub take: Take,
    /// The sources; empty if nothing was transferred.
    pub from: Vec<GivenReport>,
    /// Whether it is never learned.
    pub frozen: bool,
    /// The Euclidean norm of its random start.
    pub norm_before: f64,
    /// The Euclidean norm of the new values.
    pub norm_after: f64,
    /// Why nothing was transferred despite the rule.
    pub note: Option<String>,
}

/// Some rows of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsReport {
    /// The input that they read.
    pub reads: RowInput,
    /// The first of them.
    pub first: usize,
    /// The one after the last of them.
    pub end: usize,
}

/// The contribution of one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GivenReport {
    /// The source's name.
    pub source: String,
    /// The parameter's path in the source.
    pub path: String,
    /// Its shape, or that of its rows.
    pub shape: Vec<usize>,
    /// Its share of the mean, from 0 to 1.
    pub share: f64,
}

/// A fraction that was fitted to the target's first episodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedFraction {
    /// The head whose output layer it is of: `reward`, `value` or `discount`.
    pub head: String,
    /// The rule's place in [`Report::rules`], from 0.
    pub rule: usize,
    /// The episodes that it was fitted to.
    pub episodes: usize,
    /// The states in them.
    pub states: usize,
    /// The error of the random start alone: the mean squared error of the head's prediction, but for the best constant that could be
    /// added to it, or, of the discount head, its negative log-likelihood.
    pub error_of_random: f64,
    /// The error with the fractions.
    pub error: f64,
    /// The fraction of each source; their sum is at most 1.
    pub sources: Vec<SourceFraction>,
}

impl FittedFraction {
    /// Whether the best fractions were not used because their improvement could be chance.
    pub fn is_chance(&self) -> bool {
        self.sources.iter().any(|source| source.fraction != source.best)
    }
}

/// The fraction of one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceFraction {
    /// The source's name.
    pub source: String,
    /// Its fraction, from 0 to 1.
    pub fraction: f64,
    /// The fraction with the least error. If the improvement could be chance, `fraction` is 0 all the same.
    pub best: f64,
    /// The error with fractions of 0, 0.1, ..., 1 of this source alone.
    pub errors: [f64; 11],
}

/// The totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Copied from a source.
    pub full: Count,
    /// Random values plus a fraction of the source's values.
    pub fraction: Count,
    /// Weighted means of random values and the source's; none in reports of earlier versions.
    #[serde(default)]
    pub interpolated: Count,
    /// Means of several sources that descend from one agent; 0 in reports of earlier versions.
    #[serde(default)]
    pub soup: Count,
    /// Random values.
    pub random: Count,
    /// The frozen part of all of these.
    pub frozen: Count,
}

/// How much of an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Parameters, or rows of one.
    pub parts: usize,
    /// The numbers in them.
    pub numbers: usize,
}

impl Count {
    pub(crate) fn add(&mut self, numbers: usize) {
        self.parts += 1;
        self.numbers += numbers;
    }
}

/// A reward meta-model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetaModelReport {
    /// The sources whose reward models it reads, in the order of its inputs.
    pub sources: Vec<String>,
    /// Its hidden layers.
    pub layers: usize,
    /// Whether sources may have other encoders than the target.
    pub any_encoder: bool,
    /// How its weights for the sources' predictions started; random in earlier versions.
    #[serde(default)]
    pub start: MetaModelStart,
    /// How it reads the sources' predictions; as they are in earlier versions.
    #[serde(default)]
    pub predictions: MetaModelPredictions,
    /// Weight of the L1 norm of its weights for them; 0 in earlier versions.
    #[serde(default)]
    pub l1: f64,
}

impl MetaModelReport {
    /// How it reads its sources, if not as published: `, silent at first, L1 0.003`.
    pub fn how(&self) -> String {
        let mut how = String::new();
        if self.start == MetaModelStart::Silent {
            how.push_str(", silent at first");
        }
        if self.predictions == MetaModelPredictions::Standardised {
            how.push_str(", predictions standardised on the random episodes");
        }
        if self.l1 > 0.0 {
            how.push_str(&format!(", L1 {}", self.l1));
        }
        how
    }
}

impl Report {
    /// Notes about sources that were trained on one of the target's own `tasks`. This is allowed, but the target's gain
    /// is then not a gain from other tasks.
    pub fn own_tasks(&self, tasks: &[String]) -> Vec<String> {
        let own = |source: &SourceReport| -> Vec<String> {
            source.provenance.tasks.iter().filter(|task| tasks.contains(task)).cloned().collect()
        };
        let found = self.sources.iter().map(|source| (source, own(source))).filter(|(_, own)| !own.is_empty());
        found
            .map(|(source, own)| {
                format!("{} was trained on {}, which this run also learns", source.name, own.join(", "))
            })
            .collect()
    }

    /// The origins of the sources, by name, and the candidates that were not chosen.
    pub fn provenances(&self) -> impl Iterator<Item = (&str, &SourceProvenance)> {
        let candidates = self.choice.iter().flat_map(|choice| &choice.candidates);
        let others = candidates.filter(|one| !self.sources.iter().any(|source| source.name == one.name));
        let sources = self.sources.iter().map(|source| (&*source.name, &source.provenance));
        sources.chain(others.map(|one| (&*one.name, &one.provenance)))
    }

    /// Whether a part's fraction is not known yet.
    pub(crate) fn is_still_to_be_fitted(&self, part: &PartReport) -> bool {
        part.take == Take::Fraction(Fraction::Fit) && !self.fractions.iter().any(|fitted| fitted.rule == part.rule)
    }

    /// Whether fractions are fitted to the target's first episodes.
    pub fn fits(&self) -> bool {
        self.parts.iter().any(|part| part.take == Take::Fraction(Fraction::Fit))
    }

    /// Writes down the norms of the layers that were fitted.
    pub(crate) fn note_fitted<F: Real>(&mut self, target: &Learner<F>) {
        for part in self.parts.iter_mut().filter(|part| part.take == Take::Fraction(Fraction::Fit)) {
            let parameter = target.parameters().find(&part.path).expect("the report is of this target");
            part.norm_after = norm(target.parameters().values(parameter));
        }
    }

    /// The report as JSON, indented.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data")
    }
}
