//! Launches of matrix products and of sums over rows. They are split into parts where one block for each tile would
//! leave most of a device idle.

use super::kernels::{self, Following, Product, ProductKernel};
use super::launch::{Place, THREADS};
use super::layout::Planner;
use super::tile::Tile;
use crate::kernels::elementwise::Activation;
use crate::kernels::im2col::Patches;

/// Numbers that a block sums the parts of.
const NUMBERS_AT_ONCE: usize = 32;
/// Columns that a block sums, and the most rows of which one launch makes the sums.
const COLUMNS_AT_ONCE: usize = 8;
const COLUMN_ROWS: usize = 4096;
/// Parts that sums of more rows are cut into, at most.
const COLUMN_PARTS: usize = 1024;
/// Numbers that one block adds up, and those of a part of more of them, at least.
const TOTAL_AT_ONCE: usize = 16 * 1024;
const TOTAL_PART: usize = 4096;
/// The number by which kernels know a left factor made of windows of images, in place of a step from row to row.
const WINDOWS_OF_IMAGES: usize = 2;
/// Windows of a transposed convolution, and pixels of a square, that kernels can tell apart: bits of a word.
const WINDOWS: usize = 32;
/// The size of the im2col buffer in numbers: it fits the second-level cache of a large device.
pub(crate) const PATCHED: usize = 8 << 20;

/// How many of so many rows are summed as one part.
fn column_part(rows: usize) -> usize {
    rows.div_ceil(COLUMN_PARTS).max(64)
}

/// A matrix in the device's memory, or its transpose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix {
    pub place: Place,
    pub rows: usize,
    pub cols: usize,
    /// From one row to the next, and from one column.
    pub steps: [usize; 2],
}

impl Matrix {
    /// A matrix that lies row by row.
    pub fn new(place: Place, rows: usize, cols: usize) -> Self {
        Self { place, rows, cols, steps: [cols, 1] }
    }

    /// Columns of it.
    pub fn columns(self, first: usize, count: usize) -> Self {
        Self { place: self.place.after(first * self.steps[1]), cols: count, ..self }
    }

    pub fn transposed(self) -> Self {
        Self { rows: self.cols, cols: self.rows, steps: [self.steps[1], self.steps[0]], ..self }
    }
}

/// The term of a sum over all numbers of a value, by its number for kernels.
#[derive(Clone, Copy, Debug)]
pub enum Total {
    /// The number itself.
    Numbers = 0,
    /// Its square.
    Squares = 1,
    /// The logarithms of the second half of each row's numbers.
    LogarithmsOfSecondHalf = 2,
    /// Its absolute value.
    Absolutes = 3,
}

/// A product's left factor.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Factor {
    /// A matrix.
    Matrix(Matrix),
    /// The patches of images, a row a patch, or the transpose of that; they are read where the images lie.
    Patches { images: Place, count: usize, patches: Patches, transposed: bool },
}

impl Factor {
    /// The patches of `count` images.
    pub fn patches(images: Place, count: usize, patches: Patches) -> Self {
        Self::Patches { images, count, patches, transposed: false }
    }

    pub fn transposed(self) -> Self {
        match self {
            Self::Matrix(matrix) => Self::Matrix(matrix.transposed()),
            Self::Patches { images, count, patches, transposed } => {
                Self::Patches { images, count, patches, transposed: !transposed }
            }
        }
    }

    fn shape(self) -> [usize; 2] {
        match self {
            Self::Matrix(matrix) => [matrix.rows, matrix.cols],
            Self::Patches { count, patches, transposed, .. } => {
                let shape = [count * patches.count(), patches.size()];
                if transposed { [shape[1], shape[0]] } else { shape }
            }
        }
    }
}

impl From<Matrix> for Factor {
    fn from(matrix: Matrix) -> Self {
        Self::Matrix(matrix)
    }
}

/// The operation after a layer's sums: activation(scales * sums + plus + bias); or, of a gradient that is complete with
/// these sums, the gradient before the activation whose value is `plus`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finish {
    pub plus: Option<Place>,
    pub bias: Option<Place>,
    /// Factors of the rows.
    pub scales: Option<Place>,
    pub activation: Activation,
    pub before: bool,
    /// Whether the sums of the result's columns are wanted, too, if there are many rows: see [`ColumnParts`].
    pub sums: bool,
}

/// The sums of a matrix's columns in parts, which a product has made of its result: `rows` rows of borrowed memory, to be
/// added up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ColumnParts {
    pub place: Place,
    pub rows: usize,
}

impl Finish {
    /// Sums as they are.
    pub const NONE: Self =
        Self { plus: None, bias: None, scales: None, activation: Activation::None, before: false, sums: false };

    /// Of a layer with a bias.
    pub fn layer(bias: Place, activation: Activation) -> Self {
        Self { bias: Some(bias), activation, ..Self::NONE }
    }

    /// The gradient before an activation, from its value.
    pub fn before(value: Place, activation: Activation) -> Self {
        Self { plus: Some(value), activation, before: true, ..Self::NONE }
    }

    /// Rows times these factors.
    pub fn scaled(scales: Place) -> Self {
        Self { scales: Some(scales), ..Self::NONE }
    }

    /// What follows the sums, for kernels.
    fn following(self) -> Following {
        if self.before { Following::before(self.activation) } else { self.activation.into() }
    }

    /// This operation at the end of a product. Where nothing is read, any place will do.
    fn end(self, product: Product) -> Product {
        let (Self { plus, bias, scales, .. }, any) = (self, product.c);
        Product {
            plus: plus.unwrap_or(any),
            with_plus: plus.is_some(),
            bias: bias.unwrap_or(any),
            with_bias: bias.is_some(),
            activation: self.following(),
            scales: scales.unwrap_or(any),
            with_scales: scales.is_some(),
            ..product
        }
    }
}

/// c = a b with a and b at the same place, of no layout yet, and nothing after the sums.
fn plain(which: ProductKernel, c: Place, b: Place, [m, n, k]: [usize; 3]) -> Product {
    Product {
        which,
        c,
        a: b,
        b,
        m,
        n,
        k,
        a_row: 0,
        a_column: 0,
        b_row: 0,
        b_column: 0,
        side: 0,
        channels: 0,
        size: 0,
        stride: 0,
        part: k,
        accumulate: false,
        plus: c,
        with_plus: false,
        bias: c,
        with_bias: false,
        activation: Activation::None.into(),
        scales: c,
        with_scales: false,
        sums: c,
        with_sums: false,
    }
}

/// The product that also makes the sums of its result's columns, if they have memory.
fn summed(product: Product, sums: Option<ColumnParts>) -> Product {
    sums.map_or(product, |sums| Product { sums: sums.place, with_sums: true, ..product })
}

impl Planner {
    /// out = a b, or out += a b if `accumulate`.
    pub(crate) fn product(&mut self, out: Place, a: impl Into<Factor>, b: Matrix, accumulate: bool) {
        self.layer(out, a, b, accumulate, Finish::NONE);
    }

    /// out = the operation of a b, or of out + a b if `accumulate`. Returns the sums of its columns if they were wanted
    /// and are worth it.
    pub(crate) fn layer(
        &mut self,
        out: Place,
        a: impl Into<Factor>,
        b: Matrix,
        accumulate: bool,
        finish: Finish,
    ) -> Option<ColumnParts> {
        let a = a.into();
        let ([m, k], n) = (a.shape(), b.cols);
        assert_eq!(k, b.rows, "matrices that can be multiplied");
        let small = Tile::small(self.precision(), [m, n, k]).filter(|_| matches!(a, Factor::Matrix(_)));
        let tile = small.unwrap_or_else(|| Tile::choose(self.precision(), [m, n, k]));
        let (kernel, part) = (tile.kernel, tile.part([m, n, k]));
        let (parts, [rows, columns, _]) = (k.div_ceil(part), tile.whole([m, n]));
        let grid = [rows, columns, parts];
        let (place, steps, [image, channels, size, stride]) = match a {
            Factor::Matrix(matrix) => (matrix.place, matrix.steps, [0; 4]),
            Factor::Patches { images, patches: Patches { side, channels, kernel, stride }, transposed, .. } => {
                (images, [usize::from(transposed), 0], [side, channels, kernel, stride])
            }
        };
        let sums = self.room_for_sums(finish.sums && parts == 1 && small.is_none() && m > COLUMN_ROWS, rows, n);
        let product = Product {
            a: place,
            a_row: steps[0],
            a_column: steps[1],
            b_row: b.steps[0],
            b_column: b.steps[1],
            side: image,
            channels,
            size,
            stride,
            part,
            ..plain(kernel, out, b.place, [m, n, k])
        };
        if parts == 1 {
            self.launch(grid, summed(finish.end(Product { accumulate, ..product }), sums));
        } else {
            self.with_scratch(parts * m * n, |planner, sums| {
                planner.launch(grid, Product { c: sums, ..product });
                planner.sum_parts(out, sums, [parts, m * n, n], accumulate, finish);
            });
        }
        sums
    }

    /// Memory for the sums of the columns of `tiles` rows of tiles, if they are made.
    fn room_for_sums(&mut self, made: bool, tiles: usize, cols: usize) -> Option<ColumnParts> {
        made.then(|| ColumnParts { place: self.borrow(tiles * cols), rows: tiles })
    }

    /// out = x times its rows' factors; and the sums of its columns, or added to what is there, if they have a place.
    pub(crate) fn scale_and_sum_rows(
        &mut self,
        [out, x, factors]: [Place; 3],
        rows: usize,
        cols: usize,
        sums: Option<(Place, bool)>,
    ) {
        let Some((of_columns, accumulate)) = sums else {
            return self
                .each(rows * cols, kernels::ScaleRows { out, x, factors, rows, columns: cols, accumulate: false });
        };
        let part = column_part(rows);
        let parts = rows.div_ceil(part);
        self.with_scratch(parts * cols, |planner, sums| {
            let grid = [cols.div_ceil(THREADS), parts, 1];
            planner.launch(grid, kernels::ScaleAndSumRows { out, parts: sums, x, factors, rows, columns: cols, part });
            planner.sum_columns(of_columns, sums, parts, cols, accumulate);
        });
    }

    /// out = the operation of the sum of `parts` matrices of `count` numbers, `cols` per row.
    fn sum_parts(
        &mut self,
        out: Place,
        sums: Place,
        [parts, count, cols]: [usize; 3],
        accumulate: bool,
        finish: Finish,
    ) {
        let grid = [count.div_ceil(NUMBERS_AT_ONCE), 1, 1];
        let Finish { plus, bias, scales, .. } = finish;
        let kernel = kernels::SumParts {
            out,
            parts: sums,
            n: count,
            count: parts,
            accumulate,
            columns: cols,
            plus: plus.unwrap_or(out),
            with_plus: plus.is_some(),
            bias: bias.unwrap_or(out),
            with_bias: bias.is_some(),
            activation: finish.following(),
            scales: scales.unwrap_or(out),
            with_scales: scales.is_some(),
        };
        self.launch(grid, kernel);
    }

    /// out = the sum of the rows of x [rows, cols], or out += it.
    pub(crate) fn column_sums(&mut self, out: Place, x: Place, rows: usize, cols: usize, accumulate: bool) {
        if rows <= COLUMN_ROWS {
            return self.sum_columns(out, x, rows, cols, accumulate);
        }
        let part = column_part(rows);
        let parts = rows.div_ceil(part);
        self.with_scratch(parts * cols, |planner, sums| {
            let grid = [cols.div_ceil(THREADS), parts, 1];
            planner.launch(grid, kernels::ColumnSums { out: sums, x, rows, columns: cols, part, accumulate: false });
            planner.sum_columns(out, sums, parts, cols, accumulate);
        });
    }

    /// The same in one launch, for few rows.
    fn sum_columns(&mut self, out: Place, x: Place, rows: usize, cols: usize, accumulate: bool) {
        let grid = [cols.div_ceil(COLUMNS_AT_ONCE), 1, 1];
        self.launch(grid, kernels::SumColumns { out, x, n: cols, count: rows, accumulate });
    }

    /// `out[0]` = the sum over the numbers of x `[rows, cols]`.
    pub fn total(&mut self, out: Place, x: Place, [rows, cols]: [usize; 2], of: Total) {
        let count = rows * cols;
        if count <= TOTAL_AT_ONCE {
            return self.launch([1; 3], kernels::Total { out, x, rows, columns: cols, kind: of as usize, scale: 1.0 });
        }
        let part = count.div_ceil(COLUMN_PARTS).max(TOTAL_PART);
        let parts = count.div_ceil(part);
        // They are numbers of 8 bytes.
        self.with_scratch(2 * parts, |planner, sums| {
            planner.launch(
                [parts, 1, 1],
                kernels::TotalParts { parts: sums, x, rows, columns: cols, kind: of as usize, part },
            );
            planner.launch([1; 3], kernels::TotalOfParts { out, parts: sums, n: parts, scale: 1.0 });
        });
    }

    /// The images whose patches are small b, with small [images * patches, channels]: x = the operation of them, or of
    /// x and them.
    pub(crate) fn transposed_convolution_of(
        &mut self,
        x: Place,
        images: usize,
        patches: Patches,
        [small, b]: [Matrix; 2],
        accumulate: bool,
        finish: Finish,
    ) -> Option<ColumnParts> {
        let Patches { side, channels, kernel: size, .. } = patches;
        // The stride of images that are one patch is of no importance: one square has all of its pixels.
        let stride = if side == size { size } else { patches.stride };
        let taps = size.div_ceil(stride);
        if taps * taps > WINDOWS || stride * stride > WINDOWS {
            self.overlay(x, images, patches, [small, b], accumulate, finish);
            return None;
        }
        // Every number of x is a sum over the patches it is in: a product whose rows are squares of pixels, and whose
        // columns are the pixels of a square.
        let squares = side.div_ceil(stride);
        let [m, n, k] = [images * squares * squares, stride * stride * channels, taps * taps * small.cols];
        let tile = Tile::choose(self.precision(), [m, n, k]);
        let product = Product {
            a: small.place,
            a_row: WINDOWS_OF_IMAGES,
            b_row: b.steps[0],
            b_column: b.steps[1],
            side,
            channels,
            size,
            stride,
            part: k.next_multiple_of(32),
            accumulate,
            ..plain(tile.kernel, x, b.place, [m, n, k])
        };
        let grid = tile.whole([m, n]);
        let sums = self.room_for_sums(finish.sums && m * stride * stride > COLUMN_ROWS, grid[0], n);
        self.launch(grid, summed(finish.end(product), sums));
        // A column is one of a square's pixels, and a channel.
        sums.map(|sums| ColumnParts { rows: sums.rows * stride * stride, ..sums })
    }

    /// The same by way of the patches, a few images at a time.
    fn overlay(
        &mut self,
        x: Place,
        images: usize,
        patches: Patches,
        [small, b]: [Matrix; 2],
        accumulate: bool,
        finish: Finish,
    ) {
        let Patches { side, channels, kernel, stride } = patches;
        if let (true, Some(value)) = (finish.before, finish.plus) {
            // The kernel that sums patches knows no other values.
            self.overlay(x, images, patches, [small, b], accumulate, Finish::NONE);
            return self.before(x, value, [images, patches.image()], finish.activation);
        }
        let numbers = patches.count() * patches.size();
        let at_once = (PATCHED / numbers).clamp(1, images);
        for first in (0..images).step_by(at_once) {
            let count = at_once.min(images - first);
            self.with_scratch(count * numbers, |planner, scratch| {
                let rows = first * patches.count();
                let place = small.place.after(rows * small.cols);
                planner.product(scratch, Matrix { place, rows: count * patches.count(), ..small }, b, false);
                let x = x.after(first * patches.image());
                let kernel = kernels::Overlay {
                    x,
                    from: scratch,
                    images: count,
                    side,
                    channels,
                    size: kernel,
                    stride,
                    accumulate,
                    bias: finish.bias.unwrap_or(x),
                    with_bias: finish.bias.is_some(),
                    activation: finish.following(),
                };
                planner.each(count * patches.image(), kernel);
            });
        }
    }
}
