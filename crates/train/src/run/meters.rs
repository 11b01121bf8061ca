//! Means over the time since the last line of metrics.

use serde::{Deserialize, Serialize};

/// Running means by name, in the order in which the names first came. Saved in checkpoints, so that a line of metrics
/// that spans an interruption is the line of an uninterrupted run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Meters {
    meters: Vec<Meter>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meter {
    name: String,
    sum: f64,
    count: u64,
}

impl Meters {
    /// Takes one more value of `name` into its mean.
    pub fn add(&mut self, name: &str, value: f64) {
        match self.meters.iter_mut().find(|meter| meter.name == name) {
            Some(meter) => {
                meter.sum += value;
                meter.count += 1;
            }
            None => self.meters.push(Meter { name: name.to_owned(), sum: value, count: 1 }),
        }
    }

    /// The means, after which the meters are empty.
    pub fn take(&mut self) -> Vec<(String, f64)> {
        let meters = std::mem::take(&mut self.meters);
        meters.into_iter().map(|meter| (meter.name, meter.sum / meter.count as f64)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn means_are_by_name_and_start_again() {
        let mut meters = Meters::default();
        for (name, value) in [("kl", 3.0), ("return", 10.0), ("kl", 5.0)] {
            meters.add(name, value);
        }
        assert_eq!(meters.take(), [("kl".to_owned(), 4.0), ("return".to_owned(), 10.0)]);
        assert_eq!(meters.take(), []);
    }

    proptest! {
        #[test]
        fn saved_meters_continue_bitwise_identically(values in prop::collection::vec(-1e300f64..1e300, 1..20), split: prop::sample::Index) {
            let split = split.index(values.len());
            let mut whole = Meters::default();
            values.iter().for_each(|&value| whole.add("x", value));
            let mut first = Meters::default();
            values[..split].iter().for_each(|&value| first.add("x", value));
            let mut second: Meters = serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap();
            values[split..].iter().for_each(|&value| second.add("x", value));
            prop_assert_eq!(second.take(), whole.take());
        }
    }
}
