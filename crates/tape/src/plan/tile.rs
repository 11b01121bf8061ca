//! The kernels of products: which one a product of some size takes, and how it is divided into blocks.
//!
//! A plan does not know its device. It is laid out for H100 and H200; on a device with fewer multiprocessors, some
//! blocks wait.

use super::kernels::{ProductKernel, RecurrentCellKernel};
use crate::kernels::matmul::Precision;

/// Multiprocessors of an H100 or H200.
const MULTIPROCESSORS: usize = 132;
/// Products of at most so many tiles of 64 x 64 leave half of the device idle, and count as small.
const SMALL: usize = MULTIPROCESSORS / 2;
/// The largest sum of a small product: its blocks take all of it, one step after the other.
const SMALL_SUM: usize = 1024;
/// Large tiles multiply faster, if there are at least so many.
const LARGE: usize = 100;

/// The kernel for a precision: f32, tf32 or bf16.
fn named<K>(precision: Precision, [full, tf32, bf16]: [K; 3]) -> K {
    match precision {
        Precision::Full => full,
        Precision::Tf32 => tf32,
        Precision::Bf16 => bf16,
    }
}

/// A kernel of products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile {
    pub kernel: ProductKernel,
    /// What a block makes.
    rows: usize,
    columns: usize,
    /// Blocks that a multiprocessor holds at once. A long sum is divided into parts, so that there are as many.
    resident: usize,
    /// Terms of a sum that are worth a block of their own.
    worth: usize,
}

impl Tile {
    /// The kernel for a product of few numbers, if it is one: m, n, and the terms of a sum.
    pub fn small(precision: Precision, [m, n, k]: [usize; 3]) -> Option<Self> {
        let middle = Self::middle(precision);
        let few = middle.whole([m, n]).into_iter().product::<usize>() * k.div_ceil(middle.part([m, n, k])) <= SMALL;
        let kernel = named(
            precision,
            [ProductKernel::ProductSmall, ProductKernel::ProductSmallTf32, ProductKernel::ProductSmallBf16],
        );
        let small = Self { kernel, rows: 16, columns: 32, resident: 1, worth: SMALL_SUM };
        Some(small).filter(|_| few && k <= SMALL_SUM)
    }

    /// The kernel for any other product.
    pub fn choose(precision: Precision, [m, n, k]: [usize; 3]) -> Self {
        let (middle, large) = (Self::middle(precision), Self::large(precision));
        // In f32, there is none of its own.
        let kernel =
            named(precision, [middle.kernel, ProductKernel::ProductNarrowTf32, ProductKernel::ProductNarrowBf16]);
        let narrow = Self { kernel, rows: 128, columns: 32, ..middle };
        if precision != Precision::Full && m > middle.rows && n <= narrow.columns {
            return narrow;
        }
        let tiles: usize = large.whole([m, n]).into_iter().product();
        let is_large = m > middle.rows && n > middle.columns && tiles * (k / large.worth).max(1) >= LARGE;
        if is_large { large } else { middle }
    }

    fn middle(precision: Precision) -> Self {
        let kernel =
            named(precision, [ProductKernel::Product64, ProductKernel::Product64Tf32, ProductKernel::Product64Bf16]);
        Self { kernel, rows: 64, columns: 64, resident: 3, worth: 256 }
    }

    fn large(precision: Precision) -> Self {
        let kernel =
            named(precision, [ProductKernel::Product128, ProductKernel::Product128Tf32, ProductKernel::Product128Bf16]);
        Self { kernel, rows: 128, columns: 128, resident: 2, worth: 512 }
    }

    /// The grid of blocks of a product whose sums are not divided.
    pub fn whole(&self, [m, n]: [usize; 2]) -> [usize; 3] {
        [m.div_ceil(self.rows), n.div_ceil(self.columns), 1]
    }

    /// How many terms of its sums a block takes.
    pub fn part(&self, [m, n, k]: [usize; 3]) -> usize {
        let tiles: usize = self.whole([m, n]).into_iter().product();
        let parts = (self.resident * MULTIPROCESSORS / tiles).clamp(1, k.div_ceil(self.worth));
        k.div_ceil(parts).next_multiple_of(32)
    }
}

/// A kernel that computes a step of a recurrent unit as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub kernel: RecurrentCellKernel,
}

impl Cell {
    /// The kernel, if both products of the unit are small.
    pub fn small(precision: Precision, rows: usize, inputs: usize, size: usize) -> Option<Self> {
        let small = [inputs, size].into_iter().all(|k| Tile::small(precision, [rows, 3 * size, k]).is_some());
        let kernel = named(
            precision,
            [
                RecurrentCellKernel::RecurrentCell,
                RecurrentCellKernel::RecurrentCellTf32,
                RecurrentCellKernel::RecurrentCellBf16,
            ],
        );
        small.then_some(Self { kernel })
    }

    /// Its grid: a block makes 8 units of 16 rows.
    pub fn grid(&self, rows: usize, size: usize) -> [usize; 3] {
        [rows.div_ceil(16), size.div_ceil(8), 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(sizes: [usize; 3]) -> (&'static str, usize) {
        let tile = Tile::small(Precision::Bf16, sizes).unwrap_or_else(|| Tile::choose(Precision::Bf16, sizes));
        (tile.kernel.name(), sizes[2].div_ceil(tile.part(sizes)))
    }

    #[test]
    fn products_take_the_kernel_of_their_size() {
        // A layer of the scan, one of imagination, the gradient of its weights, a convolution to few channels, and the
        // gradient of the weights of a large one.
        assert_eq!(chosen([50, 200, 600]), ("product_small_bf16", 1));
        assert_eq!(chosen([2500, 400, 400]), ("product_64_bf16", 1));
        assert_eq!(chosen([2500, 600, 200]), ("product_128_bf16", 1));
        assert_eq!(chosen([200, 600, 2500]), ("product_64_bf16", 9));
        assert_eq!(chosen([2_402_500, 32, 48]), ("product_narrow_bf16", 1));
        assert_eq!(chosen([1600, 128, 62_500]), ("product_128_bf16", 20));
    }

    #[test]
    fn parts_cover_the_sum() {
        for k in [1, 31, 256, 257, 2500, 490_000] {
            for sizes in [[48, 32, k], [64, 64, k], [130, 130, k], [1000, 1000, k]] {
                let tile = Tile::choose(Precision::Full, sizes);
                let part = tile.part(sizes);
                assert!(part.is_multiple_of(32) && part < k + 32, "{sizes:?}: {part}");
            }
        }
    }
}
