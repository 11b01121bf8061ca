//! The parts of messages that depend on values.

use crate::config::Difference;
use crate::{Broken, Prefilled};
use dreamer::ActionDistribution;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// That an agent makes other actions than a task needs: because the task is another, or because it has changed.
pub(super) fn of_actions(path: &Path, agent: usize, task: &str, needed: usize, learned: &[String]) -> String {
    let path = path.display();
    if learned.iter().any(|known| known == task) {
        return format!(
            "{task} now has {needed} action elements, but the agent of {path} was trained with {agent}: the \
             environment has changed. Restore the version that it was trained with, or train a new agent"
        );
    }
    format!(
        "{task} has {needed} action elements, but the agent of {path} has {agent}; it was trained for {}: choose a \
         task that it was trained for",
        learned.join(", ")
    )
}

/// That the vectors of a task have another length than those that an agent was trained with.
pub(super) fn of_vectors(path: &Path, task: &str, was: usize, now: usize, typed: bool) -> String {
    let has = if now == 0 {
        "no vectors".to_owned()
    } else {
        format!("vectors of {}", wording::counted(now as u64, "number"))
    };
    let advice = if typed {
        "leave out --set task.arguments, or play an agent that was trained with these arguments"
    } else {
        "the environment has changed. Restore the version that it was trained with, or train a new agent"
    };
    format!("{task} now has {has}, but the agent of {} was trained with {was}: {advice}", path.display())
}

/// That nothing can be learned from the first episodes of a task: each is shorter than a window, or all together are.
pub(super) fn of_short_episodes(
    task: &str,
    length: usize,
    of: &str,
    seen: &Prefilled,
    is_stream: bool,
    can_be_fixed: bool,
) -> String {
    let Prefilled { episodes, frames, transitions, longest, .. } = seen;
    let fixed = if can_be_fixed { ", or task.termination = \"fixed\"" } else { "" };
    if is_stream {
        return format!(
            "{episodes} {of} episodes of {task} ({frames} frames) together have {transitions} transitions, fewer than the {length} of \
             agent.length; in a new run folder, set a smaller agent.length, or a larger schedule.prefill_frames{fixed}"
        );
    }
    format!(
        "none of {episodes} {of} episodes of {task} ({frames} frames) has the {length} transitions of agent.length: the longest has \
         {longest}, the mean is {}; in a new run folder, set replay.starts = \"stream\", so that windows may cross from one episode \
         into the next, or agent.length to {} or less{fixed}",
        seen.mean(),
        seen.mean().max(2)
    )
}

/// The suggestion of a name, inside a sentence.
pub(super) fn maybe(nearest: &str) -> String {
    if nearest.is_empty() { String::new() } else { format!(" (did you mean {nearest:?}?)") }
}

pub(super) fn list(differences: &[Difference]) -> String {
    let texts: Vec<String> = differences.iter().map(Difference::to_string).collect();
    wording::first_of(&texts, "; ", "settings")
}

/// As [`with_other_settings`]; nothing was learned yet at the first gradient step.
pub(super) fn after_step(update: u64, root: &Path, saved: bool) -> String {
    if update > 1 {
        return with_other_settings(root, saved);
    }
    "before any parameter had changed, so the cause is in the data: check the rewards and observations in that file, \
     and the environment"
        .to_owned()
}

/// The state of a run with infinite or NaN values, and how to continue.
pub(super) fn with_other_settings(root: &Path, saved: bool) -> String {
    let settings = "other settings, such as a smaller agent.model_learning_rate";
    if saved {
        let from = wording::shell_path(root);
        format!(
            "its last checkpoint is not affected; to continue from it with {settings}, start a new run with --from \
             {from} --plan full"
        )
    } else {
        format!("it did not have a checkpoint yet; start a new run in another folder (--logdir) with {settings}")
    }
}

/// The actions that an agent which acts like this produces.
pub(super) fn kind(actor: ActionDistribution) -> &'static str {
    match actor {
        ActionDistribution::TanhNormal | ActionDistribution::BoundedNormal => "continuous",
        ActionDistribution::OneHot => "discrete",
    }
}

/// The way to act that produces the other kind.
pub(super) fn other(actor: ActionDistribution) -> ActionDistribution {
    match actor {
        ActionDistribution::TanhNormal | ActionDistribution::BoundedNormal => ActionDistribution::OneHot,
        ActionDistribution::OneHot => ActionDistribution::TanhNormal,
    }
}

pub(super) fn of_embeddings(size: u64) -> String {
    if size == 0 { String::new() } else { format!(", up to {} for embeddings", wording::bytes(size)) }
}

pub(super) fn of_gradient(broken: Option<&Broken>) -> String {
    broken.map_or_else(String::new, |Broken { path, value, count, numbers }| {
        format!(", as did {count} of the {numbers} numbers in the gradient of {path} ({value})")
    })
}

pub(super) fn of_batch(batch: &Result<PathBuf, impl Display>) -> String {
    match batch {
        Ok(path) => format!(", on the batch that is stored in {}", path.display()),
        Err(why) => format!(", on a batch that could not be stored ({why})"),
    }
}

/// The system's reason, in the user's words where it is a file in the place of a folder.
pub(super) fn in_the_way(source: &std::io::Error) -> String {
    match source.kind() {
        std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::NotADirectory => {
            "it is a file, or lies below one, and not a folder".to_owned()
        }
        _ => source.to_string(),
    }
}
