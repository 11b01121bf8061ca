//! [`Run`]: a row of pixels, not always neighbours, that are shaded together.

use crate::linear::Vector4;
use crate::looks::{Color, Looks};
use crate::shape::Posed;
use crate::visible::Triangle;

/// Pixels in a run.
pub const RUN: usize = 64;

type Row = [f32; RUN];

/// Pixels and the values of their triangles. Only the first `count` are used; the others are computed along with them.
pub struct Run {
    pub count: usize,
    pub x: [u32; RUN],
    pub y: [u32; RUN],
    /// Number of the shape.
    pub shape: [u32; RUN],
    /// Whether some pixel's shape has a texture.
    pub textured: bool,
    /// Pixels x and y and the w of the whole triangle: element, then corner.
    corner: [[Row; 3]; 3],
    /// Clip coordinates of the light: element, then corner.
    pub light: [[Row; 3]; 4],
    /// Normals in the world: axis, then corner.
    pub normal: [[Row; 3]; 3],
    /// Texture coordinates: axis, then corner.
    pub coordinate: [[Row; 3]; 2],
    /// Red, green, blue, without a texture.
    pub color: [Row; 3],
    /// Shares of the corners, corrected for perspective.
    weights: [Row; 3],
}

impl Run {
    pub fn new() -> Box<Self> {
        let [row, ones] = [[0.0; RUN], [1.0; RUN]];
        Box::new(Self {
            count: 0,
            x: [0; RUN],
            y: [0; RUN],
            shape: [0; RUN],
            textured: false,
            // An ordinary value, so that lanes without a pixel never look as if they needed care.
            corner: [[row, ones, row], [row, row, ones], [ones; 3]],
            light: [[row; 3], [row; 3], [row; 3], [ones; 3]],
            normal: [[row; 3], [row; 3], [ones; 3]],
            coordinate: [[row; 3]; 2],
            color: [row; 3],
            weights: [row; 3],
        })
    }

    pub fn clear(&mut self) {
        self.count = 0;
        self.textured = false;
    }

    /// Adds up to `count` neighbours of one triangle, from `x` and `y` on; gives how many fit in.
    #[inline(always)]
    pub fn push(&mut self, values: &Values, x: usize, y: usize, count: usize) -> usize {
        let start = self.count;
        let count = count.min(RUN - start);
        let end = start + count;
        for i in 0..count {
            self.x[start + i] = (x + i) as u32;
        }
        self.y[start..end].fill(y as u32);
        self.shape[start..end].fill(values.triangle.shape);
        let corners = [&values.triangle.whole.x, &values.triangle.whole.y, &values.triangle.whole.w];
        for corner in 0..3 {
            for element in 0..3 {
                self.corner[element][corner][start..end].fill(corners[element][corner]);
            }
            for element in 0..4 {
                self.light[element][corner][start..end].fill(values.light[corner][element]);
            }
            for axis in 0..3 {
                self.normal[axis][corner][start..end].fill(values.normal[corner][axis]);
            }
        }
        if values.textured {
            self.textured = true;
            for corner in 0..3 {
                for axis in 0..2 {
                    self.coordinate[axis][corner][start..end].fill(values.coordinate[corner][axis]);
                }
            }
        } else {
            for part in 0..3 {
                self.color[part][start..end].fill(values.color[part]);
            }
        }
        self.count = end;
        count
    }

    /// Finds each pixel's shares of the corners: `Corners::sample`, many times.
    #[inline(always)]
    pub fn weigh(&mut self) {
        let [xs, ys, ws] = &self.corner;
        let mut shares = [[0.0f64; RUN]; 3];
        for i in 0..RUN {
            let (ax, bx, cx) = (f64::from(xs[0][i]), f64::from(xs[1][i]), f64::from(xs[2][i]));
            let (ay, by, cy) = (f64::from(ys[0][i]), f64::from(ys[1][i]), f64::from(ys[2][i]));
            let (x, y) = (f64::from(self.x[i]), f64::from(self.y[i]));
            let (s00, s01, s02) = (cx - ax, bx - ax, ax - x);
            let (s10, s11, s12) = (cy - ay, by - ay, ay - y);
            let u = s01 * s12 - s02 * s11;
            let v = s02 * s10 - s00 * s12;
            let area = s00 * s11 - s01 * s10;
            // A part of a triangle may cover the pixel though the whole is too flat to.
            let solid = area.abs() > 1e-2;
            let (a, b, c) = (1.0 - (u + v) / area, v / area, u / area);
            shares[0][i] = if solid { a } else { -1.0 };
            shares[1][i] = if solid { b } else { 1.0 };
            shares[2][i] = if solid { c } else { 1.0 };
        }
        for i in 0..RUN {
            let a = shares[0][i] / f64::from(ws[0][i]);
            let b = shares[1][i] / f64::from(ws[1][i]);
            let c = shares[2][i] / f64::from(ws[2][i]);
            let sum = a + b + c;
            self.weights[0][i] = (a / sum) as f32;
            self.weights[1][i] = (b / sum) as f32;
            self.weights[2][i] = (c / sum) as f32;
        }
    }

    /// The value at pixel `i`, interpolated between the values at the corners.
    #[inline(always)]
    pub fn along(&self, values: &[Row; 3], i: usize) -> f32 {
        let [a, b, c] = &self.weights;
        ((0.0 + values[2][i] * c[i]) + values[1][i] * b[i]) + values[0][i] * a[i]
    }
}

/// The values of a triangle for shading.
pub struct Values<'a> {
    triangle: &'a Triangle,
    light: [Vector4; 3],
    normal: [Vector4; 3],
    coordinate: [[f32; 2]; 3],
    color: Color,
    textured: bool,
}

impl<'a> Values<'a> {
    #[inline(always)]
    pub fn of(triangle: &'a Triangle, shapes: &[Posed]) -> Self {
        let posed = &shapes[triangle.shape as usize];
        let face = posed.faces[triangle.face as usize];
        let normals = posed.normals.corners[triangle.face as usize];
        let (color, textured) = match &posed.looks {
            Looks::Plain(color) => (*color, false),
            Looks::Textured(_) => ([0.0; 3], true),
        };
        Self {
            triangle,
            light: face.map(|vertex| posed.lit.clip(vertex)),
            normal: normals.map(|entry| posed.world_normals[entry as usize]),
            coordinate: face.map(|vertex| posed.coordinates[vertex as usize]),
            color,
            textured,
        }
    }
}
