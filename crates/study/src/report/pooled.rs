//! Statistics of a method over several tasks, and the tasks that they cover.
//!
//! A statistic is pooled over the tasks that have it. The other tasks are named with the reason, because readers would
//! mistake the pooled number for one of all tasks otherwise.

use super::groups::{Group, baseline, returns_of_both};
use super::published::title;
use super::task_statistics::TaskStatistics;
use super::wording::listed;
use crate::statistics::{Estimate, improvement, mean, pooled_interquartile_mean};

/// Why a return cannot be given as a share of the way from random actions to the baseline.
pub(super) const NOT_ABOVE_RANDOM: &str = "the baseline is not above random actions";

/// The statistics of a method over all tasks.
#[derive(Debug)]
pub struct Together {
    /// Interquartile mean of overall returns, where 0 is random actions and 1 the task's mean baseline.
    pub interquartile_mean: Pooled,
    /// How likely it is better than the baseline, averaged over tasks; `None` of a method that is the baseline.
    pub improvement: Option<Pooled>,
}

/// A statistic of several tasks.
#[derive(Debug)]
pub struct Pooled {
    /// The statistic; `None` if no task has it.
    pub estimate: Option<Estimate>,
    /// The tasks that it is of.
    pub tasks: Vec<String>,
    /// The other tasks, and why each is left out.
    pub left_out: Vec<(String, String)>,
    /// The tasks with too few runs for an interval.
    pub single: Vec<String>,
}

/// The statistics of each method over all tasks; `named` is the baseline that the study file names.
pub fn together(
    methods: &[String],
    tasks: &[TaskStatistics],
    groups: &[Group<'_>],
    named: Option<&str>,
) -> Vec<Together> {
    methods.iter().map(|method| of_method(method, tasks, groups, named)).collect()
}

fn of_method(method: &str, tasks: &[TaskStatistics], groups: &[Group<'_>], named: Option<&str>) -> Together {
    let group_of =
        |task: &TaskStatistics| groups.iter().find(|group| group.task == task.task && group.method == method);
    let is_baseline =
        |task: &TaskStatistics| baseline(&task.task, groups, named).is_some_and(|rival| rival.method == method);
    let both = |task: &TaskStatistics| {
        let group = group_of(task).ok_or("it has no runs on this task")?;
        returns_of_both(group, baseline(&task.task, groups, named), task.length)
    };
    let normalised = |task: &TaskStatistics| -> Result<(Vec<f64>, Vec<f64>), String> {
        let (ours, theirs) = both(task)?;
        let random = task.random.ok_or("the return of random actions is not known")?;
        let one = mean(&theirs).map(|mean| mean - random).filter(|one| *one > 0.0);
        let one = one.ok_or(NOT_ABOVE_RANDOM)?;
        Ok((ours.iter().map(|value| (value - random) / one).collect(), Vec::new()))
    };
    let compared = |task: &TaskStatistics| {
        if is_baseline(task) { Err("it is the baseline of this task".to_owned()) } else { both(task) }
    };
    let pooled_mean = |of_tasks: &[(Vec<f64>, Vec<f64>)]| {
        let strata: Vec<&[f64]> = of_tasks.iter().map(|(ours, _)| ours.as_slice()).collect();
        pooled_interquartile_mean(&strata)
    };
    let only_baseline = tasks.iter().filter(|task| group_of(task).is_some()).all(is_baseline);
    Together {
        interquartile_mean: Pooled::new(tasks, normalised, pooled_mean),
        improvement: (!only_baseline).then(|| Pooled::new(tasks, compared, improvement)),
    }
}

impl Pooled {
    /// The statistic over all tasks that have returns for it, as pairs of the method's and the baseline's returns.
    fn new(
        tasks: &[TaskStatistics],
        returns: impl Fn(&TaskStatistics) -> Result<(Vec<f64>, Vec<f64>), String>,
        statistic: impl Fn(&[(Vec<f64>, Vec<f64>)]) -> Option<Estimate>,
    ) -> Self {
        let mut pooled = Self { estimate: None, tasks: Vec::new(), left_out: Vec::new(), single: Vec::new() };
        let mut all = Vec::new();
        for task in tasks {
            let name = title(&task.task).to_owned();
            match returns(task) {
                Ok((ours, theirs)) => {
                    if ours.len() == 1 || theirs.len() == 1 {
                        pooled.single.push(name.clone());
                    }
                    pooled.tasks.push(name);
                    all.push((ours, theirs));
                }
                Err(why) => pooled.left_out.push((name, why)),
            }
        }
        pooled.estimate = statistic(&all);
        pooled
    }

    /// The tasks that the statistic covers, and why it does not cover others.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match (self.tasks.len(), self.left_out.len()) {
            (0, _) => {}
            (count, 0) => notes.push(format!("all {count} tasks")),
            (count, others) => {
                notes.push(format!("{count} of {} tasks: {}", count + others, listed(&self.tasks)));
            }
        }
        let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
        for (task, why) in &self.left_out {
            match reasons.iter_mut().find(|(known, _)| known == why) {
                Some((_, tasks)) => tasks.push(task.clone()),
                None => reasons.push((why, vec![task.clone()])),
            }
        }
        notes.extend(reasons.into_iter().map(|(why, tasks)| format!("without {}: {why}", listed(&tasks))));
        if !self.single.is_empty() {
            notes.push(format!("no interval, because there is a single finished run on {}", listed(&self.single)));
        }
        notes
    }
}
