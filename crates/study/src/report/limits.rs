//! The limits of a report: sentences above its tables.

use super::Report;
use super::groups::{baseline, groups};
use super::published::title;
use super::task_statistics::{MethodStatistics, TaskStatistics};
use super::wording::{self, counted, frames, listed};
use crate::results::BASELINE;
use std::collections::BTreeSet;

impl Report<'_> {
    /// The number of runs of each task and method, and the limits of conclusions from them.
    pub fn limits(&self) -> Vec<String> {
        let cells = || self.statistics.tasks.iter().flat_map(|task| task.methods.iter().flatten());
        let counts: BTreeSet<usize> = cells().map(|method| method.finished).collect();
        let (Some(&fewest), Some(&most)) = (counts.first(), counts.last()) else {
            return vec!["There are no runs to compare yet.".to_owned()];
        };
        let each = if fewest == most {
            counted(fewest, "finished run")
        } else {
            format!("{fewest} to {}", counted(most, "finished run"))
        };
        let mixtures = self.mixtures();
        let seeds = if mixtures.is_empty() { ", one per seed" } else { "" };
        let mut sentences = vec![format!("Each task and method has {each}{seeds}.")];
        sentences.extend(mixtures);
        if self.statistics.methods.len() > 1 {
            sentences.push(
                "Methods are paired: runs of the same task and seed share their random prefill episodes and the \
                 initial states of their evaluations, whatever the method."
                    .to_owned(),
            );
        }
        sentences.extend(match fewest {
            0 => Some(
                "Without finished runs, methods cannot be compared; means over unfinished runs cover only their first \
                 part."
                    .to_owned(),
            ),
            1 => Some(
                "A single run does not show how much another seed would change it: there are no deviations and no \
                 intervals, and any difference may be due to the seed."
                    .to_owned(),
            ),
            runs @ 2..=9 => Some(format!(
                "If two methods were equal, all {runs} runs of one would still be above all {runs} of the other in 1 \
                 of {} comparisons. {}",
                wording::grouped(orders(runs)),
                if runs < 5 {
                    "Deviations and intervals from so few runs are rough, and the intervals tend to be too narrow, \
                     because a bootstrap can only resample the existing runs."
                } else {
                    "Differences that are small compared with the deviations are not decided by these runs."
                }
            )),
            _ => None,
        });
        sentences.extend(self.lengths());
        sentences.extend(self.unfinished_runs());
        sentences.extend(self.guided());
        sentences.extend(self.shared_sources());
        sentences.extend(self.random_actions());
        let compared = cells().filter(|method| method.improvement.is_some()).count();
        if compared > 3 {
            sentences.push(format!(
                "This page has {} with the baseline: among many comparisons, some look striking by chance.",
                counted(compared, "comparison")
            ));
        }
        let lengths: BTreeSet<u64> =
            self.results.targets().map(|run| run.steps).filter(|steps| *steps < u64::MAX).collect();
        let lengths: Vec<String> = lengths.into_iter().map(|steps| frames(steps as f64)).collect();
        if !lengths.is_empty() {
            sentences.push(format!(
                "Runs have {} environment frames; longer runs could rank the methods differently.",
                listed(&lengths)
            ));
        }
        match &self.results.baseline {
            Some(name) => {
                sentences.push(format!("The other methods are compared with {name}, which was named as the baseline."))
            }
            None => sentences.extend(self.tasks_without_baseline()),
        }
        sentences
    }

    /// How many tasks have a baseline, if not all of them do.
    fn tasks_without_baseline(&self) -> Option<String> {
        let (tasks, groups) = (&self.statistics.tasks, groups(self.results));
        let with = tasks
            .iter()
            .filter(|task| baseline(&task.task, &groups, self.results.baseline.as_deref()).is_some())
            .count();
        let rule = format!("exactly one method that starts from scratch, or, of several, one called {BASELINE:?}");
        (with < tasks.len()).then(|| match with {
            0 => format!("No task here has a baseline ({rule}), so nothing is compared with one."),
            with => format!(
                "Of {}, {with} {} a baseline ({rule}). Only {} compared with one.",
                counted(tasks.len(), "task"),
                if with == 1 { "has" } else { "have" },
                if with == 1 { "this task is" } else { "these tasks are" }
            ),
        })
    }

    /// For each task whose finished runs differ in length, over which frames they are compared.
    fn lengths(&self) -> Vec<String> {
        let of_task = |task: &TaskStatistics| {
            let length = task.length.filter(|_| !task.lengths.is_empty())?;
            let each = task.lengths.iter().map(|(method, lengths)| {
                let lengths: Vec<String> = lengths.iter().map(|count| frames(*count as f64)).collect();
                format!("{method} {}", listed(&lengths))
            });
            Some(format!(
                "The finished runs of {} differ in length: {}. Their statistics cover the first {} frames of each run; \
                 the rest of longer runs is only in the curves and in the table of runs.",
                title(&task.task),
                each.collect::<Vec<_>>().join("; "),
                frames(length)
            ))
        };
        self.statistics.tasks.iter().filter_map(of_task).collect()
    }

    /// How unfinished runs are counted.
    fn unfinished_runs(&self) -> Option<String> {
        let count = self.unfinished();
        (count > 0).then(|| {
            format!(
                "{} not finished. Means with a \u{2020} include their results so far, and none of these means is \
                 marked as the best; comparisons with the baseline leave unfinished runs out.",
                if count == 1 { "1 run is".to_owned() } else { format!("{} are", counted(count, "run")) }
            )
        })
    }

    /// The methods for which a condition holds on a task.
    fn methods_that(&self, holds: impl Fn(&MethodStatistics) -> bool) -> Vec<String> {
        let statistics = &self.statistics;
        let of = |index: usize| statistics.tasks.iter().filter_map(move |task| task.methods[index].as_ref());
        let found = (0..statistics.methods.len()).filter(|index| of(*index).any(&holds));
        found.map(|index| statistics.methods[index].clone()).collect()
    }

    /// In which methods an earlier agent plays the first episodes.
    fn guided(&self) -> Option<String> {
        let methods = self.methods_that(|method| method.guided);
        (!methods.is_empty()).then(|| {
            format!(
                "In {}, an earlier agent plays the first episodes instead of random actions. These episodes count in the means over \
                 whole runs, and jumpstarts are not measured.",
                listed(&methods)
            )
        })
    }

    /// In which methods runs of different seeds learn from one source agent.
    fn shared_sources(&self) -> Option<String> {
        let methods = self.methods_that(|method| method.shares_sources);
        (!methods.is_empty()).then(|| {
            format!(
                "In {}, runs of different seeds learn from the same source agents. Deviations and intervals therefore \
                 cover only the seeds of the targets. They do not show how much the results would change with source \
                 agents trained from other seeds.",
                listed(&methods)
            )
        })
    }

    /// For which tasks the return of random actions is not known from all runs.
    fn random_actions(&self) -> Vec<String> {
        let of_task = |task: &TaskStatistics| {
            let (folder, why) = task.random_unknown.first()?;
            let runs = counted(task.random_unknown.len(), "run");
            let end = match task.random {
                Some(_) => "They are measured from the other runs; jumpstarts of these methods are not known.",
                None => "So the return of random actions is unknown, and so is every measure that depends on it.",
            };
            Some(format!(
                "On {}, the random episodes of {runs} cannot be separated from later episodes, for example in \
                 {folder}: {why}. {end}",
                title(&task.task)
            ))
        };
        self.statistics.tasks.iter().filter_map(of_task).collect()
    }
}

/// In how many orders runs of two methods, `runs` of each, can stand: `(2 runs)! / (runs!)^2`.
fn orders(runs: usize) -> u64 {
    (1..=runs as u64).fold(1, |count, index| count * (runs as u64 + index) / index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_counted() {
        assert_eq!([1, 2, 3, 9].map(orders), [2, 6, 20, 48_620]);
    }
}
