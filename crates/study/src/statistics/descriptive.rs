//! Statistics of a few numbers: mean, standard deviation, quantiles, interquartile mean.

/// The mean; `None` for an empty slice.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard deviation of a sample, divided by `n - 1`; none of fewer than two numbers.
pub fn deviation(values: &[f64]) -> Option<f64> {
    let centre = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

/// The quantile `share` (from 0 to 1) of numbers in ascending order, linear between neighbours; `None` for an empty
/// slice.
pub fn quantile(ascending: &[f64], share: f64) -> Option<f64> {
    let last = ascending.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    Some(ascending[below] + (ascending[above] - ascending[below]) * (place - below as f64))
}

/// The mean of the middle half: a quarter of the numbers, rounded down, is left out at each end. For three or fewer
/// numbers, it is their mean; `None` for an empty slice.
pub fn interquartile_mean(values: &[f64]) -> Option<f64> {
    let mut ascending = values.to_vec();
    ascending.sort_unstable_by(f64::total_cmp);
    middle_mean(&ascending)
}

/// The interquartile mean of numbers in ascending order.
pub fn middle_mean(ascending: &[f64]) -> Option<f64> {
    let cut = ascending.len() / 4;
    mean(&ascending[cut..ascending.len() - cut])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn too_few_numbers_have_no_statistic() {
        assert_eq!((mean(&[]), deviation(&[]), quantile(&[], 0.5), interquartile_mean(&[])), (None, None, None, None));
        assert_eq!((mean(&[3.0]), deviation(&[3.0]), interquartile_mean(&[3.0])), (Some(3.0), None, Some(3.0)));
    }

    #[test]
    fn statistics_by_hand() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(mean(&values), Some(5.0));
        assert!((deviation(&values).unwrap() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(interquartile_mean(&values), Some(4.5));
        assert_eq!(interquartile_mean(&[9.0, 0.0, 3.0]), Some(4.0));
        assert_eq!(quantile(&values, 0.5), Some(4.5));
        assert_eq!((quantile(&values, 0.0), quantile(&values, 1.0)), (Some(2.0), Some(9.0)));
    }

    fn numbers(least: usize) -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(-1e4..1e4f64, least..40)
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-8 * (1.0 + a.abs().max(b.abs()))
    }

    proptest! {
        #[test]
        fn the_order_of_runs_does_not_matter(values in numbers(2), turn in 0usize..40) {
            let mut turned = values.clone();
            turned.rotate_left(turn % values.len());
            prop_assert!(near(mean(&values).unwrap(), mean(&turned).unwrap()));
            prop_assert!(near(deviation(&values).unwrap(), deviation(&turned).unwrap()));
            prop_assert_eq!(interquartile_mean(&values), interquartile_mean(&turned));
        }

        #[test]
        fn statistics_move_and_stretch_with_the_numbers(values in numbers(2), scale in 0.01..100.0f64, shift in -1e3..1e3f64) {
            let moved: Vec<f64> = values.iter().map(|value| scale * value + shift).collect();
            prop_assert!(near(mean(&moved).unwrap(), scale * mean(&values).unwrap() + shift));
            prop_assert!((deviation(&moved).unwrap() - scale * deviation(&values).unwrap()).abs() < 1e-6 * scale);
            prop_assert!(near(interquartile_mean(&moved).unwrap(), scale * interquartile_mean(&values).unwrap() + shift));
        }

        #[test]
        fn one_run_gone_wild_does_not_move_the_interquartile_mean(values in numbers(4), wild in 1e5..1e9f64) {
            let with = |outlier: f64| interquartile_mean(&[values.as_slice(), &[outlier]].concat());
            prop_assert_eq!(with(1e5), with(1e5 + wild));
        }

        #[test]
        fn quantiles_rise_and_stay_among_the_numbers(values in numbers(1), a in 0.0..1.0f64, b in 0.0..1.0f64) {
            let mut ascending = values;
            ascending.sort_unstable_by(f64::total_cmp);
            let (low, high) = (quantile(&ascending, a.min(b)).unwrap(), quantile(&ascending, a.max(b)).unwrap());
            prop_assert!(ascending[0] <= low && low <= high + 1e-9 && high <= ascending[ascending.len() - 1] + 1e-9);
        }
    }
}
