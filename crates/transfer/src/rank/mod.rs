//! Ranking earlier agents for a new task before anything is trained.
//!
//! Every candidate is scored forward only, on the same episodes of the target: does it reconstruct what is seen there
//! ([`Scores::image`]), does it predict what happens ([`Scores::ahead`]), and does its latent state predict the rewards
//! ([`Scores::reward`])? Two controls are in the table: an untrained agent and, if there is one, an agent of the target
//! itself.
//!
//! Here: scores, their order, the table and a plan made of it. Not here: playing the episodes, and opening agents (`train`).

mod evidence;
mod order;
mod plan;
mod scores;
mod table;

pub use order::order;
pub use plan::ranked_plan;
pub use scores::{HORIZONS, Scores, image_score, score};
pub(crate) use scores::{actions_of_size, cell};

use dreamer::AgentConfig;
use serde::Serialize;
use std::path::PathBuf;

/// The purpose of a row of the ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An agent that could be transferred from.
    Source,
    /// A control: an agent that has not learned anything.
    Untrained,
    /// A control: an agent of the target itself.
    Target,
}

/// A row of the ranking.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranked {
    /// Its name in the table: the path that was given, or the kind of control.
    pub name: String,
    /// The folder of its checkpoint or export, absolute; none for an untrained agent.
    pub file: Option<PathBuf>,
    /// Its place among the agents that were given; none of a control.
    #[serde(skip)]
    pub given: Option<usize>,
    /// Its purpose.
    pub kind: Kind,
    /// The tasks it was trained on, if known.
    pub tasks: Vec<String>,
    /// Elements of its actions.
    pub action_size: usize,
    /// Its sizes.
    #[serde(skip)]
    pub config: AgentConfig,
    /// Its scores in the target's episodes.
    pub scores: Scores,
    /// [`Scores::image`] on episodes of its own tasks, for comparison; `None` if there are none.
    pub own_image: Option<f64>,
    /// The mean return of its policy on the target; `None` if its actions have another length.
    pub zero_shot: Option<f64>,
    /// The mean of its ranks by three scores, from 1: the table is sorted by it.
    pub rank: f64,
}

/// Earlier agents in the order in which they promise to help on a task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranking {
    /// The target.
    pub task: String,
    /// Elements of its actions.
    pub action_size: usize,
    /// The origin of its episodes.
    pub episodes_of: String,
    /// How many there are.
    pub episodes: usize,
    /// Their mean return: that of the policy which played them.
    pub mean_return: f64,
    /// All rows, the most promising first.
    pub rows: Vec<Ranked>,
}

impl Ranking {
    /// The sources without the controls, in their order.
    pub fn sources(&self) -> impl Iterator<Item = &Ranked> {
        self.rows.iter().filter(|row| row.kind == Kind::Source)
    }

    /// The control that has not learned anything.
    pub fn untrained(&self) -> Option<&Ranked> {
        self.rows.iter().find(|row| row.kind == Kind::Untrained)
    }

    /// The ranking as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("names and numbers")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source with these scores.
    pub(super) fn row(name: &str, image: f64, ahead: f64, reward: f64) -> Ranked {
        let scores = Scores {
            image: Some(image),
            divergence: 3.0,
            ahead: [Some(ahead); 3],
            reward: Some(reward),
            reward_log_evidence: -1.0,
        };
        Ranked {
            name: name.to_owned(),
            file: Some(name.into()),
            given: None,
            kind: Kind::Source,
            tasks: Vec::new(),
            action_size: 3,
            config: AgentConfig::default(),
            scores,
            own_image: None,
            zero_shot: None,
            rank: 1.0,
        }
    }

    /// A ranking of these rows for `hopper`.
    pub(super) fn ranking(rows: Vec<Ranked>) -> Ranking {
        Ranking {
            task: "hopper".to_owned(),
            action_size: 3,
            episodes_of: "random actions".to_owned(),
            episodes: 5,
            mean_return: -100.0,
            rows,
        }
    }
}
