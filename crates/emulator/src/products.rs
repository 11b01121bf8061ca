//! Kernels of matrix products compared with simple ones: sizes of 1, primes, sizes beyond a tile; matrices and im2col
//! patches, transposed or not; transposed convolutions; parts of sums; operations after sums; bf16 and tf32.
//!
//! A device is checked much more closely here than by whole steps of an agent: bounds are a few roundings of a sum, so
//! that a single wrong term is found.

use random::Stream;
use tape::plan::{Argument, Device, Launch, Place, Plan};

/// Numbers before each matrix and after the last, which must not be accessed.
const FENCE: usize = 8;

/// One product.
#[derive(Clone, Debug)]
struct Case {
    sizes: [usize; 3],
    /// Whether the left and the right factor lie transposed.
    transposed: [bool; 2],
    parts: usize,
    accumulate: bool,
    plus: bool,
    bias: bool,
    /// Whether each row is multiplied by a factor.
    scales: bool,
    activation: i32,
}

impl Case {
    fn new(m: usize, n: usize, k: usize) -> Self {
        Self {
            sizes: [m, n, k],
            transposed: [false; 2],
            parts: 1,
            accumulate: false,
            plus: false,
            bias: false,
            scales: false,
            activation: 0,
        }
    }
}

pub(crate) fn draw(random: &mut Stream, count: usize) -> Vec<f32> {
    (0..count).map(|_| random.uniform_in(-1.0, 1.0) as f32).collect()
}

/// To bfloat16, to the nearest, to even between two.
fn bf16(x: f32) -> f64 {
    let bits = x.to_bits();
    if x.is_nan() {
        return f64::NAN;
    }
    f64::from(f32::from_bits(bits.wrapping_add(0x7fff + (bits >> 16 & 1)) & 0xffff_0000))
}

/// To tf32, to the nearest, away from zero between two.
fn tf32(x: f32) -> f64 {
    if x.is_nan() { f64::NAN } else { f64::from(f32::from_bits(x.to_bits().wrapping_add(0x1000) & !0x1fff)) }
}

/// The number that a kernel multiplies.
pub(crate) fn rounded(kernel: &str, x: f32) -> f64 {
    match kernel {
        _ if kernel.ends_with("bf16") => bf16(x),
        _ if kernel.ends_with("tf32") => tf32(x),
        _ => f64::from(x),
    }
}

fn activated(x: f64, activation: i32) -> f64 {
    match activation {
        1 if x < 0.0 => 0.0,
        2 if x < 0.0 => x.exp_m1(),
        _ => x,
    }
}

/// The slope of an activation, from its value.
fn slope(y: f64, activation: i32) -> f64 {
    match activation {
        1 if y <= 0.0 => 0.0,
        2 if y < 0.0 => y + 1.0,
        _ => 1.0,
    }
}

/// The left factor's images, if it is made of patches: side, channels, size, stride.
type Patches = [usize; 4];

/// The place of element (patch, number) in the images.
fn place([side, channels, size, stride]: Patches, patch: usize, number: usize) -> usize {
    let across = (side - size) / stride + 1;
    let (px, py, image) = (patch % across, patch / across % across, patch / across / across);
    let (dy, within) = (number / (size * channels), number % (size * channels));
    ((image * side + py * stride + dy) * side + px * stride) * channels + within
}

/// The memory of a device after launches on this memory.
fn run(device: &dyn Device, launches: Vec<Launch>, memory: &mut [f32]) {
    let plan = Plan { numbers: memory.len(), sections: vec![launches], constants: Vec::new() };
    let mut machine = device.start(plan).unwrap();
    machine.write(Place(0), memory).unwrap();
    machine.run(0).unwrap();
    machine.read(Place(0), memory).unwrap();
}

/// Runs a product on the device, and compares every number with the plain one's; and the fences.
fn check(device: &dyn Device, kernel: &'static str, case: &Case, patches: Option<Patches>, numbers: Option<f32>) {
    let (Case { sizes: [m, n, k], transposed, parts, .. }, mut random) = (case.clone(), Stream::new(3, "products"));
    let [patch_rows, _] = if transposed[0] { [k, m] } else { [m, k] };
    let images = patches.map_or(m * k, |[side, channels, size, stride]| {
        let across = (side - size) / stride + 1;
        patch_rows.div_ceil(across * across) * side * side * channels
    });
    let mut a = draw(&mut random, images);
    if let Some(number) = numbers {
        a[0] = number;
    }
    let (b, plus, bias) = (draw(&mut random, k * n), draw(&mut random, m * n), draw(&mut random, n));
    let (before, scales) = (draw(&mut random, m * n), draw(&mut random, m));
    let [tile_rows, tile_columns] = tile(kernel);
    let tiles = m.div_ceil(tile_rows);
    let mut memory = Vec::new();
    let mut at = |numbers: &[f32]| {
        memory.extend([7.25; FENCE]);
        let place = memory.len();
        memory.extend_from_slice(numbers);
        place
    };
    let [a_at, b_at, plus_at, bias_at, scales_at, c_at] =
        [&a, &b, &plus, &bias, &scales, &before].map(|numbers| at(numbers));
    let sums_at = at(&vec![0.0; parts * m * n]);
    let columns_at = at(&vec![0.0; tiles * n]);
    memory.extend([7.25; FENCE]);
    let untouched = memory.clone();
    let a_steps = if transposed[0] { [1, m] } else { [k, 1] };
    let b_steps = if transposed[1] { [1, k] } else { [n, 1] };
    let shape = patches.unwrap_or([0; 4]);
    let a_steps = if patches.is_some() { [usize::from(transposed[0]), 0] } else { a_steps };
    let whole = |value: usize| Argument::Whole(value as i32);
    let switch = |value: bool| Argument::Whole(i32::from(value));
    let finish = |on: bool| {
        [
            Argument::Place(plus_at),
            switch(on && case.plus),
            Argument::Place(bias_at),
            switch(on && case.bias),
            Argument::Whole(if on { case.activation } else { 0 }),
            Argument::Place(scales_at),
            switch(on && case.scales),
        ]
    };
    let column_sums = parts == 1 && !kernel.starts_with("product_small");
    let part = k.div_ceil(parts).next_multiple_of(32);
    assert_eq!(k.div_ceil(part), parts, "a case with parts of 32");
    let mut arguments: Vec<Argument> =
        [if parts == 1 { c_at } else { sums_at }, a_at, b_at].map(Argument::Place).to_vec();
    arguments.extend([m, n, k].into_iter().chain(a_steps).chain(b_steps).chain(shape).map(whole));
    arguments.extend([whole(part), switch(case.accumulate && parts == 1)]);
    arguments.extend(finish(parts == 1));
    arguments.extend([Argument::Place(columns_at), switch(column_sums)]);
    let grid = [m.div_ceil(tile_rows) as u32, n.div_ceil(tile_columns) as u32, parts as u32];
    let mut launches = vec![Launch { kernel, grid, arguments }];
    if parts > 1 {
        let mut arguments = vec![Argument::Place(c_at), Argument::Place(sums_at), whole(m * n), whole(parts)];
        arguments.extend([switch(case.accumulate), whole(n)]);
        arguments.extend(finish(true));
        let grid = [(m * n).div_ceil(32) as u32, 1, 1];
        launches.push(Launch { kernel: "sum_parts", grid, arguments });
    }
    run(device, launches, &mut memory);
    let factor = |x: f32| rounded(kernel, x);
    for i in 0..m {
        for j in 0..n {
            let left = |d: usize| match (patches, transposed[0]) {
                (Some(patches), false) => a[place(patches, i, d)],
                (Some(patches), true) => a[place(patches, d, i)],
                (None, false) => a[i * k + d],
                (None, true) => a[d * m + i],
            };
            let right = |d: usize| if transposed[1] { b[j * k + d] } else { b[d * n + j] };
            let mut sum: f64 = (0..k).map(|d| factor(left(d)) * factor(right(d))).sum();
            sum *= if case.scales { f64::from(scales[i]) } else { 1.0 };
            let value = f64::from(plus[i * n + j]);
            let added = [(case.accumulate, before[i * n + j]), (case.plus && case.activation < 4, plus[i * n + j])];
            for (on, x) in added.into_iter().chain([(case.bias, bias[j])]) {
                sum += if on { f64::from(x) } else { 0.0 };
            }
            // From 4 on, the numbers of activations ask for the gradient before one whose value is given.
            let expected = match case.activation {
                ..4 => activated(sum, case.activation),
                before => sum * slope(value, before - 4),
            };
            let found = f64::from(memory[c_at + i * n + j]);
            let same = (found - expected).abs() <= 1e-5 * (k as f64).sqrt()
                || found.is_nan() && expected.is_nan()
                || found == expected;
            assert!(same, "{kernel} {case:?} {patches:?}: ({i}, {j}) is {found}, not {expected}");
        }
    }
    for (tile, j) in (0..tiles).flat_map(|tile| (0..n).map(move |j| (tile, j))).filter(|_| column_sums) {
        let rows = tile * tile_rows..m.min((tile + 1) * tile_rows);
        let expected: f64 = rows.map(|i| f64::from(memory[c_at + i * n + j])).sum();
        let found = f64::from(memory[columns_at + tile * n + j]);
        let same = (found - expected).abs() <= 1e-4 || !expected.is_finite();
        assert!(same, "{kernel} {case:?} {patches:?}: the sum of column {j} of tile {tile} is {found}, not {expected}");
    }
    let ranges = [(c_at, m * n), (sums_at, parts * m * n), (columns_at, tiles * n)];
    let written = |place: usize| ranges.iter().any(|&(at, count)| (at..at + count).contains(&place));
    for (place, (found, expected)) in memory.iter().zip(&untouched).enumerate() {
        assert!(
            written(place) || found.to_bits() == expected.to_bits(),
            "{kernel} {case:?}: place {place} was touched"
        );
    }
}

/// Those of matrices and images, and those of small matrices.
const KERNELS: [&str; 8] = [
    "product_64",
    "product_128",
    "product_64_bf16",
    "product_128_bf16",
    "product_narrow_bf16",
    "product_64_tf32",
    "product_128_tf32",
    "product_narrow_tf32",
];
const SMALL_KERNELS: [&str; 3] = ["product_small", "product_small_bf16", "product_small_tf32"];

/// The rows and columns that a block of a kernel makes.
fn tile(kernel: &str) -> [usize; 2] {
    match kernel {
        small if small.starts_with("product_small") => [16, 32],
        "product_narrow_bf16" | "product_narrow_tf32" => [128, 32],
        large if large.contains("128") => [128; 2],
        _ => [64; 2],
    }
}

/// Checks all kernels of products on a device.
///
/// # Panics
/// If a number is not what plain loops find.
pub fn check_products(device: &dyn Device) {
    for kernel in KERNELS {
        sizes(device, kernel);
        sums_and_ends(device, kernel);
        patches(device, kernel);
        windows(device, kernel);
        no_numbers(device, kernel);
    }
    for kernel in SMALL_KERNELS {
        sizes(device, kernel);
        // Several steps of 64 or 256 terms, and a last one that is not full.
        for [m, n, k] in [[50, 60, 600], [18, 33, 259], [16, 32, 256], [5, 2, 1022], [4, 8, 516]] {
            for transposed in [[false, false], [true, false], [false, true], [true, true]] {
                check(device, kernel, &Case { transposed, ..Case::new(m, n, k) }, None, None);
            }
        }
        sums_and_ends(device, kernel);
        no_numbers(device, kernel);
    }
}

/// Sizes of 1, primes, and such that two or four numbers can be read at once; of one step to several, of one tile to
/// four.
fn sizes(device: &dyn Device, kernel: &'static str) {
    let odd =
        [[1, 1, 1], [2, 3, 5], [64, 64, 32], [65, 1, 33], [1, 67, 31], [129, 130, 17], [13, 127, 64], [200, 7, 101]];
    let even = [[70, 34, 66], [72, 68, 100], [132, 200, 36], [6, 130, 162], [128, 128, 96], [4, 4, 200]];
    for [m, n, k] in odd.into_iter().chain(even) {
        for transposed in [[false, false], [true, false], [false, true], [true, true]] {
            check(device, kernel, &Case { transposed, ..Case::new(m, n, k) }, None, None);
        }
    }
}

fn sums_and_ends(device: &dyn Device, kernel: &'static str) {
    for activation in [0, 1, 2] {
        for (parts, k) in [(1, 37), (3, 96), (4, 101)] {
            let case = Case { parts, activation, accumulate: true, plus: true, bias: true, ..Case::new(19, 70, k) };
            check(device, kernel, &case, None, None);
            check(device, kernel, &Case { activation: 4 + activation, bias: false, ..case.clone() }, None, None);
            check(device, kernel, &Case { scales: true, ..case.clone() }, None, None);
            check(device, kernel, &Case { accumulate: false, plus: false, ..case }, None, None);
        }
    }
}

/// Patches are read where the images lie.
fn patches(device: &dyn Device, kernel: &'static str) {
    for patches in [[6, 3, 4, 2], [5, 1, 5, 1], [9, 2, 3, 2], [7, 5, 2, 3], [8, 4, 4, 2]] {
        let [side, channels, size, stride] = patches;
        let across = (side - size) / stride + 1;
        let (rows, width) = (3 * across * across, size * size * channels);
        check(device, kernel, &Case::new(rows, 5, width), Some(patches), None);
        let transposed = Case { transposed: [true, false], ..Case::new(width, 5, rows) };
        check(device, kernel, &transposed, Some(patches), None);
    }
}

/// Transposed convolutions, of sizes that their stride divides or not, of one tap to sixteen.
fn windows(device: &dyn Device, kernel: &'static str) {
    let sizes = [
        [6, 3, 4, 2],
        [9, 2, 3, 2],
        [8, 4, 2, 2],
        [7, 5, 2, 3],
        [5, 1, 3, 1],
        [13, 6, 5, 2],
        [4, 1, 4, 1],
        [5, 3, 5, 5],
    ];
    for patches in sizes {
        for small in [1, 2, 12] {
            check_windows(device, kernel, patches, small, false);
            check_windows(device, kernel, patches, small, true);
        }
    }
}

/// Runs a transposed convolution of three images of `small` channels, and compares it with sums over their patches.
fn check_windows(device: &dyn Device, kernel: &'static str, patches: Patches, small: usize, adds: bool) {
    let [side, channels, size, stride] = patches;
    let (images, across, taps) = (3, (side - size) / stride + 1, size.div_ceil(stride));
    let mut random = Stream::new(9, "windows");
    let [a, weights, bias, before] =
        [images * across * across * small, size * size * channels * small, channels, images * side * side * channels]
            .map(|count| draw(&mut random, count));
    let mut memory = Vec::new();
    let [a_at, b_at, bias_at, c_at] = [&a, &weights, &bias, &before].map(|numbers| {
        memory.extend([7.25; FENCE]);
        let place = memory.len();
        memory.extend_from_slice(numbers);
        memory.resize(memory.len().next_multiple_of(4), 7.25);
        place
    });
    memory.extend([7.25; FENCE]);
    let squares = side.div_ceil(stride);
    let [m, n, k] = [images * squares * squares, stride * stride * channels, taps * taps * small];
    let [tile_rows, tile_columns] = tile(kernel);
    let tiles = m.div_ceil(tile_rows);
    let (columns_at, columns_count) = (memory.len(), tiles * n);
    memory.resize(columns_at + columns_count, 0.0);
    memory.extend([7.25; FENCE]);
    let factor = |x: f32| rounded(kernel, x);
    let mut sums: Vec<f64> = before.iter().map(|&x| if adds { f64::from(x) } else { 0.0 }).collect();
    for patch in 0..images * across * across {
        for number in 0..size * size * channels {
            let products = (0..small).map(|c| factor(a[patch * small + c]) * factor(weights[number * small + c]));
            sums[place(patches, patch, number)] += products.sum::<f64>();
        }
    }
    let untouched = memory.clone();
    let whole = |value: usize| Argument::Whole(value as i32);
    let mut arguments: Vec<Argument> = [c_at, a_at, b_at].map(Argument::Place).to_vec();
    let part = k.next_multiple_of(32);
    arguments.extend([m, n, k, 2, 0, 1, small, side, channels, size, stride, part, usize::from(adds)].map(whole));
    arguments.extend([Argument::Place(c_at), whole(0), Argument::Place(bias_at), whole(1), whole(2)]);
    arguments.extend([Argument::Place(c_at), whole(0), Argument::Place(columns_at), whole(1)]);
    let grid = [tiles as u32, n.div_ceil(tile_columns) as u32, 1];
    run(device, vec![Launch { kernel, grid, arguments }], &mut memory);
    for (at, sum) in sums.iter().enumerate() {
        let (expected, found) = (activated(sum + f64::from(bias[at % channels]), 2), f64::from(memory[c_at + at]));
        let close = (found - expected).abs() <= 1e-5 * (k as f64).sqrt();
        assert!(close, "{kernel} {patches:?} of {small}: {at} is {found}, not {expected}");
    }
    for channel in 0..channels {
        let all = (c_at..c_at + before.len()).skip(channel).step_by(channels);
        let parts = (columns_at..columns_at + columns_count).skip(channel).step_by(channels);
        let [expected, found]: [f64; 2] =
            [all.map(|at| f64::from(memory[at])).sum(), parts.map(|at| f64::from(memory[at])).sum()];
        let close = (found - expected).abs() <= 1e-4;
        assert!(close, "{kernel} {patches:?} of {small}: the sum of channel {channel} is {found}, not {expected}");
    }
    let written = [c_at..c_at + before.len(), columns_at..columns_at + columns_count];
    let same = |place: usize| memory[place].to_bits() == untouched[place].to_bits();
    let whole = (0..memory.len()).all(|place| written.iter().any(|range| range.contains(&place)) || same(place));
    assert!(whole, "{kernel} {patches:?}");
}

/// NaN and infinity pass through.
fn no_numbers(device: &dyn Device, kernel: &'static str) {
    for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        check(device, kernel, &Case::new(3, 4, 5), None, Some(number));
        check(device, kernel, &Case { activation: 1, ..Case::new(3, 4, 5) }, None, Some(number));
    }
}
