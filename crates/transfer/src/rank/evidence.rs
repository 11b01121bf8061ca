//! Bayesian linear regression whose two precisions are those of greatest evidence.
//!
//! The regression is a ridge regression that finds its penalty by itself, and the logarithm of its evidence is LogME (You et al.,
//! 2021, Algorithm 1), a score for features that does not need held-out data.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Steps after which the search for the precisions ends.
const MOST_STEPS: usize = 100;

/// Rows of inputs and targets, of which the inputs' columns are brought to mean 0 and deviation 1, and the targets to mean 0.
#[derive(Clone, Debug)]
pub(crate) struct Regression {
    /// The weights of the standardised inputs.
    weights: DVector<f64>,
    means: Vec<f64>,
    deviations: Vec<f64>,
    target_mean: f64,
    /// The logarithm of the evidence, over the number of rows.
    pub log_evidence: f64,
}

impl Regression {
    /// Fits targets `[N]` to inputs [N, width]. Columns that do not vary get no weight.
    pub fn fit(inputs: &[f64], targets: &[f64]) -> Self {
        let (rows, width) = (targets.len(), inputs.len() / targets.len());
        let column = |index: usize| inputs.iter().skip(index).step_by(width);
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / rows as f64;
        let means: Vec<f64> = (0..width).map(|index| mean(&mut column(index).copied())).collect();
        let deviations: Vec<f64> = (0..width)
            .map(|index| mean(&mut column(index).map(|x| (x - means[index]).powi(2))).sqrt())
            .map(|deviation| if deviation > 1e-12 { deviation } else { f64::INFINITY })
            .collect();
        let target_mean = mean(&mut targets.iter().copied());
        let standard = DMatrix::from_fn(rows, width, |row, index| {
            (inputs[row * width + index] - means[index]) / deviations[index]
        });
        let target = DVector::from_iterator(rows, targets.iter().map(|target| target - target_mean));
        let eigen = SymmetricEigen::new(standard.tr_mul(&standard));
        let rotated = eigen.eigenvectors.tr_mul(&standard.tr_mul(&target));
        let (weights, log_evidence) =
            most_evident(eigen.eigenvalues.as_slice(), rotated.as_slice(), target.norm_squared(), rows);
        Self { weights: &eigen.eigenvectors * weights, means, deviations, target_mean, log_evidence }
    }

    /// The predictions for inputs [N, width].
    pub fn predict(&self, inputs: &[f64]) -> Vec<f64> {
        let width = self.weights.len();
        let one = |row: &[f64]| -> f64 {
            let parts = row.iter().zip(&self.means).zip(&self.deviations).zip(self.weights.iter());
            self.target_mean
                + parts.map(|(((x, mean), deviation), weight)| (x - mean) / deviation * weight).sum::<f64>()
        };
        inputs.chunks_exact(width).map(one).collect()
    }
}

/// The weights in the directions of the inputs' covariance (whose eigenvalues times N are `spectrum`, and the targets' projections
/// `projected`), and the logarithm of the evidence over N.
fn most_evident(spectrum: &[f64], projected: &[f64], square: f64, rows: usize) -> (DVector<f64>, f64) {
    let (count, tiny) = (rows as f64, 1e-12);
    // Precision of the weights, and of the noise.
    let (mut alpha, mut beta) = (1.0, count / square.max(tiny));
    let solve = |alpha: f64, beta: f64| {
        let weights = spectrum.iter().zip(projected).map(|(s, z)| beta * z / (alpha + beta * s.max(0.0)));
        let weights = DVector::from_iterator(spectrum.len(), weights);
        let fitted = weights.iter().zip(spectrum).map(|(m, s)| m * m * s.max(0.0)).sum::<f64>();
        let along = weights.iter().zip(projected).map(|(m, z)| m * z).sum::<f64>();
        let error = (square - 2.0 * along + fitted).max(tiny);
        (weights, error)
    };
    for _ in 0..MOST_STEPS {
        let (weights, error) = solve(alpha, beta);
        let effective: f64 = spectrum.iter().map(|s| beta * s.max(0.0) / (alpha + beta * s.max(0.0))).sum();
        let before: f64 = alpha / beta;
        alpha = (effective / weights.norm_squared().max(tiny)).min(1e12);
        beta = ((count - effective).max(tiny) / error).min(1e12);
        if ((alpha / beta) / before - 1.0).abs() < 1e-6 {
            break;
        }
    }
    let (weights, error) = solve(alpha, beta);
    let determinant: f64 = spectrum.iter().map(|s| (alpha + beta * s.max(0.0)).ln()).sum();
    let evidence = 0.5 * (count * beta.ln() + spectrum.len() as f64 * alpha.ln() - count * std::f64::consts::TAU.ln())
        - 0.5 * (beta * error + alpha * weights.norm_squared() + determinant);
    (weights, evidence / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use random::Stream;

    /// Rows of `width` inputs, and targets that are twice the first plus noise of this deviation.
    fn rows(seed: u64, rows: usize, width: usize, noise: f64) -> (Vec<f64>, Vec<f64>) {
        let mut random = Stream::new(seed, "rows");
        let inputs: Vec<f64> = (0..rows * width).map(|_| 3.0 + random.normal()).collect();
        let targets = inputs.chunks_exact(width).map(|row| 2.0 * row[0] - 5.0 + noise * random.normal()).collect();
        (inputs, targets)
    }

    fn error(found: &[f64], expected: &[f64]) -> f64 {
        found.iter().zip(expected).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / expected.len() as f64
    }

    #[test]
    fn a_planted_line_is_found_and_predicts_new_rows() {
        let (inputs, targets) = rows(1, 300, 20, 0.01);
        let fit = Regression::fit(&inputs, &targets);
        let (inputs, targets) = rows(2, 100, 20, 0.0);
        assert!(error(&fit.predict(&inputs), &targets) < 1e-4);
    }

    #[test]
    fn noise_is_not_learned_although_there_are_more_inputs_than_rows() {
        let (inputs, _) = rows(3, 50, 80, 0.0);
        let mut random = Stream::new(4, "noise");
        let targets: Vec<f64> = (0..50).map(|_| random.normal()).collect();
        let fit = Regression::fit(&inputs, &targets);
        let (new, _) = rows(5, 200, 80, 0.0);
        let expected: Vec<f64> = (0..200).map(|_| random.normal()).collect();
        // A mean alone has an error of 1 here; least squares would have one far above 2.
        assert!(error(&fit.predict(&new), &expected) < 1.3);
    }

    #[test]
    fn inputs_that_know_the_target_have_more_evidence_than_those_that_do_not() {
        let (inputs, targets) = rows(6, 200, 5, 0.1);
        let useless: Vec<f64> = inputs.chunks_exact(5).flat_map(|row| row[1..].to_vec()).collect();
        assert!(
            Regression::fit(&inputs, &targets).log_evidence > 1.0 + Regression::fit(&useless, &targets).log_evidence
        );
    }

    #[test]
    fn inputs_and_targets_that_do_not_vary_are_no_trouble() {
        let fit = Regression::fit(&[1.0; 20], &[0.5; 10]);
        assert_eq!(fit.predict(&[7.0, 1.0]), [0.5]);
        assert!(fit.log_evidence.is_finite());
    }
}
