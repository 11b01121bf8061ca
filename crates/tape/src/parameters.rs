//! Named parameters, sets of parameters, and the gradients of a set.
//!
//! Here: [`Parameters`] (every weight of a model under its path), [`ParameterSet`] (some of them, such as the trainable
//! ones) and [`Gradients`]. Not here: how a parameter is initialised ([`crate::initialise`]) or updated ([`crate::Optimiser`]).

use crate::kernels::elementwise::add;
use crate::number::Number;
use std::collections::HashMap;
use std::ops::Range;

/// A parameter's number within its [`Parameters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Parameter(pub(crate) u32);

impl Parameter {
    /// Its place in [`Parameters::iter`]'s order.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Every parameter of a model: path, shape and values, in one block of memory in order of declaration.
#[derive(Clone, Debug, Default)]
pub struct Parameters<F> {
    entries: Vec<Entry>,
    by_path: HashMap<String, Parameter>,
    data: Vec<F>,
}

#[derive(Clone, Debug)]
struct Entry {
    path: String,
    shape: Vec<usize>,
    range: Range<usize>,
}

impl<F: Number> Parameters<F> {
    /// No parameters yet.
    pub fn new() -> Self {
        Self { entries: Vec::new(), by_path: HashMap::new(), data: Vec::new() }
    }

    /// Adds a parameter. Its numbers take no memory before [`Parameters::allocate`], so that the size of a model is known
    /// before memory is allocated for it.
    ///
    /// # Panics
    /// If the path already exists: two layers of one model with the same name are a bug.
    pub fn declare(&mut self, path: &str, shape: &[usize]) -> Parameter {
        let parameter = Parameter(self.entries.len() as u32);
        let start = self.numbers();
        let size = shape.iter().fold(1usize, |size, &side| size.saturating_mul(side));
        let taken = self.by_path.insert(path.to_owned(), parameter);
        assert!(taken.is_none(), "parameter {path} is declared twice");
        self.entries.push(Entry {
            path: path.to_owned(),
            shape: shape.to_vec(),
            range: start..start.saturating_add(size),
        });
        parameter
    }

    /// Allocates memory for all parameters, filled with zeros.
    pub fn allocate(&mut self) {
        self.data.resize(self.numbers(), F::ZERO);
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many numbers they hold in all.
    pub fn numbers(&self) -> usize {
        self.entries.last().map_or(0, |entry| entry.range.end)
    }

    /// Every parameter, in order of declaration.
    pub fn iter(&self) -> impl Iterator<Item = Parameter> + use<F> {
        (0..self.entries.len() as u32).map(Parameter)
    }

    /// The parameter at a path.
    pub fn find(&self, path: &str) -> Option<Parameter> {
        self.by_path.get(path).copied()
    }

    /// A parameter's path, such as `world_model.rssm.img1.kernel`.
    pub fn path(&self, parameter: Parameter) -> &str {
        &self.entries[parameter.index()].path
    }

    /// A parameter's shape.
    pub fn shape(&self, parameter: Parameter) -> &[usize] {
        &self.entries[parameter.index()].shape
    }

    /// Where a parameter's numbers lie among all parameters'.
    pub fn place(&self, parameter: Parameter) -> Range<usize> {
        self.entries[parameter.index()].range.clone()
    }

    /// All parameters' numbers, one parameter after the other.
    pub fn data(&self) -> &[F] {
        &self.data
    }

    /// All parameters' numbers, to be changed.
    pub fn data_mut(&mut self) -> &mut [F] {
        &mut self.data
    }

    /// A parameter's numbers, row-major.
    pub fn values(&self, parameter: Parameter) -> &[F] {
        &self.data[self.entries[parameter.index()].range.clone()]
    }

    /// A parameter's numbers, to be changed.
    pub fn values_mut(&mut self, parameter: Parameter) -> &mut [F] {
        let range = self.entries[parameter.index()].range.clone();
        &mut self.data[range]
    }

    /// The set of the parameters whose path `includes` accepts.
    pub fn set(&self, includes: impl Fn(&str) -> bool) -> ParameterSet {
        let mut numbers = 0;
        let mut places = Vec::with_capacity(self.len());
        for entry in &self.entries {
            places.push(includes(&entry.path).then(|| {
                let start = numbers;
                numbers += entry.range.len();
                start..numbers
            }));
        }
        ParameterSet { places, numbers }
    }
}

/// A subset of a model's parameters: those for which gradients are requested, or which an optimiser updates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSet {
    places: Vec<Option<Range<usize>>>,
    numbers: usize,
}

impl ParameterSet {
    /// Whether a parameter belongs to the set.
    pub fn contains(&self, parameter: Parameter) -> bool {
        self.places[parameter.index()].is_some()
    }

    /// Where a parameter's numbers lie among the set's, or `None` if it does not belong to it.
    pub fn place(&self, parameter: Parameter) -> Option<Range<usize>> {
        self.places[parameter.index()].clone()
    }

    /// The set's parameters, in order.
    pub fn iter(&self) -> impl Iterator<Item = Parameter> {
        self.places.iter().enumerate().filter(|(_, place)| place.is_some()).map(|(i, _)| Parameter(i as u32))
    }

    /// How many numbers the set's parameters hold in all.
    pub fn numbers(&self) -> usize {
        self.numbers
    }
}

/// A gradient for every parameter of a set, in one piece of memory in the set's order.
#[derive(Clone, Debug)]
pub struct Gradients<F> {
    set: ParameterSet,
    data: Vec<F>,
    filled: Vec<bool>,
}

impl<F: Number> Gradients<F> {
    /// Zero gradients for a set.
    pub fn new(set: &ParameterSet) -> Self {
        Self { data: vec![F::ZERO; set.numbers], filled: vec![false; set.places.len()], set: set.clone() }
    }

    /// The set.
    pub fn set(&self) -> &ParameterSet {
        &self.set
    }

    /// Forgets everything accumulated.
    pub fn clear(&mut self) {
        self.filled.fill(false);
    }

    /// The place of a parameter's gradient, and whether to add to it; `None` if the gradient is not requested.
    pub(crate) fn slot(&mut self, parameter: Parameter) -> Option<(&mut [F], bool)> {
        let place = self.set.places[parameter.index()].clone()?;
        let accumulate = std::mem::replace(&mut self.filled[parameter.index()], true);
        Some((&mut self.data[place], accumulate))
    }

    /// Adds the gradients of a part of the loss, of the same set. Parameters without such gradients do not change.
    ///
    /// # Panics
    /// If it is of another set.
    pub fn add(&mut self, part: &Self) {
        assert!(self.set == part.set, "gradients of the same set");
        for (index, place) in self.set.places.iter().enumerate() {
            if let (Some(place), true) = (place, part.filled[index]) {
                let filled = std::mem::replace(&mut self.filled[index], true);
                add(&mut self.data[place.clone()], &part.data[place.clone()], filled);
            }
        }
    }

    /// Writes zeros for every parameter that no operation reached, then returns all gradients.
    pub fn finish(&mut self) -> &mut [F] {
        for (place, filled) in self.set.places.iter().zip(&mut self.filled) {
            if let (Some(place), false) = (place, *filled) {
                self.data[place.clone()].fill(F::ZERO);
                *filled = true;
            }
        }
        &mut self.data
    }

    /// All gradients, in the set's order; zeros only where [`Gradients::finish`] wrote them.
    pub fn data(&self) -> &[F] {
        &self.data
    }

    /// The gradient of a parameter, or `None` if it is not requested.
    pub fn of(&self, parameter: Parameter) -> Option<&[F]> {
        Some(&self.data[self.set.place(parameter)?])
    }
}
