//! Kernels of totals, norms, sums of columns and scaled rows compared with plain loops.
//!
//! All numbers are positive, and bounds are far below the smallest of them: a single number that is left out, or counted
//! twice, is found.

use random::Stream;
use tape::plan::kernels::{
    ColumnSums, RootOfSum, ScaleAndSumRows, ScaleRows, SquareParts, SumColumns, TotalOfParts, TotalParts,
};
use tape::plan::{Device, Place, Planner, THREADS, Total};

/// Numbers between 0.5 and 1.5.
fn draw(random: &mut Stream, count: usize) -> Vec<f32> {
    (0..count).map(|_| random.uniform_in(0.5, 1.5) as f32).collect()
}

/// What launches leave in `count` numbers from a place on.
fn results<const N: usize>(device: &dyn Device, planner: Planner, places: [(Place, usize); N]) -> [Vec<f32>; N] {
    let mut machine = device.start(planner.finish()).unwrap();
    machine.run(0).unwrap();
    places.map(|(place, count)| {
        let mut numbers = vec![0.0; count];
        machine.read(place, &mut numbers).unwrap();
        numbers
    })
}

fn planner() -> Planner {
    Planner::new(tape::Precision::Full)
}

fn check(what: &str, found: &[f32], expected: impl IntoIterator<Item = f64>) {
    let expected: Vec<f64> = expected.into_iter().collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (&found, expected)) in found.iter().zip(expected).enumerate() {
        let close = (f64::from(found) - expected).abs() <= 2e-6 * expected.abs();
        assert!(close, "{what}: number {at} is {found}, not {expected}");
    }
}

/// The sums of the columns of rows.
fn columns_of(x: &[f32], columns: usize) -> Vec<f64> {
    let sum = |column: usize| x.iter().skip(column).step_by(columns).map(|&x| f64::from(x)).sum();
    (0..columns).map(sum).collect()
}

/// Checks all of these kernels on a device.
///
/// # Panics
/// If a number is not what plain loops find.
pub fn check_sums(device: &dyn Device) {
    totals(device);
    parts_of_totals(device);
    norms(device);
    for [rows, columns] in [[1, 1], [33, 9], [700, 3], [250, 300], [2049, 8], [3000, 70]] {
        sums_of_columns(device, [rows, columns]);
        scaled_rows(device, [rows, columns]);
    }
}

/// Sums of more numbers than one block adds, in several parts; and of few.
fn totals(device: &dyn Device) {
    for rows in [1, 700, 7001] {
        let cols = 6;
        let numbers = draw(&mut Stream::new(1, "totals"), rows * cols);
        for total in [Total::Numbers, Total::Squares, Total::LogarithmsOfSecondHalf, Total::Absolutes] {
            let term = |(i, &x): (usize, &f32)| match (total, f64::from(x)) {
                (Total::LogarithmsOfSecondHalf, _) if i % cols < cols / 2 => 0.0,
                // Of numbers above 1, so that logarithms do not cancel.
                (Total::LogarithmsOfSecondHalf, x) => (1.0 + x).ln(),
                (Total::Squares, x) => x * x,
                (Total::Numbers | Total::Absolutes, x) => x,
            };
            let signed: Vec<f32> = match total {
                Total::LogarithmsOfSecondHalf => numbers.iter().map(|x| 1.0 + x).collect(),
                Total::Absolutes => numbers.iter().map(|x| -x).collect(),
                _ => numbers.clone(),
            };
            let mut planner = planner();
            let (out, from) = (planner.reserve(1), planner.constant(&signed));
            planner.total(out, from, [rows, cols], total);
            let [found] = results(device, planner, [(out, 1)]);
            check(&format!("{total:?} of {rows} rows"), &found, [numbers.iter().enumerate().map(term).sum()]);
        }
    }
}

/// More parts than a block has threads.
fn parts_of_totals(device: &dyn Device) {
    for count in [1, 255, 700] {
        let numbers = draw(&mut Stream::new(2, "parts"), 100 * count);
        let mut planner = planner();
        let [sums, out, norm] = [2 * count, 1, 1].map(|count| planner.reserve(count));
        let x = planner.constant(&numbers);
        let of = TotalParts { parts: sums, x, rows: count, columns: 100, kind: 0, part: 100 };
        planner.launch([count, 1, 1], of);
        planner.launch([1; 3], TotalOfParts { out, parts: sums, n: count, scale: 0.25 });
        planner.launch([1; 3], RootOfSum { norm, parts: sums, n: count });
        let [found, root] = results(device, planner, [(out, 1), (norm, 1)]);
        let sum: f64 = numbers.iter().map(|&x| f64::from(x)).sum();
        check(&format!("a total of {count} parts"), &found, [0.25 * sum]);
        check(&format!("the root of {count} parts"), &root, [sum.sqrt()]);
    }
}

/// Norms of numbers in one part and in several, the last of which is not full.
fn norms(device: &dyn Device) {
    for count in [1, 16 * 1024, 16 * 1024 + 1, 100_000] {
        let numbers = draw(&mut Stream::new(3, "norms"), count);
        let parts = count.div_ceil(16 * 1024);
        let mut planner = planner();
        let [sums, norm] = [2 * parts, 1].map(|count| planner.reserve(count));
        let x = planner.constant(&numbers);
        planner.launch([parts, 1, 1], SquareParts { parts: sums, x, n: count });
        planner.launch([1; 3], RootOfSum { norm, parts: sums, n: parts });
        let [found] = results(device, planner, [(norm, 1)]);
        let squares: f64 = numbers.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        check(&format!("the norm of {count} numbers"), &found, [squares.sqrt()]);
    }
}

/// In one launch, and in parts.
fn sums_of_columns(device: &dyn Device, [rows, columns]: [usize; 2]) {
    let mut random = Stream::new(4, "columns");
    let (x, before) = (draw(&mut random, rows * columns), draw(&mut random, columns));
    let sums = columns_of(&x, columns);
    for accumulate in [false, true] {
        let added = |sums: &[f64]| {
            let before = before.iter().map(|&x| if accumulate { f64::from(x) } else { 0.0 });
            sums.iter().zip(before).map(|(sum, before)| sum + before).collect::<Vec<f64>>()
        };
        let mut planner = planner();
        let [out, from] = [&before, &x].map(|numbers| planner.constant(numbers));
        let of = SumColumns { out, x: from, n: columns, count: rows, accumulate };
        planner.launch([columns.div_ceil(8), 1, 1], of);
        let [found] = results(device, planner, [(out, columns)]);
        check(&format!("sums of {rows} x {columns}"), &found, added(&sums));

        let part = 64;
        let starts = || (0..rows).step_by(part);
        let parts = starts().count();
        let mut planner = self::planner();
        let all_before: Vec<f32> = starts().flat_map(|_| before.iter().copied()).collect();
        let [out, from] = [&all_before, &x].map(|numbers| planner.constant(numbers));
        let of = ColumnSums { out, x: from, rows, columns, part, accumulate };
        planner.launch([columns.div_ceil(THREADS), parts, 1], of);
        let [found] = results(device, planner, [(out, parts * columns)]);
        let expected = x.chunks(part * columns).flat_map(|rows| added(&columns_of(rows, columns)));
        check(&format!("sums of parts of {rows} x {columns}"), &found, expected);
    }
}

/// With the sums of their columns, and without.
fn scaled_rows(device: &dyn Device, [rows, columns]: [usize; 2]) {
    let mut random = Stream::new(5, "rows");
    let (numbers, scales) = (draw(&mut random, rows * columns), draw(&mut random, rows));
    let scaled: Vec<f32> = numbers.iter().enumerate().map(|(i, x)| x * scales[i / columns]).collect();
    let expected = || scaled.iter().map(|&x| f64::from(x));
    let part = 64;
    let parts = rows.div_ceil(part);
    let mut planner = planner();
    let [out, sums, alone, added] =
        [rows * columns, parts * columns, rows * columns, rows * columns].map(|count| planner.reserve(count));
    let [x, factors] = [&numbers, &scales].map(|numbers| planner.constant(numbers));
    let of = ScaleAndSumRows { out, parts: sums, x, factors, rows, columns, part };
    planner.launch([columns.div_ceil(THREADS), parts, 1], of);
    let scale = |out, accumulate| ScaleRows { out, x, factors, rows, columns, accumulate };
    planner.each(rows * columns, scale(alone, false));
    planner.each(rows * columns, scale(added, false));
    planner.each(rows * columns, scale(added, true));
    let places = [out, alone, added].map(|place| (place, rows * columns));
    let [found, alone, added, sums] =
        results(device, planner, [places[0], places[1], places[2], (sums, parts * columns)]);
    let what = format!("rows of {rows} x {columns}");
    check(&what, &found, expected());
    check(&what, &alone, expected());
    check(&what, &added, expected().map(|x| 2.0 * x));
    let of_columns = scaled.chunks(part * columns).flat_map(|rows| columns_of(rows, columns));
    check(&format!("sums of {what}"), &sums, of_columns);
}
