//! [`Seen`]: the vertices of a shape, as seen from the camera or the light.

use crate::frame::{Frame, Viewport};
use crate::linear::{self, Matrix, Vector4};
use crate::triangle::{Bounds, Corners};

/// Vertices as seen from one of two points, the camera or the light.
pub struct Seen {
    /// Clip coordinates x, y, z, w.
    clip: Vec<Vector4>,
    /// Pixels x and y, clip space's z, and the w that was divided by.
    screen: Vec<Vector4>,
    /// Whether every w is above zero: no triangle crosses the plane through the eye.
    pub in_front: bool,
    /// Whether every face is [`Corners::bounded`].
    pub bounded: bool,
    /// Extents on the screen.
    pub bounds: Bounds,
}

impl Seen {
    /// Space for `length` vertices.
    pub fn new(length: usize) -> Self {
        Self {
            clip: vec![[0.0; 4]; length],
            screen: vec![[0.0; 4]; length],
            in_front: false,
            bounded: false,
            bounds: Bounds::default(),
        }
    }

    /// Moves the vertices, whose last elements are 1, to clip space by `matrix`.
    #[inline(always)]
    pub fn update(&mut self, matrix: &Matrix, positions: &[Vector4], viewport: Viewport) {
        let columns = linear::columns(matrix);
        let halves = viewport.halves();
        let mut bounds = Bounds::default();
        for ((&position, clip), screen) in positions.iter().zip(&mut self.clip).zip(&mut self.screen) {
            *clip = linear::transform(&columns, position);
            *screen = on_screen(*clip, halves);
            bounds.add(*screen);
        }
        self.in_front = bounds.in_front();
        self.bounded = bounds.bounded();
        self.bounds = bounds;
    }

    /// Clip coordinates of a vertex.
    #[inline(always)]
    pub fn clip(&self, vertex: u32) -> Vector4 {
        self.clip[vertex as usize]
    }

    /// A face on the screen.
    #[inline(always)]
    pub fn corners(&self, face: [u32; 3]) -> Corners {
        Corners::new(face.map(|vertex| self.screen[vertex as usize]))
    }
}

/// A point of clip space on the screen: pixels x and y, clip space's z, and the w that was divided by. That is the product
/// with the viewport's matrix, divided.
#[inline(always)]
fn on_screen([x, y, z, w]: Vector4, [half_width, half_height]: [f32; 2]) -> Vector4 {
    let homogeneous_x = (((0.0 + half_width * w) + 0.0 * z) + 0.0 * y) + half_width * x;
    let homogeneous_y = (((0.0 + half_height * w) + 0.0 * z) + half_height * y) + 0.0 * x;
    let homogeneous_w = (((0.0 + w) + 0.0 * z) + 0.0 * y) + 0.0 * x;
    [homogeneous_x / homogeneous_w, homogeneous_y / homogeneous_w, z, homogeneous_w]
}

/// A triangle of clip space on the screen.
pub fn project(triangle: &[Vector4; 3], frame: &Frame) -> Corners {
    Corners::new(triangle.map(|corner| on_screen(corner, frame.viewport.halves())))
}
