//! The mean of a few numbers, with the bits that numpy gives it.
//!
//! PyBullet's rewards contain means that numpy computes, and the order of additions decides their last bits.

use std::ops::{Add, Div};

/// Sums that numpy runs side by side as soon as there are this many elements.
const LANES: usize = 8;

/// The mean of up to 128 numbers (beyond that, numpy adds in blocks), added in numpy's order; NaN if there are none.
pub fn mean<T>(mut values: impl ExactSizeIterator<Item = T>) -> T
where
    T: Copy + Add<Output = T> + Div<Output = T> + From<u8>,
{
    let count = values.len();
    let mut sums = [T::from(0); LANES];
    for index in 0..count - count % LANES {
        let value = values.next().expect("an iterator has as many elements as it says");
        sums[index % LANES] = sums[index % LANES] + value;
    }
    let [a, b, c, d, e, f, g, h] = sums;
    let sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
    values.fold(sum, |sum, value| sum + value) / T::from(count as u8)
}

#[cfg(test)]
mod tests {
    use super::mean;

    /// Numbers whose sum is rounded differently in the order in which they come.
    fn element(index: usize) -> f64 {
        1.0 / (index as f64 + 3.0)
    }

    #[test]
    fn means_have_the_bits_of_numpys() {
        // `numpy.mean` of the first elements, by numpy 1.26.4.
        for (count, wide, narrow) in [
            (3, 0.26111111111111107, 0.2611111),
            (8, 0.17862103174603172, 0.17862104),
            (11, 0.1527394322848868, 0.15273945),
            (16, 0.1246942548872696, 0.12469426),
            (17, 0.12045527394962836, 0.12045528),
            (22, 0.10345264444334122, 0.10345265),
        ] {
            assert_eq!(mean((0..count).map(element)), wide, "{count} numbers in double precision");
            let singles = (0..count).map(|index| element(index) as f32);
            assert_eq!(mean(singles), narrow, "{count} numbers in single precision");
        }
        let in_turn = (0..17).map(element).sum::<f64>() / 17.0;
        assert_ne!(mean((0..17).map(element)), in_turn, "numpy does not add these numbers one after the other");
    }
}
