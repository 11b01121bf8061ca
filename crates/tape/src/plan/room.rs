//! A device's memory, as places that are known before anything runs, and the launches so far.

use super::launch::{Argument, Launch, Place, THREADS};
use crate::kernels::matmul::Precision;
use std::collections::BTreeMap;

/// Places from here on are in the room that launches need for themselves: it comes after all others, once it is known how many
/// those are.
const PASSING: usize = 1 << 48;
/// Every piece of memory begins at a multiple of this many numbers.
const ALIGNED: usize = 64;

/// Launches being planned.
#[derive(Debug, Default)]
pub struct Planner {
    sections: Vec<Vec<Launch>>,
    numbers: usize,
    /// Pieces given back, by their size.
    free: BTreeMap<usize, Vec<Place>>,
    passing: usize,
    passing_most: usize,
    constants: Vec<(Place, Vec<f32>)>,
    precision: Precision,
}

/// What a device is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How many numbers of 4 bytes its memory holds.
    pub numbers: usize,
    /// Lists of launches, each to be run as a whole.
    pub sections: Vec<Vec<Launch>>,
    /// What is in the memory from the beginning, where it is not zero.
    pub constants: Vec<(Place, Vec<f32>)>,
}

impl Planner {
    /// Nothing planned; products will be computed in `precision`.
    pub fn new(precision: Precision) -> Self {
        Self { sections: vec![Vec::new()], precision, ..Self::default() }
    }

    pub(super) fn precision(&self) -> Precision {
        self.precision
    }

    /// Begins another list of launches, whose products will be computed in `precision`.
    pub fn begin_section(&mut self, precision: Precision) {
        self.sections.push(Vec::new());
        self.precision = precision;
    }

    /// Room for `count` numbers of its own, zeros at the beginning.
    pub fn room(&mut self, count: usize) -> Place {
        let place = Place(self.numbers);
        self.numbers += count.next_multiple_of(ALIGNED);
        place
    }

    /// Room with these numbers in it from the beginning.
    pub fn constant(&mut self, numbers: &[f32]) -> Place {
        let place = self.room(numbers.len());
        self.constants.push((place, numbers.to_vec()));
        place
    }

    /// Room for `count` numbers that are not kept from one run to the next, until it is given back.
    pub(super) fn borrow(&mut self, count: usize) -> Place {
        let count = count.next_multiple_of(ALIGNED);
        self.free.get_mut(&count).and_then(Vec::pop).unwrap_or_else(|| self.room(count))
    }

    /// Takes back what was borrowed.
    pub(super) fn give_back(&mut self, place: Place, count: usize) {
        self.free.entry(count.next_multiple_of(ALIGNED)).or_default().push(place);
    }

    /// Room for `count` numbers that only the launches within `work` need.
    pub(super) fn passing<R>(&mut self, count: usize, work: impl FnOnce(&mut Self, Place) -> R) -> R {
        let before = self.passing;
        self.passing += count.next_multiple_of(ALIGNED);
        self.passing_most = self.passing_most.max(self.passing);
        let result = work(self, Place(PASSING + before));
        self.passing = before;
        result
    }

    /// Adds a launch of a grid of blocks.
    pub fn launch(&mut self, kernel: &'static str, grid: [usize; 3], arguments: impl IntoIterator<Item = Argument>) {
        let grid = grid.map(|blocks| u32::try_from(blocks).expect("a grid of 32 bits"));
        let launch = Launch { kernel, grid, arguments: arguments.into_iter().collect() };
        self.sections.last_mut().expect("at least one section").push(launch);
    }

    /// Adds a launch of a thread for each of `count` numbers.
    pub fn each(&mut self, kernel: &'static str, count: usize, arguments: impl IntoIterator<Item = Argument>) {
        self.launch(kernel, [count.div_ceil(THREADS), 1, 1], arguments);
    }

    /// What was planned.
    pub fn finish(mut self) -> Plan {
        let behind = self.room(self.passing_most).0;
        let settle = |argument: &mut Argument| {
            if let Argument::Place(place) = argument
                && *place >= PASSING
            {
                *place = *place - PASSING + behind;
            }
        };
        self.sections.iter_mut().flatten().flat_map(|launch| &mut launch.arguments).for_each(settle);
        Plan { numbers: self.numbers, sections: self.sections, constants: self.constants }
    }
}

/// The arguments of a launch: places, sizes, switches and factors as they come.
macro_rules! arguments {
    ($($argument:expr),* $(,)?) => { [$(super::launch::Argument::from($argument)),*] };
}
pub(super) use arguments;

impl Place {
    /// The place `count` numbers further on.
    pub fn after(self, count: usize) -> Self {
        Self(self.0 + count)
    }
}
