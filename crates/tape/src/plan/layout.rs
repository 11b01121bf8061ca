//! The layout of a device's memory, in which every place is known before anything runs, and the launches planned so far.

use super::kernels::Kernel;
use super::launch::{Argument, Launch, Place, THREADS};
use crate::kernels::matmul::Precision;
use std::collections::BTreeMap;

/// Places from here on are scratch memory of single launches. It is moved behind all other places once their number is
/// known.
const SCRATCH: usize = 1 << 48;
/// Every piece of memory begins at a multiple of this many numbers.
const ALIGNED: usize = 64;

/// Launches being planned.
#[derive(Debug, Default)]
pub struct Planner {
    sections: Vec<Vec<Launch>>,
    numbers: usize,
    /// Pieces that were given back, by their size.
    free: BTreeMap<usize, Vec<Place>>,
    /// How much of the scratch memory is in use, and the most that ever was.
    scratch: usize,
    scratch_most: usize,
    constants: Vec<(Place, Vec<f32>)>,
    precision: Precision,
}

/// Launches for a device, and the memory that they work on.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How many numbers of 4 bytes its memory holds.
    pub numbers: usize,
    /// Lists of launches, each to be run as a whole.
    pub sections: Vec<Vec<Launch>>,
    /// The numbers that the memory holds from the beginning, where they are not zeros.
    pub constants: Vec<(Place, Vec<f32>)>,
}

impl Planner {
    /// An empty plan, whose products will be computed in `precision`.
    pub fn new(precision: Precision) -> Self {
        Self { sections: vec![Vec::new()], precision, ..Self::default() }
    }

    pub(crate) fn precision(&self) -> Precision {
        self.precision
    }

    /// Begins another list of launches, whose products will be computed in `precision`.
    pub fn begin_section(&mut self, precision: Precision) {
        self.sections.push(Vec::new());
        self.precision = precision;
    }

    /// Reserves memory for `count` numbers, which are zeros at the beginning.
    pub fn reserve(&mut self, count: usize) -> Place {
        let place = Place(self.numbers);
        self.numbers += count.next_multiple_of(ALIGNED);
        place
    }

    /// Reserves memory that holds these numbers from the beginning.
    pub fn constant(&mut self, numbers: &[f32]) -> Place {
        let place = self.reserve(numbers.len());
        self.constants.push((place, numbers.to_vec()));
        place
    }

    /// Borrows memory for `count` numbers until it is given back. They are not kept from one run to the next.
    pub(crate) fn borrow(&mut self, count: usize) -> Place {
        let count = count.next_multiple_of(ALIGNED);
        self.free.get_mut(&count).and_then(Vec::pop).unwrap_or_else(|| self.reserve(count))
    }

    /// Gives back borrowed memory.
    pub(crate) fn give_back(&mut self, place: Place, count: usize) {
        self.free.entry(count.next_multiple_of(ALIGNED)).or_default().push(place);
    }

    /// Memory for `count` numbers that only the launches within `work` need.
    pub(crate) fn with_scratch<R>(&mut self, count: usize, work: impl FnOnce(&mut Self, Place) -> R) -> R {
        let before = self.scratch;
        self.scratch += count.next_multiple_of(ALIGNED);
        self.scratch_most = self.scratch_most.max(self.scratch);
        let result = work(self, Place(SCRATCH + before));
        self.scratch = before;
        result
    }

    /// Adds a launch of a grid of blocks.
    pub fn launch(&mut self, grid: [usize; 3], kernel: impl Kernel) {
        let grid = grid.map(|blocks| u32::try_from(blocks).expect("a grid of 32 bits"));
        let launch = Launch { kernel: kernel.name(), grid, arguments: kernel.arguments() };
        self.sections.last_mut().expect("at least one section").push(launch);
    }

    /// Adds a launch of a thread for each of `count` numbers.
    pub fn each(&mut self, count: usize, kernel: impl Kernel) {
        self.launch([count.div_ceil(THREADS), 1, 1], kernel);
    }

    /// The last launch, if it is one of this kernel.
    pub(crate) fn last<K: Kernel>(&self) -> Option<K> {
        self.sections.last().and_then(|launches| launches.last()).and_then(K::of)
    }

    /// Takes the last launch back.
    pub(crate) fn drop_last(&mut self) {
        self.sections.last_mut().expect("at least one section").pop();
    }

    /// Takes the last launch back, if it is one of this kernel that fulfils a condition: a launch that also does the
    /// next operation replaces it.
    pub(crate) fn take_last<K: Kernel>(&mut self, is_it: impl FnOnce(&K) -> bool) -> Option<K> {
        let last = self.last().filter(is_it)?;
        self.drop_last();
        Some(last)
    }

    /// The finished plan.
    pub fn finish(mut self) -> Plan {
        let behind = self.reserve(self.scratch_most).0;
        let move_behind = |argument: &mut Argument| {
            if let Argument::Place(place) = argument
                && *place >= SCRATCH
            {
                *place = *place - SCRATCH + behind;
            }
        };
        self.sections.iter_mut().flatten().flat_map(|launch| &mut launch.arguments).for_each(move_behind);
        Plan { numbers: self.numbers, sections: self.sections, constants: self.constants }
    }
}
