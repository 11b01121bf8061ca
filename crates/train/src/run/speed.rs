//! How fast a run goes, in this session.

use crate::Frames;
use crate::config::Config;
use crate::run::schedule::{Position, Remaining};
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

/// An estimate of the time left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLeft {
    /// Of the episodes of the prefill alone: before the first gradient step, the time of the others is unknown.
    FirstEpisodes(Duration),
    /// Of the run.
    Run(Duration),
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
    /// In this session: frames of random episodes and of the agent's own, with the time that they took.
    played: [(Frames, Duration); 2],
    /// Gradient steps, evaluations and checkpoints of this session.
    done: Done,
}

#[derive(Debug, Default)]
struct Done {
    updates: u64,
    evaluations: u64,
    checkpoints: u64,
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
            played: [(Frames(0), Duration::ZERO); 2],
            done: Done::default(),
        }
    }

    /// Seconds of this session.
    pub fn seconds(&self) -> f64 {
        self.session.elapsed().as_secs_f64()
    }

    /// An episode was collected, of random actions or of the agent's own.
    pub fn collected(&mut self, frames: Frames, random: bool, took: Duration) {
        self.frames += frames;
        let (all, time) = &mut self.played[usize::from(!random)];
        *all += frames;
        *time += took;
    }

    /// Counts an evaluation.
    pub fn evaluated(&mut self) {
        self.done.evaluations += 1;
    }

    /// Counts a checkpoint.
    pub fn saved(&mut self) {
        self.done.checkpoints += 1;
    }

    /// Counts a gradient step.
    pub fn learned(&mut self, took: Duration) {
        self.updates += 1;
        self.done.updates += 1;
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

    /// An estimate of the time left for a run at `position`: the remaining work of each kind, at this session's pace.
    pub fn left(&self, config: &Config, position: &Position) -> Option<TimeLeft> {
        let remaining = Remaining::of(config, position);
        let spent = |work: Work| self.spent_in_all[work as usize].as_secs_f64();
        let [random, own] = self.played.map(|(frames, time)| pace(time.as_secs_f64(), frames.0));
        let playing = |first: Option<f64>, second: Option<f64>| first.or(second);
        let random_episodes = of(remaining.random.0, playing(random, own));
        let whole = || {
            let learning = of(remaining.updates, pace(spent(Work::Learning), self.done.updates))?;
            let own_episodes = of(remaining.own.0, playing(own, random))?;
            // Before the first evaluation: as many episodes of the length so far.
            let episode = position.frames.0.checked_div(position.episodes).unwrap_or(0);
            let frames =
                config.schedule.eval_episodes.saturating_mul(config.tasks.len() as u64).saturating_mul(episode);
            let evaluation = pace(spent(Work::Evaluating), self.done.evaluations)
                .or_else(|| Some(playing(own, random)? * frames as f64));
            let evaluating = of(remaining.evaluations, evaluation)?;
            let saving = of(remaining.checkpoints, pace(spent(Work::Saving), self.done.checkpoints)).unwrap_or(0.0);
            Some(random_episodes? + learning + own_episodes + evaluating + saving)
        };
        let time = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
        match whole() {
            Some(seconds) => time(seconds).map(TimeLeft::Run),
            None if remaining.random.0 > 0 => random_episodes.and_then(time).map(TimeLeft::FirstEpisodes),
            None => None,
        }
    }
}

/// The time of one of `count` things that took `seconds` together; `None` without any.
fn pace(seconds: f64, count: u64) -> Option<f64> {
    (count > 0).then(|| seconds / count as f64)
}

/// The time of `count` things of which each takes so long; none takes no time.
fn of(count: u64, each: Option<f64>) -> Option<f64> {
    if count == 0 { Some(0.0) } else { Some(count as f64 * each?) }
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
    fn the_time_left_is_known_from_the_first_episode_and_the_first_gradient_step_on() {
        let mut config = Config { tasks: vec!["a".to_owned()], steps: Frames(20_000), ..Config::default() };
        config.agent.length = 2;
        let (mut speed, mut position) = (Speed::start(), Position::default());
        assert_eq!(speed.left(&config, &position), None);
        // Five random episodes of 1000 frames, a second each.
        for left in [4, 3, 2, 1, 0] {
            let phase = crate::run::schedule::next(&config, &position);
            position.collected(&config, phase, Frames(1000), crate::AgentSteps(500));
            speed.collected(Frames(1000), true, Duration::from_secs(1));
            let expected = Some(TimeLeft::FirstEpisodes(Duration::from_secs(left))).filter(|_| left > 0);
            assert_eq!(speed.left(&config, &position), expected, "{position:?}");
        }
        // A gradient step takes 2 s: 1599 of them are left, 15 000 frames, and evaluations at 5000 and 15 000 frames.
        speed.learned(Duration::from_secs(2));
        speed.spent_in_all[Work::Learning as usize] = Duration::from_secs(2);
        position.updates = 1;
        let Some(TimeLeft::Run(left)) = speed.left(&config, &position) else { panic!("it has an estimate") };
        assert_eq!(left.as_secs(), 1599 * 2 + 15 + 3, "{left:?}");
        // The agent's own episodes are slower, and from then on they count.
        position.collected(&config, crate::Phase::Collect { task: 0 }, Frames(1000), crate::AgentSteps(500));
        speed.collected(Frames(1000), false, Duration::from_secs(3));
        let Some(TimeLeft::Run(left)) = speed.left(&config, &position) else { panic!("it has an estimate") };
        assert_eq!(left.as_secs(), 1599 * 2 + 14 * 3 + 3 * 3, "{left:?}");
        // At the end, nothing is left but a checkpoint.
        let updates = 1600;
        position = Position { frames: Frames(20_000), updates, evaluated: Some(Frames(20_000)), ..position };
        assert_eq!(speed.left(&config, &position), Some(TimeLeft::Run(Duration::ZERO)));
    }
}
