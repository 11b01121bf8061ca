//! The returns that decide about the end of a run, as its checkpoints keep them.
//!
//! Here: the random episodes of the prefill, the last scheduled evaluations, the best mean of several, and the
//! best single one. Not here: the rules that read them (`stop`, `warnings`), which checkpoints stay (`save`), and the metrics.

use crate::Frames;
use serde::{Deserialize, Serialize};

/// The most evaluations that are kept: `stop.evaluations` can ask for as many.
pub(crate) const MOST_EVALUATIONS: usize = 100;

/// The returns of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returns {
    /// Those of each task, in the order of the configuration.
    tasks: Vec<TaskReturns>,
    /// Frames at the last scheduled evaluation.
    evaluated: Frames,
}

/// The returns of one task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskReturns {
    /// Those of random episodes.
    pub random: RunningMean,
    /// The mean returns of the last evaluations, oldest first.
    evaluations: Vec<f64>,
    /// The best mean of several evaluations in a row.
    best: Option<Best>,
    /// The best evaluation. Checkpoints of earlier builds do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    best_evaluation: Option<BestEvaluation>,
}

/// The best of all scheduled evaluations of a task: the mean return of its episodes, and when it was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BestEvaluation {
    pub mean: f64,
    pub frames: Frames,
}

/// How many numbers there were, their mean, and the sum of their squared distances from it (Welford's method).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunningMean {
    pub count: u64,
    pub mean: f64,
    pub squares: f64,
}

/// The best mean of `of` evaluations in a row, and when it was reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Best {
    of: usize,
    mean: f64,
    frames: Frames,
}

impl RunningMean {
    /// Takes one more number in.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    /// The squared standard error of the mean; 0 of fewer than two numbers.
    pub fn error_squared(&self) -> f64 {
        if self.count < 2 { 0.0 } else { self.squares / (self.count - 1) as f64 / self.count as f64 }
    }
}

impl Returns {
    /// Whether nothing is known yet.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes the return of a random episode of the task with index `task` in.
    pub(crate) fn random(&mut self, task: usize, score: f64) {
        self.task(task).random.add(score);
    }

    /// Takes a scheduled evaluation of every task in, at `frames` frames. The best mean is that of `of` evaluations.
    pub(crate) fn evaluated(&mut self, frames: Frames, scores: &[f64], of: usize) {
        self.evaluated = frames;
        for (index, &score) in scores.iter().enumerate() {
            let task = self.task(index);
            if task.evaluations.len() >= MOST_EVALUATIONS {
                task.evaluations.remove(0);
            }
            task.evaluations.push(score);
            if task.best_evaluation.is_none_or(|best| score > best.mean) {
                task.best_evaluation = Some(BestEvaluation { mean: score, frames });
            }
            let Some(mean) = task.mean(of) else { continue };
            // A mean of another number of evaluations is not comparable.
            if task.best.is_none_or(|best| best.of != of || mean > best.mean) {
                task.best = Some(Best { of, mean, frames });
            }
        }
    }

    /// The mean of the last `of` evaluations of each task, as far as there are as many.
    pub(crate) fn means(&self, of: usize) -> impl Iterator<Item = Option<f64>> {
        self.tasks.iter().map(move |task| task.mean(of))
    }

    /// Frames at the last evaluation since the best mean of `of` evaluations of any task; `None` while no task has one.
    pub(crate) fn since_best(&self, of: usize) -> Option<Frames> {
        let best = self.tasks.iter().filter_map(|task| task.best).filter(|best| best.of == of);
        best.map(|best| best.frames).max().map(|best| self.evaluated.since(best))
    }

    /// The best evaluation of the task with index `task`.
    pub(crate) fn best_evaluation(&self, task: usize) -> Option<BestEvaluation> {
        self.tasks.get(task)?.best_evaluation
    }

    /// Forgets best evaluations for whose frames `stays` is false; these frames.
    pub(crate) fn retain_best(&mut self, stays: impl Fn(Frames) -> bool) -> Vec<Frames> {
        let lost = self.tasks.iter_mut().filter_map(|task| task.best_evaluation.take_if(|best| !stays(best.frames)));
        lost.map(|best| best.frames).collect()
    }

    /// The best evaluation of each task that was evaluated.
    pub(crate) fn best_evaluations(&self) -> impl Iterator<Item = BestEvaluation> {
        self.tasks.iter().filter_map(|task| task.best_evaluation)
    }

    /// The random episodes of each task.
    pub(crate) fn of_random(&self, task: usize) -> RunningMean {
        self.tasks.get(task).map(|task| task.random).unwrap_or_default()
    }

    /// Checks that an edited file contains only values that a run could have.
    pub(crate) fn check(&self, tasks: usize, frames: Frames) -> Result<(), &'static str> {
        let whole = |task: &TaskReturns| {
            let numbers = [task.random.mean, task.random.squares].into_iter().chain(task.evaluations.iter().copied());
            task.evaluations.len() <= MOST_EVALUATIONS
                && numbers
                    .chain(task.best.map(|best| best.mean))
                    .chain(task.best_evaluation.map(|best| best.mean))
                    .all(f64::is_finite)
                && task.best.is_none_or(|best| best.frames <= self.evaluated)
                && task.best_evaluation.is_none_or(|best| best.frames <= self.evaluated)
        };
        match () {
            () if self.tasks.len() > tasks => Err("it has returns of more tasks than the run has"),
            () if self.evaluated > frames || !self.tasks.iter().all(whole) => Err("its returns are not possible"),
            () => Ok(()),
        }
    }

    fn task(&mut self, index: usize) -> &mut TaskReturns {
        if self.tasks.len() <= index {
            self.tasks.resize(index + 1, TaskReturns::default());
        }
        &mut self.tasks[index]
    }
}

impl TaskReturns {
    /// The mean of the last `of` evaluations; `None` if there are fewer.
    fn mean(&self, of: usize) -> Option<f64> {
        let from = self.evaluations.len().checked_sub(of.max(1))?;
        Some(self.evaluations[from..].iter().sum::<f64>() / of.max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_mean_is_that_of_all_numbers() {
        let mut running = RunningMean::default();
        [2.0, 4.0, 9.0].into_iter().for_each(|value| running.add(value));
        assert_eq!((running.count, running.mean, running.squares), (3, 5.0, 26.0));
        assert!((running.error_squared() - 13.0 / 3.0).abs() < 1e-12);
        assert_eq!(RunningMean { count: 1, mean: 2.0, squares: 0.0 }.error_squared(), 0.0);
    }

    #[test]
    fn the_best_mean_is_of_as_many_evaluations_as_asked() {
        let mut returns = Returns::default();
        for (frames, score) in [(10, 9.0), (20, 1.0), (30, 3.0), (40, 3.0)] {
            returns.evaluated(Frames(frames), &[score], 2);
        }
        // Means of two: 5, 2, 3. The first evaluation alone is none of two.
        assert_eq!(returns.since_best(2), Some(Frames(20)));
        assert_eq!(returns.means(2).collect::<Vec<_>>(), [Some(3.0)]);
        assert_eq!(returns.means(5).collect::<Vec<_>>(), [None]);
        assert_eq!(returns.since_best(3), None, "no mean of three was kept");
        returns.evaluated(Frames(50), &[0.0], 3);
        assert_eq!(returns.since_best(3), Some(Frames(0)));
    }

    #[test]
    fn the_best_evaluation_is_the_first_of_equal_ones() {
        let mut returns = Returns::default();
        let best = |returns: &Returns| -> Vec<(f64, Frames)> {
            returns.best_evaluations().map(|best| (best.mean, best.frames)).collect()
        };
        assert_eq!(best(&returns), []);
        for (frames, scores) in [(10, [1.0, -5.0]), (20, [4.0, -3.0]), (30, [4.0, -9.0]), (40, [2.0, -2.0])] {
            returns.evaluated(Frames(frames), &scores, 5);
        }
        assert_eq!(best(&returns), [(4.0, Frames(20)), (-2.0, Frames(40))]);
        // A checkpoint of an earlier build does not know it.
        let earlier = r#"{"tasks":[{"random":{"count":0,"mean":0.0,"squares":0.0},"evaluations":[7.0],"best":null}],"evaluated":10}"#;
        assert_eq!(best(&serde_json::from_str(earlier).unwrap()), []);
    }

    #[test]
    fn a_checkpoint_restores_them() {
        let mut returns = Returns::default();
        returns.random(1, 0.1);
        (0..200).for_each(|index| returns.evaluated(Frames(index), &[index as f64 / 3.0, -1.0], 5));
        let text = serde_json::to_string(&returns).unwrap();
        assert_eq!(serde_json::from_str::<Returns>(&text).unwrap(), returns);
        assert_eq!(returns.tasks[0].evaluations.len(), MOST_EVALUATIONS);
        assert!(returns.check(2, Frames(199)).is_ok());
        assert!(returns.check(1, Frames(199)).is_err() && returns.check(2, Frames(198)).is_err());
    }
}
