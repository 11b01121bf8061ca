//! [`Shadow`]: the pixels of the image that are in shadow.
//!
//! TinyRenderer draws the depths of all that the light sees into a map, then looks up one element of it (a texel) for
//! each pixel. Here, the pixels ask first, and only the requested texels are drawn: a texel is open until its pixels
//! are known to be in shadow. As a depth counts only if it is nearer, the order of drawing does not matter. Depths are
//! nearly those of TinyRenderer; a doubtful answer, and one that may involve a NaN depth, is computed again with
//! TinyRenderer's own numbers.

use crate::clip::{Clipped, clip};
use crate::cover::{Cover, Limits, margin};
use crate::frame::Frame;
use crate::scene::LANES;
use crate::seen::project;
use crate::shape::Posed;
use crate::triangle::{Bounds, Corners, Region, Slope};

/// The depth of an empty texel, as of all texels without shadows.
pub const NOTHING: f64 = -1e30;

/// A texel that does not exist: pixels that ask for it are lit.
pub const OUTSIDE: u32 = u32::MAX;

/// The depths seen from the light, as far as they matter.
pub struct Shadow {
    width: usize,
    stride: usize,
    /// For each texel, the largest depth asked about.
    asked: Vec<f64>,
    /// For each texel, nearly the depth of the nearest thing drawn so far.
    nearest: Vec<f64>,
    /// Whether a texel's depth must be worked out by TinyRenderer's numbers.
    doubtful: Vec<bool>,
    /// One bit a texel, [`LANES`] to an element: whether it is open.
    open: Vec<u8>,
    /// For each element of `open`, whether anyone asked about its texels since the last [`Shadow::clear`].
    fresh: Vec<bool>,
}

impl Shadow {
    pub fn new(width: usize, height: usize) -> Self {
        let stride = width.next_multiple_of(LANES);
        let size = stride * height;
        Self {
            width,
            stride,
            asked: vec![0.0; size],
            nearest: vec![0.0; size],
            doubtful: vec![false; size],
            open: vec![0; size / LANES],
            fresh: vec![false; size / LANES],
        }
    }

    /// Forgets all questions and answers.
    pub fn clear(&mut self) {
        self.open.fill(0);
        self.fresh.fill(false);
    }

    /// Asks whether texel number `texel` shows nothing that is as near to the light as `depth`.
    #[inline(always)]
    pub fn ask(&mut self, texel: u32, depth: f64) {
        if texel == OUTSIDE {
            return;
        }
        let place = self.place(texel);
        let element = place / LANES;
        if !self.fresh[element] {
            let texels = element * LANES..(element + 1) * LANES;
            self.asked[texels.clone()].fill(f64::NEG_INFINITY);
            self.nearest[texels.clone()].fill(NOTHING);
            self.doubtful[texels].fill(false);
            self.fresh[element] = true;
        }
        // A depth that is NaN is never farther than another, so the pixel is in shadow in any case.
        if depth > self.asked[place] {
            self.asked[place] = depth;
            self.open[element] |= 1 << (place % LANES);
        }
    }

    #[inline(always)]
    fn place(&self, texel: u32) -> usize {
        let texel = texel as usize;
        if self.width == self.stride { texel } else { texel / self.width * self.stride + texel % self.width }
    }

    /// Draws the shapes as seen from the light, until all questions are answered or nothing is left to draw.
    #[inline(always)]
    pub fn draw(&mut self, shapes: &[Posed], frame: &Frame) {
        for shape in shapes {
            let lit = &shape.lit;
            if lit.in_front && !self.asks_within(&lit.bounds, frame) {
                continue;
            }
            for &face in &shape.faces {
                if lit.in_front {
                    self.draw_triangle(&lit.corners(face), false, lit.bounded, frame);
                    continue;
                }
                match clip(&face.map(|vertex| lit.clip(vertex))) {
                    Clipped::Whole => self.draw_triangle(&lit.corners(face), false, false, frame),
                    Clipped::Parts { triangles, count } => {
                        for triangle in &triangles[..count] {
                            self.draw_triangle(&project(triangle, frame), true, false, frame);
                        }
                    }
                }
            }
        }
    }

    /// Whether an open texel lies within bounds on the screen.
    fn asks_within(&self, Bounds { low, high, .. }: &Bounds, frame: &Frame) -> bool {
        let axis = |i: usize| [low[i], high[i], low[i]];
        let corners = Corners { x: axis(0), y: axis(1), ..Default::default() };
        corners.region(frame.viewport).is_some_and(|region| self.asks_in(region))
    }

    #[inline(always)]
    fn asks_in(&self, region: Region) -> bool {
        let (first, last) = (region.left / LANES, region.right / LANES);
        let length = self.stride / LANES;
        let mut bits = 0;
        for y in region.bottom..region.top + 1 {
            for &element in &self.open[y * length + first..y * length + last + 1] {
                bits |= element;
            }
        }
        bits != 0
    }

    #[inline(always)]
    fn draw_triangle(&mut self, corners: &Corners, cut: bool, bounded: bool, frame: &Frame) {
        let Some(region) = corners.region(frame.viewport) else { return };
        if !self.asks_in(region) {
            return;
        }
        if !bounded && !corners.bounded() {
            for y in region.bottom..=region.top {
                self.doubtful[y * self.stride..][region.left..=region.right].fill(true);
            }
            return;
        }
        let Some(plan) = corners.plan() else { return };
        let limits = Limits::new(frame, cut);
        let length = self.stride / LANES;
        let mut slope = None;
        for y in region.bottom..region.top + 1 {
            let row = plan.row(y);
            for chunk in region.left / LANES..region.right / LANES + 1 {
                if self.open[y * length + chunk] != 0
                    && let Some(cover) = Cover::new(&plan, row, chunk * LANES, &region)
                {
                    let slope = slope.get_or_insert_with(|| corners.slope(&plan));
                    self.note(slope, &limits, &cover, y * length + chunk);
                }
            }
        }
    }

    /// Notes the depths of covered texels, the `element`th [`LANES`], and closes those of which enough is known.
    #[inline(always)]
    fn note(&mut self, slope: &Slope, limits: &Limits, cover: &Cover, element: usize) {
        let depths = cover.depths(slope);
        let start = element * LANES;
        let nearest = &mut self.nearest[start..start + LANES];
        let asked = &self.asked[start..start + LANES];
        let (mut doubt, mut any, mut resolved) = ([0i64; LANES], 0, 0);
        for i in 0..LANES {
            let depth = depths[i];
            let surely = (depth > limits.low) & (depth < limits.high);
            let surely_not = (depth < limits.lowest) | (depth > limits.highest);
            doubt[i] = if surely | surely_not { 0 } else { cover.inside[i] };
            any |= doubt[i];
            let covered = if surely { cover.inside[i] } else { 0 };
            nearest[i] = if (covered != 0) & (depth > nearest[i]) { depth } else { nearest[i] };
        }
        for i in 0..LANES {
            resolved |= if nearest[i] - margin(nearest[i]) >= asked[i] { 1 << i } else { 0i64 };
        }
        self.open[element] &= !(resolved as u8);
        if any != 0 {
            for i in 0..LANES {
                self.doubtful[start + i] |= doubt[i] != 0;
            }
        }
    }

    /// Whether the pixel that asked about `depth` at `texel` is lit.
    #[inline(always)]
    pub fn is_lit(&self, texel: u32, depth: f64, shapes: &[Posed], frame: &Frame) -> bool {
        if texel == OUTSIDE {
            return true;
        }
        let place = self.place(texel);
        let nearest = self.nearest[place];
        let margin = margin(nearest);
        if !self.doubtful[place] && (depth - nearest).abs() > margin {
            return nearest < depth;
        }
        f64::from(exact(texel as usize % self.width, texel as usize / self.width, shapes, frame)) < depth
    }
}

/// One texel as TinyRenderer would draw it: all triangles in turn.
fn exact(x: usize, y: usize, shapes: &[Posed], frame: &Frame) -> f32 {
    let mut depth = NOTHING as f32;
    let mut draw = |corners: &Corners, cut: bool| {
        let Some(region) = corners.region(frame.viewport) else { return };
        if !(region.left..=region.right).contains(&x) || !(region.bottom..=region.top).contains(&y) {
            return;
        }
        let sample = corners.sample(x, y);
        if !sample.inside || f64::from(depth) > sample.depth {
            return;
        }
        let beyond = sample.depth < -f64::from(frame.far) || sample.depth > f64::from(frame.near);
        if cut || !beyond {
            depth = sample.depth as f32;
        }
    };
    for shape in shapes {
        for &face in &shape.faces {
            match clip(&face.map(|vertex| shape.lit.clip(vertex))) {
                Clipped::Whole => draw(&shape.lit.corners(face), false),
                Clipped::Parts { triangles, count } => {
                    triangles[..count].iter().for_each(|triangle| draw(&project(triangle, frame), true));
                }
            }
        }
    }
    depth
}
