//! The heights and widths that register tiles are compiled for: one table for the products of all precisions.
//!
//! A tile's height (rows of the result) and width (SIMD vectors of its columns) must be constants, so that its sums stay
//! in registers. [`height`] cuts rows into heights of the table, and the macros turn a height and a width that are known
//! when the program runs into constants.

/// The tallest tile. A block's rows are cut into tiles of this height as long as they last.
pub(super) const TALLEST: usize = 12;

/// The height of the next tile when `rows` rows remain, of which no tile may have more than `tallest`.
#[inline(always)]
pub(super) fn height(rows: usize, tallest: usize) -> usize {
    match rows {
        _ if rows >= tallest => tallest,
        11 | 8 => 8,
        9 | 10 => 5,
        7 => 4,
        _ => rows,
    }
}

/// Evaluates an expression with a height of the table as the constant `$t`.
macro_rules! with_height {
    ($height:expr, |$t:ident| $body:expr) => {
        match $height {
            12 => {
                const $t: usize = 12;
                $body
            }
            8 => {
                const $t: usize = 8;
                $body
            }
            6 => {
                const $t: usize = 6;
                $body
            }
            5 => {
                const $t: usize = 5;
                $body
            }
            4 => {
                const $t: usize = 4;
                $body
            }
            3 => {
                const $t: usize = 3;
                $body
            }
            2 => {
                const $t: usize = 2;
                $body
            }
            _ => {
                const $t: usize = 1;
                $body
            }
        }
    };
}
pub(super) use with_height;

/// Evaluates an expression with a tile's height as the constant `$t` and its width, one vector or two, as `$w`.
macro_rules! with_tile {
    ($height:expr, $narrow:expr, |$t:ident, $w:ident| $body:expr) => {
        if $narrow {
            const $w: usize = 1;
            $crate::kernels::tile_table::with_height!($height, |$t| $body)
        } else {
            const $w: usize = 2;
            $crate::kernels::tile_table::with_height!($height, |$t| $body)
        }
    };
}
pub(super) use with_tile;
