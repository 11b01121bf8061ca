//! How likely a run of one method is better than one of another.

use super::bootstrap::remembered;
use super::{Estimate, mean};

/// The share of pairs in which the run of `method` is above that of `baseline`, with ties counted half: the statistic
/// of Mann and Whitney divided by the number of pairs. `None` if either has no runs.
pub fn probability_of_improvement(method: &[f64], baseline: &[f64]) -> Option<f64> {
    let pairs = method.len() * baseline.len();
    if pairs == 0 {
        return None;
    }
    // In the sorted list, a run's place is the number of runs below it: no pair is looked at. A NaN is above and below
    // nothing.
    let mut theirs: Vec<f64> = baseline.iter().copied().filter(|value| !value.is_nan()).collect();
    theirs.sort_unstable_by(f64::total_cmp);
    let points = method.iter().filter(|value| !value.is_nan()).map(|ours| {
        let below = theirs.partition_point(|theirs| theirs < ours);
        let not_above = theirs.partition_point(|theirs| theirs <= ours);
        (below + not_above) as f64 / 2.0
    });
    Some(points.sum::<f64>() / pairs as f64)
}

/// The [`probability_of_improvement`], averaged over tasks, with its interval. A task is the returns of `method` and
/// those of `baseline`. `None` if a task lacks runs of either.
pub fn improvement(tasks: &[(Vec<f64>, Vec<f64>)]) -> Option<Estimate> {
    // Strata in turn: the method's runs of a task, the baseline's.
    let strata: Vec<&[f64]> = tasks.iter().flat_map(|(ours, theirs)| [ours.as_slice(), theirs]).collect();
    let over_tasks = |strata: &[&[f64]]| {
        let each: Option<Vec<f64>> =
            strata.chunks_exact(2).map(|pair| probability_of_improvement(pair[0], pair[1])).collect();
        mean(&each?)
    };
    let value = over_tasks(&strata)?;
    let figure = |drawn: &[Vec<f64>]| over_tasks(&drawn.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let interval = remembered("probability of improvement", &strata, figure);
    Some(Estimate { value, interval })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_hand() {
        assert_eq!(probability_of_improvement(&[2.0, 3.0], &[1.0, 2.0, 4.0]), Some(3.5 / 6.0));
        assert_eq!(probability_of_improvement(&[], &[1.0]), None);
        assert_eq!(improvement(&[]), None);
        let estimate = improvement(&[(vec![2.0], vec![1.0]), (vec![0.0], vec![1.0])]).unwrap();
        assert_eq!(estimate, Estimate { value: 0.5, interval: None });
    }

    #[test]
    fn places_are_as_good_as_pairs() {
        let (ours, theirs) = ([1.0, f64::NAN, -0.0, 3.0, 3.0], [0.0, 3.0, f64::NAN, 1.0, f64::INFINITY]);
        let mut points = 0.0;
        for (x, y) in ours.iter().flat_map(|x| theirs.iter().map(move |y| (x, y))) {
            points += if x > y {
                1.0
            } else if x == y {
                0.5
            } else {
                0.0
            };
        }
        assert_eq!(probability_of_improvement(&ours, &theirs), Some(points / 25.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn both_ways_come_to_one(
            // Small whole numbers, so that there are ties.
            ours in prop::collection::vec((-4..4i32).prop_map(f64::from), 1..9),
            theirs in prop::collection::vec((-4..4i32).prop_map(f64::from), 1..9),
        ) {
            let there = probability_of_improvement(&ours, &theirs).unwrap();
            let back = probability_of_improvement(&theirs, &ours).unwrap();
            prop_assert!((0.0..=1.0).contains(&there) && (there + back - 1.0).abs() < 1e-12);
            let raised: Vec<f64> = ours.iter().map(|value| value + 1.0).collect();
            prop_assert!(probability_of_improvement(&raised, &theirs).unwrap() >= there);
            let bent = |values: &[f64]| values.iter().map(|value| value.powi(3)).collect::<Vec<_>>();
            prop_assert_eq!(probability_of_improvement(&bent(&ours), &bent(&theirs)), Some(there));
        }
    }
}
