//! Triangles on the screen: which pixels they cover and how far away they are there.
//!
//! Here: TinyRenderer's own expressions for one pixel, and [`Plan`], a cheaper form for many. Whether a pixel is covered
//! comes out exactly from the cheaper form, too; its depth only nearly, with a known bound, and whoever is in doubt asks
//! for the exact one.

use crate::frame::Viewport;
use crate::linear::{Vector4, cross64, larger, smaller, truncate};

/// Twice the area, in pixels, up to which a triangle counts as a line.
const SMALLEST: f64 = 1e-2;

/// What a [`Plan`] may be off in the depth, in units of clip space, given the limits that [`Corners::plan`] checks.
/// Numbers up to [`LARGEST_DEPTH`] and a ratio of w up to [`LARGEST_RATIO`] make it 2^-52 * 2^12 * 2^12 times about ten.
pub const DEPTH_ERROR: f64 = 1e-6;

const LARGEST_DEPTH: f32 = 4096.0;
const LARGEST_RATIO: f32 = 4096.0;
/// Pixels. Products of two coordinates are then far below 2^53.
const LARGEST_COORDINATE: f32 = 1_048_576.0;

/// A triangle on the screen: pixels x and y, clip space's z, and the w that was divided by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Corners {
    pub x: [f32; 3],
    pub y: [f32; 3],
    pub z: [f32; 3],
    pub w: [f32; 3],
}

/// Pixels that are looked at: columns from `left` to `right`, rows from `bottom` to `top`, all included.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    pub left: usize,
    pub right: usize,
    pub bottom: usize,
    pub top: usize,
}

/// What one pixel of a triangle comes to.
pub struct Sample {
    /// Whether the triangle covers the pixel.
    pub inside: bool,
    /// Minus clip space's z: larger is nearer.
    pub depth: f64,
}

impl Corners {
    /// The corners' pixels x and y, clip space's z, and w.
    #[inline(always)]
    pub fn new(corners: [Vector4; 3]) -> Self {
        let of = |element: usize| corners.map(|corner| corner[element]);
        Self { x: of(0), y: of(1), z: of(2), w: of(3) }
    }

    /// The pixels that TinyRenderer looks at, if there are any.
    #[inline(always)]
    pub fn region(&self, viewport: Viewport) -> Option<Region> {
        let (left, right) = extent(self.x, viewport.width)?;
        let (bottom, top) = extent(self.y, viewport.height)?;
        Some(Region { left, right, bottom, top })
    }

    /// The triangle at a pixel, by TinyRenderer's own expressions.
    pub fn sample(&self, x: usize, y: usize) -> Sample {
        let screen = self.barycentric(x as f64, y as f64);
        let [a, b, c]: [f64; 3] = std::array::from_fn(|i| screen[i] / f64::from(self.w[i]));
        let sum = a + b + c;
        let weights = [a / sum, b / sum, c / sum];
        let [z0, z1, z2] = self.z.map(f64::from);
        let depth = -1.0 * (((0.0 + z2 * weights[2]) + z1 * weights[1]) + z0 * weights[0]);
        Sample { inside: !screen.iter().any(|&share| share < 0.0), depth }
    }

    fn barycentric(&self, x: f64, y: f64) -> [f64; 3] {
        let [ax, bx, cx] = self.x.map(f64::from);
        let [ay, by, cy] = self.y.map(f64::from);
        let u = cross64([cx - ax, bx - ax, ax - x], [cy - ay, by - ay, ay - y]);
        if u[2].abs() > SMALLEST { [1.0 - (u[0] + u[1]) / u[2], u[1] / u[2], u[0] / u[2]] } else { [-1.0, 1.0, 1.0] }
    }

    /// The cheaper form; an error if its bounds do not hold, nothing if the triangle covers no pixel.
    #[inline(always)]
    pub fn plan(&self) -> Result<Option<Plan>, Unbounded> {
        let least_w = self.w[0].min(self.w[1]).min(self.w[2]);
        let most_w = self.w[0].max(self.w[1]).max(self.w[2]);
        let most = |values: [f32; 3]| values[0].abs().max(values[1].abs()).max(values[2].abs());
        // Sums see what `max` passes over: a value that is not a number.
        let sum: f32 = [self.x, self.y, self.z, self.w].as_flattened().iter().sum();
        let bounded = sum.is_finite()
            && least_w > 0.0
            && most_w <= least_w * LARGEST_RATIO
            && most(self.z) <= LARGEST_DEPTH
            && most(self.x).max(most(self.y)) <= LARGEST_COORDINATE;
        if !bounded {
            return Err(Unbounded);
        }
        let [ax, bx, cx] = self.x.map(f64::from);
        let [ay, by, cy] = self.y.map(f64::from);
        let [s00, s01, s10, s11] = [cx - ax, bx - ax, cy - ay, by - ay];
        let area = s00 * s11 - s01 * s10;
        if !(area.abs() > SMALLEST) {
            return Ok(None);
        }
        // A product's sign can be moved to its factors, so all that follows is for a positive area.
        let sign = area.signum();
        let area = area.abs();
        let inverse = self.w.map(|w| 1.0 / f64::from(w));
        let [k0, k1, k2] = inverse;
        let [n0, n1, n2]: [f64; 3] = std::array::from_fn(|i| -f64::from(self.z[i]) * inverse[i]);
        Ok(Some(Plan {
            x: ax,
            y: ay,
            second_x: sign * s01,
            second_y: sign * s11,
            first_x: sign * s00,
            first_y: sign * s10,
            area,
            numerator: [n0 * area, n1 - n0, n2 - n0],
            denominator: [k0 * area, k1 - k0, k2 - k0],
        }))
    }
}

/// The corners are too near to the eye, too far off or not numbers: only [`Corners::sample`] will do.
pub struct Unbounded;

/// A triangle prepared for many pixels.
///
/// TinyRenderer's shares of corners 2 and 1 are `u / area` and `v / area`, that of corner 0 is `1 - (u + v) / area`, with
/// `u` and `v` from [`Plan::shares`]. A quotient of numbers above zero is not below zero, and `(u + v) / area` is above 1
/// exactly if `u + v > area`, also after rounding: so no division is needed to know what is inside.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    x: f64,
    y: f64,
    first_x: f64,
    first_y: f64,
    second_x: f64,
    second_y: f64,
    pub area: f64,
    numerator: [f64; 3],
    denominator: [f64; 3],
}

/// The part of a [`Plan`] that is the same along a row.
#[derive(Clone, Copy)]
pub struct Row {
    u: f64,
    v: f64,
}

impl Plan {
    #[inline(always)]
    pub fn row(&self, y: usize) -> Row {
        let down = self.y - y as f64;
        Row { u: self.second_x * down, v: self.first_x * down }
    }

    /// `u` and `v` at column `x`: the same bits as TinyRenderer's, but for the area's sign.
    #[inline(always)]
    pub fn shares(&self, row: Row, x: f64) -> (f64, f64) {
        let across = self.x - x;
        (row.u - across * self.second_y, across * self.first_y - row.v)
    }

    /// The depth where the shares are `u` and `v`, off by no more than [`DEPTH_ERROR`] inside the triangle.
    #[inline(always)]
    pub fn depth(&self, u: f64, v: f64) -> f64 {
        let [n, n_v, n_u] = self.numerator;
        let [d, d_v, d_u] = self.denominator;
        (n + n_u * u + n_v * v) / (d + d_u * u + d_v * v)
    }
}

/// First and last pixel along an axis of `pixels`.
#[inline(always)]
fn extent(values: [f32; 3], pixels: usize) -> Option<(usize, usize)> {
    let last = (pixels - 1) as f32;
    let (mut low, mut high) = (f32::MAX, -f32::MAX);
    for value in values {
        low = larger(0.0, smaller(low, value));
        high = smaller(last, larger(high, value));
    }
    // What is not a number compares to nothing and has no pixels.
    let first = truncate(low);
    (first >= 0 && first as f32 <= high).then_some((first as usize, high as usize))
}
