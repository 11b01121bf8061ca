//! Launches that copy or add a part of a matrix.

use super::launch::{Argument, Place};
use super::layout::{Planner, arguments};

impl Planner {
    /// Copies x, or adds it, to out: `columns` numbers of each of `rows` rows, which are `widths` numbers apart.
    ///
    /// If the rows directly follow those of the last launch, both become one launch: gradients of a value that several
    /// stacks contain are added step by step.
    pub(super) fn piece(
        &mut self,
        [out, x]: [Place; 2],
        widths: [usize; 2],
        rows: usize,
        columns: usize,
        accumulate: bool,
    ) {
        let (mut first, mut rows) = ([out, x], rows);
        if let Some((before, count)) = self.last_piece(widths, columns, accumulate) {
            let after = |from: [Place; 2], rows: usize| [0, 1].map(|side| from[side].after(rows * widths[side]));
            let start = if after(before, count) == first { before } else { first };
            let follows = start == before || after(first, rows) == before;
            let [to, from] = start.map(|place| place.0);
            let [to_end, from_end] = after(start, rows + count).map(|place| place.0);
            // Together, they must not read what they write.
            if follows && (to_end <= from || from_end <= to) {
                self.drop_last();
                (first, rows) = (start, rows + count);
            }
        }
        let arguments = arguments![first[0], widths[0], first[1], widths[1], rows, columns, 1.0, accumulate];
        self.each("piece", rows * columns, arguments);
    }

    /// The places and the rows of the last launch, if it is a piece like this one.
    fn last_piece(&self, widths: [usize; 2], columns: usize, accumulate: bool) -> Option<([Place; 2], usize)> {
        let last = self.last().filter(|last| last.kernel == "piece")?;
        let &[Argument::Place(out), _, Argument::Place(x), _, Argument::Whole(rows), ..] = &last.arguments[..] else {
            return None;
        };
        let [out, x] = [out, x].map(Place);
        let rows = usize::try_from(rows).ok()?;
        let like = arguments![out, widths[0], x, widths[1], rows, columns, 1.0, accumulate];
        (last.arguments == like).then_some(([out, x], rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::matmul::Precision;

    /// The places and rows of the pieces that two pieces of ten rows of four numbers become.
    fn pieces(first: [usize; 2], second: [usize; 2], adds: bool) -> Vec<([usize; 2], i32)> {
        let mut planner = Planner::new(Precision::Full);
        planner.reserve(1000);
        planner.piece(first.map(Place), [4; 2], 10, 4, true);
        planner.piece(second.map(Place), [4; 2], 10, 4, adds);
        let launches = planner.finish().sections.remove(0);
        let piece = |launch: &super::super::Launch| match launch.arguments[..] {
            [Argument::Place(out), _, Argument::Place(x), _, Argument::Whole(rows), ..] => ([out, x], rows),
            _ => panic!("a piece"),
        };
        launches.iter().map(piece).collect()
    }

    #[test]
    fn rows_that_follow_each_other_are_one_launch() {
        assert_eq!(pieces([0, 500], [40, 540], true), [([0, 500], 20)]);
        assert_eq!(pieces([40, 540], [0, 500], true), [([0, 500], 20)]);
    }

    #[test]
    fn others_are_not() {
        // Not next to each other on one side, or another operation, or one reads what the other writes.
        assert_eq!(pieces([0, 500], [40, 544], true).len(), 2);
        assert_eq!(pieces([0, 500], [44, 540], true).len(), 2);
        assert_eq!(pieces([0, 500], [40, 540], false).len(), 2);
        assert_eq!(pieces([40, 0], [80, 40], true).len(), 2);
    }
}
