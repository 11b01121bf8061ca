//! The statistics of a task and of each method on it.
//!
//! Here: the numbers. Not here: computing them (`report_statistics`), tables (`tables`) and plots (`chart`).

use super::cost::MethodCost;
use super::curves::Plot;
use super::published::Published;
use crate::statistics::{Estimate, Transfer};
use std::collections::BTreeSet;

/// The statistics of a task.
#[derive(Debug)]
pub struct TaskStatistics {
    /// The task.
    pub task: String,
    /// Environment frames of the longest run.
    pub frames: f64,
    /// Environment frames over which runs are compared: those of the shortest finished run. `None` without a finished run.
    pub length: Option<f64>,
    /// The lengths of each method's finished runs, if they are not all the same; otherwise empty.
    pub lengths: Vec<(String, BTreeSet<u64>)>,
    /// The return of random actions: the mean of the random episodes with which runs begin, over the runs where it is
    /// known which episodes these are.
    pub random: Option<f64>,
    /// Folders of runs where that is not known, and why.
    pub random_unknown: Vec<(String, String)>,
    /// The learning curves, over each axis that the report has.
    pub plots: Vec<Plot>,
    /// The statistics of each method of the report that has runs.
    pub methods: Vec<Option<MethodStatistics>>,
}

/// The statistics of a method on a task.
#[derive(Debug)]
pub struct MethodStatistics {
    /// Runs, begun or not.
    pub runs: usize,
    /// Whether an earlier agent plays the first episodes of one of them.
    pub guided: bool,
    /// Those that have all their frames.
    pub finished: usize,
    /// Those that have returns.
    pub begun: usize,
    /// Finished runs that have returns within the frames that are compared.
    pub compared: usize,
    /// The return over the whole run.
    pub overall: Option<Spread>,
    /// The return of the last tenth.
    pub last: Option<Spread>,
    /// Interquartile mean of finished runs' overall returns.
    pub interquartile_mean: Option<Estimate>,
    /// How likely a finished run is better, over the whole run, than one of the baseline.
    pub improvement: Option<Estimate>,
    /// Why it is not compared with the baseline; `None` if it is, or is the baseline.
    pub uncompared: Option<String>,
    /// Measures of transfer; none for a baseline.
    pub transfer: Option<Transfer>,
    /// Environment frames that all sources of a run trained for.
    pub source_frames: u64,
    /// Whether they are at least so many, for not all sources are known.
    pub source_frames_at_least: bool,
    /// Whether runs of it learn from other agents.
    pub has_sources: bool,
    /// Whether several of its runs learn from one source agent.
    pub shares_sources: bool,
    /// The published results.
    pub published: Vec<Published>,
    /// Why the published results are not comparable with these runs; empty if they are.
    pub published_apart: Vec<String>,
    /// The costs of its finished runs.
    pub cost: MethodCost,
}

/// Mean and deviation over runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation; none of a single run.
    pub deviation: Option<f64>,
    /// How many runs.
    pub runs: usize,
}
