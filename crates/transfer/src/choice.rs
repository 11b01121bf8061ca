//! The choice of one source among several: how a plan leaves it open, and the record of it.
//!
//! Here: the rule by which it is made, and its record. Not here: making it, which needs episodes of the target
//! (`train`), and the scores of a ranking (`rank`).

use crate::rank::Scores;
use crate::source::SourceProvenance;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How the source of the rules that name none is chosen among several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChooseBy {
    /// The first of a ranking on the run's random episodes.
    Rank,
    /// One at random, decided by the seed of the run: a control for [`ChooseBy::Rank`].
    Chance,
}

impl ChooseBy {
    /// Its name in plans and arguments.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rank => "rank",
            Self::Chance => "chance",
        }
    }
}

impl fmt::Display for ChooseBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The choice of a plan: section `[choose]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// How it is made.
    pub by: ChooseBy,
    /// The source that was chosen; `None` as long as none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The record of a choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChoiceReport {
    /// How it was made.
    pub by: ChooseBy,
    /// The name of the chosen source.
    pub chosen: String,
    /// The episodes of the target on which the candidates were ranked; 0 without a ranking. They are the random
    /// episodes that the run collects at its start, so they cost no frames of their own.
    pub episodes: usize,
    /// The candidates, the chosen one first: in the order of the ranking, or else of their names.
    pub candidates: Vec<Candidate>,
    /// The control of a ranking: an agent that has not learned anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrained: Option<Standing>,
}

impl ChoiceReport {
    /// The choice and its method, on one line.
    pub fn line(&self) -> String {
        let among = wording::counted(self.candidates.len() as u64, "source");
        match self.by {
            ChooseBy::Rank => {
                let episodes = wording::counted(self.episodes as u64, "random episode");
                format!(
                    "{}, the first of {among} in a ranking on the {episodes} with which the run begins",
                    self.chosen
                )
            }
            ChooseBy::Chance => format!("{}, one of {among}, by chance", self.chosen),
        }
    }

    /// Whether an agent that has not learned anything ranks before the chosen one: then no candidate promises to help.
    pub fn is_doubtful(&self) -> bool {
        let chosen = self.candidates.iter().find(|candidate| candidate.name == self.chosen);
        match (chosen.and_then(|chosen| chosen.standing.as_ref()), &self.untrained) {
            (Some(chosen), Some(untrained)) => untrained.rank <= chosen.rank,
            _ => false,
        }
    }
}

/// A source that could have been chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its name in the plan.
    pub name: String,
    /// Its origin.
    #[serde(flatten)]
    pub provenance: SourceProvenance,
    /// Its place in the ranking; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

/// The place of an agent in a ranking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The mean of its ranks by three scores, from 1.
    pub rank: f64,
    /// Its scores in the target's episodes.
    pub scores: Scores,
    /// The mean return of its policy on the target; `None` if its actions have another length.
    pub zero_shot: Option<f64>,
}

#[cfg(test)]
mod tests {
    use crate::{Plan, PlanError, Preset};

    /// The preset `paper` with these sources and the choice `choose`.
    fn plan(sources: &[&str], choose: &str) -> Result<Plan, PlanError> {
        let names: String = sources.iter().map(|name| format!("{name} = \"runs/{name}\"\n")).collect();
        let text = Preset::Paper.text().replacen("[[rule]]", &format!("{choose}\n[sources]\n{names}\n[[rule]]"), 1);
        let plan = Plan::parse(&text, "mine.toml")?;
        plan.check_sources()?;
        Ok(plan)
    }

    #[test]
    fn a_plan_can_leave_its_source_open_and_be_told_which() {
        let open = plan(&["a", "b"], "[choose]\nby = \"rank\"").unwrap();
        assert_eq!(open.candidates(), ["a", "b"]);
        assert!(matches!(open.sources_of(0), Err(PlanError::Open { .. })));
        let chosen = open.with_choice("b").unwrap();
        assert_eq!(chosen.sources_of(0).unwrap(), [("b".to_owned(), 1.0)]);
        assert_eq!(Plan::parse(&chosen.to_toml(), "again").unwrap().choice(), chosen.choice());
        assert_eq!(chosen.used_sources().unwrap().into_iter().collect::<Vec<_>>(), ["b"]);
        chosen.check_sources().unwrap();
    }

    #[test]
    fn a_choice_that_cannot_be_made_is_refused() {
        for (sources, choose, part) in [
            (&["a"][..], "[choose]\nby = \"rank\"", "there is only one"),
            (&["a", "b"], "[choose]\nby = \"luck\"", "rank"),
            (&["a", "b"], "[choose]\nby = \"rank\"\nsource = \"c\"", "\"c\""),
            (&["a", "b"], "", "does not name a source"),
        ] {
            let message = plan(sources, choose).unwrap_err().to_string();
            assert!(message.contains(part) && !message.contains('\n'), "{message}");
        }
        let named = Preset::Paper.text().replace("take = \"full\"", "take = \"full\"\nsource = \"a\"");
        let named = named.replace("take = { fraction = 0.2 }", "take = { fraction = 0.2 }\nsource = \"b\"");
        let text = named.replacen("[[rule]]", "[choose]\nby = \"rank\"\n[sources]\na = \"a\"\nb = \"b\"\n[[rule]]", 1);
        let message = Plan::parse(&text, "mine.toml").unwrap().check_sources().unwrap_err().to_string();
        assert!(message.contains("every rule names its source"), "{message}");
    }
}
