//! Triangles on the screen: which pixels they cover and how far away they are there.
//!
//! Here: TinyRenderer's own expressions for one pixel, and [`Plan`], a cheaper form for many. Whether a pixel is
//! covered comes out exactly from the cheaper form, too; its depth only approximately, with a known bound, so that
//! doubtful cases use the exact depth.

use crate::frame::Viewport;
use crate::linear::{Vector4, cross64, larger, smaller, whole};

/// Twice the area, in pixels, up to which a triangle counts as a line.
const SMALLEST: f64 = 1e-2;

/// The largest error of a [`Slope`], in units of clip space, given the limits that [`Bounds::bounded`] checks. Numbers
/// up to [`LARGEST_DEPTH`] and a ratio of w up to [`LARGEST_RATIO`] make it 2^-52 * 2^12 * 2^12 times about ten.
pub const DEPTH_ERROR: f64 = 1e-6;

const LARGEST_DEPTH: f32 = 4096.0;
const LARGEST_RATIO: f32 = 4096.0;
/// Extent in pixels up to which a triangle is small, and the distance from which on a pixel next to it is certainly
/// outside.
const SMALL: f32 = 64.0;
const MISS: f32 = 1e-5;
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

/// The values of a triangle at one pixel.
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

    /// The pixels that TinyRenderer looks at, if there are any; fewer where it would look in vain.
    #[inline(always)]
    pub fn region(&self, viewport: Viewport) -> Option<Region> {
        let small = spread(self.x) <= SMALL && spread(self.y) <= SMALL;
        let (left, right) = extent(self.x, viewport.width, small)?;
        let (bottom, top) = extent(self.y, viewport.height, small)?;
        Some(Region { left, right, bottom, top })
    }

    /// The triangle at a pixel, by TinyRenderer's own expressions.
    pub fn sample(&self, x: usize, y: usize) -> Sample {
        let screen = self.barycentric(x as f64, y as f64);
        let [a, b, c]: [f64; 3] = std::array::from_fn(|i| screen[i] / f64::from(self.w[i]));
        let sum = a + b + c;
        let weights = [a / sum, b / sum, c / sum];
        let [z0, z1, z2] = self.z.map(f64::from);
        let depth = -(((0.0 + z2 * weights[2]) + z1 * weights[1]) + z0 * weights[0]);
        Sample { inside: !screen.iter().any(|&share| share < 0.0), depth }
    }

    fn barycentric(&self, x: f64, y: f64) -> [f64; 3] {
        let [ax, bx, cx] = self.x.map(f64::from);
        let [ay, by, cy] = self.y.map(f64::from);
        let u = cross64([cx - ax, bx - ax, ax - x], [cy - ay, by - ay, ay - y]);
        if u[2].abs() > SMALLEST { [1.0 - (u[0] + u[1]) / u[2], u[1] / u[2], u[0] / u[2]] } else { [-1.0, 1.0, 1.0] }
    }

    /// Whether [`Corners::plan`] holds.
    #[inline(always)]
    pub fn bounded(&self) -> bool {
        let mut bounds = Bounds::default();
        for i in 0..3 {
            bounds.add([self.x[i], self.y[i], self.z[i], self.w[i]]);
        }
        bounds.bounded()
    }

    /// The cheaper form, for corners that are [`Corners::bounded`]; nothing if the triangle covers no pixel.
    #[inline(always)]
    pub fn plan(&self) -> Option<Plan> {
        let [ax, bx, cx] = self.x.map(f64::from);
        let [ay, by, cy] = self.y.map(f64::from);
        let [s00, s01, s10, s11] = [cx - ax, bx - ax, cy - ay, by - ay];
        let area = s00 * s11 - s01 * s10;
        // Nor does a triangle whose area is not a number.
        let solid = area.abs() > SMALLEST;
        if !solid {
            return None;
        }
        // A product's sign can be moved to its factors, so all that follows is for a positive area.
        let sign = area.signum();
        let area = area.abs();
        Some(Plan {
            x: ax,
            y: ay,
            second_x: sign * s01,
            second_y: sign * s11,
            first_x: sign * s00,
            first_y: sign * s10,
            area,
        })
    }

    /// Depths for a plan of these corners.
    #[inline(always)]
    pub fn slope(&self, plan: &Plan) -> Slope {
        let area = plan.area;
        let inverse = self.w.map(|w| 1.0 / f64::from(w));
        let [k0, k1, k2] = inverse;
        let [n0, n1, n2]: [f64; 3] = std::array::from_fn(|i| -f64::from(self.z[i]) * inverse[i]);
        Slope { numerator: [n0 * area, n1 - n0, n2 - n0], denominator: [k0 * area, k1 - k0, k2 - k0] }
    }
}

/// Extents of points on the screen: pixels x and y, clip space's z, and w.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub low: Vector4,
    pub high: Vector4,
    sum: Vector4,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { low: [f32::INFINITY; 4], high: [f32::NEG_INFINITY; 4], sum: [0.0; 4] }
    }
}

impl Bounds {
    #[inline(always)]
    pub fn add(&mut self, point: Vector4) {
        for i in 0..4 {
            self.low[i] = smaller(point[i], self.low[i]);
            self.high[i] = larger(point[i], self.high[i]);
            // The sum detects NaN, which the other comparisons ignore.
            self.sum[i] += point[i];
        }
    }

    /// Whether every w is above zero.
    pub fn in_front(&self) -> bool {
        self.low[3] > 0.0 && !self.sum[3].is_nan()
    }

    /// Whether a [`Plan`] of any three of the points keeps its promises.
    pub fn bounded(&self) -> bool {
        let reach = |i: usize| self.high[i].max(-self.low[i]);
        self.in_front()
            && self.sum.iter().all(|sum| sum.is_finite())
            && self.high[3] <= self.low[3] * LARGEST_RATIO
            && reach(2) <= LARGEST_DEPTH
            && reach(0).max(reach(1)) <= LARGEST_COORDINATE
    }
}

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
}

/// How a triangle's depth follows from the shares.
#[derive(Clone, Copy, Debug)]
pub struct Slope {
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

    /// `u` and `v` at column `x`: bitwise identical to TinyRenderer's, except for the sign of the area.
    #[inline(always)]
    pub fn shares(&self, row: Row, x: f64) -> (f64, f64) {
        let across = self.x - x;
        (row.u - across * self.second_y, across * self.first_y - row.v)
    }
}

impl Slope {
    /// The depth where the shares are `u` and `v`, off by no more than [`DEPTH_ERROR`] inside the triangle.
    #[inline(always)]
    pub fn depth(&self, u: f64, v: f64) -> f64 {
        let [n, n_v, n_u] = self.numerator;
        let [d, d_v, d_u] = self.denominator;
        (n + n_u * u + n_v * v) / (d + d_u * u + d_v * v)
    }
}

/// Difference of the largest and the smallest.
#[inline(always)]
fn spread([a, b, c]: [f32; 3]) -> f32 {
    larger(larger(a, b), c) - smaller(smaller(a, b), c)
}

/// First and last pixel along an axis of `pixels`. TinyRenderer begins with the pixel below the smallest of `values`. In a
/// small triangle, whose coordinates are exact to much less than [`MISS`], that pixel is outside if it is that far below:
/// some corner's share is then below zero by at least `MISS / (2 SMALL)`, and by 10^-9 times the area's smallest value,
/// while the rounding of products up to `SMALL` squared is 10^-12.
#[inline(always)]
fn extent(values: [f32; 3], pixels: usize, small: bool) -> Option<(usize, usize)> {
    let last = (pixels - 1) as f32;
    let (mut low, mut high) = (f32::MAX, -f32::MAX);
    for value in values {
        low = larger(0.0, smaller(low, value));
        high = smaller(last, larger(high, value));
    }
    if low > last || low.is_nan() {
        return None;
    }
    let below = whole(low);
    let first = below + u32::from(small && low - below as f32 > MISS);
    (first as f32 <= high).then(|| (first as usize, whole(high) as usize))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VIEWPORT: Viewport = Viewport { width: 64, height: 64 };

    /// Arbitrary coordinates, some at pixels, and some very close to pixels.
    fn coordinate() -> impl Strategy<Value = f32> {
        let pixel = (-3i32..68).prop_map(|pixel| pixel as f32);
        prop_oneof![
            -10f32..75.0,
            pixel.clone(),
            (pixel, -1e-4f32..1e-4).prop_map(|(pixel, hair)| pixel + hair),
            -20_000f32..20_000.0,
        ]
    }

    /// Triangles of all kinds, lines and spots among them.
    fn corners() -> impl Strategy<Value = Corners> {
        let three = || prop::array::uniform3(coordinate());
        let sliver = (three(), three(), prop::array::uniform2(0f32..1.0)).prop_map(|(x, y, [share, hair])| {
            let on = |v: [f32; 3]| [v[0], v[1], v[0] + share * (v[1] - v[0]) + hair * hair * 0.01];
            (on(x), on(y))
        });
        let spot = (three(), three()).prop_map(|(x, y)| {
            let near = |v: [f32; 3]| [v[0], v[0] + 1e-3 * v[1], v[0] + 1e-3 * v[2]];
            (near(x), near(y))
        });
        let place = prop_oneof![(three(), three()), sliver, spot];
        (place, prop::array::uniform3(-30f32..4000.0), prop::array::uniform3(1f32..4000.0))
            .prop_map(|((x, y), z, w)| Corners { x, y, z, w })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        /// Exactly the pixels of TinyRenderer are drawn, with nearly the same depths.
        #[test]
        fn a_plan_covers_the_pixels_that_tiny_renderer_covers(corners in corners()) {
            prop_assume!(corners.bounded());
            let region = corners.region(VIEWPORT);
            let plan = corners.plan();
            for y in 0..VIEWPORT.height {
                for x in 0..VIEWPORT.width {
                    let looked_at = region.is_some_and(|region| {
                        (region.left..=region.right).contains(&x) && (region.bottom..=region.top).contains(&y)
                    });
                    // The pixels of its loops.
                    let loops = |values: [f32; 3], at: usize| {
                        let low = values.into_iter().fold(f32::MAX, f32::min).max(0.0);
                        let high = values.into_iter().fold(f32::MIN, f32::max).min(63.0);
                        at >= low as usize && at as f32 <= high
                    };
                    let sample = corners.sample(x, y);
                    let expected = sample.inside && loops(corners.x, x) && loops(corners.y, y);
                    let shares = plan.map(|plan| (plan, plan.shares(plan.row(y), x as f64)));
                    let inside = shares.is_some_and(|(plan, (u, v))| u >= 0.0 && v >= 0.0 && u + v <= plan.area);
                    prop_assert_eq!(inside && looked_at, expected, "at {}, {}", x, y);
                    if let Some((plan, (u, v))) = shares && expected {
                        let depth = corners.slope(&plan).depth(u, v);
                        prop_assert!((depth - sample.depth).abs() < 0.1 * DEPTH_ERROR, "{depth} {}", sample.depth);
                    }
                }
            }
        }
    }
}
