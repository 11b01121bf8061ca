//! A model of the time of a launch on a GPU, from its sizes and a few constants.
//!
//! No constant was fitted to a measurement of this program. Cycles of products were counted in the machine code that
//! NVIDIA's compiler makes of the kernels; the rest are properties of the cards and estimates of round trips. How far the
//! times are from those of a GPU is not known.

use tape::plan::{Argument, Joined, Launch, THREADS};

/// A card, as the model sees it.
#[derive(Clone, Copy, Debug)]
pub struct Card {
    pub name: &'static str,
    /// Bytes of its memory per second that streaming kernels reach.
    memory: f64,
}

/// The cards that times are modelled for. They have the same multiprocessors, and differ in their memory.
pub const CARDS: [Card; 2] = [Card { name: "H200", memory: 4.0e12 }, Card { name: "H100", memory: 2.8e12 }];

/// Multiprocessors of a card.
const MULTIPROCESSORS: usize = 132;
/// Cycles per second while every multiprocessor multiplies, and otherwise.
const CLOCK: [f64; 2] = [1.70e9, 1.85e9];
/// Bytes per second of the second-level cache.
const CACHE: f64 = 4.5e12;
/// Seconds between two launches of a graph.
const NODE: f64 = 1.5e-6;
/// Seconds of them that are saved because the next launch's blocks start before the one before has ended (both cards do
/// that): a cautious guess.
const OVERLAPPED: f64 = 0.6e-6;
/// Seconds from the start of a launch to its end without any work: a round trip to memory, and the last writes.
const ROUND_TRIP: f64 = 2.0e-6;
/// Instructions per cycle and multiprocessor of code that mostly computes places.
const INTEGER_RATE: f64 = 2.5;
/// Seconds from the end of a chain's step to the beginning of the next: the last writes, and until the blocks of a team
/// have waited for each other; and a round trip to the second-level cache, where a step's own cycles do not include it.
const TEAM_WAIT: f64 = 0.8e-6;
const CACHE_ROUND_TRIP: f64 = 0.4e-6;
/// Blocks in a team, which share the columns of a product or the numbers of a recurrent unit, and how many of these a
/// block makes at once.
const TEAM: usize = 8;
const TEAM_COLUMNS: usize = 32;
/// Cycles of a block's round trip to the second-level cache, and the bytes per cycle that it has from there, while few
/// multiprocessors read: an estimate.
const TRIP: f64 = 800.0;
const CACHE_OF_ONE: f64 = 48.0;
/// Products of at most so many blocks leave half of a card idle, and their time is latency.
const SMALL: usize = 66;

/// The inner loop of a kernel of products.
struct Tile {
    /// Numbers of k in a step.
    depth: usize,
    /// Cycles of a multiprocessor for a step of a block, if enough other blocks hide its latency; and if it is alone.
    busy: f64,
    alone: f64,
    /// Cycles for the places before the first step, and for the result.
    ends: f64,
    /// Blocks that a multiprocessor holds at once.
    resident: usize,
}

const CELL: &str = "recurrent_cell";
/// Cycles for the gates of a recurrent unit.
const GATES: f64 = 300.0;
/// Cycles of a recurrent unit in a chain outside of its loops: places, the sums of all warps, one gate after the other,
/// and the gates.
const UNIT_ENDS: f64 = 1700.0;

fn tile(kernel: &str) -> Tile {
    match kernel {
        "product_128" => Tile { depth: 16, busy: 2830.0, alone: 3000.0, ends: 3000.0, resident: 2 },
        "product_64" => Tile { depth: 32, busy: 1640.0, alone: 1900.0, ends: 1200.0, resident: 3 },
        "product_128_bf16" => Tile { depth: 32, busy: 700.0, alone: 1100.0, ends: 3000.0, resident: 2 },
        "product_128_tf32" => Tile { depth: 16, busy: 700.0, alone: 1100.0, ends: 3000.0, resident: 2 },
        "product_64_tf32" => Tile { depth: 16, busy: 360.0, alone: 1000.0, ends: 1200.0, resident: 3 },
        "product_narrow_tf32" => Tile { depth: 16, busy: 500.0, alone: 1050.0, ends: 1500.0, resident: 3 },
        "product_small_tf32" => Tile { depth: 256, busy: 1000.0, alone: 1800.0, ends: 1200.0, resident: 2 },
        // Its loads are under way for one step only.
        CELL => Tile { depth: 32, busy: 450.0, alone: 1300.0, ends: 1400.0, resident: 2 },
        "product_narrow_bf16" => Tile { depth: 32, busy: 500.0, alone: 1050.0, ends: 1500.0, resident: 3 },
        "product_small" => Tile { depth: 64, busy: 900.0, alone: 1500.0, ends: 1200.0, resident: 2 },
        "product_small_bf16" => Tile { depth: 256, busy: 900.0, alone: 1700.0, ends: 1200.0, resident: 2 },
        "product_64_bf16" => Tile { depth: 32, busy: 360.0, alone: 1000.0, ends: 1200.0, resident: 3 },
        other => panic!("{other} is not a kernel of products"),
    }
}

/// What a launch costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub kind: &'static str,
    pub seconds: f64,
    /// Operations of products.
    pub flop: f64,
}

/// The integers among a launch's arguments.
fn integers(launch: &Launch) -> Vec<usize> {
    let integer = |argument: &Argument| match argument {
        Argument::Whole(whole) => Some(usize::try_from(*whole).expect("no negative size")),
        _ => None,
    };
    launch.arguments.iter().filter_map(integer).collect()
}

/// m, n and k of a product.
pub fn sizes(launch: &Launch) -> [usize; 3] {
    let integers = integers(launch);
    [integers[0], integers[1], integers[2]]
}

/// The cost of a launch, or of a chain, on a card, with the time until the next launch can begin.
pub fn joined_cost(joined: &Joined, card: &Card) -> Cost {
    let launches = match joined {
        Joined::Single(launch) => return cost(launch, card),
        Joined::Chain(launches) => launches,
    };
    let (seconds, flop) = launches.iter().map(step).fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    Cost { kind: "chains of small launches", seconds: seconds + ROUND_TRIP + NODE - OVERLAPPED, flop }
}

/// The seconds and operations of a step of a chain.
fn step(launch: &Launch) -> (f64, f64) {
    if launch.kernel.starts_with("recurrent_cell") {
        return unit_step(launch);
    }
    if !launch.kernel.starts_with("product") {
        return (TEAM_WAIT + CACHE_ROUND_TRIP, 0.0);
    }
    let [m, n, k] = sizes(launch);
    let Tile { depth, alone, ends, .. } = tile(launch.kernel);
    let tiles = n.div_ceil(TEAM_COLUMNS).div_ceil(TEAM) as f64;
    let cycles = tiles * (k.div_ceil(depth) as f64 * alone + ends);
    (cycles / CLOCK[1] + TEAM_WAIT, 2.0 * (m * n * k) as f64)
}

/// A step of a recurrent unit as one of a chain's. Its blocks read the weights of all gates from the second-level cache.
fn unit_step(launch: &Launch) -> (f64, f64) {
    let whole = integers(launch);
    let [rows, inputs, size] = [whole[0], whole[1], whole[2]];
    // Numbers of k that are under way at once, and cycles to issue their instructions.
    let (depth, issued) = match launch.kernel {
        "recurrent_cell_bf16" => (256, 700.0),
        "recurrent_cell_tf32" => (256, 1160.0),
        _ => (64, 1300.0),
    };
    let product = |k: usize| {
        let bytes = (3 * TEAM_COLUMNS * depth.min(k) * 4) as f64;
        k.div_ceil(depth) as f64 * (TRIP + f64::max(issued, bytes / CACHE_OF_ONE))
    };
    let rounds = size.div_ceil(TEAM_COLUMNS).div_ceil(TEAM) as f64;
    let cycles = rounds * (product(inputs) + product(size) + UNIT_ENDS);
    (cycles / CLOCK[1] + TEAM_WAIT, 6.0 * (rows * size * (inputs + size)) as f64)
}

/// The cost of a launch on a card, with the time until the next launch can begin.
pub fn cost(launch: &Launch, card: &Card) -> Cost {
    if launch.kernel.starts_with("product") {
        return product(launch, card);
    }
    if launch.kernel.starts_with("recurrent_cell") {
        return cell(launch);
    }
    let blocks = launch.grid.iter().map(|&blocks| blocks as usize).product::<usize>();
    let (kind, work) = match launch.kernel {
        "overlay" => ("sums of patches", overlay(&integers(launch))),
        kernel => reduction(kernel, launch, card).unwrap_or_else(|| elementwise(kernel, launch, card)),
    };
    let round_trip = if blocks < 2000 { ROUND_TRIP } else { 0.5 * ROUND_TRIP };
    Cost { kind, seconds: work + round_trip + NODE - OVERLAPPED, flop: 0.0 }
}

fn product(launch: &Launch, card: &Card) -> Cost {
    let whole = integers(launch);
    let ([m, n, k], [side, channels, size, stride, part, accumulate]) =
        ([whole[0], whole[1], whole[2]], [whole[7], whole[8], whole[9], whole[10], whole[11], whole[12]]);
    let blocks = launch.grid.iter().map(|&blocks| blocks as usize).product::<usize>();
    let Tile { depth, busy, alone, ends, resident } = tile(launch.kernel);
    let steps = part.min(k).div_ceil(depth) as f64;
    let of_one = blocks.div_ceil(MULTIPROCESSORS);
    let wave = |blocks: usize| steps * (blocks as f64 * busy).max(alone) + blocks as f64 * ends;
    let mut cycles = (of_one / resident) as f64 * wave(resident);
    if of_one % resident > 0 {
        cycles += wave(of_one % resident);
    }
    let clock = CLOCK[usize::from(blocks <= MULTIPROCESSORS)];
    // Patches and windows that overlap are read from memory once.
    let (taps, squares) = (size.div_ceil(stride.max(1)), side.div_ceil(stride.max(1)));
    let (left, right, result) = match (side, whole[3]) {
        (0, _) => (m * k, k * n, m * n),
        (_, 2) => (m * k / (taps * taps), k * n, m / (squares * squares) * side * side * channels),
        _ => (m * k * stride * stride / (size * size), k * n, m * n),
    };
    let bytes = 4.0 * (result * (1 + accumulate) * launch.grid[2] as usize + right + left) as f64;
    let seconds = (cycles / clock + ROUND_TRIP).max(bytes / card.memory) + NODE - OVERLAPPED;
    let kind = match (side, blocks) {
        _ if launch.kernel.starts_with("product_small") => "small products",
        (0, ..=SMALL) => "products of at most 66 blocks",
        (0, _) => "larger products",
        _ => "products of patches",
    };
    Cost { kind, seconds, flop: 2.0 * (m * n * k) as f64 }
}

/// A step of a recurrent unit: two small products, one after the other, and the gates.
fn cell(launch: &Launch) -> Cost {
    let whole = integers(launch);
    let [rows, inputs, size] = [whole[0], whole[1], whole[2]];
    let Tile { depth, busy, alone, ends, resident } = tile(match launch.kernel {
        "recurrent_cell_bf16" => "product_small_bf16",
        "recurrent_cell_tf32" => "product_small_tf32",
        _ => CELL,
    });
    let blocks = launch.grid.iter().map(|&blocks| blocks as usize).product::<usize>();
    let steps = (inputs.div_ceil(depth) + size.div_ceil(depth)) as f64;
    let waves = blocks.div_ceil(MULTIPROCESSORS * resident) as f64;
    let of_one = blocks.div_ceil(MULTIPROCESSORS).min(resident) as f64;
    let cycles = waves * (steps * (of_one * busy).max(alone) + of_one * (ends + GATES));
    let seconds = cycles / CLOCK[1] + ROUND_TRIP + NODE - OVERLAPPED;
    Cost { kind: "small products", seconds, flop: 6.0 * (rows * size * (inputs + size)) as f64 }
}

/// Sums of overlapping patches: bound by the arithmetic of places, or by the cache that holds the patches.
fn overlay(whole: &[usize]) -> f64 {
    let &[images, side, channels, size, stride, accumulate, ..] = whole else { panic!("the sizes of images") };
    let numbers = (images * side * side * channels) as f64;
    let lines = size as f64 / stride as f64;
    let instructions = numbers * (200.0 + 37.0 * lines + 40.0 * lines * lines);
    let across = (side - size) / stride + 1;
    let patches = (images * across * across * size * size * channels) as f64;
    let bytes = 4.0 * (numbers * (1 + accumulate) as f64 + patches);
    (instructions / 32.0 / (MULTIPROCESSORS as f64 * INTEGER_RATE * CLOCK[0])).max(bytes / CACHE)
}

/// The work of kernels that sum: `None` for others.
fn reduction(kernel: &str, launch: &Launch, card: &Card) -> Option<(&'static str, f64)> {
    let whole = integers(launch);
    Some(match kernel {
        "column_sums" => {
            let [rows, columns, part] = [whole[0], whole[1], whole[2]];
            let lines = THREADS / columns.min(THREADS);
            let serial = (part.min(rows) / lines.max(1)) as f64 * 60.0 / CLOCK[1];
            ("sums of columns, in parts", (4.0 * (rows * columns) as f64 / (0.5 * card.memory)).max(serial))
        }
        "sum_columns" => {
            // Eight loads of a thread are under way at once; then the threads' sums are added in a tree.
            let [columns, rows] = [whole[0], whole[1]];
            let serial = ((rows as f64 / 32.0 / 8.0).ceil() * 800.0 + 400.0) / CLOCK[1];
            ("sums of columns", (4.0 * (rows * columns) as f64 / (0.5 * card.memory)).max(serial))
        }
        "sum_parts" => {
            // As above, with eight warps a block.
            let [numbers, parts] = [whole[0], whole[1]];
            let serial = ((parts as f64 / 8.0 / 8.0).ceil() * 800.0 + 200.0) / CLOCK[1];
            ("sums of parts", (4.0 * (numbers * (parts + 1)) as f64 / (0.75 * card.memory)).max(serial))
        }
        // A block adds a part.
        "total_parts" => ("totals", whole[3] as f64 / THREADS as f64 * 90.0 / CLOCK[1]),
        // One block.
        "total_of_parts" => ("totals", (whole[0] as f64 / THREADS as f64).ceil() * 90.0 / CLOCK[1]),
        "total" => ("totals", (whole[0] * whole[1]) as f64 / THREADS as f64 * 90.0 / CLOCK[1]),
        "weighted_sum" => ("totals", whole[0] as f64 / THREADS as f64 * 90.0 / CLOCK[1]),
        "root_of_sum" => ("other elementwise", whole[0] as f64 * 60.0 / CLOCK[1]),
        "normal_density" => ("densities", 8.0 * launch.grid[0] as f64 * whole[0] as f64 / (0.75 * card.memory)),
        "square_parts" => ("optimisers", 4.0 * whole[0] as f64 / (0.6 * card.memory)),
        "adam" => ("optimisers", 28.0 * whole[0] as f64 / (0.8 * card.memory)),
        _ => return None,
    })
}

/// The work of kernels with a thread for each number: bound by memory, or by a hundred instructions a number.
fn elementwise(kernel: &str, launch: &Launch, card: &Card) -> (&'static str, f64) {
    let whole = integers(launch);
    let threads = launch.grid.iter().map(|&blocks| blocks as usize).product::<usize>() * THREADS;
    let (kind, numbers, bytes) = match kernel {
        "draw_noise" => {
            let instructions = threads as f64 * 2500.0 / 32.0;
            return ("noise and images", instructions / (MULTIPROCESSORS as f64 * 2.0 * CLOCK[1]));
        }
        "piece" => ("copies", whole[2] * whole[3], 8 + 4 * whole[whole.len() - 1]),
        "activation_gradient" => ("slopes of activations", whole[0] * whole[1], 12),
        // As of a kernel that only scales.
        "scale_and_sum_rows" => ("other elementwise", whole[0] * whole[1], 16),
        "fill" => ("other elementwise", whole[0] * whole[1], 4),
        "normalise_images" => ("noise and images", whole[0] * whole[1] * whole[2], 5),
        "normal_density_gradient" => ("densities", threads, 16),
        _ => ("other elementwise", threads, 16),
    };
    let instructions = numbers as f64 * 120.0 / 32.0 / (MULTIPROCESSORS as f64 * INTEGER_RATE * CLOCK[1]);
    (kind, ((numbers * bytes) as f64 / (0.75 * card.memory)).max(instructions))
}
