//! A rule of a plan: the parameters that it covers, how much of them it transfers, and from which sources.
//!
//! Here: its text as it is meant, with the checks that need nothing else. Not here: the plan around it, and the
//! parameters that it matches (`matching`).

use crate::document::{Misfit, OneOrMany, RuleText, Take};
use crate::error::PlanError;
use crate::fraction::Fraction;
use crate::pattern::Pattern;
use crate::rows::RowInput;
use std::collections::BTreeMap;

/// A rule of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The parameters it is about: those that any of these matches.
    pub patterns: Vec<Pattern>,
    /// Only the rows that read these; empty for all rows.
    pub rows: Vec<RowInput>,
    /// Whether it matches only the parameters that earlier rules left, instead of everything that its patterns match.
    pub rest: bool,
    /// Whether its patterns may match nothing.
    pub optional: bool,
    /// How much is transferred.
    pub take: Take,
    /// From which sources.
    pub sources: RuleSources,
    /// The treatment of parameters that do not match.
    pub misfit: Misfit,
    /// Whether its parameters are never learned.
    pub frozen: bool,
    pub(super) line: Option<usize>,
}

impl Rule {
    /// The rule as it acts on an agent whose parameters have these paths: an optional rule without the patterns that
    /// match none of them, or `None` if none is left.
    pub(super) fn acting_on(&self, paths: &[&str]) -> Option<Self> {
        let mut rule = self.clone();
        if rule.optional {
            rule.patterns.retain(|pattern| paths.iter().any(|path| pattern.matches(path)));
            rule.optional = false;
        }
        (!rule.patterns.is_empty()).then_some(rule)
    }
}

/// The sources of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleSources {
    /// The only source of the plan; of a soup, all sources of the plan with equal weights.
    Only,
    /// The mean of these, with their weights.
    Mean(BTreeMap<String, f64>),
}

pub(super) fn check_fraction(key: &str, fraction: Fraction, place: &str) -> Result<(), PlanError> {
    if fraction.is_in_range() {
        return Ok(());
    }
    let (value, range) = (fraction.to_string(), "a number from 0 to 1".to_owned());
    Err(PlanError::Range { key: key.to_owned(), value, place: place.to_owned(), range })
}

/// Checks and converts the text of a rule.
pub(super) fn meaning(text: RuleText, line: Option<usize>, place: &str) -> Result<Rule, PlanError> {
    let contradiction = |why: &str| Err(PlanError::Contradiction { place: place.to_owned(), why: why.to_owned() });
    if let Take::Fraction(fraction) = text.take {
        check_fraction("take.fraction", fraction, place)?;
    }
    if let Take::Interpolate(weight) = text.take {
        check_fraction("take.interpolate", Fraction::Of(weight), place)?;
    }
    if text.take == Take::Random {
        if text.source.is_some() || text.sources.is_some() {
            return contradiction("it transfers nothing (`take = \"random\"`) but names a source; remove one of them");
        }
        if text.misfit == Misfit::Random {
            return contradiction(
                "it transfers nothing (`take = \"random\"`), so `misfit` has no effect; remove `misfit`",
            );
        }
        if text.frozen {
            return contradiction(
                "its parameters would be frozen at random values; use another `take`, or remove `frozen`",
            );
        }
    }
    let sources = match (text.source, text.sources) {
        (None, None) => RuleSources::Only,
        (Some(name), None) => RuleSources::Mean(BTreeMap::from([(name, 1.0)])),
        (Some(_), Some(_)) => return contradiction("it has both `source` and `sources`; remove one of them"),
        (None, Some(weights)) if weights.is_empty() => return contradiction("`sources` is empty; name at least one"),
        (None, Some(weights)) => RuleSources::Mean(weights),
    };
    if let RuleSources::Mean(weights) = &sources {
        // Within these bounds no sum of weights is infinite or loses its small ones to rounding.
        let outside = |weight: &f64| !(1e-6..=1e6).contains(weight);
        if let Some((name, weight)) = weights.iter().find(|(_, weight)| outside(weight)) {
            let range = "a number from 1e-6 to 1e6 (remove a source with weight 0)".to_owned();
            let (key, value) = (format!("sources.{name}"), weight.to_string());
            return Err(PlanError::Range { key, value, place: place.to_owned(), range });
        }
    }
    Ok(Rule {
        patterns: text.patterns.0,
        rows: text.rows.0,
        rest: text.rest,
        optional: text.optional,
        take: text.take,
        sources,
        misfit: text.misfit,
        frozen: text.frozen,
        line,
    })
}

/// The text of a rule.
pub(super) fn text(rule: &Rule) -> RuleText {
    let (source, sources) = match &rule.sources {
        RuleSources::Only => (None, None),
        RuleSources::Mean(weights) => match weights.keys().next() {
            Some(only) if weights.len() == 1 => (Some(only.clone()), None),
            _ => (None, Some(weights.clone())),
        },
    };
    RuleText {
        patterns: OneOrMany(rule.patterns.clone()),
        rows: OneOrMany(rule.rows.clone()),
        optional: rule.optional,
        rest: rule.rest,
        take: rule.take,
        source,
        sources,
        misfit: rule.misfit,
        frozen: rule.frozen,
    }
}
