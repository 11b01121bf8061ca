//! Bootstrap intervals: how much a statistic would change with other seeds.
//!
//! Stratified: the runs of each task are drawn again, with replacement, among themselves (Agarwal et al., "Deep
//! Reinforcement Learning at the Edge of the Statistical Precipice", 2021). The draws are the same at every call. Not
//! here: the draws themselves (`resamples`).

use super::descriptive::quantile;
use super::resamples::each_resample;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How often runs are drawn again.
pub const RESAMPLES: usize = 10_000;

/// The middle 95 % of a statistic.
const TAIL: f64 = 0.025;

/// The 95 % confidence interval of a statistic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// 2.5 % of the resamples are below.
    pub low: f64,
    /// 2.5 % of the resamples are above.
    pub high: f64,
}

/// [`bootstrap`], remembered: a live page shows the same numbers again and again, and few of them have changed. `name` is that of
/// the statistic, and `prepared` makes it for `strata` if its interval is not known yet.
pub fn remembered<S: FnMut(&[u8]) -> Option<f64>>(
    name: &'static str,
    strata: &[&[f64]],
    prepared: impl FnOnce() -> S,
) -> Option<Interval> {
    let bits = |stratum: &&[f64]| stratum.iter().map(|value| value.to_bits()).collect();
    let key: Key = (name, strata.iter().map(bits).collect());
    let lock = || MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lock().intervals.get(&key) {
        return *known;
    }
    let sizes: Vec<usize> = strata.iter().map(|stratum| stratum.len()).collect();
    let interval = bootstrap(&sizes, prepared());
    lock().put(key, interval);
    interval
}

/// A statistic, and the bits of the numbers of each of its strata.
type Key = (&'static str, Vec<Vec<u64>>);

/// Intervals that were computed.
struct Memory {
    intervals: BTreeMap<Key, Option<Interval>>,
    /// The numbers in all keys.
    numbers: usize,
}

static MEMORY: Mutex<Memory> = Mutex::new(Memory { intervals: BTreeMap::new(), numbers: 0 });

impl Memory {
    /// The most numbers in all keys: several times those of a study of 10,000 runs, in 8 MB.
    const MOST: usize = 1 << 20;

    fn put(&mut self, key: Key, interval: Option<Interval>) {
        let numbers = key.1.iter().map(Vec::len).sum::<usize>();
        if self.numbers.saturating_add(numbers) > Self::MOST {
            (self.intervals, self.numbers) = (BTreeMap::new(), 0);
        }
        self.numbers = self.numbers.saturating_add(numbers);
        self.intervals.insert(key, interval);
    }
}

/// The percentile interval of `statistic` over strata of these sizes, each of which is resampled separately. The
/// statistic is given how often each number was drawn: those of the first stratum, then those of the next.
///
/// `None` if a stratum has fewer than two numbers, or if the statistic is undefined for some resample: the interval
/// would leave out the very cases that make it wide.
pub fn bootstrap(sizes: &[usize], mut statistic: impl FnMut(&[u8]) -> Option<f64>) -> Option<Interval> {
    if sizes.is_empty() || sizes.iter().any(|size| *size < 2) {
        return None;
    }
    let mut statistics = Vec::with_capacity(RESAMPLES);
    let finite = |counts: &[u8]| {
        let value = statistic(counts).filter(|value| value.is_finite());
        statistics.extend(value);
        value.is_some()
    };
    if !each_resample(sizes, finite) {
        return None;
    }
    statistics.sort_unstable_by(f64::total_cmp);
    Some(Interval { low: quantile(&statistics, TAIL)?, high: quantile(&statistics, 1.0 - TAIL)? })
}

#[cfg(test)]
mod tests {
    use super::super::descriptive::mean;
    use super::super::resamples::of_values;
    use super::*;
    use proptest::prelude::*;
    use random::Stream;

    fn mean_of_first(drawn: &[Vec<f64>]) -> Option<f64> {
        mean(&drawn[0])
    }

    /// The interval of a statistic of the numbers that were drawn.
    fn bootstrap(strata: &[&[f64]], statistic: impl Fn(&[Vec<f64>]) -> Option<f64>) -> Option<Interval> {
        let sizes: Vec<usize> = strata.iter().map(|stratum| stratum.len()).collect();
        super::bootstrap(&sizes, of_values(strata, statistic))
    }

    #[test]
    fn a_single_run_has_no_interval() {
        assert_eq!(bootstrap(&[&[4.0]], mean_of_first), None);
        assert_eq!(bootstrap(&[&[4.0, 5.0], &[1.0]], mean_of_first), None);
        assert_eq!(bootstrap(&[], |_| Some(1.0)), None);
    }

    #[test]
    fn a_resample_without_a_figure_leaves_no_interval() {
        let rarely = |drawn: &[Vec<f64>]| (drawn[0] != [1.0, 1.0, 1.0]).then_some(1.0);
        assert_eq!(bootstrap(&[&[1.0, 2.0, 3.0]], rarely), None);
        assert_eq!(bootstrap(&[&[1.0, 2.0]], |_| Some(f64::NAN)), None);
    }

    #[test]
    fn the_interval_of_a_mean_is_near_the_normal_one() {
        // 100 numbers of deviation 10: the mean's deviation is 1 (less half a per cent, of n against n - 1).
        let mut stream = Stream::new(5, "numbers");
        let values: Vec<f64> = (0..100).map(|_| stream.normal()).collect();
        let (centre, spread) = (mean(&values).unwrap(), super::super::deviation(&values).unwrap());
        let values: Vec<f64> = values.iter().map(|value| (value - centre) / spread * 10.0).collect();
        let interval = bootstrap(&[&values], mean_of_first).unwrap();
        assert!((interval.low + 1.95).abs() < 0.1 && (interval.high - 1.95).abs() < 0.1, "{interval:?}");
    }

    #[test]
    fn an_interval_is_computed_once_and_again_if_a_number_changes() {
        let count = std::cell::Cell::new(0);
        let of = |values: &[f64]| {
            let strata = [values];
            remembered("a test's", &strata, || {
                of_values(&strata, |drawn| {
                    count.set(count.get() + 1);
                    mean_of_first(drawn)
                })
            })
        };
        let first = of(&[1.0, 2.0, 4.0]);
        assert_eq!((first, count.get()), (bootstrap(&[&[1.0, 2.0, 4.0]], mean_of_first), RESAMPLES));
        assert_eq!((of(&[1.0, 2.0, 4.0]), count.get()), (first, RESAMPLES));
        assert_ne!(of(&[1.0, 2.0, 5.0]), first);
        assert_eq!(count.get(), 2 * RESAMPLES);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut memory = Memory { intervals: BTreeMap::new(), numbers: 0 };
        for number in 0..10 {
            memory.put(("one", vec![vec![number; Memory::MOST / 4]]), None);
            assert!(memory.numbers <= Memory::MOST && memory.intervals.len() <= 4);
        }
    }

    #[test]
    fn each_stratum_is_drawn_from_itself() {
        let within = |drawn: &[Vec<f64>]| {
            let first = drawn[0].iter().all(|value| *value < 10.0) && drawn[0].len() == 3;
            (first && drawn[1].iter().all(|value| *value >= 10.0) && drawn[1].len() == 2).then_some(0.0)
        };
        assert!(bootstrap(&[&[1.0, 2.0, 3.0], &[10.0, 11.0]], within).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn intervals_are_the_same_each_time_and_among_the_numbers(values in prop::collection::vec(-1e3..1e3f64, 2..9)) {
            let interval = bootstrap(&[&values], mean_of_first).unwrap();
            prop_assert_eq!(Some(interval), bootstrap(&[&values], mean_of_first));
            let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
            prop_assert!(low - 1e-9 <= interval.low && interval.low <= interval.high && interval.high <= high + 1e-9);
        }
    }
}
