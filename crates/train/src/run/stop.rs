//! The rules `stop.*`, by which a run ends before it has all its frames.
//!
//! They read only what a checkpoint keeps, so that a resumed run ends where an uninterrupted one does. Not here: the end
//! itself (`save`).

use super::returns::Returns;
use crate::config::StopSettings;
use std::fmt;
use wording::{counted, rounded};

/// The rule by which a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stop {
    /// The mean return of the last evaluations is high enough.
    Return {
        /// The evaluations.
        evaluations: usize,
        /// The return that was asked for.
        reached: f64,
    },
    /// No mean return of evaluations in a row was better than an earlier one for so long.
    NoProgress {
        /// The evaluations.
        evaluations: usize,
        /// The frames that were allowed.
        patience: u64,
    },
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = |of: usize| if of == 1 { "evaluation".to_owned() } else { counted(of as u64, "evaluation") };
        match *self {
            Self::Return { evaluations, reached } => write!(
                f,
                "the mean return of the last {} reached {} (stop.return)",
                last(evaluations),
                rounded(reached, 3).trim_end_matches('0').trim_end_matches('.')
            ),
            Self::NoProgress { evaluations, patience } => write!(
                f,
                "the mean return of the last {} has not improved for {} (stop.patience)",
                last(evaluations),
                counted(patience, "frame")
            ),
        }
    }
}

/// The rule that ends a run with these returns, if one does. With several tasks, each must have reached the return, and none
/// may have made progress.
pub(crate) fn reached(stop: &StopSettings, returns: &Returns) -> Option<Stop> {
    let evaluations = stop.evaluations;
    let mut means = returns.means(evaluations).peekable();
    if means.peek().is_some() && means.all(|mean| mean.is_some_and(|mean| mean >= stop.reached)) {
        return Some(Stop::Return { evaluations, reached: stop.reached });
    }
    let patience = stop.patience.0;
    let waited = returns.since_best(evaluations).filter(|since| patience > 0 && since.0 >= patience);
    waited.map(|_| Stop::NoProgress { evaluations, patience })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frames;

    fn rule(reached: f64, patience: u64) -> StopSettings {
        StopSettings { reached, patience: Frames(patience), evaluations: 2 }
    }

    fn returns(scores: &[[f64; 2]]) -> Returns {
        let mut returns = Returns::default();
        scores.iter().zip(1..).for_each(|(scores, at)| returns.evaluated(Frames(10 * at), scores, 2));
        returns
    }

    #[test]
    fn every_task_must_reach_the_return_in_as_many_evaluations() {
        let stop = rule(5.0, 0);
        for (scores, expected) in [
            (&[][..], false),
            (&[[9.0, 9.0]], false),
            (&[[4.0, 9.0], [6.0, 9.0]], true),
            (&[[4.0, 9.0], [5.0, 9.0]], false),
            (&[[9.0, 9.0], [9.0, 0.0]], false),
        ] {
            assert_eq!(reached(&stop, &returns(scores)).is_some(), expected, "{scores:?}");
        }
    }

    #[test]
    fn a_run_without_progress_of_any_task_ends() {
        let stop = rule(f64::INFINITY, 20);
        let still = [[1.0, 1.0]; 2];
        assert_eq!(reached(&stop, &returns(&still)), None);
        let ended = reached(&stop, &returns(&[[1.0, 1.0]; 4]));
        assert_eq!(ended, Some(Stop::NoProgress { evaluations: 2, patience: 20 }));
        assert_eq!(reached(&stop, &returns(&[[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 2.0]])), None);
        assert_eq!(reached(&rule(f64::INFINITY, 0), &returns(&[[1.0, 1.0]; 9])), None);
    }

    #[test]
    fn the_rule_is_named_with_its_setting() {
        let text = Stop::Return { evaluations: 5, reached: 700.0 }.to_string();
        assert_eq!(text, "the mean return of the last 5 evaluations reached 700 (stop.return)");
        let text = Stop::NoProgress { evaluations: 1, patience: 50_000 }.to_string();
        assert_eq!(text, "the mean return of the last evaluation has not improved for 50 000 frames (stop.patience)");
    }
}
