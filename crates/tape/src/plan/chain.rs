//! Chains: small launches, each of which waits for the last, as one launch of a kernel whose blocks work in teams.
//!
//! The steps of a scan are matrices of a few rows, and a row depends on the same row of earlier results alone. So a team
//! of blocks can take some rows through many launches, and the blocks of a team wait for each other in between, which
//! takes less time than to start a launch. The results are those of the launches, in every bit.
//!
//! A plan is a list of launches, which every device can run. A device whose blocks can work in teams asks for the same
//! plan with chains ([`Plan::chained`]) when it loads it.

use super::kernels::{
    Chain, ChainKernel, GaussianSample, GaussianSampleGradient, Kernel, Product, ProductKernel, RecurrentCell,
    RecurrentCellKernel, RecurrentGradient,
};
use super::launch::{Argument, Launch, Place};
use super::layout::Plan;
use std::ops::Range;

/// Blocks in a team, rows that a team takes, and words of a step: as in the kernels (`teams.cuh`).
const TEAM: usize = 8;
const TEAM_ROWS: usize = 16;
const STEP_WORDS: usize = 32;
/// The most rows: with more, there are more teams than a device runs at once, and single launches fill it as well.
const MOST_ROWS: usize = 16 * TEAM_ROWS;
/// The most numbers of a recurrent unit. The blocks of a team make 32 each; with more, they would need several rounds,
/// and a launch of its own has more blocks.
const MOST_UNITS: usize = 32 * TEAM;
/// The fewest launches that are worth a chain: it has to be started, too.
const LEAST: usize = 3;

/// A part of memory that a launch reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// A matrix of the chain's rows, of which a team accesses its own alone: where it begins, and a row's numbers.
    Rows(usize, usize),
    /// So many numbers, which every team reads.
    Whole(usize, usize),
}

impl Part {
    fn range(self, rows: usize) -> Range<usize> {
        match self {
            Self::Rows(place, width) => place..place + rows * width,
            Self::Whole(place, count) => place..place + count,
        }
    }

    /// Whether a team could meet numbers of another team, if one launch writes this part and a later or earlier one
    /// accesses the other.
    fn conflicts(self, other: Self, rows: usize) -> bool {
        let same = matches!(self, Self::Rows(..)) && self == other;
        let (one, other) = (self.range(rows), other.range(rows));
        !same && one.start < other.end && other.start < one.end
    }
}

/// A launch that can be a step of a chain.
#[derive(Clone, Debug)]
struct Link {
    /// Which kernel of chains it needs, if it multiplies.
    kernel: Option<ChainKernel>,
    /// Its number in the kernels.
    number: u32,
    rows: usize,
    read: Vec<Part>,
    written: Vec<Part>,
}

fn rows(place: Place, width: usize) -> Part {
    Part::Rows(place.0, width)
}

impl Link {
    fn of(launch: &Launch) -> Option<Self> {
        let link =
            Self::product(launch).or_else(|| Self::recurrent_cell(launch)).or_else(|| Self::elementwise(launch))?;
        let fits = |argument: &Argument| match argument {
            Argument::Place(place) => u32::try_from(*place).is_ok(),
            _ => true,
        };
        (link.rows <= MOST_ROWS && launch.arguments.iter().all(fits)).then_some(link)
    }

    fn product(launch: &Launch) -> Option<Self> {
        let of = Product::of(launch)?;
        let kernel = match of.which {
            ProductKernel::ProductSmall => ChainKernel::Chain,
            ProductKernel::ProductSmallBf16 => ChainKernel::ChainBf16,
            ProductKernel::ProductSmallTf32 => ChainKernel::ChainTf32,
            _ => return None,
        };
        let by_rows = of.side == 0 && (of.a_row, of.a_column) == (of.k, 1);
        if !by_rows || launch.grid[2] != 1 {
            return None;
        }
        let weights = (of.k - 1) * of.b_row + (of.n - 1) * of.b_column + 1;
        let ends = [
            (of.with_plus, rows(of.plus, of.n)),
            (of.with_scales, rows(of.scales, 1)),
            (of.with_bias, Part::Whole(of.bias.0, of.n)),
        ];
        let ends = ends.into_iter().filter(|(on, _)| *on).map(|(_, part)| part);
        let read = [rows(of.a, of.k), Part::Whole(of.b.0, weights)].into_iter().chain(ends).collect();
        Some(Self { kernel: Some(kernel), number: 0, rows: of.m, read, written: vec![rows(of.c, of.n)] })
    }

    fn recurrent_cell(launch: &Launch) -> Option<Self> {
        let of = RecurrentCell::of(launch).filter(|of| of.size <= MOST_UNITS)?;
        let kernel = match of.which {
            RecurrentCellKernel::RecurrentCell => ChainKernel::Chain,
            RecurrentCellKernel::RecurrentCellBf16 => ChainKernel::ChainBf16,
            RecurrentCellKernel::RecurrentCellTf32 => ChainKernel::ChainTf32,
        };
        let (wide, size) = (3 * of.size, of.size);
        let weights = [(of.kernel, of.inputs * wide), (of.recurrent, size * wide), (of.bias, 2 * wide)];
        let weights = weights.map(|(place, count)| Part::Whole(place.0, count));
        let read = [rows(of.x, of.inputs), rows(of.h, size)].into_iter().chain(weights).collect();
        let written = vec![rows(of.y, size), rows(of.gates, wide), rows(of.from_h, wide)];
        Some(Self { kernel: Some(kernel), number: 4, rows: of.rows, read, written })
    }

    fn elementwise(launch: &Launch) -> Option<Self> {
        if let Some(of) = GaussianSample::of(launch) {
            let (wide, size) = (of.columns, of.columns / 2);
            let written = vec![rows(of.normal, wide), rows(of.y, size)];
            let read = vec![rows(of.raw, wide), rows(of.noise, size)];
            return Some(Self { kernel: None, number: 1, rows: of.rows, read, written });
        }
        if let Some(of) = GaussianSampleGradient::of(launch) {
            let (wide, size) = (of.columns, of.columns / 2);
            let mut read = vec![rows(of.of_sample, size), rows(of.noise, size), rows(of.raw, wide)];
            read.extend(of.with_gradient.then(|| rows(of.gradient, wide)));
            return Some(Self { kernel: None, number: 2, rows: of.rows, read, written: vec![rows(of.out, wide)] });
        }
        let of = RecurrentGradient::of(launch)?;
        let (wide, size) = (3 * of.size, of.size);
        let read = vec![rows(of.gates, wide), rows(of.from_h, wide), rows(of.h, size), rows(of.gradient, size)];
        let mut written = vec![rows(of.to_x, wide), rows(of.to_h, wide)];
        written.extend(of.with_past.then(|| rows(of.to_past, size)));
        Some(Self { kernel: None, number: 3, rows: of.rows, read, written })
    }
}

/// The links of a chain so far.
#[derive(Debug, Default)]
struct Links(Vec<Link>);

impl Links {
    fn kernel(&self) -> Option<ChainKernel> {
        self.0.iter().find_map(|link| link.kernel)
    }

    /// Whether a launch can follow them: it has the same rows and precision, and no team meets numbers of another.
    fn accept(&self, next: &Link) -> bool {
        let Some(first) = self.0.first() else { return true };
        let precision = next.kernel.is_none() || self.kernel().is_none_or(|kernel| Some(kernel) == next.kernel);
        let meets = |written: &[Part], accessed: &[Part]| {
            written.iter().any(|one| accessed.iter().any(|other| one.conflicts(*other, first.rows)))
        };
        let apart = |earlier: &Link| {
            let Link { read, written, .. } = earlier;
            !meets(written, &next.read) && !meets(written, &next.written) && !meets(&next.written, read)
        };
        first.rows == next.rows && precision && self.0.iter().all(apart)
    }
}

/// The place of a run of launches in a list.
fn chains(launches: &[Launch]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut links = Links::default();
    for number in 0..=launches.len() {
        let next = launches.get(number).and_then(Link::of);
        if next.as_ref().is_none_or(|next| !links.accept(next)) {
            if links.0.len() >= LEAST {
                found.push(number - links.0.len()..number);
            }
            links.0.clear();
        }
        links.0.extend(next);
    }
    found
}

/// The words of a step.
fn words(launch: &Launch) -> Vec<f32> {
    let number = Link::of(launch).expect("a step of a chain").number;
    let argument = |argument: &Argument| match *argument {
        Argument::Place(place) => u32::try_from(place).expect("a place of 32 bits"),
        Argument::Whole(whole) => whole.cast_unsigned(),
        Argument::Real(real) => real.to_bits(),
    };
    let mut words: Vec<u32> = [number].into_iter().chain(launch.arguments.iter().map(argument)).collect();
    assert!(words.len() <= STEP_WORDS, "a step's words");
    words.resize(STEP_WORDS, 0);
    words.into_iter().map(f32::from_bits).collect()
}

/// A launch, or several as a chain.
#[derive(Clone, Debug, PartialEq)]
pub enum Joined {
    /// A launch of its own.
    Single(Launch),
    /// Launches that become one.
    Chain(Vec<Launch>),
}

impl Plan {
    /// The launches of a section, those of chains together.
    pub fn joined(&self, section: usize) -> Vec<Joined> {
        let launches = &self.sections[section];
        let single = |range: Range<usize>| launches[range].iter().cloned().map(Joined::Single);
        let mut joined = Vec::new();
        let mut from = 0;
        for chain in chains(launches) {
            joined.extend(single(from..chain.start));
            joined.push(Joined::Chain(launches[chain.clone()].to_vec()));
            from = chain.end;
        }
        joined.extend(single(from..launches.len()));
        joined
    }

    /// The same plan with chains, for a device whose blocks can work in teams. It takes a little more memory.
    pub fn chained(mut self) -> Self {
        for section in 0..self.sections.len() {
            let joined = self.joined(section);
            self.sections[section] = joined.into_iter().map(|one| self.launch_of(one)).collect();
        }
        self
    }

    fn launch_of(&mut self, joined: Joined) -> Launch {
        let launches = match joined {
            Joined::Single(launch) => return launch,
            Joined::Chain(launches) => launches,
        };
        let links = Links(launches.iter().filter_map(Link::of).collect());
        let steps = Place(self.numbers);
        self.constants.push((steps, launches.iter().flat_map(words).collect()));
        self.numbers += launches.len() * STEP_WORDS;
        let which = links.kernel().unwrap_or(ChainKernel::Chain);
        let kernel = Chain { which, memory: Place(0), steps, count: launches.len() };
        let teams = links.0[0].rows.div_ceil(TEAM_ROWS);
        Launch { kernel: kernel.name(), grid: [(TEAM * teams) as u32, 1, 1], arguments: kernel.arguments() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Planner;
    use super::super::products::Matrix;
    use super::*;
    use crate::kernels::matmul::Precision;

    /// How many launches each of the joined ones holds, of products [rows, 20] by [20, 20] between places.
    fn joined(rows: usize, places: &[[usize; 2]]) -> Vec<usize> {
        let mut planner = Planner::new(Precision::Bf16);
        planner.reserve(100_000);
        let weights = Matrix::new(Place(90_000), 20, 20);
        for &[x, y] in places {
            planner.product(Place(y), Matrix::new(Place(x), rows, 20), weights, false);
        }
        let count = |one: Joined| match one {
            Joined::Single(_) => 1,
            Joined::Chain(launches) => launches.len(),
        };
        planner.finish().joined(0).into_iter().map(count).collect()
    }

    #[test]
    fn small_launches_that_follow_each_other_are_joined() {
        assert_eq!(joined(50, &[[0, 1000], [1000, 2000], [2000, 3000], [3000, 4000]]), [4]);
        // Too few, and too many rows.
        assert_eq!(joined(50, &[[0, 1000], [1000, 2000]]), [1, 1]);
        assert_eq!(joined(300, &[[0, 10_000], [10_000, 20_000], [20_000, 30_000]]), [1, 1, 1]);
    }

    #[test]
    fn rows_of_another_team_end_a_chain() {
        // The last reads rows that other teams have written, and writes rows that they read.
        assert_eq!(joined(50, &[[0, 1000], [1000, 2000], [2000, 3000], [3020, 5000]]), [3, 1]);
        assert_eq!(joined(50, &[[0, 1000], [1000, 2000], [2000, 3000], [3000, 1020]]), [3, 1]);
        // The last changes the weights.
        assert_eq!(joined(50, &[[0, 1000], [1000, 2000], [2000, 3000], [3000, 89_980]]), [3, 1]);
    }

    /// A unit of so many numbers for 50 rows, with its results and its state from a place on.
    fn cell(size: usize, y: usize) -> RecurrentCell {
        let which = RecurrentCellKernel::RecurrentCell;
        let [gates, from_h, h] = [1, 3, 5].map(|one| Place(y + one * 20_000));
        let [x, kernel, recurrent, bias] = [0, 1_000_000, 1_100_000, 1_300_000].map(Place);
        RecurrentCell { which, y: Place(y), gates, from_h, x, h, kernel, recurrent, bias, rows: 50, inputs: 5, size }
    }

    /// How three units and another are joined.
    fn joined_to_units(last: RecurrentCell) -> Vec<Joined> {
        let mut planner = Planner::new(Precision::Full);
        planner.reserve(2_000_000);
        for y in [100_000, 300_000, 500_000] {
            planner.launch([4, 8, 1], cell(64, y));
        }
        planner.launch([4, 8, 1], last);
        planner.finish().joined(0)
    }

    #[test]
    fn recurrent_units_are_joined_if_a_team_makes_them_in_one_round() {
        let joined = joined_to_units(cell(256, 700_000));
        let [Joined::Chain(chain)] = joined.as_slice() else { panic!("{joined:?}") };
        // The step's kernel, where the unit's state goes, its rows, its inputs and its size.
        let words: Vec<u32> = words(&chain[3]).iter().map(|word| word.to_bits()).collect();
        assert_eq!([words[0], words[1], words[9], words[10], words[11]], [4, 700_000, 50, 5, 256]);
        let joined = joined_to_units(cell(257, 700_000));
        assert!(matches!(joined.as_slice(), [Joined::Chain(_), Joined::Single(_)]), "{joined:?}");
    }

    #[test]
    fn a_recurrent_unit_that_meets_rows_of_another_team_ends_a_chain() {
        // The state that an earlier unit has written, and the one that it has read.
        let (written, read) = (Place(500_000 + 20), Place(600_000 + 20));
        let good = cell(64, 700_000);
        let wrong = [
            RecurrentCell { x: written, ..good },
            RecurrentCell { h: written, ..good },
            RecurrentCell { kernel: written, ..good },
            RecurrentCell { recurrent: written, ..good },
            RecurrentCell { bias: written, ..good },
            RecurrentCell { y: read, ..good },
            RecurrentCell { gates: read, ..good },
            RecurrentCell { from_h: read, ..good },
        ];
        for wrong in wrong {
            let joined = joined_to_units(wrong);
            assert!(matches!(joined.as_slice(), [Joined::Chain(_), Joined::Single(_)]), "{wrong:?}: {joined:?}");
        }
    }

    #[test]
    fn a_chain_is_one_launch_with_its_steps_in_memory() {
        let mut planner = Planner::new(Precision::Full);
        planner.reserve(100_000);
        for x in [0, 2000, 4000] {
            planner.product(Place(x + 2000), Matrix::new(Place(x), 50, 20), Matrix::new(Place(90_000), 20, 20), false);
        }
        let plan = planner.finish();
        let numbers = plan.numbers;
        let chained = plan.chained();
        assert_eq!(chained.numbers, numbers + 3 * STEP_WORDS);
        let [launch] = chained.sections[0].as_slice() else { panic!("one launch") };
        assert_eq!((launch.kernel, launch.grid), ("chain", [32, 1, 1]));
        let (place, words) = &chained.constants[0];
        assert_eq!((place.0, words.len()), (numbers, 3 * STEP_WORDS));
        // The second step's kernel, its result, its left factor and its rows.
        let second: Vec<u32> = words[STEP_WORDS..].iter().map(|word| word.to_bits()).collect();
        assert_eq!([second[0], second[1], second[2], second[4]], [0, 4000, 2000, 50]);
    }
}
