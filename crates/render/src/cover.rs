//! A few pixels of a triangle at a time: which of them it covers, its depth there, and which results are in doubt.

use crate::frame::Frame;
use crate::scene::LANES;
use crate::triangle::{DEPTH_ERROR, Plan, Region, Row, Slope};

/// Share of a depth that rounding it to single precision may cost, doubled.
const ROUNDING: f64 = f32::EPSILON as f64;

/// The difference from which on another depth, nearly known like this one, is surely another in TinyRenderer's numbers,
/// where one of the two may have been rounded.
#[inline(always)]
pub fn margin(depth: f64) -> f64 {
    2.0 * DEPTH_ERROR + ROUNDING * depth.abs()
}

/// Depths that the near and the far plane leave.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Between these, neither plane cuts.
    pub low: f64,
    pub high: f64,
    /// Beyond these, one surely does.
    pub lowest: f64,
    pub highest: f64,
}

impl Limits {
    /// Limits of a triangle, given whether it was clipped.
    #[inline(always)]
    pub fn new(frame: &Frame, cut: bool) -> Self {
        if cut {
            let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
            return Self { low, high, lowest: low, highest: high };
        }
        let (low, high) = (-f64::from(frame.far), f64::from(frame.near));
        Self {
            low: low + DEPTH_ERROR,
            high: high - DEPTH_ERROR,
            lowest: low - DEPTH_ERROR,
            highest: high + DEPTH_ERROR,
        }
    }
}

/// [`LANES`] neighbours in a row: `u` and `v` of [`Plan::shares`], and -1 where the triangle covers the pixel, else 0.
pub struct Cover {
    pub u: [f64; LANES],
    pub v: [f64; LANES],
    pub inside: [i64; LANES],
}

impl Cover {
    /// The pixels from column `x` on that are in `region`; nothing if none is covered.
    #[inline(always)]
    pub fn new(plan: &Plan, row: Row, x: usize, region: &Region) -> Option<Self> {
        let mut cover = Self { u: [0.0; LANES], v: [0.0; LANES], inside: [0; LANES] };
        let mut any = 0;
        for i in 0..LANES {
            let (u, v) = plan.shares(row, (x + i) as f64);
            let within = (x + i >= region.left) & (x + i <= region.right);
            let inside = within & (u >= 0.0) & (v >= 0.0) & (u + v <= plan.area);
            cover.u[i] = u;
            cover.v[i] = v;
            cover.inside[i] = if inside { -1 } else { 0 };
            any |= cover.inside[i];
        }
        (any != 0).then_some(cover)
    }

    /// Nearly the depths.
    #[inline(always)]
    pub fn depths(&self, slope: &Slope) -> [f64; LANES] {
        let mut depths = [0.0; LANES];
        for i in 0..LANES {
            depths[i] = slope.depth(self.u[i], self.v[i]);
        }
        depths
    }
}
