//! [`Frame`]: the values that are constant for a whole image.

use crate::linear::{self, Matrix};
use crate::scene::Eye;

/// Distance of the light from the origin, which it shines upon, m.
const LIGHT_DISTANCE: f32 = 2.0;

/// Camera, light and lens of an image.
pub struct Frame {
    pub view: Matrix,
    pub projection: Matrix,
    /// From the world to the light's eye.
    pub light_view: Matrix,
    /// Unit vector towards the light.
    pub light: [f32; 3],
    /// The position of the camera, m.
    pub eye: [f64; 3],
    pub near: f32,
    pub far: f32,
    pub viewport: Viewport,
}

/// Pixels of an image.
#[derive(Clone, Copy)]
pub struct Viewport {
    pub width: usize,
    pub height: usize,
}

impl Viewport {
    /// Half of the sides.
    #[inline(always)]
    pub fn halves(self) -> [f32; 2] {
        [self.width as f32 / 2.0, self.height as f32 / 2.0]
    }
}

impl Frame {
    pub fn new(eye: &Eye, viewport: Viewport) -> Self {
        let (view, projection) = (linear::from_columns(&eye.view), linear::from_columns(&eye.projection));
        // The direction is made a unit vector in double precision, everything else is single.
        let direction = eye.light_direction.map(f64::from);
        let scale = 1.0 / linear::dot64(direction, direction).sqrt();
        let light = direction.map(|element| (element * scale) as f32);
        let inverse = linear::inverse_transpose(&view);
        Self {
            light_view: look_at_origin(light.map(|element| element * LIGHT_DISTANCE)),
            light,
            eye: std::array::from_fn(|i| f64::from(inverse[3][i])),
            near: projection[2][3] / (projection[2][2] - 1.0),
            far: projection[2][3] / (projection[2][2] + 1.0),
            view,
            projection,
            viewport,
        }
    }
}

/// The view of an eye that looks at the origin, with z upwards.
fn look_at_origin(eye: [f32; 3]) -> Matrix {
    let forward = linear::normalize(eye.map(|element| 0.0 - element));
    let side = linear::normalize(linear::cross(forward, linear::normalize([0.0, 0.0, 1.0])));
    let up = linear::cross(side, forward);
    let along = |v: [f32; 3]| v[0] * eye[0] + v[1] * eye[1] + v[2] * eye[2];
    [
        [side[0], side[1], side[2], -along(side)],
        [up[0], up[1], up[2], -along(up)],
        [-forward[0], -forward[1], -forward[2], along(forward)],
        [0.0, 0.0, 0.0, 1.0],
    ]
}
