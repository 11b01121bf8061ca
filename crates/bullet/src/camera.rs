//! A camera for Bullet's software renderer.

#![allow(unsafe_code)]

use crate::ffi;

/// The position, direction and lens of a camera. All in Bullet's own precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Point that the camera looks at, m.
    pub target: [f32; 3],
    /// Distance from the target, m.
    pub distance: f32,
    /// Turn about the z axis, degrees: 0 looks along +y.
    pub yaw: f32,
    /// Tilt, degrees: negative looks down.
    pub pitch: f32,
    /// Rotation about the viewing direction, in degrees.
    pub roll: f32,
    /// Vertical opening, degrees.
    pub field_of_view: f32,
    /// Nearest distance that is drawn, m.
    pub near: f32,
    /// Farthest distance that is drawn, m.
    pub far: f32,
    /// The direction from which the light comes.
    pub light_direction: [f32; 3],
    /// Whether things cast shadows.
    pub shadow: bool,
}

/// A camera as matrices: 4 x 4, by columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// From the world to the eye.
    pub view: [f32; 16],
    /// From the eye to clip space.
    pub projection: [f32; 16],
}

impl Camera {
    /// The matrices for an image of the given sides, as Bullet computes them.
    pub fn view(&self, width: u16, height: u16) -> View {
        let mut matrices = View { view: [0.0; 16], projection: [0.0; 16] };
        // SAFETY: all arrays have the lengths that the header asks for. Up axis 2 is z.
        unsafe {
            ffi::b3ComputeViewMatrixFromYawPitchRoll(
                self.target.as_ptr(),
                self.distance,
                self.yaw,
                self.pitch,
                self.roll,
                2,
                matrices.view.as_mut_ptr(),
            );
            ffi::b3ComputeProjectionMatrixFOV(
                self.field_of_view,
                f32::from(width) / f32::from(height),
                self.near,
                self.far,
                matrices.projection.as_mut_ptr(),
            );
        }
        matrices
    }
}
