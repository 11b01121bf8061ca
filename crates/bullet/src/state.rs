//! The state of a body, and contacts between bodies.

/// The pose of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct LinkPose {
    /// Centre of mass in the world, m.
    pub position: [f64; 3],
    /// Orientation of the principal axes of inertia, quaternion (x, y, z, w).
    pub orientation: [f64; 4],
}

/// The state of a [`crate::Body`]: of its base, joints and links. Reuse one: reading into it again allocates nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BodyState {
    /// The base's centre of mass.
    pub base: LinkPose,
    /// Position (rad or m) and velocity (per second) of each joint; zeros for fixed ones.
    pub joints: Vec<[f64; 2]>,
    /// Each link's pose.
    pub links: Vec<LinkPose>,
}

/// A point where two bodies touch, or nearly so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contact {
    /// Link of the first body; `None` for its base.
    pub link: Option<usize>,
    /// Link of the second body; `None` for its base.
    pub other_link: Option<usize>,
    /// Distance, m; negative where they overlap.
    pub distance: f64,
    /// Force along the normal, N.
    pub normal_force: f64,
}
