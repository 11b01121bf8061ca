//! Interquartile means of the runs of one or several tasks, with their intervals.

use super::Estimate;
use super::bootstrap::remembered;
use super::descriptive::{interquartile_mean, middle_mean};
use super::resamples::Ordered;

/// The interquartile mean of all numbers of these strata, each of which is resampled separately; `None` if there are no
/// numbers.
pub fn pooled_interquartile_mean(strata: &[&[f64]]) -> Option<Estimate> {
    let all = strata.concat();
    let interval = remembered("interquartile mean", strata, || {
        let mut ordered = Ordered::new(&all, 0);
        move |counts: &[u8]| middle_mean(ordered.drawn(counts))
    });
    Some(Estimate { value: interquartile_mean(&all)?, interval })
}

#[cfg(test)]
mod tests {
    use super::super::bootstrap::bootstrap;
    use super::super::resamples::of_values;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_numbers_have_no_mean() {
        assert_eq!(pooled_interquartile_mean(&[]), None);
        assert_eq!(pooled_interquartile_mean(&[&[3.0]]), Some(Estimate { value: 3.0, interval: None }));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10))]
        #[test]
        fn the_interval_is_that_of_the_numbers_that_are_drawn(
            ours in prop::collection::vec(-1e3..1e3f64, 2..30),
            others in prop::collection::vec(-1e3..1e3f64, 2..30),
        ) {
            let strata = [ours.as_slice(), &others];
            let drawn = of_values(&strata, |drawn| interquartile_mean(&drawn.concat()));
            let expected = bootstrap(&[ours.len(), others.len()], drawn);
            prop_assert_eq!(pooled_interquartile_mean(&strata).unwrap().interval, expected);
        }
    }
}
