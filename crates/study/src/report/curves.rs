//! The learning curves of a task, over each horizontal axis.
//!
//! Here: which curves are drawn, and their means over runs. Not here: drawing them (`chart`), sentences about them
//! (`axis_notes`).

use super::abscissa::Abscissa;
use super::groups::Group;
use crate::results::{RunResult, Series};
use crate::statistics::{Band, Curve, Point, band};
use std::borrow::Cow;

/// Most pieces that a curve is drawn with.
const PIECES: usize = 50;

/// The most pairs of a task and a method whose curves are drawn over other axes than frames: each axis adds as much to
/// the page as the curves over frames.
pub const MOST_PAIRS: usize = 64;

/// The most runs whose single curves are drawn over other axes than frames.
pub const MOST_SINGLE: usize = 300;

/// Which returns are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Of training episodes.
    Training,
    /// Of evaluation episodes.
    Evaluation,
}

impl Which {
    /// Both, the one that is shown first at the front.
    pub const ALL: [Self; 2] = [Self::Training, Self::Evaluation];

    fn of(self, series: &Series) -> &Curve {
        match self {
            Self::Training => &series.training,
            Self::Evaluation => &series.evaluation,
        }
    }

    /// Its name in the page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Evaluation => "evaluation",
        }
    }
}

/// Which curves a report draws: those of a large study are limited to as many as a page can hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// Pairs of a task and a method.
    pub pairs: usize,
    /// Curves of single runs.
    pub singles: usize,
}

impl Drawn {
    /// Those of these runs.
    pub fn new(groups: &[Group<'_>]) -> Self {
        Self { pairs: groups.len(), singles: groups.iter().map(|group| group.runs.len()).sum() }
    }

    /// Whether curves are drawn over this axis.
    pub fn over(&self, abscissa: Abscissa) -> bool {
        abscissa == Abscissa::Frames || self.pairs <= MOST_PAIRS
    }

    /// Whether single runs are drawn over this axis.
    pub fn single_runs_over(&self, abscissa: Abscissa) -> bool {
        abscissa == Abscissa::Frames || self.singles <= MOST_SINGLE
    }
}

/// The curves of a task over an axis.
#[derive(Debug)]
pub struct Plot {
    /// The axis.
    pub abscissa: Abscissa,
    /// The returns.
    pub which: Which,
    /// The end of the axis.
    pub end: f64,
    /// Pieces that the curves are drawn with.
    pub pieces: usize,
    /// The curves of each method of the report; empty if it has none here.
    pub methods: Vec<Curves>,
}

impl Plot {
    /// The methods that have curves, with their numbers.
    pub fn drawn(&self) -> impl Iterator<Item = (usize, &Curves)> {
        self.methods.iter().enumerate().filter(|(_, curves)| !curves.band.is_empty())
    }

    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.drawn().next().is_none()
    }
}

/// The curves of a method's runs.
#[derive(Debug, Default)]
pub struct Curves {
    /// Mean and deviation.
    pub band: Vec<Band>,
    /// Each run: frames (or the values of another axis) and returns.
    pub runs: Vec<Vec<(f64, f64)>>,
}

/// The plots of a task whose longest run has `frames` frames: one for each axis and kind of returns.
pub fn plots(methods: &[String], groups: &[&Group<'_>], frames: f64, drawn: &Drawn) -> Vec<Plot> {
    let axes = Abscissa::ALL.into_iter().filter(|abscissa| drawn.over(*abscissa));
    let each = axes.flat_map(|abscissa| Which::ALL.map(|which| (abscissa, which)));
    each.map(|(abscissa, which)| {
        let singles = drawn.single_runs_over(abscissa);
        plot(methods, groups, abscissa, which, frames, singles)
    })
    .collect()
}

fn plot(
    methods: &[String],
    groups: &[&Group<'_>],
    abscissa: Abscissa,
    which: Which,
    frames: f64,
    singles: bool,
) -> Plot {
    let curves: Vec<(&str, Vec<Cow<'_, Curve>>)> =
        groups.iter().map(|group| (&*group.method, curves_of(group, abscissa, which))).collect();
    let all = || curves.iter().flat_map(|(_, curves)| curves);
    let pieces = all().map(|curve| curve.points().len()).max().unwrap_or(0).clamp(1, PIECES);
    let end = match abscissa {
        Abscissa::Frames => frames,
        Abscissa::Cost(_) => {
            all().filter_map(|curve| curve.points().last()).map(|last| last.frames).fold(0.0, f64::max)
        }
    };
    let of_method = |method: &String| {
        let found = curves.iter().find(|(name, _)| name == method).filter(|_| end > 0.0);
        found.map(|(_, curves)| drawn_with(curves, end, pieces, singles)).unwrap_or_default()
    };
    Plot { abscissa, which, end, pieces, methods: methods.iter().map(of_method).collect() }
}

/// The curves of the runs of a method over an axis, without empty ones.
fn curves_of<'a>(group: &Group<'a>, abscissa: Abscissa, which: Which) -> Vec<Cow<'a, Curve>> {
    let series = group.runs.iter().filter_map(|run| Some((*run, which.of(run.series(group.task)?))));
    series.map(|(run, curve)| over(abscissa, run, curve)).filter(|curve| !curve.is_empty()).collect()
}

/// The curve of a run over an axis. Points at which the run has not recorded its costs are left out.
fn over<'a>(abscissa: Abscissa, run: &RunResult, curve: &'a Curve) -> Cow<'a, Curve> {
    match abscissa {
        Abscissa::Frames => Cow::Borrowed(curve),
        Abscissa::Cost(cost) => {
            let moved = |point: &Point| Some(Point { frames: run.spent(cost, point.frames)?, ..*point });
            Cow::Owned(Curve::new(curve.points().iter().filter_map(moved)))
        }
    }
}

fn drawn_with(curves: &[Cow<'_, Curve>], end: f64, pieces: usize, singles: bool) -> Curves {
    let run = |curve: &Cow<'_, Curve>| {
        let binned = curve.binned(end, pieces).into_iter().enumerate();
        binned.filter_map(|(piece, value)| Some((end * (piece + 1) as f64 / pieces as f64, value?))).collect()
    };
    let runs = if singles { curves.iter().map(run).collect() } else { Vec::new() };
    Curves { band: band(&curves.iter().map(|curve| &**curve).collect::<Vec<_>>(), end, pieces), runs }
}
