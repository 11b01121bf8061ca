//! Max pooling: the largest of each 2 x 2 pixels of images, for each channel.
//!
//! Bound by: memory.

use super::elementwise::vectorised;
use crate::number::Number;

/// The largest numbers y [N, side / 2, side / 2, C] of 2 x 2 pixels of x [N, side, side, C], and which of the four each
/// one is: 0 to 3, row by row. Of equal ones it is the first. NaN is larger than all numbers.
#[expect(clippy::eq_op, reason = "only NaN differs from itself")]
pub fn max_pool<F: Number>(y: &mut [F], which: &mut [F], x: &[F], side: usize, channels: usize) {
    let (line, half) = (side * channels, side / 2 * channels);
    let places = [F::ZERO, F::ONE, F::of(2.0), F::of(3.0)];
    vectorised(
        #[inline(always)]
        || {
            let lines = y.chunks_exact_mut(half).zip(which.chunks_exact_mut(half)).zip(x.chunks_exact(2 * line));
            for ((y, which), x) in lines {
                let (above, below) = x.split_at(line);
                let pixels = y.chunks_exact_mut(channels).zip(which.chunks_exact_mut(channels));
                let fours = above.chunks_exact(2 * channels).zip(below.chunks_exact(2 * channels));
                for ((y, which), (above, below)) in pixels.zip(fours) {
                    let four = [&above[..channels], &above[channels..], &below[..channels], &below[channels..]];
                    for c in 0..channels {
                        let (mut most, mut place) = (four[0][c], places[0]);
                        for (x, at) in four[1..].iter().zip(&places[1..]) {
                            let larger = x[c] > most || x[c] != x[c];
                            most = if larger { x[c] } else { most };
                            place = if larger { *at } else { place };
                        }
                        (y[c], which[c]) = (most, place);
                    }
                }
            }
        },
    );
}

/// The gradient x [N, side, side, C] of images, given that of the [`max_pool`] and which these are.
pub fn max_pool_gradient<F: Number>(x: &mut [F], gradient: &[F], which: &[F], side: usize, channels: usize) {
    let (line, half) = (side * channels, side / 2 * channels);
    let places = [[F::ZERO, F::ONE], [F::of(2.0), F::of(3.0)]];
    vectorised(
        #[inline(always)]
        || {
            let lines = x.chunks_exact_mut(2 * line).zip(gradient.chunks_exact(half)).zip(which.chunks_exact(half));
            for ((x, gradient), which) in lines {
                for (x, places) in x.chunks_exact_mut(line).zip(places) {
                    let pixels = gradient.chunks_exact(channels).zip(which.chunks_exact(channels));
                    for (x, (gradient, which)) in x.chunks_exact_mut(2 * channels).zip(pixels) {
                        for (x, place) in x.chunks_exact_mut(channels).zip(places) {
                            for ((x, &g), &which) in x.iter_mut().zip(gradient).zip(which) {
                                *x = if which == place { g } else { F::ZERO };
                            }
                        }
                    }
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_is_the_first_of_equals_and_nan_before_all() {
        // Two channels; the second pixel of the result has NaN in one of them.
        let x =
            [[1.0, -1.0], [2.0, -1.0], [0.0, 5.0], [f64::NAN, 4.0], [2.0, -3.0], [1.5, -1.0], [9.0, 3.0], [8.0, 6.0]];
        let (mut y, mut which) = ([0.0; 4], [9.0; 4]);
        // The lines of one image of side 4 would be four: two lines are enough here.
        max_pool(&mut y, &mut which, x.as_flattened(), 4, 2);
        assert_eq!((y[0], y[1], y[3]), (2.0, -1.0, 6.0));
        assert!(y[2].is_nan());
        assert_eq!(which, [1.0, 0.0, 1.0, 3.0]);
        let mut gradient = [7.0; 16];
        max_pool_gradient(&mut gradient, &[1.0, 2.0, 3.0, 4.0], &which, 4, 2);
        let expected = [[0.0, 2.0], [1.0, 0.0], [0.0, 0.0], [3.0, 0.0], [0.0; 2], [0.0; 2], [0.0; 2], [0.0, 4.0]];
        assert_eq!(gradient, *expected.as_flattened());
    }
}
