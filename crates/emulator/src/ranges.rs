//! The memory that launches write and read, for the kernels that read other places than they write.
//!
//! The blocks of a launch run in any order, so no number that one block writes may be read by another. Kernels with a
//! thread for each number read and write the same places, and are not listed.

use std::ops::Range;
use tape::plan::kernels::{
    ColumnSums, Kernel, Overlay, Piece, Product, RecurrentCell, ScaleAndSumRows, StandardisedColumns,
    StandardisedColumnsGradient, SumColumns, SumParts, TotalParts,
};
use tape::plan::{Launch, Place, Plan};

/// The ranges that a launch writes, and those it reads.
struct Ranges {
    written: Vec<Range<usize>>,
    read: Vec<Range<usize>>,
}

/// Checks every launch of a plan: no written range overlaps a read one, and none leaves the memory.
///
/// Returns how many launches were checked.
///
/// # Panics
/// If one does.
pub fn check_ranges(what: &str, plan: &Plan) -> usize {
    let mut checked = 0;
    for (number, launch) in plan.sections.iter().flatten().enumerate() {
        let Some(Ranges { written, read }) = ranges(launch) else { continue };
        let name = launch.kernel;
        for range in written.iter().chain(&read) {
            assert!(range.end <= plan.numbers, "{what}: launch {number}, {name}, leaves the memory: {range:?}");
        }
        for (written, read) in written.iter().flat_map(|written| read.iter().map(move |read| (written, read))) {
            let apart = read.end <= written.start || written.end <= read.start;
            assert!(apart, "{what}: launch {number}, {name}, writes {written:?} and reads {read:?}");
        }
        checked += 1;
    }
    checked
}

/// The ranges of a launch; `None` for kernels that are not listed.
fn ranges(launch: &Launch) -> Option<Ranges> {
    let grid = launch.grid.map(|blocks| blocks as usize);
    if let Some(of) = Product::of(launch) {
        return Some(product(of, grid));
    }
    if let Some(RecurrentCell { y, gates, from_h, x, h, kernel, recurrent, bias, rows, inputs, size, .. }) =
        RecurrentCell::of(launch)
    {
        let wide = 3 * size;
        let written = vec![from(y, rows * size), from(gates, rows * wide), from(from_h, rows * wide)];
        let weights = [from(kernel, inputs * wide), from(recurrent, size * wide), from(bias, 2 * wide)];
        let read = [from(x, rows * inputs), from(h, rows * size)].into_iter().chain(weights).collect();
        return Some(Ranges { written, read });
    }
    if let Some(SumParts { out, parts, n, count, .. }) = SumParts::of(launch) {
        return Some(Ranges { written: vec![from(out, n)], read: vec![from(parts, n * count)] });
    }
    if let Some(SumColumns { out, x, n, count, .. }) = SumColumns::of(launch) {
        return Some(Ranges { written: vec![from(out, n)], read: vec![from(x, n * count)] });
    }
    if let Some(ColumnSums { out, x, rows, columns, .. }) = ColumnSums::of(launch) {
        return Some(Ranges { written: vec![from(out, columns * grid[1])], read: vec![from(x, rows * columns)] });
    }
    if let Some(ScaleAndSumRows { out, parts, x, factors, rows, columns, .. }) = ScaleAndSumRows::of(launch) {
        let written = vec![from(out, rows * columns), from(parts, columns * grid[1])];
        return Some(Ranges { written, read: vec![from(x, rows * columns), from(factors, rows)] });
    }
    if let Some(TotalParts { parts, x, rows, columns, .. }) = TotalParts::of(launch) {
        // They are numbers of 8 bytes.
        return Some(Ranges { written: vec![from(parts, 2 * grid[0])], read: vec![from(x, rows * columns)] });
    }
    if let Some(Piece { out, out_width, x, x_width, rows, columns, .. }) = Piece::of(launch) {
        let strided = |place: Place, width: usize| from(place, (rows - 1) * width + columns);
        return Some(Ranges { written: vec![strided(out, out_width)], read: vec![strided(x, x_width)] });
    }
    if let Some(StandardisedColumns { y, x, rows, columns, .. }) = StandardisedColumns::of(launch) {
        return Some(Ranges { written: vec![from(y, rows * columns)], read: vec![from(x, rows * columns)] });
    }
    if let Some(StandardisedColumnsGradient { out, gradient, x, rows, columns, .. }) =
        StandardisedColumnsGradient::of(launch)
    {
        let count = rows * columns;
        return Some(Ranges { written: vec![from(out, count)], read: vec![from(gradient, count), from(x, count)] });
    }
    let Overlay { x, from: patches, images, side, channels, size, stride, .. } = Overlay::of(launch)?;
    let across = (side - size) / stride + 1;
    let read = vec![from(patches, images * across * across * size * size * channels)];
    Some(Ranges { written: vec![from(x, images * side * side * channels)], read })
}

/// So many numbers from a place on.
fn from(place: Place, count: usize) -> Range<usize> {
    place.0..place.0 + count
}

fn product(of: Product, [tiles, _, parts]: [usize; 3]) -> Ranges {
    let Product { m, n, k, side, channels, size, stride, .. } = of;
    let (mut c, mut b) = (m * n * parts, (k - 1) * of.b_row + (n - 1) * of.b_column + 1);
    let a = if side == 0 {
        (m - 1) * of.a_row + (k - 1) * of.a_column + 1
    } else {
        let across = (side - size) / stride + 1;
        match of.a_row {
            0 => m / (across * across) * side * side * channels,
            1 => k / (across * across) * side * side * channels,
            _ => {
                let (squares, taps) = (side.div_ceil(stride), size.div_ceil(stride));
                let (images, small) = (m / (squares * squares), k / (taps * taps));
                (c, b) = (images * side * side * channels, size * size * channels * small);
                images * across * across * small
            }
        }
    };
    let ends = [(of.with_plus, of.plus, c), (of.with_bias, of.bias, n), (of.with_scales, of.scales, m)];
    let ends = ends.into_iter().filter(|(on, ..)| *on).map(|(_, place, count)| from(place, count));
    let read = [from(of.a, a), from(of.b, b)].into_iter().chain(ends).collect();
    let sums = of.with_sums.then(|| from(of.sums, tiles * n));
    Ranges { written: [from(of.c, c)].into_iter().chain(sums).collect(), read }
}
