//! How fast a run goes, in this session.

use crate::Frames;
use std::time::{Duration, Instant};

/// The kinds of work of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Gradient steps, with drawing their batches.
    Learning,
    /// Playing episodes to learn from, and writing them.
    Playing,
    /// Evaluation and its images.
    Evaluating,
    /// Checkpoints.
    Saving,
}

impl Work {
    /// All of them, with their metrics.
    pub const ALL: [(Self, &str); 4] = [
        (Self::Learning, "share_learning"),
        (Self::Playing, "share_playing"),
        (Self::Evaluating, "share_evaluating"),
        (Self::Saving, "share_saving"),
    ];
}

/// How the time of a session was spent, in shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// The session's time.
    pub whole: Duration,
    /// The shares, in the order of [`Work::ALL`], from 0 to 1; the rest up to 1 is other work.
    pub shares: [f64; 4],
}

/// Times of the work since the last line of metrics, and of the whole session.
#[derive(Debug)]
pub struct Speed {
    session: Instant,
    since: Instant,
    frames: Frames,
    updates: u64,
    learning: Duration,
    /// The time for each kind of work since the last line of metrics, and in the session.
    spent: [Duration; 4],
    spent_in_all: [Duration; 4],
    /// When the agent's own episodes started in this session: the time of prefill and first updates does not predict
    /// the rest.
    steady: Option<(Instant, Frames)>,
}

impl Speed {
    /// Starts the clock.
    pub fn start() -> Self {
        let now = Instant::now();
        Self {
            session: now,
            since: now,
            frames: Frames(0),
            updates: 0,
            learning: Duration::ZERO,
            spent: [Duration::ZERO; 4],
            spent_in_all: [Duration::ZERO; 4],
            steady: None,
        }
    }

    /// Seconds of this session.
    pub fn seconds(&self) -> f64 {
        self.session.elapsed().as_secs_f64()
    }

    /// An episode of the agent's own begins, at `position` frames.
    pub fn collecting(&mut self, position: Frames) {
        self.steady.get_or_insert_with(|| (Instant::now(), position));
    }

    /// An episode was collected.
    pub fn collected(&mut self, frames: Frames) {
        self.frames += frames;
    }

    /// Counts a gradient step.
    pub fn learned(&mut self, took: Duration) {
        self.updates += 1;
        self.learning += took;
    }

    /// Time went to some work, which began at `began`.
    pub fn worked(&mut self, work: Work, began: Instant) {
        let took = began.elapsed();
        self.spent[work as usize] += took;
        self.spent_in_all[work as usize] += took;
    }

    /// How the time of the session was spent.
    pub fn split(&self) -> Split {
        let whole = self.session.elapsed();
        Split { whole, shares: shares(&self.spent_in_all, whole) }
    }

    /// `updates_per_second` (of the time spent on updates) and `frames_per_second` (of all time) since the last call,
    /// each if there were any; and the shares of each kind of work in that time.
    pub fn take(&mut self) -> Vec<(String, f64)> {
        let whole = self.since.elapsed();
        let rates = [
            ("updates_per_second", self.updates as f64, self.learning),
            ("frames_per_second", self.frames.0 as f64, whole),
        ];
        let known = rates.into_iter().filter(|(_, count, time)| *count > 0.0 && !time.is_zero());
        let known = known.map(|(name, count, time)| (name.to_owned(), count / time.as_secs_f64()));
        let shares = Work::ALL.into_iter().zip(shares(&self.spent, whole));
        let shares = shares.filter(|(_, share)| *share > 0.0).map(|((_, name), share)| (name.to_owned(), share));
        let values = known.chain(shares).collect();
        (self.since, self.frames, self.updates, self.learning) = (Instant::now(), Frames(0), 0, Duration::ZERO);
        self.spent = [Duration::ZERO; 4];
        values
    }

    /// Time that the frames from `position` to `end` will take at this session's pace, once there is one.
    pub fn left(&self, position: Frames, end: Frames) -> Option<Duration> {
        let (began, from) = self.steady?;
        let done = position.since(from).0;
        if done == 0 {
            return None;
        }
        Duration::try_from_secs_f64(began.elapsed().as_secs_f64() * end.since(position).0 as f64 / done as f64).ok()
    }
}

/// Parts of a whole.
fn shares(spent: &[Duration; 4], whole: Duration) -> [f64; 4] {
    spent.map(|time| if whole.is_zero() { 0.0 } else { time.as_secs_f64() / whole.as_secs_f64() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_cover_the_time_since_the_last_line() {
        let mut speed = Speed::start();
        assert_eq!(speed.take(), []);
        speed.learned(Duration::from_millis(250));
        speed.learned(Duration::from_millis(250));
        assert_eq!(speed.take(), [("updates_per_second".to_owned(), 4.0)]);
        assert_eq!(speed.take(), []);
    }

    #[test]
    fn shares_are_of_the_time_since_the_last_line_and_of_the_session() {
        let mut speed = Speed::start();
        let began = speed.since;
        speed.worked(Work::Learning, began);
        speed.worked(Work::Saving, Instant::now());
        let shares = |values: Vec<(String, f64)>| -> Vec<(String, f64)> {
            values.into_iter().filter(|(name, _)| name.starts_with("share_")).collect()
        };
        let line = shares(speed.take());
        assert!(line[0].0 == "share_learning" && line.iter().map(|(_, share)| share).sum::<f64>() <= 1.0, "{line:?}");
        assert_eq!(shares(speed.take()), []);
        let Split { whole, shares } = speed.split();
        assert!(shares[0] > 0.0 && shares[1] == 0.0 && shares.iter().sum::<f64>() <= 1.0 && !whole.is_zero());
    }

    #[test]
    fn the_time_left_is_known_once_the_agent_collects() {
        let mut speed = Speed::start();
        assert_eq!(speed.left(Frames(5000), Frames(9000)), None);
        speed.collecting(Frames(5000));
        assert_eq!(speed.left(Frames(5000), Frames(9000)), None);
        assert!(speed.left(Frames(6000), Frames(9000)).is_some());
        assert_eq!(speed.left(Frames(9000), Frames(9000)), Some(Duration::ZERO));
    }
}
