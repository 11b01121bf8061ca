//! From which agents the parameters of a source descend: a soup is a mean of descendants of one agent.
//!
//! An agent's parameter descends from the agent from which its run copied it in full when it began, and so on, as the
//! records of the transfers (`transfer.json`) in the folders of these runs say. A mean of parameters makes sense only
//! if all of them started from the same values (Wortsman et al., Model soups, 2022): units of agents that started at
//! random mean different things. Here: following the records. Not here: the mean (`arithmetic`).

use crate::document::Take;
use crate::error::TransferError;
use crate::matching::{Claim, Effective, part_name};
use crate::record::read_report;
use crate::report::{PartReport, Report};
use crate::resolve::Fitted;
use crate::rows::RowInput;
use crate::source::{SourceProvenance, Sources};
use dreamer::Learner;
use files::layout::{CHECKPOINTS, CONFIG};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tape::Real;

/// The most generations that are followed.
const MOST_GENERATIONS: usize = 64;

/// An agent: its file's checksum, or its run, whose checkpoints are all of one agent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Agent {
    File(String),
    Run(PathBuf),
}

/// The origin of a parameter of an agent.
#[derive(Clone, Debug, Default)]
struct Descent {
    /// The agent itself, and all agents that it has the parameter from.
    agents: BTreeSet<Agent>,
    /// How the parameter began, as text.
    began: String,
}

/// A parameter, or rows of it, of an agent.
#[derive(Clone, Copy)]
struct Requested<'a> {
    file: &'a Path,
    sha256: &'a str,
    path: &'a str,
    reads: Option<RowInput>,
}

/// The results so far.
#[derive(Default)]
struct Records {
    /// The record of the transfer with which each run began; `None` if it began at random.
    reports: BTreeMap<PathBuf, Option<Report>>,
    /// The descent of each parameter, by the agent's file and the name of the parameter.
    known: BTreeMap<(PathBuf, String), Descent>,
}

/// Checks that every parameter of a soup comes from descendants of one agent.
///
/// # Errors
/// [`TransferError::Strangers`] names two sources that are not; or a record of a run cannot be read.
pub(crate) fn check_soups<F: Real>(
    rules: &[Effective],
    claims: &[Claim],
    fits: &[Fitted<'_>],
    target: &Learner<F>,
    sources: &Sources<F>,
) -> Result<(), TransferError> {
    let mut records = Records::default();
    for (claim, fits) in claims.iter().zip(fits) {
        let rule = &rules[claim.rule];
        let (Take::Soup, Ok(fits)) = (rule.take, fits) else { continue };
        let parameters = target.parameters();
        let path = rule.source_path(parameters.path(claim.parameter));
        let mut first: Option<(&str, Descent)> = None;
        for fitted in fits {
            let at = sources.get(fitted.name).expect("it was fitted").provenance();
            let requested = Requested { file: &at.file, sha256: &at.sha256, path: &path, reads: claim.reads };
            let descent = records.descent(requested, MOST_GENERATIONS)?;
            let Some((name, common)) = &mut first else {
                first = Some((fitted.name, descent));
                continue;
            };
            let shared: BTreeSet<Agent> = common.agents.intersection(&descent.agents).cloned().collect();
            if shared.is_empty() {
                return Err(TransferError::Strangers {
                    place: rule.place.clone(),
                    parameter: claim.name(parameters),
                    sources: Box::new([
                        ((*name).to_owned(), common.began.clone()),
                        (fitted.name.to_owned(), descent.began),
                    ]),
                });
            }
            // One agent that all of them descend from.
            common.agents = shared;
        }
    }
    Ok(())
}

impl Records {
    /// The origin of a parameter of an agent.
    fn descent(&mut self, requested: Requested<'_>, generations: usize) -> Result<Descent, TransferError> {
        let key = (requested.file.to_owned(), part_name(requested.path, requested.reads));
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let found = self.follow(requested, generations)?;
        self.known.insert(key, found.clone());
        Ok(found)
    }

    fn follow(&mut self, requested: Requested<'_>, generations: usize) -> Result<Descent, TransferError> {
        let Requested { file, sha256, path, reads } = requested;
        let mut agents = BTreeSet::new();
        if !sha256.is_empty() {
            agents.insert(Agent::File(sha256.to_owned()));
        }
        let Some(run) = run_of(file) else {
            let began = format!("{} is not in a run folder, so its origin is not recorded", file.display());
            return Ok(Descent { agents, began });
        };
        agents.insert(Agent::Run(run.clone()));
        let ends = |agents, began| Ok(Descent { agents, began });
        if !run.join(CONFIG).exists() {
            return ends(agents, format!("the run {} is gone, so its origin is not known", run.display()));
        }
        let Some(report) = self.report(&run)? else {
            return ends(agents, format!("it began at random in {}", run.display()));
        };
        let given = copied_from(&report, path, reads);
        if given.is_empty() || generations == 0 {
            return ends(agents, format!("it was not copied in full when {} began", run.display()));
        }
        let mut above: Option<Descent> = None;
        for (source, path) in &given {
            let requested = Requested { file: &source.file, sha256: &source.sha256, path, reads };
            let one = self.descent(requested, generations - 1)?;
            above = Some(match above {
                None => one,
                // A soup descends from the agents that all of its sources descend from.
                Some(other) => {
                    Descent { agents: other.agents.intersection(&one.agents).cloned().collect(), began: other.began }
                }
            });
        }
        let above = above.unwrap_or_default();
        agents.extend(above.agents);
        ends(agents, above.began)
    }

    fn report(&mut self, run: &Path) -> Result<Option<Report>, TransferError> {
        if let Some(known) = self.reports.get(run) {
            return Ok(known.clone());
        }
        let report = read_report(run)?;
        self.reports.insert(run.to_owned(), report.clone());
        Ok(report)
    }
}

/// The agents, with the parameter's path in each, that a parameter was copied from in full when a run began: one, or
/// those of a soup; `None` if any of it was not copied like that.
fn copied_from<'r>(report: &'r Report, path: &str, reads: Option<RowInput>) -> Vec<(&'r SourceProvenance, String)> {
    let is_of = |part: &&PartReport| {
        let of_rows = part.rows.is_none_or(|rows| reads.is_none_or(|reads| reads == rows.reads));
        part.path == path && of_rows
    };
    let mut parts = report.parts.iter().filter(is_of);
    let Some(first) = parts.next() else { return Vec::new() };
    let names = |part: &PartReport| part.from.iter().map(|given| given.source.clone()).collect::<Vec<_>>();
    let is_copy = matches!((first.take, first.from.len()), (Take::Full, 1) | (Take::Soup, 1..));
    if !is_copy || parts.any(|part| part.take != first.take || names(part) != names(first)) {
        return Vec::new();
    }
    let given = first.from.iter().filter_map(|given| {
        let source = report.sources.iter().find(|source| source.name == given.source)?;
        Some((&source.provenance, given.path.clone()))
    });
    given.collect()
}

/// The folder of the run that an agent's file belongs to; none for an export, or a file by itself.
fn run_of(file: &Path) -> Option<PathBuf> {
    let checkpoints = file.parent()?.parent()?;
    let run = checkpoints.parent().filter(|_| checkpoints.ends_with(CHECKPOINTS))?;
    Some(run.canonicalize().unwrap_or_else(|_| run.to_owned()))
}
