//! The choice of one source among several, when a run begins.
//!
//! Not here: the part of a plan about it and its record (`transfer::Choice`), and the scores of a ranking
//! (`transfer::rank`).

use super::grafted;
use crate::TrainError;
use crate::config::Config;
use crate::error::ChoiceError;
use crate::rank::{RankEpisodes, RankOptions, rank};
use crate::streams::RunKey;
use environment::Catalogue;
use random::Stream;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use transfer::rank::{Ranked, Scores};
use transfer::{Candidate, ChoiceReport, ChooseBy, Plan, Source, SourceRef, Standing};

/// The plan with its source chosen, and the record of the choice; the plan as it is if nothing is open.
///
/// A ranking uses the random episodes that a run of `config` collects at its start. It plays them once more, so they
/// cost no frames.
///
/// # Errors
/// If a candidate cannot be read, or the candidates cannot be ranked.
pub(super) fn choose<'p>(
    catalogue: &dyn Catalogue,
    config: &Config,
    plan: &'p Plan,
    action_size: usize,
) -> Result<(Cow<'p, Plan>, Option<ChoiceReport>), TrainError> {
    let Some(by) = plan.open_choice() else { return Ok((Cow::Borrowed(plan), None)) };
    plan.check_sources().map_err(transfer::TransferError::from)?;
    let mut candidates: Vec<Candidate> = Vec::new();
    for name in plan.candidates() {
        let source = Source::open(name, &plan.sources()[name], plan.allows_untrained(name))
            .map_err(transfer::TransferError::from)?;
        let (name, provenance) = (name.to_owned(), source.provenance().clone());
        if let Some(same) = candidates.iter().find(|other| other.provenance.sha256 == provenance.sha256) {
            return Err(ChoiceError::SameCandidate { one: same.provenance.path.clone(), other: provenance.path }.into());
        }
        // Whichever is chosen, the transfer can be done.
        let chosen = plan.with_choice(&name).map_err(transfer::TransferError::from)?;
        grafted(config, &chosen, action_size)?;
        candidates.push(Candidate { name, provenance, standing: None });
    }
    let report = match by {
        ChooseBy::Chance => {
            let chosen = Stream::new(RunKey::of(config).seed(), "choice of a source").below(candidates.len());
            ChoiceReport { by, chosen: candidates[chosen].name.clone(), episodes: 0, candidates, untrained: None }
        }
        ChooseBy::Rank => by_rank(catalogue, config, plan.sources(), candidates)?,
    };
    let plan = plan.with_choice(&report.chosen).map_err(transfer::TransferError::from)?;
    Ok((Cow::Owned(plan), Some(report)))
}

fn by_rank(
    catalogue: &dyn Catalogue,
    config: &Config,
    sources: &BTreeMap<String, SourceRef>,
    candidates: Vec<Candidate>,
) -> Result<ChoiceReport, TrainError> {
    if config.tasks.len() > 1 {
        return Err(ChoiceError::RankForSeveralTasks { tasks: config.tasks.clone() }.into());
    }
    let from: Vec<PathBuf> = candidates.iter().map(|candidate| sources[&candidate.name].path.clone()).collect();
    let options = RankOptions { from, target: None, episodes: RankEpisodes::OfThisRun };
    let ranking = rank(catalogue, config, &options, |_| {})?;
    let standing = |row: &Ranked| Standing { rank: row.rank, scores: finite(&row.scores), zero_shot: row.zero_shot };
    let untrained = ranking.untrained().map(standing);
    // Sources are given in the order of the candidates.
    let of_row = |row: &Ranked| Some(Candidate { standing: Some(standing(row)), ..candidates[row.given?].clone() });
    let ordered: Vec<Candidate> = ranking.rows.iter().filter_map(of_row).collect();
    let chosen = ordered[0].name.clone();
    Ok(ChoiceReport { by: ChooseBy::Rank, chosen, episodes: ranking.episodes, candidates: ordered, untrained })
}

/// The scores with the largest numbers in place of infinite and undefined ones, which JSON does not have.
fn finite(scores: &Scores) -> Scores {
    let number = |value: f64| if value.is_nan() { f64::MAX } else { value.clamp(-f64::MAX, f64::MAX) };
    Scores {
        image: scores.image.map(number),
        divergence: number(scores.divergence),
        ahead: scores.ahead.map(|ratio| ratio.map(number)),
        reward: scores.reward.filter(|reward| !reward.is_nan()).map(number),
        reward_log_evidence: number(scores.reward_log_evidence),
    }
}
