//! Initial values of parameters, as Keras defines them.

use crate::number::Number;
use random::Stream;

/// Glorot and Bengio's uniform initialisation: within sqrt(6 / (inputs + outputs)), where inputs and outputs are counted
/// over a convolution's whole field.
pub fn glorot_uniform<F: Number>(values: &mut [F], inputs: usize, outputs: usize, random: &mut Stream) {
    let limit = (6.0 / (inputs + outputs) as f64).sqrt();
    for x in values {
        *x = F::of(random.uniform_in(-limit, limit));
    }
}

/// Above so many vectors, several are made at a time, so that the others are read from memory less often, and products are
/// summed in lanes. The time grows with the cube of their number, and is halved (2048 vectors of 6144 numbers: 19 to 8 s).
/// Below, the order of all sums is that of earlier versions, so that a seed gives the same parameters.
const MANY: usize = 1024;
const AT_A_TIME: usize = 8;
const LANES: usize = 8;

/// The sum of products of two vectors, in lanes if they are part of a large matrix.
fn product(one: &[f64], other: &[f64], in_lanes: bool) -> f64 {
    if !in_lanes {
        return one.iter().zip(other).map(|(x, y)| x * y).sum();
    }
    let mut lanes = [0.0; LANES];
    let (one, one_rest) = one.as_chunks::<LANES>();
    let (other, other_rest) = other.as_chunks::<LANES>();
    for (x, y) in one.iter().zip(other) {
        for lane in 0..LANES {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    lanes.iter().sum::<f64>() + one_rest.iter().zip(other_rest).map(|(x, y)| x * y).sum::<f64>()
}

/// A random matrix [rows, cols] with orthonormal rows or columns, whichever are fewer (Saxe et al., 2014): Gram and
/// Schmidt on normal draws, twice for precision.
pub fn orthogonal<F: Number>(values: &mut [F], rows: usize, cols: usize, random: &mut Stream) {
    assert_eq!(values.len(), rows * cols, "a {rows} x {cols} matrix");
    let (few, long) = (rows.min(cols), rows.max(cols));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(few);
    let subtract = |vector: &mut [f64], other: &[f64]| {
        let along = product(vector, other, few > MANY);
        vector.iter_mut().zip(other).for_each(|(x, y)| *x -= along * y);
    };
    while basis.len() < few {
        let first = basis.len();
        let count = if few > MANY { AT_A_TIME.min(few - first) } else { 1 };
        let mut new: Vec<Vec<f64>> = (0..count).map(|_| (0..long).map(|_| random.normal()).collect()).collect();
        for _ in 0..2 {
            basis.iter().for_each(|other| new.iter_mut().for_each(|vector| subtract(vector, other)));
        }
        for mut vector in new {
            for _ in 0..2 {
                basis[first..].iter().for_each(|other| subtract(&mut vector, other));
            }
            let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
            vector.iter_mut().for_each(|x| *x /= norm);
            basis.push(vector);
        }
    }
    for (index, x) in values.iter_mut().enumerate() {
        let (row, col) = (index / cols, index % cols);
        *x = F::of(if rows <= cols { basis[row][col] } else { basis[col][row] });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_matrices_are_orthogonal() {
        for (rows, cols) in [(5, 15), (15, 5), (7, 7), (MANY + 1, MANY + 3)] {
            let mut values = vec![0.0f64; rows * cols];
            orthogonal(&mut values, rows, cols, &mut Stream::new(1, "test"));
            let few = rows.min(cols);
            let at = |i: usize, d: usize| if rows <= cols { values[i * cols + d] } else { values[d * cols + i] };
            // Of many vectors, some.
            for i in (0..few).step_by(1 + few / 20) {
                for j in (0..few).step_by(1 + few / 30) {
                    let product: f64 = (0..rows.max(cols)).map(|d| at(i, d) * at(j, d)).sum();
                    assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn glorot_stays_within_its_limit_and_fills_it() {
        let mut values = vec![0.0f32; 10_000];
        glorot_uniform(&mut values, 100, 50, &mut Stream::new(1, "test"));
        let limit = (6.0f32 / 150.0).sqrt();
        let largest = values.iter().fold(0.0f32, |m, x| m.max(x.abs()));
        assert!(largest <= limit && largest > 0.99 * limit);
    }
}
