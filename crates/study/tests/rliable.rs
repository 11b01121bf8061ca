//! The statistics against those of `rliable`, on the same returns. Here: its numbers, and how near ours are. How they were
//! made: `rliable/remake.py`.

use serde::Deserialize;
use study::statistics::{Interval, bootstrap, improvement, mean, pooled_interquartile_mean};

#[derive(Deserialize)]
struct Numbers {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    ours: Vec<Vec<f64>>,
    theirs: Vec<Vec<f64>>,
    interquartile_mean: Figure,
    mean: Figure,
    probability_of_improvement: Figure,
}

#[derive(Deserialize)]
struct Figure {
    value: f64,
    low: f64,
    high: f64,
}

impl Figure {
    /// Values must be equal, and intervals as near as two times 10,000 draws make probable: a twentieth of their width,
    /// and whole steps for statistics with few possible values.
    fn expect(&self, value: f64, interval: Interval, step: f64, what: &str) {
        assert!((value - self.value).abs() < 1e-12, "{what}: {value} instead of {}", self.value);
        let near = 0.05 * (self.high - self.low) + step;
        for (ours, theirs) in [(interval.low, self.low), (interval.high, self.high)] {
            assert!((ours - theirs).abs() <= near, "{what}: {interval:?} instead of {} to {}", self.low, self.high);
        }
    }
}

#[test]
fn figures_and_intervals_are_those_of_rliable() {
    let numbers: Numbers = serde_json::from_str(include_str!("rliable/numbers.json")).unwrap();
    assert_eq!(numbers.cases.len(), 3);
    for case in numbers.cases {
        let strata: Vec<&[f64]> = case.ours.iter().map(Vec::as_slice).collect();
        let pooled = pooled_interquartile_mean(&strata).unwrap();
        case.interquartile_mean.expect(pooled.value, pooled.interval.unwrap(), 0.0, &format!("{}: IQM", case.name));

        let averaged = |counts: &[u8]| {
            let mut counts = counts.iter();
            let of_task = |task: &Vec<f64>| {
                let drawn = task.iter().zip(&mut counts).map(|(value, count)| value * f64::from(*count));
                drawn.sum::<f64>() / task.len() as f64
            };
            mean(&case.ours.iter().map(of_task).collect::<Vec<_>>())
        };
        let interval = bootstrap(&case.ours.iter().map(Vec::len).collect::<Vec<_>>(), averaged).unwrap();
        let means: Vec<f64> = case.ours.iter().map(|task| mean(task).unwrap()).collect();
        case.mean.expect(mean(&means).unwrap(), interval, 0.0, &format!("{}: mean", case.name));

        let pairs: Vec<_> = case.ours.iter().cloned().zip(case.theirs.iter().cloned()).collect();
        let step = 1.0 / (pairs.len() * pairs[0].0.len() * pairs[0].1.len()) as f64;
        let better = improvement(&pairs).unwrap();
        let what = format!("{}: probability of improvement", case.name);
        case.probability_of_improvement.expect(better.value, better.interval.unwrap(), step, &what);
    }
}
