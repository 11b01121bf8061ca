//! Launches that copy numbers or add them: a part of a matrix, or arrays whose axes are exchanged.

use super::kernels::{Piece, SwapAxes};
use super::launch::Place;
use super::layout::Planner;

impl Planner {
    /// y [N, B, A, C] = x [N, A, B, C], or y += that if `accumulate`.
    pub(crate) fn swap_axes(
        &mut self,
        y: Place,
        x: Place,
        count: usize,
        [outer, inner, size]: [usize; 3],
        accumulate: bool,
    ) {
        self.each(count, SwapAxes { y, x, count, outer, inner, size, accumulate });
    }

    /// Copies x, or adds it, to out: `columns` numbers of each of `rows` rows, which are `widths` numbers apart.
    ///
    /// If the rows directly follow those of the last launch, both become one launch: gradients of a value that several
    /// stacks contain are added step by step.
    pub(crate) fn piece(
        &mut self,
        [out, x]: [Place; 2],
        widths: [usize; 2],
        rows: usize,
        columns: usize,
        accumulate: bool,
    ) {
        let [out_width, x_width] = widths;
        let own = Piece { out, out_width, x, x_width, rows, columns, scale: 1.0, accumulate };
        let last = self.last().filter(|last: &Piece| Piece { out, x, rows, ..*last } == own);
        let joined = last.and_then(|last| joined(last, own));
        if joined.is_some() {
            self.drop_last();
        }
        let piece = joined.unwrap_or(own);
        self.each(piece.rows * columns, piece);
    }
}

/// Two pieces of the same widths as one, if the rows of one directly follow those of the other.
fn joined(one: Piece, other: Piece) -> Option<Piece> {
    let after =
        |piece: &Piece| (piece.out.after(piece.rows * piece.out_width), piece.x.after(piece.rows * piece.x_width));
    let first = if after(&one) == (other.out, other.x) {
        one
    } else if after(&other) == (one.out, one.x) {
        other
    } else {
        return None;
    };
    let both = Piece { rows: one.rows + other.rows, ..first };
    let (out_end, x_end) = after(&both);
    // Together, they must not read what they write.
    (out_end.0 <= both.x.0 || x_end.0 <= both.out.0).then_some(both)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::matmul::Precision;
    use crate::plan::kernels::Kernel;

    /// The places and rows of the pieces that two pieces of ten rows of four numbers become.
    fn pieces(first: [usize; 2], second: [usize; 2], adds: bool) -> Vec<([usize; 2], usize)> {
        let mut planner = Planner::new(Precision::Full);
        planner.reserve(1000);
        planner.piece(first.map(Place), [4; 2], 10, 4, true);
        planner.piece(second.map(Place), [4; 2], 10, 4, adds);
        let launches = planner.finish().sections.remove(0);
        let piece = |launch| Piece::of(launch).expect("a piece");
        launches.iter().map(piece).map(|piece| ([piece.out.0, piece.x.0], piece.rows)).collect()
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
