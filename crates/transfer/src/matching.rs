//! Which rule is about which parameter: every one has exactly one, or the plan is refused.
//!
//! Rules are read from the top. Everything that a rule matches must be unmatched so far, unless the rule has `rest`:
//! then it matches only the parameters that earlier rules left. So no parameter is under a rule that was not meant for
//! it, and the order of rules without `rest` does not matter. Not here: whether sources fit.

use crate::document::{Misfit, Take};
use crate::error::{PlanError, TransferError};
use crate::pattern::Pattern;
use crate::plan::Plan;
use crate::rows::{RowInput, rows_of};
use dreamer::Learner;
use dreamer::networks::RewardHead;
use std::ops::Range;
use tape::{Parameter, Parameters, Real};

/// A rule with its sources found: one of the plan's, or one that the plan's meta-model stands for.
pub(crate) struct Effective {
    pub place: String,
    pub patterns: Vec<Pattern>,
    pub rows: Vec<RowInput>,
    pub rest: bool,
    pub optional: bool,
    pub take: Take,
    pub misfit: Misfit,
    pub frozen: bool,
    /// Sources with their weights; empty if nothing is transferred.
    pub sources: Vec<(String, f64)>,
    /// Prefixes of the target's paths, and the prefixes in the source; the first match counts.
    pub moved: Vec<(String, String)>,
}

impl Effective {
    /// The source's path of a target's parameter.
    pub fn source_path(&self, path: &str) -> String {
        let mut moved = self.moved.iter().filter_map(|(to, from)| Some(format!("{from}{}", path.strip_prefix(to)?)));
        moved.next().unwrap_or_else(|| path.to_owned())
    }
}

/// Every rule of a plan: first those that its meta-model stands for, then its own.
pub(crate) fn effective_rules(plan: &Plan) -> Result<Vec<Effective>, PlanError> {
    plan.check_sources()?;
    let mut rules = Vec::new();
    for (index, name) in plan.meta_model().iter().flat_map(|meta_model| &meta_model.sources).enumerate() {
        // A source that is a meta-model comes with the models that it reads.
        let paths = RewardHead::source_paths(index);
        let all = format!("{}.**", paths[1].0);
        rules.push(Effective {
            place: plan.meta_model_place(),
            patterns: vec![all.parse().expect("a pattern")],
            rows: Vec::new(),
            rest: false,
            optional: false,
            take: Take::Full,
            misfit: Misfit::Error,
            frozen: true,
            sources: vec![(name.clone(), 1.0)],
            moved: paths.map(|(here, there)| (format!("{here}."), format!("{there}."))).into(),
        });
    }
    for (index, rule) in plan.rules().iter().enumerate() {
        rules.push(Effective {
            place: plan.place(index),
            patterns: rule.patterns.clone(),
            rows: rule.rows.clone(),
            rest: rule.rest,
            optional: rule.optional,
            take: rule.take,
            misfit: rule.misfit,
            frozen: rule.frozen,
            sources: if rule.take == Take::Random { Vec::new() } else { plan.sources_of(index)? },
            moved: Vec::new(),
        });
    }
    Ok(rules)
}

/// A parameter, or rows of it, and its rule.
#[derive(Debug)]
pub(crate) struct Claim {
    pub parameter: Parameter,
    /// The input that the rows read; `None` for a whole parameter.
    pub reads: Option<RowInput>,
    /// The rows.
    pub rows: Range<usize>,
    /// The rule's place among the effective rules.
    pub rule: usize,
}

impl Claim {
    /// The parameter's path, with its rows if it is not the whole parameter.
    pub fn name<F: Real>(&self, parameters: &Parameters<F>) -> String {
        part_name(parameters.path(self.parameter), self.reads)
    }

    /// The shape of the parameter, or of its rows.
    pub fn shape<F: Real>(&self, parameters: &Parameters<F>) -> Vec<usize> {
        let mut shape = parameters.shape(self.parameter).to_vec();
        shape[0] = self.rows.len();
        shape
    }

    /// The place of its numbers among the parameter's.
    pub fn numbers<F: Real>(&self, parameters: &Parameters<F>) -> Range<usize> {
        let row: usize = parameters.shape(self.parameter)[1..].iter().product();
        self.rows.start * row..self.rows.end * row
    }
}

/// The name of a parameter, or of its rows with a meaning.
pub(crate) fn part_name(path: &str, reads: Option<RowInput>) -> String {
    reads.map_or_else(|| path.to_owned(), |reads| format!("{path} ({reads} rows)"))
}

/// A smallest piece that a rule can be about.
struct Part {
    reads: Option<RowInput>,
    rows: Range<usize>,
    rule: Option<usize>,
}

/// The parts of a parameter, while rules are matched.
struct Candidate<'a> {
    parameter: Parameter,
    path: &'a str,
    shape: &'a [usize],
    parts: Vec<Part>,
}

/// Every parameter of the target that a rule can be about, or rows of it, with its rule, in the parameters' order.
pub(crate) fn match_rules<F: Real>(
    rules: &[Effective],
    target: &Learner<F>,
    plan: &str,
) -> Result<Vec<Claim>, TransferError> {
    let parameters = target.parameters();
    // The standards of a meta-model's inputs, the slow value head and the range of returns come from no source and no
    // rule: the run derives them.
    let under_rules = |parameter: &Parameter| !target.networks().role(*parameter).is_derived();
    let mut candidates: Vec<Candidate> = parameters
        .iter()
        .filter(under_rules)
        .map(|parameter| {
            let (path, shape) = (parameters.path(parameter), parameters.shape(parameter));
            let named = rows_of(target.networks(), parameter);
            let mut parts: Vec<Part> =
                named.into_iter().map(|(reads, rows)| Part { reads: Some(reads), rows, rule: None }).collect();
            if parts.is_empty() {
                parts.push(Part { reads: None, rows: 0..shape[0], rule: None });
            }
            Candidate { parameter, path, shape, parts }
        })
        .collect();
    for (index, rule) in rules.iter().enumerate() {
        for pattern in &rule.patterns {
            match_pattern(rules, index, pattern, &mut candidates)?;
        }
    }
    let unmatched: Vec<String> = candidates.iter().flat_map(unmatched).collect();
    if !unmatched.is_empty() {
        const SHOWN: usize = 8;
        let more = unmatched.len().saturating_sub(SHOWN);
        let mut parameters = unmatched[..unmatched.len().min(SHOWN)].join(", ");
        if more > 0 {
            parameters.push_str(&format!(" and {more} more"));
        }
        return Err(TransferError::Unmatched { plan: plan.to_owned(), parameters });
    }
    Ok(candidates.into_iter().flat_map(claims).collect())
}

/// Assigns the matches of a rule's pattern to the rule.
fn match_pattern(
    rules: &[Effective],
    index: usize,
    pattern: &Pattern,
    candidates: &mut [Candidate],
) -> Result<(), TransferError> {
    let rule = &rules[index];
    let place = || rule.place.clone();
    let mut matched = false;
    let mut found = false;
    let mut matched_above = None;
    for candidate in candidates.iter_mut().filter(|candidate| pattern.matches(candidate.path)) {
        matched = true;
        for &rows in &rule.rows {
            if !candidate.parts.iter().any(|part| part.reads.is_some_and(|part| rows.covers(part))) {
                return Err(TransferError::NoSuchRows {
                    place: place(),
                    parameter: candidate.path.to_owned(),
                    shape: format!("{:?}", candidate.shape),
                    rows: rows.to_string(),
                    has: rows_in_words(&candidate.parts),
                });
            }
        }
        let several = candidate.parts.len() > 1;
        for part in &mut candidate.parts {
            let covered = |part: RowInput| rule.rows.iter().any(|rows| rows.covers(part));
            if !rule.rows.is_empty() && !part.reads.is_some_and(covered) {
                continue;
            }
            match part.rule {
                Some(above) if above != index => {
                    let name = part_name(candidate.path, part.reads.filter(|_| several));
                    if !rule.rest {
                        let mut shape = candidate.shape.to_vec();
                        shape[0] = part.rows.len();
                        return Err(TransferError::Overlap {
                            parameter: name,
                            shape: format!("{shape:?}"),
                            above: rules[above].place.clone(),
                            place: place(),
                            by_meta_model: !rules[above].moved.is_empty(),
                        });
                    }
                    matched_above.get_or_insert((name, above));
                }
                _ => {
                    part.rule = Some(index);
                    found = true;
                }
            }
        }
    }
    match matched_above {
        _ if found || (!matched && rule.optional) => Ok(()),
        Some((parameter, above)) => Err(TransferError::Shadowed {
            place: place(),
            pattern: pattern.to_string(),
            parameter,
            above: rules[above].place.clone(),
            by_meta_model: !rules[above].moved.is_empty(),
        }),
        None => Err(TransferError::NothingMatched {
            place: place(),
            pattern: pattern.to_string(),
            nearest: nearest(pattern, candidates),
        }),
    }
}

fn rows_in_words(parts: &[Part]) -> String {
    let names: Vec<String> = parts.iter().filter_map(|part| part.reads.map(|reads| reads.to_string())).collect();
    if names.is_empty() {
        "its rows do not have names".to_owned()
    } else {
        format!("its rows read {}", names.join(", "))
    }
}

/// The path most similar to a pattern. For a pattern that is a prefix of paths, it is the completed pattern.
fn nearest(pattern: &Pattern, candidates: &[Candidate]) -> String {
    let typed = pattern.as_str();
    let start = format!("{}.", typed.trim_end_matches(['*', '.']));
    // The commonest mistake is to leave out that a parameter is a part of the world model.
    for start in [start.clone(), format!("world_model.{start}")] {
        if candidates.iter().any(|candidate| candidate.path.starts_with(&start)) {
            return format!("\"{start}**\"");
        }
    }
    // A mistyped name of a group of parameters.
    let groups = typed.trim_end_matches(['*', '.']);
    if groups.len() + 2 < typed.len() && !groups.contains('*') {
        let count = groups.split('.').count();
        let parts = |path: &str| path.split('.').take(count).collect::<Vec<_>>().join(".");
        let all = candidates.iter().map(|candidate| parts(candidate.path));
        if let Some(group) = all.min_by_key(|group| wording::distance(groups, group))
            && wording::distance(groups, &group) <= 2
        {
            return format!("\"{group}.**\"");
        }
    }
    let like = |candidate: &&Candidate| {
        // With as many segments as the pattern: "value.hiden.*" is similar to "value.hout.*" and any rest.
        let segments: Vec<&str> = candidate.path.split('.').take(typed.split('.').count()).collect();
        wording::distance(typed, &segments.join("."))
    };
    candidates.iter().min_by_key(like).map(|candidate| candidate.path.to_owned()).unwrap_or_default()
}

fn unmatched(candidate: &Candidate) -> Vec<String> {
    let several = candidate.parts.len() > 1 && candidate.parts.iter().any(|part| part.rule.is_some());
    if !several {
        let free = candidate.parts.iter().any(|part| part.rule.is_none());
        return free.then(|| format!("{} {:?}", candidate.path, candidate.shape)).into_iter().collect();
    }
    let free = candidate.parts.iter().filter(|part| part.rule.is_none());
    free.map(|part| {
        let mut shape = candidate.shape.to_vec();
        shape[0] = part.rows.len();
        format!("{} {shape:?}", part_name(candidate.path, part.reads))
    })
    .collect()
}

/// A candidate's parts with their rules; one claim if all of it is under one rule.
fn claims(candidate: Candidate) -> Vec<Claim> {
    let Candidate { parameter, parts, shape, .. } = candidate;
    let rule_of = |part: &Part| part.rule.expect("every part has a rule");
    let first = rule_of(&parts[0]);
    if parts.iter().all(|part| part.rule == Some(first)) {
        return vec![Claim { parameter, reads: None, rows: 0..shape[0], rule: first }];
    }
    let claim = |part: Part| Claim { parameter, rule: rule_of(&part), reads: part.reads, rows: part.rows };
    parts.into_iter().map(claim).collect()
}
