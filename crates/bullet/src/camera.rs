//! A camera for Bullet's software renderer.

/// Where to look from, and through which lens. All in Bullet's own precision.
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
    /// Turn about the line of sight, degrees.
    pub roll: f32,
    /// Vertical opening, degrees.
    pub field_of_view: f32,
    /// Nearest distance that is drawn, m.
    pub near: f32,
    /// Farthest distance that is drawn, m.
    pub far: f32,
    /// Where the light comes from.
    pub light_direction: [f32; 3],
    /// Whether things cast shadows.
    pub shadow: bool,
}
