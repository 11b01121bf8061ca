//! Every figure of a report, computed once for all its forms.
//!
//! Here: which runs belong together, and what the statistics say of them. Not here: how figures are worded (`tables`) and
//! drawn (`chart`).

use super::published::{Published, published};
use crate::results::{BASELINE, Results, RunResult, Series};
use crate::statistics::{
    Band, Curve, Estimate, LAST, Transfer, TransferInput, band, bootstrap, deviation, improvement, interquartile_mean,
    mean, transfer,
};

/// Most pieces that a curve is drawn with.
const PIECES: usize = 50;

/// The figures of a report.
#[derive(Debug)]
pub struct Figures {
    /// Methods by their names in tables, those from scratch first.
    pub methods: Vec<String>,
    /// How many of them begin from scratch: with more than one there may be no baseline to compare with.
    pub from_scratch: usize,
    /// The tasks, in the order of the runs.
    pub tasks: Vec<TaskFigures>,
    /// For each method, what all tasks say together; none where a task lacks it, or there is no baseline.
    pub together: Vec<Option<Together>>,
}

/// The figures of a task.
#[derive(Debug)]
pub struct TaskFigures {
    /// The task.
    pub task: String,
    /// Environment frames of the longest run.
    pub frames: f64,
    /// The return of random actions: the mean of all runs' first, random episodes.
    pub random: Option<f64>,
    /// Pieces that training curves are drawn with.
    pub training_pieces: usize,
    /// Pieces that evaluation curves are drawn with.
    pub evaluation_pieces: usize,
    /// What each of [`Figures::methods`] earned, where it has runs.
    pub methods: Vec<Option<MethodFigures>>,
}

/// The figures of a method on a task.
#[derive(Debug)]
pub struct MethodFigures {
    /// Runs, begun or not.
    pub runs: usize,
    /// Those that have all their frames.
    pub finished: usize,
    /// Those that have returns.
    pub begun: usize,
    /// The return over the whole run.
    pub overall: Option<Spread>,
    /// The return of the last tenth.
    pub last: Option<Spread>,
    /// Interquartile mean of finished runs' overall returns.
    pub interquartile_mean: Option<Estimate>,
    /// How likely a finished run is better, over the whole run, than one of the baseline.
    pub improvement: Option<Estimate>,
    /// Measures of transfer; none for a baseline.
    pub transfer: Option<Transfer>,
    /// Environment frames that all sources of a run trained for.
    pub source_frames: u64,
    /// What was published.
    pub published: Vec<Published>,
    /// Curves of training returns.
    pub training: Curves,
    /// Curves of evaluation returns.
    pub evaluation: Curves,
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

/// What is drawn of a method's runs.
#[derive(Debug, Default)]
pub struct Curves {
    /// Mean and deviation.
    pub band: Vec<Band>,
    /// Each run: frames and returns.
    pub runs: Vec<Vec<(f64, f64)>>,
}

/// What all tasks say of a method.
#[derive(Debug)]
pub struct Together {
    /// Interquartile mean of overall returns, where 0 is random actions and 1 the task's mean baseline.
    pub interquartile_mean: Option<Estimate>,
    /// How likely it is better than the baseline, averaged over tasks; none for the baseline.
    pub improvement: Option<Estimate>,
}

/// The runs of a method on a task.
struct Group<'a> {
    task: &'a str,
    method: String,
    runs: Vec<&'a RunResult>,
}

impl Figures {
    /// The figures of these runs.
    pub fn new(results: &Results) -> Self {
        let groups = groups(results);
        let mut methods: Vec<String> = Vec::new();
        let mut tasks: Vec<&str> = Vec::new();
        let mut ordered: Vec<&Group<'_>> = groups.iter().collect();
        ordered.sort_by_key(|group| !group.runs.iter().all(|run| run.from_scratch));
        let mut from_scratch = 0;
        for group in ordered {
            if !methods.contains(&group.method) {
                methods.push(group.method.clone());
                from_scratch += usize::from(group.runs.iter().all(|run| run.from_scratch));
            }
        }
        for group in &groups {
            if !tasks.contains(&group.task) {
                tasks.push(group.task);
            }
        }
        let tasks: Vec<TaskFigures> = tasks.iter().map(|task| of_task(task, &methods, &groups)).collect();
        let together = together(&methods, &tasks, &groups);
        Self { methods, from_scratch, tasks, together }
    }
}

/// Runs by task and method. A method that takes from several sets of sources on one task is as many methods.
fn groups(results: &Results) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for run in results.targets() {
        let rivals = || results.targets().filter(|other| other.method == run.method && other.tasks == run.tasks);
        let several = rivals().any(|other| other.source != run.source);
        let counts_differ =
            rivals().all(|other| other.source == run.source || other.source_tasks.len() != run.source_tasks.len());
        let method = match (&run.source, several, counts_differ) {
            (Some(_), true, true) => format!("{}, {} source tasks", run.method, run.source_tasks.len()),
            (Some(source), true, false) => format!("{} from {source}", run.method),
            _ => run.method.clone(),
        };
        for task in &run.tasks {
            match groups.iter_mut().find(|group| group.task == task && group.method == method) {
                Some(group) => group.runs.push(run),
                None => groups.push(Group { task, method: method.clone(), runs: vec![run] }),
            }
        }
    }
    groups
}

/// The baseline of a task: the one group of runs from scratch.
fn baseline<'a, 'b>(task: &str, groups: &'b [Group<'a>]) -> Option<&'b Group<'a>> {
    let mut found = groups.iter().filter(|group| group.task == task && group.runs.iter().all(|run| run.from_scratch));
    let first = found.next()?;
    match found.next() {
        None => Some(first),
        Some(_) => groups.iter().find(|group| group.task == task && group.method == BASELINE),
    }
}

impl Group<'_> {
    fn series(&self) -> Vec<&Series> {
        self.runs.iter().filter_map(|run| run.series(self.task)).collect()
    }

    fn finished(&self) -> Vec<&Curve> {
        let finished = self.runs.iter().filter(|run| run.finished());
        finished.filter_map(|run| Some(&run.series(self.task)?.training)).filter(|curve| !curve.is_empty()).collect()
    }

    fn frames(&self) -> f64 {
        // A run that is found without its configuration says nothing of its end.
        let end = |run: &RunResult| {
            let last = run.series(self.task).and_then(|series| series.training.points().last().map(|it| it.frames));
            if run.steps == u64::MAX { last.unwrap_or(0.0) } else { (run.steps as f64).max(last.unwrap_or(0.0)) }
        };
        self.runs.iter().map(|run| end(run)).fold(1.0, f64::max)
    }

    fn spread(&self, figure: impl Fn(&RunResult, &Series) -> Option<f64>) -> Option<Spread> {
        let values: Vec<f64> = self.runs.iter().filter_map(|run| figure(run, run.series(self.task)?)).collect();
        Some(Spread { mean: mean(&values)?, deviation: deviation(&values), runs: values.len() })
    }
}

/// The overall returns of finished runs.
fn overall(curves: &[&Curve]) -> Vec<f64> {
    curves.iter().filter_map(|curve| curve.overall()).collect()
}

/// The mean return of a run's last tenth, if it has come to that.
pub fn last_tenth(run: &RunResult, series: &Series) -> Option<f64> {
    series.training.mean_between((1.0 - LAST) * run.steps as f64, f64::INFINITY)
}

fn of_task(task: &str, methods: &[String], groups: &[Group<'_>]) -> TaskFigures {
    let of_task: Vec<&Group<'_>> = groups.iter().filter(|group| group.task == task).collect();
    let frames = of_task.iter().map(|group| group.frames()).fold(1.0, f64::max);
    let baseline = baseline(task, groups);
    let begun = of_task.iter().flat_map(|group| group.series());
    let random = mean(&begun.filter_map(|series| series.training.first()).collect::<Vec<_>>());
    let pieces = |curve: &dyn Fn(&Series) -> &Curve| {
        let series = of_task.iter().flat_map(|group| group.series());
        series.map(|series| curve(series).points().len()).max().unwrap_or(0).clamp(1, PIECES)
    };
    let ground = Ground {
        random,
        frames,
        training: pieces(&|series| &series.training),
        evaluation: pieces(&|series| &series.evaluation),
    };
    let figures = methods.iter().map(|method| {
        let group = of_task.iter().find(|group| group.method == *method)?;
        Some(of_group(group, baseline, &ground))
    });
    let methods = figures.collect();
    TaskFigures {
        task: task.to_owned(),
        frames,
        random,
        methods,
        training_pieces: ground.training,
        evaluation_pieces: ground.evaluation,
    }
}

/// What all methods of a task are measured on.
struct Ground {
    random: Option<f64>,
    frames: f64,
    training: usize,
    evaluation: usize,
}

fn of_group(group: &Group<'_>, baseline: Option<&Group<'_>>, ground: &Ground) -> MethodFigures {
    let frames = ground.frames;
    let finished = group.finished();
    let returns = overall(&finished);
    let single = |values: &[f64]| {
        let interval = bootstrap(&[values], |drawn| interquartile_mean(&drawn[0]));
        Some(Estimate { value: interquartile_mean(values)?, interval })
    };
    let rival = baseline.filter(|baseline| baseline.method != group.method).map(|baseline| baseline.finished());
    let source_frames = group.runs.iter().map(|run| run.source_frames).max().unwrap_or(0);
    let measures = rival.as_ref().and_then(|rival| {
        let (random, source_frames) = (ground.random?, source_frames as f64);
        transfer(&TransferInput { method: &finished, baseline: rival, random, frames, source_frames })
    });
    let method = &group.runs[0].method;
    MethodFigures {
        runs: group.runs.len(),
        finished: finished.len(),
        begun: group.series().iter().filter(|series| !series.training.is_empty()).count(),
        overall: group.spread(|_, series| series.training.overall()),
        last: group.spread(last_tenth),
        interquartile_mean: single(&returns),
        improvement: rival.as_ref().and_then(|rival| improvement(&[(returns.clone(), overall(rival))])),
        transfer: measures,
        source_frames,
        published: published(group.task, method, &group.runs[0].source_tasks),
        training: curves(group.series().iter().map(|series| &series.training), frames, ground.training),
        evaluation: curves(group.series().iter().map(|series| &series.evaluation), frames, ground.evaluation),
    }
}

fn curves<'a>(of: impl Iterator<Item = &'a Curve>, frames: f64, pieces: usize) -> Curves {
    let all: Vec<&Curve> = of.filter(|curve| !curve.is_empty()).collect();
    let run = |curve: &&Curve| {
        let binned = curve.binned(frames, pieces).into_iter().enumerate();
        binned.filter_map(|(piece, value)| Some((frames * (piece + 1) as f64 / pieces as f64, value?))).collect()
    };
    Curves { band: band(&all, frames, pieces), runs: all.iter().map(run).collect() }
}

fn together(methods: &[String], tasks: &[TaskFigures], groups: &[Group<'_>]) -> Vec<Option<Together>> {
    let of_method = |method: &String| -> Option<Together> {
        let mut normalised: Vec<Vec<f64>> = Vec::new();
        let mut pairs = Vec::new();
        let mut is_baseline = false;
        for TaskFigures { task, random, .. } in tasks {
            let group = groups.iter().find(|group| group.task == task && group.method == *method)?;
            let rival = baseline(task, groups)?;
            is_baseline |= rival.method == *method;
            let (ours, theirs) = (group.finished(), rival.finished());
            let random = (*random)?;
            let one = mean(&overall(&theirs))? - random;
            // Without a baseline that learns there is nothing to measure by.
            let one = Some(one).filter(|one| *one > 0.0)?;
            normalised.push(overall(&ours).iter().map(|value| (value - random) / one).collect());
            pairs.push((overall(&ours), overall(&theirs)));
        }
        let strata: Vec<&[f64]> = normalised.iter().map(Vec::as_slice).collect();
        let pooled = |drawn: &[Vec<f64>]| interquartile_mean(&drawn.concat());
        if strata.is_empty() || strata.iter().any(|stratum| stratum.is_empty()) {
            return None;
        }
        let value = pooled(&normalised)?;
        let interval = bootstrap(&strata, pooled);
        let better = if is_baseline { None } else { improvement(&pairs) };
        Some(Together { interquartile_mean: Some(Estimate { value, interval }), improvement: better })
    };
    methods.iter().map(of_method).collect()
}
