//! Axes: round numbers along a range.

/// A range of values with round ticks in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Round numbers from end to end.
    pub ticks: Vec<f64>,
}

impl Axis {
    /// An axis that contains all `values`, with about `requested` ticks. If `to_ticks`, it ends at ticks, otherwise at
    /// the values.
    pub fn new(values: impl Iterator<Item = f64>, requested: usize, to_ticks: bool) -> Self {
        let finite = values.filter(|value| value.is_finite() && value.abs() < 1e300);
        let range = finite.fold(None, |range: Option<(f64, f64)>, value| {
            Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        });
        let (mut low, mut high) = range.unwrap_or((0.0, 1.0));
        // A span that numbers of this size can be cut into.
        let least = 1e-9_f64.max(1e-6 * low.abs().max(high.abs()));
        if high - low < least {
            (low, high) = (low - least.max(0.5), high + least.max(0.5));
        }
        let step = round_step((high - low) / requested.max(1) as f64);
        if to_ticks {
            (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        }
        let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
        Self { low, high, ticks: (first..=last).map(|index| index as f64 * step).collect() }
    }

    /// The position of `value`: 0 at the lower end, 1 at the upper.
    pub fn place(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

/// The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= least * 0.999)
        .unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round() {
        let axis = Axis::new([-873.0, 912.0].into_iter(), 5, true);
        assert_eq!((axis.low, axis.high), (-1000.0, 1000.0));
        assert_eq!(axis.ticks, [-1000.0, -500.0, 0.0, 500.0, 1000.0]);
        assert_eq!(Axis::new([0.0, 1e5].into_iter(), 5, false).ticks, [0.0, 2e4, 4e4, 6e4, 8e4, 1e5]);
        assert_eq!(Axis::new([].into_iter(), 5, true).ticks.first(), Some(&0.0));
    }

    proptest! {
        #[test]
        fn an_axis_holds_its_values_and_few_ticks(values in prop::collection::vec(-1e12..1e12f64, 1..9), nan in any::<f64>()) {
            let axis = Axis::new(values.iter().copied().chain([f64::NAN, nan.clamp(-1e12, 1e12)]), 5, true);
            prop_assert!(axis.low < axis.high && (2..=9).contains(&axis.ticks.len()), "{:?}", axis);
            for value in values {
                prop_assert!((-1e-9..=1.0 + 1e-9).contains(&axis.place(value)), "{} {:?}", value, axis);
            }
        }
    }
}
