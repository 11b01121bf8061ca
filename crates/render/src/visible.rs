//! [`Visible`]: which triangle is seen at each pixel.
//!
//! Nothing that decides this depends on colours, so colours wait until it is known. Depths are compared nearly; where
//! that leaves a doubt, TinyRenderer's own numbers are.

use crate::cover::{Cover, Limits, margin};
use crate::frame::Frame;
use crate::scene::LANES;
use crate::triangle::{Corners, Plan, Region, Slope};

/// No triangle.
pub const NONE: i64 = -1;

/// A triangle of the image.
#[derive(Clone, Copy)]
pub struct Triangle {
    /// Its part beyond the near plane.
    pub drawn: Corners,
    /// The whole of it.
    pub whole: Corners,
    /// Whether it was clipped: then near and far plane no longer count.
    pub cut: bool,
    /// Numbers of the shape and of its face.
    pub shape: u32,
    pub face: u32,
}

/// The pixels of an image, with some to spare at the end of each row.
pub struct Visible {
    stride: usize,
    /// The approximate depth of the visible surface.
    depth: Vec<f64>,
    /// Number of the triangle that is seen, or [`NONE`].
    owner: Vec<i64>,
    /// The part of each row outside of which nothing is seen: its first column and the one past its last.
    spans: Vec<(usize, usize)>,
    pub triangles: Vec<Triangle>,
    far: f32,
}

impl Visible {
    /// `triangles`: how many there can be at most.
    pub fn new(width: usize, height: usize, triangles: usize) -> Self {
        let stride = width.next_multiple_of(LANES) + LANES;
        let size = stride * height;
        Self {
            stride,
            depth: vec![0.0; size],
            owner: vec![NONE; size],
            spans: vec![(0, stride); height],
            triangles: Vec::with_capacity(triangles),
            far: 0.0,
        }
    }

    pub fn clear(&mut self, far: f32) {
        // All of it only where the last image had another depth.
        if self.far.to_bits() != far.to_bits() {
            self.spans.fill((0, self.stride));
            self.far = far;
        }
        for (y, span) in self.spans.iter_mut().enumerate() {
            if span.0 < span.1 {
                let start = y * self.stride;
                self.depth[start + span.0..start + span.1].fill(-f64::from(far));
                self.owner[start + span.0..start + span.1].fill(NONE);
            }
            *span = (self.stride, 0);
        }
        self.triangles.clear();
    }

    /// The first column of row `y` where a triangle may be seen, and the owners from there on.
    #[inline(always)]
    pub fn row(&self, y: usize, width: usize) -> (usize, &[i64]) {
        let (left, right) = self.spans[y];
        let right = right.min(width);
        if left < right { (left, &self.owner[y * self.stride..][left..right]) } else { (0, &[]) }
    }

    /// Draws a triangle over the existing pixels. `bounded`: whether `triangle.drawn` is known to be bounded.
    #[inline(always)]
    pub fn draw(&mut self, triangle: &Triangle, bounded: bool, frame: &Frame) {
        let Some(region) = triangle.drawn.region(frame.viewport) else { return };
        if bounded || triangle.drawn.bounded() {
            if let Some(plan) = triangle.drawn.plan() {
                self.draw_planned(triangle, &plan, region, frame);
            }
            return;
        }
        let number = self.triangles.len() as i64;
        self.triangles.push(*triangle);
        for y in region.bottom..=region.top {
            self.spans[y].0 = self.spans[y].0.min(region.left);
            self.spans[y].1 = self.spans[y].1.max(region.right + 1);
            for x in region.left..=region.right {
                self.draw_pixel(number, x, y, frame);
            }
        }
    }

    #[inline(always)]
    fn draw_planned(&mut self, triangle: &Triangle, plan: &Plan, region: Region, frame: &Frame) {
        let limits = Limits::new(frame, triangle.cut);
        let number = self.triangles.len() as i64;
        let mut slope = None;
        let mut y = region.bottom;
        while y <= region.top {
            let row = plan.row(y);
            let mut x = region.left;
            while x <= region.right {
                if let Some(cover) = Cover::new(plan, row, x, &region) {
                    // Many a triangle falls between the pixels.
                    let slope = slope.get_or_insert_with(|| triangle.drawn.slope(plan));
                    self.compare(triangle, number, slope, &limits, &cover, x, y, frame);
                }
                x += LANES;
            }
            y += 1;
        }
        if slope.is_some() {
            self.triangles.push(*triangle);
        }
    }

    #[inline(always)]
    fn compare(
        &mut self,
        triangle: &Triangle,
        number: i64,
        slope: &Slope,
        limits: &Limits,
        cover: &Cover,
        x: usize,
        y: usize,
        frame: &Frame,
    ) {
        let span = &mut self.spans[y];
        *span = (span.0.min(x), span.1.max(x + LANES));
        let start = y * self.stride + x;
        let depth = &mut self.depth[start..start + LANES];
        let owner = &mut self.owner[start..start + LANES];
        let new = cover.depths(slope);
        let (mut accepted, mut doubt, mut any) = ([0i64; LANES], [0i64; LANES], 0);
        for i in 0..LANES {
            let margin = margin(depth[i]);
            let difference = new[i] - depth[i];
            let nearer = (difference > margin) & (new[i] > limits.low) & (new[i] < limits.high);
            let farther = (difference < -margin) | (new[i] < limits.lowest) | (new[i] > limits.highest);
            accepted[i] = if nearer { cover.inside[i] } else { 0 };
            doubt[i] = if nearer | farther { 0 } else { cover.inside[i] };
            any |= doubt[i];
        }
        for i in 0..LANES {
            depth[i] = if accepted[i] != 0 { new[i] } else { depth[i] };
            owner[i] = if accepted[i] != 0 { number } else { owner[i] };
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
