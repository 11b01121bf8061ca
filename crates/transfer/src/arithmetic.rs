//! The arithmetic of a transfer: Eq. 3, weighted means, norms.
//!
//! All of it in double precision, rounded once to the agent's precision.

use tape::Real;

/// The weighted mean of parameters of one shape. A single parameter stays unchanged, for any weight.
///
/// # Panics
/// If there are none, or their lengths differ.
pub fn weighted_mean<F: Real>(parts: &[(f64, &[F])]) -> Vec<f64> {
    if let [(_, values)] = parts {
        return values.iter().map(|x| x.to_f64()).collect();
    }
    let total: f64 = parts.iter().map(|(weight, _)| weight).sum();
    let mut mean = vec![0.0; parts[0].1.len()];
    for (weight, values) in parts {
        assert_eq!(values.len(), mean.len());
        mean.iter_mut().zip(*values).for_each(|(sum, x)| *sum += weight * x.to_f64());
    }
    mean.iter_mut().for_each(|sum| *sum /= total);
    mean
}

/// Eq. 3: `W_target = W_random + omega * W_source`.
pub fn fractional<F: Real>(random: &[F], omega: f64, source: &[f64]) -> Vec<F> {
    assert_eq!(random.len(), source.len());
    random.iter().zip(source).map(|(random, source)| F::of(random.to_f64() + omega * source)).collect()
}

/// The convex form of Eq. 3: `W_target = (1 - weight) * W_random + weight * W_source`.
pub fn interpolated<F: Real>(random: &[F], weight: f64, source: &[f64]) -> Vec<F> {
    assert_eq!(random.len(), source.len());
    let mean = |random: f64, source: f64| (1.0 - weight) * random + weight * source;
    random.iter().zip(source).map(|(random, source)| F::of(mean(random.to_f64(), *source))).collect()
}

/// The Euclidean norm.
pub fn norm<F: Real>(values: &[F]) -> f64 {
    values.iter().map(|x| x.to_f64() * x.to_f64()).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers() -> impl Strategy<Value = Vec<f32>> {
        proptest::collection::vec(-1e3_f32..1e3, 1..20)
    }

    proptest! {
        #[test]
        fn a_fraction_is_equation_3(pairs in proptest::collection::vec((-1e3_f32..1e3, -1e3_f32..1e3), 1..20), omega in 0.0..=1.0_f64) {
            let (random, source): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let wide: Vec<f64> = source.iter().map(|&x| f64::from(x)).collect();
            for ((result, random), source) in fractional(&random, omega, &wide).iter().zip(&random).zip(&source) {
                prop_assert_eq!(*result, (f64::from(*random) + omega * f64::from(*source)) as f32);
            }
        }

        #[test]
        fn a_fraction_of_nothing_is_the_random_start(random in numbers()) {
            let source: Vec<f64> = random.iter().map(|x| f64::from(x * 3.0 - 1.0)).collect();
            prop_assert_eq!(&fractional(&random, 0.0, &source), &random);
        }

        #[test]
        fn an_interpolation_begins_at_the_random_start_and_ends_at_the_source(
            pairs in proptest::collection::vec((-1e3_f32..1e3, -1e3_f32..1e3), 1..20), weight in 0.0..=1.0_f64,
        ) {
            let (random, source): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let wide: Vec<f64> = source.iter().map(|&x| f64::from(x)).collect();
            prop_assert_eq!(&interpolated(&random, 0.0, &wide), &random);
            prop_assert_eq!(&interpolated(&random, 1.0, &wide), &source);
            for ((result, a), b) in interpolated(&random, weight, &wide).iter().zip(&random).zip(&source) {
                prop_assert!((a.min(*b)..=a.max(*b)).contains(result), "{result} between {a} and {b}");
            }
        }

        #[test]
        fn equal_parts_have_themselves_as_mean(values in numbers(), count in 1..5_usize) {
            let parts: Vec<(f64, &[f32])> = (0..count).map(|_| (1.0, values.as_slice())).collect();
            let mean: Vec<f32> = weighted_mean(&parts).into_iter().map(|x| x as f32).collect();
            prop_assert_eq!(mean, values);
        }

        #[test]
        fn only_the_ratio_of_weights_matters(a in -1e3..1e3_f64, b in -1e3..1e3_f64, w in 0.01..10.0_f64, scale in 0.01..10.0_f64) {
            let one = weighted_mean(&[(w, &[a][..]), (1.0, &[b][..])])[0];
            let other = weighted_mean(&[(w * scale, &[a][..]), (scale, &[b][..])])[0];
            prop_assert!((one - other).abs() <= 1e-12 * (a.abs() + b.abs()));
            prop_assert!(one >= a.min(b) - 1e-9 && one <= a.max(b) + 1e-9);
            prop_assert!((one - (w * a + b) / (w + 1.0)).abs() <= 1e-9);
        }
    }

    #[test]
    fn a_single_source_is_copied_bitwise() {
        let values = [0.1_f32, -3.7e-12, 1.0 / 3.0];
        let mean = weighted_mean(&[(0.3, &values[..])]);
        assert!(mean.iter().zip(values).all(|(a, b)| *a as f32 == b));
    }

    #[test]
    fn the_norm_is_euclidean() {
        assert_eq!(norm(&[3.0_f32, -4.0]), 5.0);
    }
}
