//! The launches that compute a recording's values.

use super::gradients::Slot;
use super::layout::Planner;
use super::traced::Traced;
use crate::ops::Op;
use crate::tape::Var;

impl Planner {
    /// Plans the values of all that was recorded.
    pub fn forward(&mut self, traced: &mut Traced<'_>) {
        let workspace = traced.workspace;
        self.place_stacks(traced);
        self.place_repeated(traced);
        for (index, node) in workspace.nodes.iter().enumerate() {
            if traced.places[index].is_some() {
                continue;
            }
            let numbers = workspace.values.get(index).map_or(&[][..], Vec::as_slice);
            let place = match (&node.op, traced.requested[index]) {
                (_, Some(place)) => place,
                // Rows lie where they are.
                (&Op::Rows { x, start }, _) => traced.place(x).after(start * node.cols),
                (Op::Leaf, _) if !numbers.is_empty() => self.constant(numbers),
                // Buffers of a later operation, which places them if it needs them.
                (Op::Leaf, _) => continue,
                _ => self.reserve(node.rows * node.cols),
            };
            traced.places[index] = Some(place);
            node.op.plan(self, traced, Slot { y: place, rows: node.rows, cols: node.cols });
        }
    }

    /// Gives values that are stacked later their places in the stack, so that nothing is copied.
    fn place_stacks(&mut self, traced: &mut Traced<'_>) {
        let workspace = traced.workspace;
        for (index, node) in workspace.nodes.iter().enumerate() {
            let Op::Stack { list } = node.op else { continue };
            let vars = &workspace.lists[list.range()];
            let free = |var: &Var| {
                let op = &workspace.nodes[var.index()].op;
                let elsewhere = traced.places[var.index()].or(traced.requested[var.index()]).is_some();
                !elsewhere && !matches!(op, Op::Leaf | Op::Rows { .. })
            };
            let twice =
                vars.iter().enumerate().any(|(number, var)| vars[..number].iter().any(|one| one.node == var.node));
            if twice || traced.requested[index].is_some() || !vars.iter().all(free) {
                continue;
            }
            let place = self.reserve(node.rows * node.cols);
            let mut row = 0;
            for var in vars {
                traced.requested[var.index()] = Some(place.after(row * node.cols));
                row += traced.shape(*var).0;
            }
            traced.requested[index] = Some(place);
        }
    }
}
