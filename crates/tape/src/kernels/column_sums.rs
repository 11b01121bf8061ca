//! The sum of each column of a matrix. A bias's gradient sums as many rows as all images have pixels, which can be millions.
//!
//! Added one by one in 32 bits, a million numbers of one sign lose whole per cents. So rows are added in 32 bits a block at a
//! time, and the sums of the blocks are added in 64 bits.
//!
//! Bound by: memory.

use super::elementwise::vectorised;
use crate::number::Number;

/// Columns that are added at a time: their sums stay in registers, or in the first-level cache.
const STRIP: usize = 64;
/// Rows whose sum is computed in 32 bits.
const BLOCK: usize = 64;

/// out = the sum of x's rows, or out += it if `accumulate`; x [rows, out.len()].
pub fn column_sums<F: Number>(out: &mut [F], x: &[F], accumulate: bool) {
    if !accumulate {
        out.fill(F::ZERO);
    }
    // Several rows of few columns are added as one wide row.
    let columns = out.len();
    let together = (STRIP / columns).max(1);
    let wide = together * columns;
    let (whole, rest) = x.split_at(x.len() / wide * wide);
    vectorised(
        #[inline(always)]
        || {
            for start in (0..wide).step_by(STRIP) {
                let width = STRIP.min(wide - start);
                let mut sums = [0.0; STRIP];
                for block in whole.chunks(BLOCK * wide) {
                    let mut part = [F::ZERO; STRIP];
                    for row in block.chunks_exact(wide) {
                        for (part, &x) in part[..width].iter_mut().zip(&row[start..start + width]) {
                            *part += x;
                        }
                    }
                    for (sum, part) in sums.iter_mut().zip(part) {
                        *sum += part.to_f64();
                    }
                }
                for (column, out) in out.iter_mut().skip(start).take(width).enumerate() {
                    *out += F::of((0..together).map(|row| sums[row * columns + column]).sum());
                }
            }
            for row in rest.chunks_exact(columns) {
                for (out, &x) in out.iter_mut().zip(row) {
                    *out += x;
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use random::Stream;

    #[test]
    fn columns_of_all_counts_are_summed() {
        let mut random = Stream::new(1, "columns");
        for columns in [1, 2, 3, 7, 31, 32, 33, 63, 64, 65, 127, 128, 129, 400] {
            for rows in [1, 2, 3, 21, 22, 63, 64, 65, 200, 1001] {
                let x: Vec<f64> = (0..rows * columns).map(|_| random.uniform_in(-1.0, 1.0)).collect();
                for accumulate in [false, true] {
                    let mut out = vec![0.5; columns];
                    column_sums(&mut out, &x, accumulate);
                    for (column, &found) in out.iter().enumerate() {
                        let before = if accumulate { 0.5 } else { 0.0 };
                        let expected = before + x.chunks_exact(columns).map(|row| row[column]).sum::<f64>();
                        assert!((found - expected).abs() < 1e-12 * rows as f64, "{columns} {rows} {column}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_million_numbers_of_one_sign_lose_nothing() {
        let rows = 1_024_000;
        for columns in [1, 3, 32] {
            let x = vec![0.1f32; rows * columns];
            let mut out = vec![0.0f32; columns];
            column_sums(&mut out, &x, false);
            for &sum in &out {
                let exact = rows as f64 * f64::from(0.1f32);
                assert!((f64::from(sum) - exact).abs() < 1e-6 * exact, "{columns} columns: {sum}, not {exact}");
            }
        }
    }
}
