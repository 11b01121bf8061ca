//! The costs of a run at each of its frames: gradient steps, and the time that its threads computed.
//!
//! Lines of metrics have the gradient steps and both times so far, over all sessions of the run. Between two
//! lines all are interpolated. Not here: curves over them (`report`).

use super::{RunResult, Settings};
use std::sync::Arc;

/// The most of anything that a run spends: thirty million years. Greater numbers are damage.
const MOST: f64 = 1e15;

/// The most threads that work on a run, also if its settings ask for more.
const MOST_THREADS: f64 = 256.0;

/// The costs of a run besides environment frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// Gradient steps.
    Updates,
    /// Seconds that the run's threads computed. If its metrics do not have them, the seconds worked on it, times its threads.
    CoreSeconds,
}

impl Cost {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Updates, Self::CoreSeconds];
}

/// The gradient steps and the times of a run, by its frames. None of them falls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clock {
    updates: Ladder,
    seconds: Ladder,
    cpu_seconds: Ladder,
}

impl Clock {
    /// Adds a line of metrics: so many frames, gradient steps, seconds, and seconds that threads computed.
    pub fn add(&mut self, frames: f64, updates: Option<f64>, seconds: Option<f64>, cpu_seconds: Option<f64>) {
        let Self { updates: steps, seconds: worked, cpu_seconds: computed } = self;
        for (ladder, number) in [(steps, updates), (worked, seconds), (computed, cpu_seconds)] {
            if let Some(number) = number {
                ladder.add(frames, number);
            }
        }
    }

    /// Whether the time that threads computed was measured.
    pub fn measures_threads(&self) -> bool {
        !self.cpu_seconds.steps.is_empty()
    }
}

/// The threads of a run with these settings on this machine; `None` if they are not recorded.
pub fn threads(settings: &Settings, provenance: &Settings) -> Option<f64> {
    let number = |text: Option<&Arc<str>>| text?.parse::<u64>().ok().map(|number| number as f64);
    let threads = match number(settings.get("threads"))? {
        // One per core.
        0.0 => number(provenance.get("cores")).filter(|cores| *cores > 0.0)?,
        threads => threads,
    };
    Some(threads.min(MOST_THREADS))
}

impl RunResult {
    /// The costs of the run at `frames` frames; `None` if its metrics do not record that, or do not reach so
    /// far.
    pub fn spent(&self, cost: Cost, frames: f64) -> Option<f64> {
        self.counted(cost, |ladder| ladder.at(frames))
    }

    /// The costs of the run's first `frames` frames, or of all of them if its metrics do not reach so far;
    /// `None` if its metrics do not record that.
    pub fn spent_until(&self, cost: Cost, frames: f64) -> Option<f64> {
        self.counted(cost, |ladder| ladder.at(frames.min(ladder.steps.last()?.0)))
    }

    /// The costs of the run so far; `None` if its metrics do not record that.
    pub fn spent_in_all(&self, cost: Cost) -> Option<f64> {
        self.spent_until(cost, f64::INFINITY)
    }

    fn counted(&self, cost: Cost, of: impl Fn(&Ladder) -> Option<f64>) -> Option<f64> {
        match cost {
            Cost::Updates => of(&self.clock.updates),
            Cost::CoreSeconds if self.clock.measures_threads() => of(&self.clock.cpu_seconds),
            Cost::CoreSeconds => Some(of(&self.clock.seconds)? * self.threads?),
        }
    }
}

/// A number that does not fall while frames grow.
#[derive(Clone, Debug, Default, PartialEq)]
struct Ladder {
    /// Frames and the number, both in ascending order. A step in the middle of a straight line is left out.
    steps: Vec<(f64, f64)>,
}

impl Ladder {
    /// Adds a step. One with fewer frames than the last is left out, and one with a lower number gets that of the last.
    fn add(&mut self, frames: f64, number: f64) {
        if !(0.0..MOST).contains(&number) {
            return;
        }
        let Some(&(last, before)) = self.steps.last() else {
            self.steps.push((frames, number));
            return;
        };
        let number = number.max(before);
        if frames < last {
            return;
        }
        let is_straight = self.steps.len() > 1 && {
            let (first, from) = self.steps[self.steps.len() - 2];
            (before - from) * (frames - first) == (number - from) * (last - first)
        };
        if frames == last || is_straight {
            self.steps.pop();
        }
        self.steps.push((frames, number));
    }

    /// The number at `frames`; `None` after the last step. A run begins with nothing.
    fn at(&self, frames: f64) -> Option<f64> {
        let after = self.steps.partition_point(|(step, _)| *step < frames);
        let (end, number) = *self.steps.get(after)?;
        let (start, before) = after.checked_sub(1).map_or((0.0, 0.0), |index| self.steps[index]);
        let share = if end > start { (frames - start) / (end - start) } else { 1.0 };
        Some(before + (number - before) * share.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ladder(steps: &[(f64, f64)]) -> Ladder {
        let mut ladder = Ladder::default();
        steps.iter().for_each(|(frames, number)| ladder.add(*frames, *number));
        ladder
    }

    #[test]
    fn numbers_between_lines_are_interpolated_and_there_are_none_after_the_last() {
        let ladder = ladder(&[(5000.0, 100.0), (6000.0, 200.0), (8000.0, 240.0)]);
        let found = [0.0, 2500.0, 5000.0, 5500.0, 7000.0, 8000.0, 8001.0].map(|frames| ladder.at(frames));
        let expected = [Some(0.0), Some(50.0), Some(100.0), Some(150.0), Some(220.0), Some(240.0), None];
        assert_eq!(found, expected);
        assert_eq!(Ladder::default().at(0.0), None);
    }

    #[test]
    fn a_clock_that_goes_backwards_stands_still() {
        let back = ladder(&[(1000.0, 50.0), (2000.0, 20.0), (3000.0, 70.0)]);
        assert_eq!([1000.0, 2000.0, 2500.0, 3000.0].map(|at| back.at(at).unwrap()), [50.0, 50.0, 60.0, 70.0]);
        // Lines of earlier frames after later ones, and several lines of one frame.
        let order = ladder(&[(2000.0, 20.0), (1000.0, 15.0), (2000.0, 30.0), (2000.0, 25.0)]);
        assert_eq!(order.steps, [(2000.0, 30.0)]);
        let odd = ladder(&[(1.0, f64::NAN), (2.0, -1.0), (3.0, f64::INFINITY), (4.0, 1e300)]);
        assert_eq!(odd, Ladder::default());
    }

    #[test]
    fn threads_are_those_of_the_settings_or_the_cores() {
        let table = |key: &str, value: &str| Settings::from([(key.into(), value.into())]);
        let of = |setting: &str| threads(&table("threads", setting), &table("cores", "8"));
        assert_eq!([of("3"), of("0"), of("4000"), of("-1")], [Some(3.0), Some(8.0), Some(256.0), None]);
        assert_eq!(threads(&table("threads", "0"), &Settings::new()), None);
        assert_eq!(threads(&Settings::new(), &table("cores", "8")), None);
    }

    #[test]
    fn a_straight_line_takes_no_memory() {
        let steps: Vec<(f64, f64)> =
            (1..1000).map(|line| (5e3 + 1e3 * f64::from(line), 100.0 * f64::from(line))).collect();
        let ladder = ladder(&steps);
        assert_eq!(ladder.steps.len(), 2);
        assert!(steps.iter().all(|(frames, number)| (ladder.at(*frames).unwrap() - number).abs() < 1e-9));
    }

    proptest! {
        #[test]
        fn no_clock_falls(steps in prop::collection::vec((0.0..1e6f64, -1e3..1e6f64), 0..40)) {
            let ladder = ladder(&steps);
            let numbers: Vec<f64> = (0..1000).map_while(|place| ladder.at(1e3 * f64::from(place))).collect();
            prop_assert!(numbers.windows(2).all(|pair| pair[0] <= pair[1] + 1e-6), "{:?}", numbers);
        }
    }
}
