//! How fast a run goes, in this session.

use crate::Frames;
use std::time::{Duration, Instant};

/// Times of the work since the last line of metrics, and of the whole session.
#[derive(Debug)]
pub struct Speed {
    session: Instant,
    since: Instant,
    frames: Frames,
    updates: u64,
    learning: Duration,
    /// When and where the agent's own episodes began in this session: prefill and first updates tell nothing of the rest.
    steady: Option<(Instant, Frames)>,
}

impl Speed {
    /// Starts the clock.
    pub fn start() -> Self {
        let now = Instant::now();
        Self { session: now, since: now, frames: Frames(0), updates: 0, learning: Duration::ZERO, steady: None }
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

    /// A gradient step was taken.
    pub fn learned(&mut self, took: Duration) {
        self.updates += 1;
        self.learning += took;
    }

    /// `updates_per_second` (of the time spent on updates) and `frames_per_second` (of all time) since the last call,
    /// each if there were any.
    pub fn take(&mut self) -> Vec<(String, f64)> {
        let rates = [
            ("updates_per_second", self.updates as f64, self.learning),
            ("frames_per_second", self.frames.0 as f64, self.since.elapsed()),
        ];
        (self.since, self.frames, self.updates, self.learning) = (Instant::now(), Frames(0), 0, Duration::ZERO);
        let known = rates.into_iter().filter(|(_, count, time)| *count > 0.0 && !time.is_zero());
        known.map(|(name, count, time)| (name.to_owned(), count / time.as_secs_f64())).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_what_happened_since_the_last_line() {
        let mut speed = Speed::start();
        assert_eq!(speed.take(), []);
        speed.learned(Duration::from_millis(250));
        speed.learned(Duration::from_millis(250));
        assert_eq!(speed.take(), [("updates_per_second".to_owned(), 4.0)]);
        assert_eq!(speed.take(), []);
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
