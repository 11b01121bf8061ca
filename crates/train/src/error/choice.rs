//! Errors of ranking agents, and of choosing one of them.

use std::path::PathBuf;

/// A ranking of agents, or a choice among them, that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// The same agent twice among those whose reward models are read, or among which one is chosen.
    #[error("{option} {} is given twice; remove one", path.display())]
    SameSource {
        /// The argument.
        option: &'static str,
        /// The agent.
        path: PathBuf,
    },
    /// The same agent twice among those of which one is chosen, under two paths.
    #[error("{} and {} are the same agent, which would count twice in a choice; remove one", one.display(), other.display())]
    SameCandidate {
        /// One path.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// An agent without predictions to score.
    #[error(
        "{} does not predict observations (its agent.reconstruction is \"barlow\"), and a ranking scores predictions; leave it out \
         (`dreamgraft train --choose chance` chooses without a ranking)",
        path.display()
    )]
    PredictsNothing {
        /// The agent.
        path: PathBuf,
    },
    /// A control that is no agent of the target.
    #[error(
        "{} has learned {}, but --target is for an agent of {task} itself, as a control; give it with --from, or leave it out",
        path.display(), tasks.join(", ")
    )]
    NotOfTarget {
        /// The agent.
        path: PathBuf,
        /// Its tasks.
        tasks: Vec<String>,
        /// The target.
        task: String,
    },
    /// A run with too few random episodes for a ranking.
    #[error(
        "a ranking of sources needs at least 2 random episodes of {task}, and this run begins with {found}: set \
         schedule.prefill_episodes to 2 or more"
    )]
    TooFewRandomEpisodes {
        /// The task.
        task: String,
        /// How many there are.
        found: usize,
    },
    /// A ranking on random episodes that another agent plays.
    #[error(
        "a ranking of sources needs the random episodes with which a run begins, and --guide replaces them; give one source with --from, or \
         choose with --choose chance"
    )]
    RankWithGuide,
    /// A ranking for several tasks.
    #[error(
        "sources are ranked for one task, but this run learns {}; give one source with --from, or choose with --choose chance",
        tasks.join(", ")
    )]
    RankForSeveralTasks {
        /// The tasks.
        tasks: Vec<String>,
    },
    /// No agent to rank.
    #[error("there is no agent to rank; give at least one with --from RUN")]
    NothingToRank,
    /// Agents are ranked by their predictions in episodes that were left out: two are needed.
    #[error(
        "ranking agents takes at least 2 episodes of {task}, but {of} has {}; train that run for longer, or use random episodes",
        wording::counted(*found as u64, "episode")
    )]
    TooFewEpisodes {
        /// The target.
        task: String,
        /// Their origin.
        of: String,
        /// How many there are.
        found: usize,
    },
}
