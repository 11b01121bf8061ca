//! Bootstrap intervals: how much a statistic would change with other seeds.
//!
//! Stratified: the runs of each task are drawn again, with replacement, among themselves (Agarwal et al., "Deep
//! Reinforcement Learning at the Edge of the Statistical Precipice", 2021). The draws are the same at every call.

use super::descriptive::quantile;
use random::Stream;

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

/// The percentile interval of `statistic` over `strata`, each of which is resampled separately.
///
/// `None` if a stratum has fewer than two numbers, or if the statistic is undefined for some resample: the interval
/// would leave out the very cases that make it wide.
pub fn bootstrap(strata: &[&[f64]], statistic: impl Fn(&[Vec<f64>]) -> Option<f64>) -> Option<Interval> {
    if strata.is_empty() || strata.iter().any(|stratum| stratum.len() < 2) {
        return None;
    }
    let mut stream = Stream::new(0, "bootstrap");
    let mut drawn: Vec<Vec<f64>> = strata.iter().map(|stratum| stratum.to_vec()).collect();
    let mut statistics = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        for (drawn, stratum) in drawn.iter_mut().zip(strata) {
            drawn.iter_mut().for_each(|value| *value = stratum[stream.below(stratum.len())]);
        }
        statistics.push(statistic(&drawn).filter(|value| value.is_finite())?);
    }
    statistics.sort_unstable_by(f64::total_cmp);
    Some(Interval { low: quantile(&statistics, TAIL)?, high: quantile(&statistics, 1.0 - TAIL)? })
}

#[cfg(test)]
mod tests {
    use super::super::descriptive::mean;
    use super::*;
    use proptest::prelude::*;

    fn mean_of_first(drawn: &[Vec<f64>]) -> Option<f64> {
        mean(&drawn[0])
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
