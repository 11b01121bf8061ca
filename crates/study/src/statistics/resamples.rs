//! The draws of a bootstrap: how often each number is drawn in each resample, and the numbers that were drawn.
//!
//! The draws depend only on the sizes of the strata. Many statistics are of strata of the same sizes, so the draws of
//! the last sizes are kept. Not here: intervals (`bootstrap`).

use super::bootstrap::RESAMPLES;
use random::Stream;
use std::sync::{Arc, Mutex, PoisonError};

/// The most numbers in the strata of draws that are kept; they take as many times [`RESAMPLES`] bytes.
const MOST_NUMBERS: usize = 2048;

/// The most bytes of draws that are kept.
const MOST_BYTES: usize = 32 << 20;

/// Draws of strata: their sizes, and how often each number is drawn, resample by resample.
type Draws = (Vec<usize>, Arc<Vec<u8>>);

/// The last draws, the latest at the end.
static KEPT: Mutex<Vec<Draws>> = Mutex::new(Vec::new());

/// Calls `statistic` with how often each number of strata of these sizes is drawn, for each resample, until it returns
/// `false`. Returns whether it never did.
pub fn each_resample(sizes: &[usize], mut statistic: impl FnMut(&[u8]) -> bool) -> bool {
    let numbers = sizes.iter().sum();
    if numbers <= MOST_NUMBERS {
        return kept(sizes).chunks_exact(numbers).all(statistic);
    }
    let (mut stream, mut counts) = (stream(), vec![0; numbers]);
    (0..RESAMPLES).all(|_| {
        counts.fill(0);
        draw(&mut stream, sizes, &mut counts);
        statistic(&counts)
    })
}

fn stream() -> Stream {
    Stream::new(0, "bootstrap")
}

/// Draws from each stratum as many numbers as it has, with replacement, and adds to `counts` how often each was drawn.
fn draw(stream: &mut Stream, sizes: &[usize], counts: &mut [u8]) {
    let mut rest = counts;
    for size in sizes {
        let (own, others) = rest.split_at_mut(*size);
        for _ in 0..*size {
            let count = &mut own[stream.below(*size)];
            // Of more than 255 numbers, none is drawn so often in the age of the universe.
            *count = count.saturating_add(1);
        }
        rest = others;
    }
}

/// The draws of strata of these sizes, computed or kept.
fn kept(sizes: &[usize]) -> Arc<Vec<u8>> {
    let lock = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, draws)) = lock().iter().find(|(known, _)| known == sizes) {
        return Arc::clone(draws);
    }
    let numbers: usize = sizes.iter().sum();
    let (mut stream, mut draws) = (stream(), vec![0; RESAMPLES * numbers]);
    draws.chunks_exact_mut(numbers).for_each(|counts| draw(&mut stream, sizes, counts));
    let draws = Arc::new(draws);
    put(&mut lock(), (sizes.to_vec(), Arc::clone(&draws)));
    draws
}

/// Keeps draws, and drops the oldest if there is no space.
fn put(all: &mut Vec<Draws>, draws: Draws) {
    all.push(draws);
    while all.iter().map(|(_, counts)| counts.len()).sum::<usize>() > MOST_BYTES && all.len() > 1 {
        all.remove(0);
    }
}

/// Numbers in ascending order, so that a resample of them is in order too without being sorted.
pub struct Ordered {
    ascending: Vec<f64>,
    /// Where each of them was before, counted from the first number of all strata.
    places: Vec<usize>,
    /// Space for a resample.
    drawn: Vec<f64>,
}

impl Ordered {
    /// How often a number is written without a look at how often it was drawn: mostly it was drawn fewer times, and a
    /// branch that depends on draws is slow.
    const AT_ONCE: usize = 4;

    /// These numbers, the first of which is the number `first` of all strata.
    pub fn new(values: &[f64], first: usize) -> Self {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        let ascending = order.iter().map(|index| values[*index]).collect();
        let places = order.iter().map(|index| first + index).collect();
        Self { ascending, places, drawn: Vec::new() }
    }

    /// The numbers that were drawn, in ascending order.
    pub fn drawn(&mut self, counts: &[u8]) -> &[f64] {
        let mut end = 0;
        for (value, place) in self.ascending.iter().zip(&self.places) {
            let count = usize::from(counts[*place]);
            let needed = end + count.max(Self::AT_ONCE);
            if self.drawn.len() < needed {
                self.drawn.resize(2 * needed, 0.0);
            }
            self.drawn[end..end + Self::AT_ONCE].fill(*value);
            if count > Self::AT_ONCE {
                self.drawn[end..end + count].fill(*value);
            }
            end += count;
        }
        &self.drawn[..end]
    }
}

/// A statistic of the numbers that were drawn, as one of counts: slower, and simple.
#[cfg(test)]
pub fn of_values(
    strata: &[&[f64]],
    statistic: impl Fn(&[Vec<f64>]) -> Option<f64>,
) -> impl FnMut(&[u8]) -> Option<f64> {
    let strata: Vec<Vec<f64>> = strata.iter().map(|stratum| stratum.to_vec()).collect();
    move |counts| {
        let mut rest = counts.iter();
        let drawn = strata.iter().map(|stratum| {
            let each = stratum.iter().zip(&mut rest).map(|(value, count)| vec![*value; usize::from(*count)]);
            let mut drawn = each.collect::<Vec<_>>().concat();
            drawn.sort_by(f64::total_cmp);
            drawn
        });
        statistic(&drawn.collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(values: &[f64]) -> Vec<u64> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn a_resample_is_in_order_and_has_the_numbers_that_were_drawn() {
        let strata: [&[f64]; 2] = [&[3.0, -1.0, f64::NAN, 2.0, 2.0, -0.0, 0.0], &[5.0, 4.0]];
        let mut each = [Ordered::new(strata[0], 0), Ordered::new(strata[1], 7)];
        let mut all = Ordered::new(&strata.concat(), 0);
        let mut again = stream();
        let mut resamples = 0;
        assert!(each_resample(&[7, 2], |counts| {
            let mut drawn = strata.map(|stratum| {
                let mut drawn: Vec<f64> = (0..stratum.len()).map(|_| stratum[again.below(stratum.len())]).collect();
                drawn.sort_by(f64::total_cmp);
                drawn
            });
            for (ordered, drawn) in each.iter_mut().zip(&drawn) {
                assert_eq!(bits(ordered.drawn(counts)), bits(drawn));
            }
            let mut both = std::mem::take(&mut drawn).concat();
            both.sort_by(f64::total_cmp);
            assert_eq!(bits(all.drawn(counts)), bits(&both));
            resamples += 1;
            true
        }));
        assert_eq!(resamples, RESAMPLES);
    }

    #[test]
    fn a_number_may_be_drawn_any_number_of_times() {
        let mut ordered = Ordered::new(&[2.0, 1.0, 3.0], 0);
        assert_eq!(ordered.drawn(&[1, 0, 0]), [2.0]);
        assert_eq!(ordered.drawn(&[0, 6, 1]), [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 3.0]);
        assert_eq!(ordered.drawn(&[0, 0, 255]).len(), 255);
        assert!(ordered.drawn(&[0, 0, 0]).is_empty());
    }

    #[test]
    fn draws_that_are_kept_are_those_that_are_not() {
        let drawn = |sizes: &[usize]| {
            let mut draws = Vec::new();
            each_resample(sizes, |counts| {
                draws.push(counts.to_vec());
                draws.len() < 3
            });
            draws
        };
        let sizes = [MOST_NUMBERS - 2, 2];
        let (first, again) = (drawn(&sizes), drawn(&sizes));
        let mut counts = vec![0; MOST_NUMBERS];
        draw(&mut stream(), &sizes, &mut counts);
        assert_eq!((&first[0], first.len()), (&counts, 3));
        assert_eq!(first, again);
        // Of these, none are kept.
        let sizes = [MOST_NUMBERS - 2, 3];
        assert_eq!(drawn(&sizes), drawn(&sizes));
        assert_eq!(drawn(&sizes)[0][..MOST_NUMBERS - 2], first[0][..MOST_NUMBERS - 2]);
    }

    #[test]
    fn kept_draws_are_bounded() {
        let mut all = Vec::new();
        for size in 0..10 {
            put(&mut all, (vec![size], Arc::new(vec![0; MOST_BYTES / 4])));
            assert!(all.iter().map(|(_, counts)| counts.len()).sum::<usize>() <= MOST_BYTES);
        }
        assert_eq!(all.iter().map(|(sizes, _)| sizes[0]).collect::<Vec<_>>(), [6, 7, 8, 9]);
    }
}
