//! The tape: it records operations as they run, then walks back over them for gradients.
//!
//! Here: [`Tape`], [`Var`], [`Workspace`] and the walk back. Every operation is in a file of [`crate::ops`], together with
//! its gradient. A value is a row-major matrix; an image is a row.
//!
//! Gradients are computed for a set of trainable parameters, and nothing is computed backwards for values that do not depend
//! on the set. All buffers live in a [`Workspace`], which keeps them between recordings, so that a recording of the same
//! shapes allocates nothing.

use crate::kernels::dispatch::Real;
use crate::kernels::matmul::{Panels, Precision};
use crate::kernels::same_convolution::ImageBuffers;
use crate::kernels::transposed_convolution::Buffers;
use crate::ops::Op;
use crate::parameters::{Gradients, Parameter, ParameterSet, Parameters};
use crate::pool::Pool;
use std::ops::Range;

/// A value on a tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Var {
    pub(crate) node: u32,
    /// Whether a gradient flows back through it.
    pub(crate) gradient: bool,
}

impl Var {
    /// The same value, through which no gradient flows: the field's `stop_gradient`.
    pub fn detached(self) -> Self {
        Self { gradient: false, ..self }
    }

    pub(crate) fn index(self) -> usize {
        self.node as usize
    }
}

/// A recorded operation and its result's shape.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub op: Op,
    pub rows: usize,
    pub cols: usize,
    pub gradient: bool,
}

/// A gradient's buffer, empty while there is none, and whether anything has been written to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot<F> {
    pub data: Vec<F>,
    pub filled: bool,
}

/// A tape's recording and its buffers, which are kept from one recording to the next.
#[derive(Debug)]
pub struct Workspace<F> {
    pub(crate) nodes: Vec<Node>,
    pub(crate) values: Vec<Vec<F>>,
    gradients: Vec<Slot<F>>,
    /// Inputs of operations that take any number of them.
    pub(crate) lists: Vec<Var>,
    /// Kernels and biases of operations that are made of several layers.
    pub(crate) layers: Vec<(Parameter, Parameter)>,
    /// Empty lists, to be filled again.
    spare: Vec<Vec<Var>>,
    scratch: Scratch<F>,
}

/// Buffers that one kernel call needs and that nothing reads after it.
#[derive(Debug)]
pub(crate) struct Scratch<F> {
    pub panels: Panels<F>,
    pub buffers: Buffers<F>,
    pub images: ImageBuffers<F>,
    pub image: Vec<F>,
    pub row: Vec<F>,
    pub pool: Pool<F>,
}

impl<F: Real> Default for Workspace<F> {
    fn default() -> Self {
        let scratch = Scratch {
            panels: Panels::default(),
            buffers: Buffers::default(),
            images: ImageBuffers::default(),
            image: Vec::new(),
            row: Vec::new(),
            pool: Pool::default(),
        };
        Self {
            nodes: Vec::new(),
            values: Vec::new(),
            gradients: Vec::new(),
            lists: Vec::new(),
            layers: Vec::new(),
            spare: Vec::new(),
            scratch,
        }
    }
}

impl<F: Real> Workspace<F> {
    /// Buffers of a tape whose products are computed in `precision`.
    pub fn new(precision: Precision) -> Self {
        let mut workspace = Self::default();
        workspace.scratch.panels.precision = precision;
        workspace
    }

    /// Exchanges the scratch buffers of kernels, gradients and released values with those of another workspace: of many
    /// workspaces that are used in turn, only the one in use needs them.
    pub fn exchange_scratch(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.scratch, &mut other.scratch);
    }

    pub(crate) fn give_back(&mut self, mut list: Vec<Var>) {
        list.clear();
        self.spare.push(list);
    }
}

/// A recording of operations on parameters.
pub struct Tape<'a, F> {
    pub(crate) parameters: &'a Parameters<F>,
    pub(crate) trainable: &'a ParameterSet,
    pub(crate) workspace: &'a mut Workspace<F>,
    constant_parameters: bool,
    /// Whether nothing is computed.
    traced: bool,
}

impl<'a, F: Real> Tape<'a, F> {
    /// Starts a recording that can compute gradients of the parameters in `trainable`.
    pub fn new(parameters: &'a Parameters<F>, trainable: &'a ParameterSet, workspace: &'a mut Workspace<F>) -> Self {
        workspace.nodes.clear();
        workspace.lists.clear();
        workspace.layers.clear();
        for slot in &mut workspace.gradients {
            slot.filled = false;
            workspace.scratch.pool.give(std::mem::take(&mut slot.data));
        }
        Self { parameters, trainable, workspace, constant_parameters: false, traced: false }
    }

    /// Starts a recording that computes nothing but constants, to be planned for a device ([`crate::plan`]): values have shapes,
    /// but no numbers.
    pub fn trace(parameters: &'a Parameters<F>, trainable: &'a ParameterSet, workspace: &'a mut Workspace<F>) -> Self {
        workspace.values.clear();
        Self { traced: true, ..Self::new(parameters, trainable, workspace) }
    }

    /// A value [rows, cols] of a recording that computes nothing, which comes from elsewhere ([`crate::plan::Traced::bind`]).
    /// Its gradient is computed if `gradient`.
    ///
    /// # Panics
    /// If the recording computes.
    pub fn input(&mut self, rows: usize, cols: usize, gradient: bool) -> Var {
        assert!(self.traced, "values that come from elsewhere are of recordings that compute nothing");
        self.push(Op::Leaf, rows, cols, gradient, |_, _| {})
    }

    /// Resumes the recording in `workspace`, which must have been made with the same parameters and set.
    pub fn resume(parameters: &'a Parameters<F>, trainable: &'a ParameterSet, workspace: &'a mut Workspace<F>) -> Self {
        Self { parameters, trainable, workspace, constant_parameters: false, traced: false }
    }

    /// Runs `record` with every parameter as a constant: gradients flow through it to its inputs only.
    pub fn with_constant_parameters<R>(&mut self, record: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.constant_parameters, true);
        let result = record(self);
        self.constant_parameters = before;
        result
    }

    pub(crate) fn is_trainable(&self, parameter: Parameter) -> bool {
        !self.constant_parameters && self.trainable.contains(parameter)
    }

    /// A value's rows and columns.
    pub fn shape(&self, var: Var) -> (usize, usize) {
        let node = &self.workspace.nodes[var.index()];
        (node.rows, node.cols)
    }

    pub(crate) fn rows(&self, var: Var) -> usize {
        self.shape(var).0
    }

    pub(crate) fn cols(&self, var: Var) -> usize {
        self.shape(var).1
    }

    /// A value's numbers, row-major.
    pub fn value(&self, var: Var) -> &[F] {
        &self.workspace.values[var.index()]
    }

    /// The one number of a value of one row and column.
    pub fn scalar(&self, var: Var) -> F {
        assert_eq!(self.shape(var), (1, 1), "a scalar");
        self.value(var)[0]
    }

    /// A constant [rows, cols], written by `fill`.
    pub fn constant(&mut self, rows: usize, cols: usize, fill: impl FnOnce(&mut [F])) -> Var {
        self.outside(rows, cols, false, fill)
    }

    /// An input [rows, cols] whose own gradient is computed: read it with [`Tape::gradient`].
    pub fn leaf(&mut self, rows: usize, cols: usize, fill: impl FnOnce(&mut [F])) -> Var {
        self.outside(rows, cols, true, fill)
    }

    /// A value from outside: it has numbers in a recording that computes nothing, too.
    fn outside(&mut self, rows: usize, cols: usize, gradient: bool, fill: impl FnOnce(&mut [F])) -> Var {
        let traced = std::mem::replace(&mut self.traced, false);
        let var = self.push(Op::Leaf, rows, cols, gradient, |_, y| fill(y));
        self.traced = traced;
        var
    }

    /// Records an operation and computes its value.
    pub(crate) fn push(
        &mut self,
        op: Op,
        rows: usize,
        cols: usize,
        gradient: bool,
        compute: impl FnOnce(&mut Context<'_, F>, &mut [F]),
    ) -> Var {
        let index = self.workspace.nodes.len();
        if index == self.workspace.values.len() {
            self.workspace.values.push(Vec::new());
        }
        if index == self.workspace.gradients.len() {
            self.workspace.gradients.push(Slot { data: Vec::new(), filled: false });
        }
        self.workspace.nodes.push(Node { op, rows, cols, gradient });
        if self.traced {
            return Var { node: index as u32, gradient };
        }
        let mut value = std::mem::take(&mut self.workspace.values[index]);
        if value.is_empty() {
            value = self.workspace.scratch.pool.take(rows * cols);
        } else {
            value.resize(rows * cols, F::ZERO);
        }
        let Workspace { values, lists, layers, scratch, .. } = &mut *self.workspace;
        compute(&mut Context { parameters: self.parameters, values, lists, layers, scratch }, &mut value);
        self.workspace.values[index] = value;
        Var { node: index as u32, gradient }
    }

    /// An empty list to collect values in, for [`Tape::stack`].
    pub fn list(&mut self) -> Vec<Var> {
        self.workspace.spare.pop().unwrap_or_default()
    }

    pub(crate) fn push_list(&mut self, vars: &[Var]) -> List {
        let start = self.workspace.lists.len();
        self.workspace.lists.extend_from_slice(vars);
        List { start: start as u32, end: self.workspace.lists.len() as u32 }
    }

    pub(crate) fn push_layers(&mut self, layers: &[(Parameter, Parameter)]) -> List {
        let start = self.workspace.layers.len();
        self.workspace.layers.extend_from_slice(layers);
        List { start: start as u32, end: self.workspace.layers.len() as u32 }
    }

    /// Adds `scale` to every number of the gradient of `var`: `var` is a term of the loss, with that weight.
    pub fn seed(&mut self, var: Var, scale: F) {
        let (rows, cols) = self.shape(var);
        let Workspace { gradients, scratch, .. } = &mut *self.workspace;
        let slot = &mut gradients[var.index()];
        if slot.filled {
            slot.data.iter_mut().for_each(|g| *g += scale);
        } else {
            slot.data = scratch.pool.take(rows * cols);
            slot.data.fill(scale);
            slot.filled = true;
        }
    }

    /// Adds `gradient` to the gradient of `var`: the rest of the loss was differentiated elsewhere.
    pub fn seed_with(&mut self, var: Var, gradient: &[F]) {
        let (rows, cols) = self.shape(var);
        assert_eq!(gradient.len(), rows * cols, "a gradient has its value's shape");
        let Workspace { gradients, scratch, .. } = &mut *self.workspace;
        let slot = &mut gradients[var.index()];
        if !slot.filled {
            slot.data = scratch.pool.take(rows * cols);
        }
        crate::kernels::elementwise::add(&mut slot.data, gradient, slot.filled);
        slot.filled = true;
    }

    /// Adds `gradient` to rows start.. of the gradient of `var`: it comes in pieces.
    pub fn seed_rows(&mut self, var: Var, start: usize, gradient: &[F]) {
        let (rows, cols) = self.shape(var);
        let Workspace { gradients, scratch, .. } = &mut *self.workspace;
        let slot = &mut gradients[var.index()];
        if !slot.filled {
            slot.data = scratch.pool.take(rows * cols);
            slot.data.fill(F::ZERO);
            slot.filled = true;
        }
        crate::kernels::elementwise::add(&mut slot.data[start * cols..][..gradient.len()], gradient, true);
    }

    /// Walks back from the seeded values to parameters and leaves; parameter gradients are added to `gradients`.
    pub fn backward(&mut self, gradients: &mut Gradients<F>) {
        let Workspace { nodes, values, gradients: slots, lists, layers, scratch, .. } = &mut *self.workspace;
        for index in (0..nodes.len()).rev() {
            let (before, own) = slots.split_at_mut(index);
            let node = &nodes[index];
            if !node.gradient || !own[0].filled || matches!(node.op, Op::Leaf) {
                continue;
            }
            let mut back = Backward {
                context: Context { parameters: self.parameters, values, lists, layers, scratch },
                slots: before,
                gradient: &mut own[0].data,
                gradients,
                index,
                rows: node.rows,
                cols: node.cols,
                nodes,
            };
            node.op.backward(&mut back);
            own[0].filled = false;
            scratch.pool.give(std::mem::take(&mut own[0].data));
        }
    }

    /// The gradient that [`Tape::backward`] left at a leaf, or `None` if none reached it.
    pub fn gradient(&self, leaf: Var) -> Option<&[F]> {
        let slot = &self.workspace.gradients[leaf.index()];
        slot.filled.then_some(slot.data.as_slice())
    }

    /// Gives a leaf's gradient's buffer to others, once it has been read.
    pub fn forget_gradient(&mut self, leaf: Var) {
        let Workspace { gradients, scratch, .. } = &mut *self.workspace;
        let slot = &mut gradients[leaf.index()];
        slot.filled = false;
        scratch.pool.give(std::mem::take(&mut slot.data));
    }
}

/// A run of inputs, or of layers, in [`Workspace`]'s list of those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct List {
    pub start: u32,
    pub end: u32,
}

impl List {
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The values that an operation can read.
pub(crate) struct Context<'a, F> {
    pub parameters: &'a Parameters<F>,
    pub values: &'a [Vec<F>],
    pub lists: &'a [Var],
    pub layers: &'a [(Parameter, Parameter)],
    pub scratch: &'a mut Scratch<F>,
}

impl<'a, F: Real> Context<'a, F> {
    pub fn value(&self, var: Var) -> &[F] {
        &self.values[var.index()]
    }

    pub fn list(&self, list: List) -> &[Var] {
        &self.lists[list.range()]
    }

    pub fn layers(&self, list: List) -> &'a [(Parameter, Parameter)] {
        &self.layers[list.range()]
    }
}

/// The values that the gradient of an operation can read, and the places where it writes.
pub(crate) struct Backward<'a, F> {
    pub context: Context<'a, F>,
    slots: &'a mut [Slot<F>],
    /// The gradient of the operation's result, which it may overwrite.
    pub gradient: &'a mut Vec<F>,
    pub gradients: &'a mut Gradients<F>,
    pub index: usize,
    pub rows: usize,
    pub cols: usize,
    nodes: &'a [Node],
}

impl<'a, F: Real> Backward<'a, F> {
    /// The operation's own result.
    pub fn result(&self) -> &'a [F] {
        &self.context.values[self.index]
    }

    /// An input's shape.
    pub fn shape(&self, var: Var) -> (usize, usize) {
        (self.nodes[var.index()].rows, self.nodes[var.index()].cols)
    }

    /// Calls `write` with the place for an input's gradient and whether to add to it, if the input has a gradient.
    pub fn input(&mut self, var: Var, write: impl FnOnce(&mut Context<'a, F>, &[F], &mut [F], bool)) {
        if !var.gradient {
            return;
        }
        let (rows, cols) = self.shape(var);
        let slot = &mut self.slots[var.index()];
        if !slot.filled {
            slot.data = self.context.scratch.pool.take(rows * cols);
        }
        write(&mut self.context, self.gradient, &mut slot.data, slot.filled);
        slot.filled = true;
    }

    /// Like [`Backward::input`], but a new gradient is filled with zeros first: for gradients of a part of a value.
    pub fn part(&mut self, var: Var, write: impl FnOnce(&mut Context<'a, F>, &[F], &mut [F])) {
        self.input(var, |context, gradient, target, accumulate| {
            if !accumulate {
                target.fill(F::ZERO);
            }
            write(context, gradient, target);
        });
    }

    /// Takes an earlier value's gradient away, if there is one; its buffer belongs in the pool after use.
    pub fn take(&mut self, var: Var) -> Option<Vec<F>> {
        let slot = &mut self.slots[var.index()];
        std::mem::take(&mut slot.filled).then(|| std::mem::take(&mut slot.data))
    }

    /// Calls `write` with the place for a parameter's gradient and whether to add to it, unless it is not trainable.
    pub fn parameter(
        &mut self,
        parameter: Parameter,
        trainable: bool,
        write: impl FnOnce(&mut Context<'a, F>, &[F], &mut [F], bool),
    ) {
        if !trainable {
            return;
        }
        if let Some((target, accumulate)) = self.gradients.slot(parameter) {
            write(&mut self.context, self.gradient, target, accumulate);
        }
    }
}
