//! The limits of curves over gradient steps and core-seconds: sentences below the plots.

use super::Report;
use super::abscissa::Abscissa;
use super::cost::cautions;
use super::curves::{MOST_PAIRS, MOST_SINGLE};
use super::wording::{counted, listed};
use crate::results::{Cost, RunResult};

/// The most runs that are named.
const MOST_NAMED: usize = 8;

impl Report<'_> {
    /// The axes over which curves can be drawn, environment frames first.
    pub(super) fn axes(&self) -> Vec<Abscissa> {
        let plots = || self.statistics.tasks.iter().flat_map(|task| &task.plots);
        let has = |abscissa: &Abscissa| plots().any(|plot| plot.abscissa == *abscissa && !plot.is_empty());
        Abscissa::ALL.into_iter().filter(|abscissa| *abscissa == Abscissa::Frames || has(abscissa)).collect()
    }

    /// Why there are no curves over an axis, for every axis.
    pub(super) fn missing_axes(&self) -> Vec<String> {
        let drawn = &self.statistics.drawn;
        if !self.results.targets().any(is_begun) {
            return Vec::new();
        }
        let costs = Cost::ALL.into_iter().map(Abscissa::Cost);
        if costs.clone().any(|abscissa| !drawn.over(abscissa)) {
            return vec![format!(
                "Curves over gradient steps and core-seconds are left out to keep this page small: it has {} of a task \
                 and a method, and draws them for at most {MOST_PAIRS}. curves.json has the gradient steps and \
                 core-seconds of every point.",
                counted(drawn.pairs, "pair")
            )];
        }
        let axes = self.axes();
        let missing = costs.filter(|abscissa| !axes.contains(abscissa));
        missing
            .map(|abscissa| {
                format!(
                    "There are no curves over {}, because no run has recorded {}.",
                    abscissa.label(),
                    needs(abscissa)
                )
            })
            .collect()
    }

    /// Notes about the curves over this axis.
    pub(super) fn axis_notes(&self, abscissa: Abscissa) -> Vec<String> {
        let Abscissa::Cost(cost) = abscissa else { return Vec::new() };
        let mut sentences = vec![format!(
            "Mean over the runs at equal {}. Between two lines of metrics, {} are interpolated. A run of several tasks \
             is drawn with all that it spent.",
            abscissa.label(),
            abscissa.label()
        )];
        let methods = self.learned();
        if !methods.is_empty() {
            let few = methods.len() <= MOST_NAMED;
            let whose =
                if few { listed(&methods) } else { format!("{} with a transfer", counted(methods.len(), "method")) };
            sentences.push(format!(
                "The curves of {whose} do not include what their sources cost; for finished runs, the table \u{201c}Cost\u{201d} \
                 has it."
            ));
        }
        let left_out: Vec<String> = self
            .results
            .targets()
            .filter(|run| is_begun(run) && run.spent_in_all(cost).is_none())
            .map(|run| run.folder.display().to_string())
            .collect();
        if !left_out.is_empty() {
            let count = left_out.len();
            let mut named: Vec<String> = left_out.into_iter().take(MOST_NAMED).collect();
            if count > MOST_NAMED {
                named.push(counted(count - MOST_NAMED, "other"));
            }
            sentences.push(format!(
                "{} left out, because {} not recorded: {}.",
                if count == 1 { "1 run is".to_owned() } else { format!("{} are", counted(count, "run")) },
                if cost == Cost::Updates { "gradient steps are" } else { "seconds or threads are" },
                listed(&named)
            ));
        }
        if cost == Cost::CoreSeconds {
            sentences.extend(cautions(self.results));
        }
        if !self.statistics.drawn.single_runs_over(abscissa) {
            sentences.push(format!(
                "Single runs are only drawn over environment frames, because this page has more than {MOST_SINGLE} of \
                 them."
            ));
        }
        sentences
    }

    /// The methods whose runs learned from other agents.
    fn learned(&self) -> Vec<String> {
        let statistics = &self.statistics;
        let learns = |index: &usize| {
            statistics.tasks.iter().filter_map(|task| task.methods[*index].as_ref()).any(|method| method.has_sources)
        };
        (0..statistics.methods.len()).filter(learns).map(|index| statistics.methods[index].clone()).collect()
    }
}

/// Whether a run has returns.
fn is_begun(run: &RunResult) -> bool {
    run.series.iter().any(|series| !series.training.is_empty() || !series.evaluation.is_empty())
}

/// The metric that a run needs for a curve over this axis.
fn needs(abscissa: Abscissa) -> &'static str {
    match abscissa {
        Abscissa::Frames | Abscissa::Cost(Cost::Updates) => "its gradient steps",
        Abscissa::Cost(Cost::CoreSeconds) => "both its seconds and its threads",
    }
}
