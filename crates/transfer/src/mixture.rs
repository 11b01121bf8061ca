//! The non-negative weights, with a sum of at most 1, that make a linear prediction fit targets best.
//!
//! The problem is convex, so that its solution does not depend on where the search starts. Here: the search. Not here: what is
//! predicted (`fraction_fit`).

/// Steps after which the search ends.
const MOST_STEPS: usize = 20_000;
/// The change of a weight that ends the search.
const ACCURACY: f64 = 1e-10;

/// The measure of a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Criterion {
    /// The squared error of a number.
    SquaredError,
    /// The negative logarithm of the probability of a target from 0 to 1, whose logit is predicted.
    LogLoss,
}

impl Criterion {
    /// Its value for one prediction.
    fn loss(self, predicted: f64, target: f64) -> f64 {
        match self {
            Self::SquaredError => (predicted - target).powi(2),
            // ln(1 + e^x) - target x, for large x too.
            Self::LogLoss => predicted.max(0.0) + (-predicted.abs()).exp().ln_1p() - target * predicted,
        }
    }

    /// Its derivative by the prediction.
    fn slope(self, predicted: f64, target: f64) -> f64 {
        match self {
            Self::SquaredError => 2.0 * (predicted - target),
            Self::LogLoss => 1.0 / (1.0 + (-predicted).exp()) - target,
        }
    }

    /// The most that its second derivative by the prediction can be.
    fn curvature(self) -> f64 {
        match self {
            Self::SquaredError => 2.0,
            Self::LogLoss => 0.25,
        }
    }
}

/// Predictions `base + sum of w_i * parts_i` of targets, one for each of N rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mixture {
    /// `[N]`.
    pub base: Vec<f64>,
    /// `[N]` of each part.
    pub parts: Vec<Vec<f64>>,
    /// `[N]`.
    pub targets: Vec<f64>,
}

impl Mixture {
    /// The mean of the criterion over all rows with these weights.
    pub fn loss(&self, criterion: Criterion, weights: &[f64]) -> f64 {
        let rows = self.targets.iter().enumerate();
        rows.map(|(row, target)| criterion.loss(self.predict(row, weights), *target)).sum::<f64>()
            / self.targets.len() as f64
    }

    /// Subtracts its mean from all that is predicted and from the targets, so that constants count for nothing.
    pub fn subtract_means(&mut self) {
        for rows in self.parts.iter_mut().chain([&mut self.base, &mut self.targets]) {
            let mean = rows.iter().sum::<f64>() / rows.len() as f64;
            rows.iter_mut().for_each(|x| *x -= mean);
        }
    }

    /// How much better each row is predicted with `new` weights than with `old` ones.
    pub fn gains(&self, criterion: Criterion, old: &[f64], new: &[f64]) -> Vec<f64> {
        let loss = |row: usize, weights: &[f64]| criterion.loss(self.predict(row, weights), self.targets[row]);
        (0..self.targets.len()).map(|row| loss(row, old) - loss(row, new)).collect()
    }

    fn predict(&self, row: usize, weights: &[f64]) -> f64 {
        self.base[row] + self.parts.iter().zip(weights).map(|(part, weight)| weight * part[row]).sum::<f64>()
    }

    /// The weights with the least loss, by projected gradients with momentum (FISTA; Beck and Teboulle, 2009).
    pub fn best_weights(&self, criterion: Criterion) -> Vec<f64> {
        let (count, rows) = (self.parts.len(), self.targets.len() as f64);
        // The trace bounds the largest eigenvalue of the mean of the parts' outer products.
        let trace: f64 = self.parts.iter().flatten().map(|x| x * x).sum::<f64>() / rows;
        let step = 1.0 / (criterion.curvature() * trace);
        let (mut weights, mut ahead, mut momentum) = (vec![0.0; count], vec![0.0; count], 1.0_f64);
        if !step.is_finite() {
            return weights;
        }
        for _ in 0..MOST_STEPS {
            let slopes: Vec<f64> = (0..self.targets.len())
                .map(|row| criterion.slope(self.predict(row, &ahead), self.targets[row]))
                .collect();
            let gradient =
                |part: &Vec<f64>| part.iter().zip(&slopes).map(|(part, slope)| part * slope).sum::<f64>() / rows;
            let moved = ahead.iter().zip(&self.parts).map(|(weight, part)| weight - step * gradient(part)).collect();
            let next = nearest_allowed(moved);
            let change = next.iter().zip(&weights).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            let next_momentum = 0.5 * (1.0 + (1.0 + 4.0 * momentum * momentum).sqrt());
            let push = (momentum - 1.0) / next_momentum;
            ahead = next.iter().zip(&weights).map(|(now, before)| now + push * (now - before)).collect();
            (weights, momentum) = (next, next_momentum);
            if change < ACCURACY {
                break;
            }
        }
        weights
    }
}

/// The nearest weights that are not negative and have a sum of at most 1.
fn nearest_allowed(weights: Vec<f64>) -> Vec<f64> {
    let positive: Vec<f64> = weights.iter().map(|weight| weight.max(0.0)).collect();
    if positive.iter().sum::<f64>() <= 1.0 {
        return positive;
    }
    // The same amount is subtracted from all that stay positive (Duchi et al., 2008). Shifted so that the largest is 1,
    // which changes nothing, huge weights lose no digits.
    let largest = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = weights.into_iter().map(|weight| weight - largest + 1.0).collect();
    let mut sorted = weights.clone();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let (mut sum, mut taken) = (0.0, 0.0);
    for (index, weight) in sorted.iter().enumerate() {
        sum += weight;
        let amount = (sum - 1.0) / (index + 1) as f64;
        if *weight > amount {
            taken = amount;
        }
    }
    weights.into_iter().map(|weight| (weight - taken).max(0.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use random::Stream;

    /// Random parts; targets are their sum with these weights, plus noise.
    fn planted(seed: u64, weights: &[f64], noise: f64) -> Mixture {
        let mut random = Stream::new(seed, "planted");
        let mut rows = |count: usize| (0..count).map(|_| random.normal()).collect::<Vec<f64>>();
        let (base, parts) = (rows(200), weights.iter().map(|_| rows(200)).collect::<Vec<_>>());
        let errors = rows(200);
        let mut mixture = Mixture { base, parts, targets: Vec::new() };
        mixture.targets = (0..200).map(|row| mixture.predict(row, weights) + noise * errors[row]).collect();
        mixture
    }

    proptest! {
        #[test]
        fn planted_weights_are_found(seed in 0_u64..1000, raw in proptest::collection::vec(0.0..1.0_f64, 1..6)) {
            let sum: f64 = raw.iter().sum::<f64>().max(1.0);
            let weights: Vec<f64> = raw.iter().map(|weight| weight / sum).collect();
            let found = planted(seed, &weights, 0.0).best_weights(Criterion::SquaredError);
            for (found, planted) in found.iter().zip(&weights) {
                prop_assert!((found - planted).abs() < 1e-6, "{found} for {planted}");
            }
        }

        #[test]
        fn no_allowed_weights_are_better(
            seed in 0_u64..1000,
            others in proptest::collection::vec(0.0..1.0_f64, 3),
            log in proptest::bool::ANY,
        ) {
            let mut mixture = planted(seed, &[0.9, 0.0, 1.4], 1.0);
            let criterion = if log { Criterion::LogLoss } else { Criterion::SquaredError };
            if log {
                mixture.targets.iter_mut().for_each(|target| *target = f64::from(*target > 0.0));
            }
            let best = mixture.best_weights(criterion);
            prop_assert!(best.iter().all(|weight| *weight >= 0.0) && best.iter().sum::<f64>() <= 1.0 + 1e-9);
            let sum: f64 = others.iter().sum::<f64>().max(1.0);
            let others: Vec<f64> = others.iter().map(|weight| weight / sum).collect();
            prop_assert!(mixture.loss(criterion, &best) <= mixture.loss(criterion, &others) + 1e-9);
        }

        #[test]
        fn the_nearest_allowed_weights_are_allowed_and_those_that_are_allowed_stay(
            weights in proptest::collection::vec(-2.0..2.0_f64, 1..8),
        ) {
            let near = nearest_allowed(weights.clone());
            prop_assert!(near.iter().all(|weight| *weight >= 0.0) && near.iter().sum::<f64>() <= 1.0 + 1e-12);
            let again = nearest_allowed(near.clone());
            for (again, near) in again.iter().zip(&near) {
                prop_assert!((again - near).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn huge_targets_get_weights_that_are_allowed() {
        for size in [1e30, 1e38, 1e76] {
            let mut mixture = planted(2, &[0.5, 0.5], 0.0);
            mixture.targets.iter_mut().for_each(|target| *target *= size);
            let weights = mixture.best_weights(Criterion::SquaredError);
            let sum: f64 = weights.iter().sum();
            assert!(weights.iter().all(|weight| (0.0..=1.0).contains(weight)) && sum <= 1.0 + 1e-9, "{weights:?}");
            assert!(sum > 0.999, "{weights:?}");
        }
        assert_eq!(nearest_allowed(vec![1e40]), [1.0]);
        assert_eq!(nearest_allowed(vec![1e40, 3.0, -1e40]), [1.0, 0.0, 0.0]);
    }

    #[test]
    fn parts_that_predict_nothing_get_nothing() {
        let mut mixture = planted(1, &[0.0, 0.0], 0.0);
        mixture.parts[0].fill(0.0);
        assert_eq!(mixture.best_weights(Criterion::SquaredError)[0], 0.0);
        mixture.parts[1].fill(0.0);
        assert_eq!(mixture.best_weights(Criterion::SquaredError), [0.0, 0.0]);
    }
}
