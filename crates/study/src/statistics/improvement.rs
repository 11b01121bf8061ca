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
    let interval = remembered("probability of improvement", &strata, || {
        let mut first = 0;
        let mut pairs: Vec<Pair> = strata
            .chunks_exact(2)
            .map(|pair| {
                let pair = Pair::new(pair[0], pair[1], first);
                first += pair.ours + pair.theirs;
                pair
            })
            .collect();
        move |counts: &[u8]| mean(&pairs.iter_mut().map(|pair| pair.probability(counts)).collect::<Vec<_>>())
    });
    Some(Estimate { value, interval })
}

/// The runs of a method and of the baseline on a task, prepared for resamples: their order is always the same.
struct Pair {
    /// How many numbers the method has.
    ours: usize,
    /// How many the baseline has.
    theirs: usize,
    /// For each number of the method: its place among all numbers, and how many of `ascending` are below it and not above
    /// it.
    places: Vec<(usize, usize, usize)>,
    /// The places of the baseline's numbers in ascending order.
    ascending: Vec<usize>,
    /// How many of the baseline's numbers before each place of `ascending` were drawn.
    drawn: Vec<u64>,
}

impl Pair {
    /// These runs, the first of which is the number `first` of all strata.
    fn new(ours: &[f64], theirs: &[f64], first: usize) -> Self {
        let usable = |values: &[f64]| -> Vec<(usize, f64)> {
            values.iter().copied().enumerate().filter(|(_, value)| !value.is_nan()).collect()
        };
        let mut order = usable(theirs);
        order.sort_by(|a, b| a.1.total_cmp(&b.1));
        let places = usable(ours).into_iter().map(|(index, value)| {
            let below = order.partition_point(|(_, theirs)| *theirs < value);
            (first + index, below, order.partition_point(|(_, theirs)| *theirs <= value))
        });
        let ascending = order.iter().map(|(index, _)| first + ours.len() + index).collect();
        let drawn = Vec::with_capacity(theirs.len() + 1);
        Self { ours: ours.len(), theirs: theirs.len(), places: places.collect(), ascending, drawn }
    }

    /// [`probability_of_improvement`] of a resample.
    fn probability(&mut self, counts: &[u8]) -> f64 {
        let mut sum = 0;
        self.drawn.clear();
        self.drawn.push(0);
        self.drawn.extend(self.ascending.iter().map(|place| {
            sum += u64::from(counts[*place]);
            sum
        }));
        let twice = self
            .places
            .iter()
            .map(|(place, below, not_above)| u64::from(counts[*place]) * (self.drawn[*below] + self.drawn[*not_above]));
        twice.sum::<u64>() as f64 / 2.0 / (self.ours * self.theirs) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::bootstrap::bootstrap;
    use super::super::resamples::of_values;
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10))]
        #[test]
        fn the_interval_is_that_of_the_numbers_that_are_drawn(
            ours in prop::collection::vec((-4..4i32).prop_map(f64::from), 2..20),
            theirs in prop::collection::vec((-4..4i32).prop_map(f64::from), 2..20),
        ) {
            let tasks = [(ours, theirs), (vec![1.5, f64::NAN, -0.0], vec![0.0, 2.0, 1.5])];
            let strata: Vec<&[f64]> = tasks.iter().flat_map(|(ours, theirs)| [ours.as_slice(), theirs]).collect();
            let sizes: Vec<usize> = strata.iter().map(|stratum| stratum.len()).collect();
            let drawn = of_values(&strata, |drawn| {
                let each = drawn.chunks_exact(2).map(|pair| probability_of_improvement(&pair[0], &pair[1]).unwrap());
                mean(&each.collect::<Vec<_>>())
            });
            prop_assert_eq!(improvement(&tasks).unwrap().interval, bootstrap(&sizes, drawn));
        }
    }
}
