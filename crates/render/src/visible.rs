//! [`Visible`]: which triangle is seen at each pixel.
//!
//! Nothing that decides this depends on colours, so colours wait until it is known. Depths are compared nearly; where
//! that leaves a doubt, TinyRenderer's own numbers are.

use crate::LANES;
use crate::frame::Frame;
use crate::triangle::{Corners, DEPTH_ERROR, Plan, Region};

/// No triangle.
pub const NONE: i64 = -1;

/// Share of a depth that rounding it to single precision may cost, doubled.
const ROUNDING: f64 = f32::EPSILON as f64;

/// A triangle of the picture.
#[derive(Clone, Copy)]
pub struct Triangle {
    /// What is left of it beyond the near plane.
    pub drawn: Corners,
    /// The whole of it.
    pub whole: Corners,
    /// Whether something was cut off: then near and far plane no longer count.
    pub cut: bool,
    /// Numbers of the shape and of its face.
    pub shape: u32,
    pub face: u32,
}

/// The pixels of an image, with some to spare at the end of each row.
pub struct Visible {
    stride: usize,
    /// Nearly the depth of what is seen.
    depth: Vec<f64>,
    /// Number of the triangle that is seen, or [`NONE`].
    pub owner: Vec<i64>,
    pub triangles: Vec<Triangle>,
    far: f32,
}

/// How two depths compare that are nearly known.
#[derive(Clone, Copy)]
struct Limits {
    /// Between these, neither plane cuts.
    low: f64,
    high: f64,
    /// Beyond these, one surely does.
    lowest: f64,
    highest: f64,
}

impl Limits {
    fn new(frame: &Frame, cut: bool) -> Self {
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

impl Visible {
    pub fn new(width: usize, height: usize) -> Self {
        let stride = width.next_multiple_of(LANES) + LANES;
        let size = stride * height;
        Self { stride, depth: vec![0.0; size], owner: vec![NONE; size], triangles: vec![], far: 0.0 }
    }

    pub fn clear(&mut self, far: f32) {
        self.far = far;
        self.depth.fill(-f64::from(far));
        self.owner.fill(NONE);
        self.triangles.clear();
    }

    /// The owners of a row's pixels.
    pub fn row(&self, y: usize, width: usize) -> &[i64] {
        &self.owner[y * self.stride..][..width]
    }

    /// Draws a triangle over what is there.
    #[inline(always)]
    pub fn draw(&mut self, triangle: &Triangle, frame: &Frame) {
        let Some(region) = triangle.drawn.region(frame.viewport) else { return };
        let number = self.triangles.len() as i64;
        let used = match triangle.drawn.plan() {
            Ok(None) => false,
            Ok(Some(plan)) => self.draw_planned(triangle, number, &plan, region, frame),
            Err(_) => {
                self.triangles.push(*triangle);
                for y in region.bottom..=region.top {
                    for x in region.left..=region.right {
                        self.draw_pixel(number, x, y, frame);
                    }
                }
                return;
            }
        };
        if used {
            self.triangles.push(*triangle);
        }
    }

    #[inline(always)]
    fn draw_planned(&mut self, triangle: &Triangle, number: i64, plan: &Plan, region: Region, frame: &Frame) -> bool {
        let limits = Limits::new(frame, triangle.cut);
        let mut used = false;
        for y in region.bottom..=region.top {
            let row = plan.row(y);
            let mut x = region.left;
            while x <= region.right {
                let mut shares = [[0.0; LANES]; 2];
                let mut inside = [0i64; LANES];
                let mut any = 0;
                for i in 0..LANES {
                    let (u, v) = plan.shares(row, (x + i) as f64);
                    shares[0][i] = u;
                    shares[1][i] = v;
                    inside[i] = if (u >= 0.0) & (v >= 0.0) & (u + v <= plan.area) { -1 } else { 0 };
                    any |= inside[i];
                }
                if any != 0 {
                    used = true;
                    self.compare(triangle, number, plan, &limits, &shares, inside, x, y, region.right, frame);
                }
                x += LANES;
            }
        }
        used
    }

    #[inline(always)]
    fn compare(
        &mut self,
        triangle: &Triangle,
        number: i64,
        plan: &Plan,
        limits: &Limits,
        shares: &[[f64; LANES]; 2],
        mut inside: [i64; LANES],
        x: usize,
        y: usize,
        right: usize,
        frame: &Frame,
    ) {
        // Columns past the last one are not looked at.
        for i in 0..LANES {
            inside[i] = if x + i <= right { inside[i] } else { 0 };
        }
        let start = y * self.stride + x;
        let depth = &mut self.depth[start..start + LANES];
        let owner = &mut self.owner[start..start + LANES];
        let mut doubt = [0i64; LANES];
        let mut any = 0;
        let mut new = [0.0; LANES];
        for i in 0..LANES {
            new[i] = plan.depth(shares[0][i], shares[1][i]);
        }
        for i in 0..LANES {
            let margin = 2.0 * DEPTH_ERROR + ROUNDING * depth[i].abs();
            let difference = new[i] - depth[i];
            let nearer = (difference > margin) & (new[i] > limits.low) & (new[i] < limits.high);
            let farther = (difference < -margin) | (new[i] < limits.lowest) | (new[i] > limits.highest);
            doubt[i] = if nearer | farther { 0 } else { inside[i] };
            any |= doubt[i];
            inside[i] = if nearer { inside[i] } else { 0 };
        }
        for i in 0..LANES {
            depth[i] = if inside[i] != 0 { new[i] } else { depth[i] };
            owner[i] = if inside[i] != 0 { number } else { owner[i] };
        }
        if any != 0 {
            self.triangles.push(*triangle);
            for i in 0..LANES {
                if doubt[i] != 0 {
                    self.draw_pixel(number, x + i, y, frame);
                }
            }
            self.triangles.pop();
        }
    }

    /// Draws one pixel of triangle `number` by TinyRenderer's own numbers.
    fn draw_pixel(&mut self, number: i64, x: usize, y: usize, frame: &Frame) {
        let triangle = &self.triangles[number as usize];
        let sample = triangle.drawn.sample(x, y);
        if !sample.inside || f64::from(self.exact_depth(x, y)) > sample.depth {
            return;
        }
        let beyond = sample.depth < -f64::from(frame.far) || sample.depth > f64::from(frame.near);
        if triangle.cut || !beyond {
            self.depth[y * self.stride + x] = sample.depth;
            self.owner[y * self.stride + x] = number;
        }
    }

    /// The depth that TinyRenderer would have noted at a pixel.
    fn exact_depth(&self, x: usize, y: usize) -> f32 {
        match self.owner[y * self.stride + x] {
            NONE => -self.far,
            owner => self.triangles[owner as usize].drawn.sample(x, y).depth as f32,
        }
    }
}
