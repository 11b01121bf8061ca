//! Colours of the pixels that are seen.
//!
//! Here: TinyRenderer's fragment shader, many pixels side by side, each with its very operations. Pixels of different
//! triangles may share a run, so the values of a triangle are stored once per pixel. Every loop over a run is simple,
//! so that the compiler can vectorise it.

use crate::frame::Frame;
use crate::linear::{larger, smaller, truncate, whole};
use crate::looks::Looks;
use crate::run::{RUN, Run, Values};
use crate::shadow::{NOTHING, OUTSIDE, Shadow};
use crate::shape::Posed;
use crate::visible::{NONE, Visible};

const AMBIENT: f32 = 0.6;
const DIFFUSE: f32 = 0.35;
const SPECULAR: f32 = 0.05;
/// The part of the non-ambient light that remains in a shadow.
const SHADOWED: f32 = 0.8;
/// Added to a depth before it is compared with the light's.
const BIAS: f64 = 0.05;

/// Pixels whose shadow is not known yet.
struct Pending {
    count: usize,
    /// The place of a pixel's three bytes.
    byte: [u32; RUN],
    texel: [u32; RUN],
    depth: [f64; RUN],
    diffuse: [f32; RUN],
    /// The square root of the specular part.
    mirror: [f32; RUN],
    /// Red, green, blue.
    color: [[f32; RUN]; 3],
}

/// The pixels of an image on their way to colours.
pub struct Shading {
    /// Enough for all pixels; the first `used` are the image's.
    pending: Vec<Pending>,
    used: usize,
    run: Box<Run>,
}

impl Shading {
    /// Space for this many pixels.
    pub fn new(pixels: usize) -> Self {
        let runs = pixels.div_ceil(RUN);
        Self { pending: (0..runs).map(|_| Pending::new()).collect(), used: 0, run: Run::new() }
    }

    /// Draws the visible triangles: `rgb` has three bytes per pixel, rows from the top.
    #[inline(always)]
    pub fn draw(
        &mut self,
        visible: &Visible,
        shapes: &[Posed],
        frame: &Frame,
        mut shadow: Option<&mut Shadow>,
        rgb: &mut [u8],
    ) {
        self.used = 0;
        self.run.clear();
        let (width, height) = (frame.viewport.width, frame.viewport.height);
        for y in 0..height {
            let (left, row) = visible.row(y, width);
            let mut start = 0;
            while start < row.len() {
                // Neighbours of one triangle go together.
                let owner = row[start];
                let mut end = start + 1;
                while end < row.len() && row[end] == owner {
                    end += 1;
                }
                if owner == NONE {
                    start = end;
                    continue;
                }
                let values = Values::of(&visible.triangles[owner as usize], shapes);
                while start < end {
                    start += self.run.push(&values, left + start, y, end - start);
                    if self.run.count == RUN {
                        self.shade(shapes, frame, shadow.as_deref_mut());
                    }
                }
            }
        }
        if self.run.count > 0 {
            self.shade(shapes, frame, shadow.as_deref_mut());
        }
        if let Some(shadow) = &mut shadow {
            shadow.draw(shapes, frame);
        }
        rgb.fill(255);
        for pending in &self.pending[..self.used] {
            let mut light = [1.0; RUN];
            for i in 0..pending.count {
                let (texel, depth) = (pending.texel[i], pending.depth[i]);
                let lit = match &shadow {
                    Some(shadow) => shadow.is_lit(texel, depth, shapes, frame),
                    None => texel == OUTSIDE || NOTHING < depth,
                };
                light[i] = if lit { 1.0 } else { SHADOWED };
            }
            pending.write(&light, rgb);
        }
    }

    /// Shades the pixels of the run as far as it goes without knowing about shadows.
    #[inline(always)]
    fn shade(&mut self, shapes: &[Posed], frame: &Frame, shadow: Option<&mut Shadow>) {
        let (run, pending) = (&mut self.run, &mut self.pending[self.used]);
        self.used += 1;
        pending.count = run.count;
        run.weigh();
        pending.look_at_light(run, frame);
        pending.reflect(run, frame);
        pending.color = run.color;
        if run.textured {
            pending.look_up(run, shapes);
        }
        let viewport = frame.viewport;
        for i in 0..RUN {
            let row = (viewport.height - 1) as u32 - run.y[i];
            pending.byte[i] = (row * viewport.width as u32 + run.x[i]) * 3;
        }
        if let Some(shadow) = shadow {
            for i in 0..pending.count {
                shadow.ask(pending.texel[i], pending.depth[i]);
            }
        }
        run.clear();
    }
}

impl Pending {
    fn new() -> Self {
        Self {
            count: 0,
            byte: [0; RUN],
            texel: [0; RUN],
            depth: [0.0; RUN],
            diffuse: [0.0; RUN],
            mirror: [0.0; RUN],
            color: [[0.0; RUN]; 3],
        }
    }

    /// Finds the texels of the light's map and the depths to compare with.
    #[inline(always)]
    fn look_at_light(&mut self, run: &Run, frame: &Frame) {
        let (width, height) = (frame.viewport.width, frame.viewport.height);
        let [half_width, half_height] = frame.viewport.halves();
        let [last_x, last_y] = [(width - 1) as f32, (height - 1) as f32];
        let (mut texel_x, mut texel_y, mut numbers) = ([0.0; RUN], [0.0; RUN], true);
        for i in 0..RUN {
            let (x, y) = (run.along(&run.light[0], i), run.along(&run.light[1], i));
            let (z, w) = (run.along(&run.light[2], i), run.along(&run.light[3], i));
            let screen_x = (((0.0 + half_width * w) + 0.0 * z) + 0.0 * y) + half_width * x;
            let screen_y = (((0.0 + half_height * w) + 0.0 * z) + half_height * y) + 0.0 * x;
            let screen_z = (((0.0 + 0.5 * w) + 0.5 * z) + 0.0 * y) + 0.0 * x;
            let screen_w = (((0.0 + w) + 0.0 * z) + 0.0 * y) + 0.0 * x;
            texel_x[i] = larger(0.0, smaller(last_x, screen_x / screen_w));
            texel_y[i] = larger(0.0, smaller(last_y, screen_y / screen_w));
            numbers &= !texel_x[i].is_nan() & !texel_y[i].is_nan();
            self.depth[i] = f64::from(-screen_z) + BIAS;
        }
        for i in 0..RUN {
            self.texel[i] = whole(texel_x[i]).wrapping_add(whole(texel_y[i]).wrapping_mul(width as u32));
        }
        if numbers {
            return;
        }
        for i in 0..RUN {
            let texel = truncate(texel_x[i]).wrapping_add(truncate(texel_y[i]).wrapping_mul(width as i32));
            let exists = texel >= 0 && (texel as usize) < width * height;
            self.texel[i] = if exists { texel as u32 } else { OUTSIDE };
        }
    }

    #[inline(always)]
    fn reflect(&mut self, run: &Run, frame: &Frame) {
        let [to_x, to_y, to_z] = frame.light;
        for i in 0..RUN {
            let (x, y, z) = (run.along(&run.normal[0], i), run.along(&run.normal[1], i), run.along(&run.normal[2], i));
            let scale = 1.0 / (x * x + y * y + z * z).sqrt();
            let (x, y, z) = (x * scale, y * scale, z * scale);
            let toward = ((0.0 + z * to_z) + y * to_y) + x * to_x;
            let twice = toward * 2.0;
            let (x, y, z) = (x * twice - to_x, y * twice - to_y, z * twice - to_z);
            let scale = 1.0 / (x * x + y * y + z * z).sqrt();
            self.mirror[i] = larger(z * scale, 0.0);
            self.diffuse[i] = larger(0.0, toward);
        }
    }

    /// Finds the colours of the pixels that have a texture.
    #[inline(always)]
    fn look_up(&mut self, run: &Run, shapes: &[Posed]) {
        let (mut u, mut v) = ([0.0; RUN], [0.0; RUN]);
        for i in 0..RUN {
            u[i] = run.along(&run.coordinate[0], i);
            v[i] = run.along(&run.coordinate[1], i);
        }
        let (mut texel, mut shape) = ([0; RUN], None);
        for i in 0..run.count {
            if let Looks::Textured(texels) = &shapes[run.shape[i] as usize].looks {
                // Most runs have one texture only.
                if shape != Some(run.shape[i]) {
                    shape = Some(run.shape[i]);
                    for i in 0..RUN {
                        texel[i] = texels.texel(u[i], v[i]);
                    }
                }
                let color = texels.color(texel[i]);
                self.color[0][i] = color[0];
                self.color[1][i] = color[1];
                self.color[2][i] = color[2];
            }
        }
    }

    /// Writes the pixels' bytes, given the share of the light that reaches each.
    #[inline(always)]
    fn write(&self, light: &[f32; RUN], rgb: &mut [u8]) {
        // The square comes from a library's power function, which may be off in its last place. A byte does not fall
        // when it grows, so if both neighbours give the same bytes, the function is not needed.
        let mut bytes = [[0u32; RUN]; 3];
        let mut sure = true;
        for part in 0..3 {
            for i in 0..RUN {
                let square = self.mirror[i] * self.mirror[i];
                let low = self.sum(part, i, light[i], square * (1.0 - 4.0 * f32::EPSILON));
                let high = self.sum(part, i, light[i], square * (1.0 + 4.0 * f32::EPSILON));
                bytes[part][i] = whole(low);
                sure &= (whole(low) == whole(high)) & (low >= 0.0) & (high < 256.0);
            }
        }
        if !sure {
            for i in 0..self.count {
                let square = self.mirror[i].powf(std::hint::black_box(2.0));
                for part in 0..3 {
                    let sum = self.sum(part, i, light[i], square);
                    // C's conversion to an integer no larger than 255, of which the lowest byte counts.
                    bytes[part][i] = if sum.is_nan() { 0 } else { u32::from(truncate(sum).min(255) as u8) };
                }
            }
        }
        for i in 0..self.count {
            let color = [bytes[0][i] as u8, bytes[1][i] as u8, bytes[2][i] as u8];
            rgb[self.byte[i] as usize..][..3].copy_from_slice(&color);
        }
    }

    /// Red, green or blue before it becomes a byte.
    #[inline(always)]
    fn sum(&self, part: usize, i: usize, light: f32, specular: f32) -> f32 {
        let shine = light * (DIFFUSE * self.diffuse[i] + SPECULAR * specular);
        let color = self.color[part][i];
        AMBIENT * color + shine * color * 1.0
    }
}
