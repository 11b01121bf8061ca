//! The memory that launches write and read, for the kernels that read other places than they write.
//!
//! The blocks of a launch run in any order, so no number that one block writes may be read by another. Kernels with a
//! thread for each number read and write the same places, and are not listed.

use std::ops::Range;
use tape::plan::{Argument, Launch, Plan};

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
    let place = |at: usize| match launch.arguments[at] {
        Argument::Place(place) => place,
        other => panic!("{} has {other:?} where a place should be", launch.kernel),
    };
    let whole = |at: usize| match launch.arguments[at] {
        Argument::Whole(whole) => usize::try_from(whole).expect("no negative size"),
        other => panic!("{} has {other:?} where an integer should be", launch.kernel),
    };
    let from = |at: usize, count: usize| place(at)..place(at) + count;
    Some(match launch.kernel {
        kernel if kernel.starts_with("product") => product(launch, place, whole),
        kernel if kernel.starts_with("recurrent_cell") => {
            let [rows, inputs, size] = [8, 9, 10].map(whole);
            let wide = 3 * size;
            let written = vec![from(0, rows * size), from(1, rows * wide), from(2, rows * wide)];
            let weights = [from(5, inputs * wide), from(6, size * wide), from(7, 2 * wide)];
            let read = [from(3, rows * inputs), from(4, rows * size)].into_iter().chain(weights).collect();
            Ranges { written, read }
        }
        "sum_parts" | "sum_columns" => {
            let (n, count) = (whole(2), whole(3));
            Ranges { written: vec![from(0, n)], read: vec![from(1, n * count)] }
        }
        "column_sums" => {
            let (rows, columns) = (whole(2), whole(3));
            Ranges { written: vec![from(0, columns * launch.grid[1] as usize)], read: vec![from(1, rows * columns)] }
        }
        "scale_and_sum_rows" => {
            let (rows, columns) = (whole(4), whole(5));
            let written = vec![from(0, rows * columns), from(1, columns * launch.grid[1] as usize)];
            Ranges { written, read: vec![from(2, rows * columns), from(3, rows)] }
        }
        "total_parts" => {
            Ranges { written: vec![from(0, 2 * launch.grid[0] as usize)], read: vec![from(1, whole(2) * whole(3))] }
        }
        "piece" => {
            let (rows, columns) = (whole(4), whole(5));
            let strided = |at: usize, width: usize| from(at, (rows - 1) * width + columns);
            Ranges { written: vec![strided(0, whole(1))], read: vec![strided(2, whole(3))] }
        }
        "standardised_columns" => {
            let count = whole(2) * whole(3);
            Ranges { written: vec![from(0, count)], read: vec![from(1, count)] }
        }
        "standardised_columns_gradient" => {
            let count = whole(3) * whole(4);
            Ranges { written: vec![from(0, count)], read: vec![from(1, count), from(2, count)] }
        }
        "overlay" => {
            let [images, side, channels, size, stride] = [2, 3, 4, 5, 6].map(whole);
            let across = (side - size) / stride + 1;
            let patches = images * across * across * size * size * channels;
            Ranges { written: vec![from(0, images * side * side * channels)], read: vec![from(1, patches)] }
        }
        _ => return None,
    })
}

fn product(launch: &Launch, place: impl Fn(usize) -> usize, whole: impl Fn(usize) -> usize) -> Ranges {
    let [tiles, _, parts] = launch.grid.map(|blocks| blocks as usize);
    let [m, n, k, a_row, a_column, b_row, b_column] = [3, 4, 5, 6, 7, 8, 9].map(&whole);
    let [side, channels, size, stride] = [10, 11, 12, 13].map(&whole);
    let (mut c, mut b) = (m * n * parts, (k - 1) * b_row + (n - 1) * b_column + 1);
    let a = if side == 0 {
        (m - 1) * a_row + (k - 1) * a_column + 1
    } else {
        let across = (side - size) / stride + 1;
        match a_row {
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
    let from = |at: usize, count: usize| place(at)..place(at) + count;
    let mut read = vec![from(1, a), from(2, b)];
    if whole(17) != 0 {
        read.push(from(16, c));
    }
    if whole(19) != 0 {
        read.push(from(18, n));
    }
    if whole(22) != 0 {
        read.push(from(21, m));
    }
    let mut written = vec![from(0, c)];
    if whole(24) != 0 {
        written.push(from(23, tiles * n));
    }
    Ranges { written, read }
}
