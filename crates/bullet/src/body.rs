//! Bodies and their joints, as loaded.

use crate::id::WorldId;

/// How a joint moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JointKind {
    /// Turns about its axis.
    Hinge,
    /// Slides along its axis.
    Slide,
    /// Does not move: joins two links of one body.
    Fixed,
    /// One of Bullet's other kinds, which this crate can neither read nor drive.
    Other,
}

/// A joint, and the link that it moves. The link has the same index.
#[derive(Clone, Debug)]
pub struct Joint {
    /// Its name in the model, or one that Bullet made up.
    pub name: String,
    /// Its link's name.
    pub link: String,
    /// How it moves.
    pub kind: JointKind,
    /// Lower limit, rad or m. There is no limit if it is above `upper_limit`.
    pub lower_limit: f64,
    /// Upper limit, rad or m.
    pub upper_limit: f64,
    /// Index of the parent link; `None` for the base.
    pub parent: Option<usize>,
    /// Place of the position among the body's coordinates, if it has one.
    pub(crate) position_index: Option<i32>,
    /// Place of the velocity, likewise.
    pub(crate) velocity_index: Option<i32>,
}

/// A body of a [`crate::World`]: a base and a tree of links, each moved by a joint.
///
/// It is a description and a handle; the simulation's state is read with [`crate::World::read`].
#[derive(Clone, Debug)]
pub struct Body {
    /// Name of the base link.
    pub base: String,
    /// Name of the model.
    pub model: String,
    /// Joints in Bullet's order. Joint `i` moves link `i`.
    pub joints: Vec<Joint>,
    pub(crate) id: i32,
    pub(crate) world: WorldId,
}

impl Body {
    /// Index of the joint called `name`.
    pub fn joint(&self, name: &str) -> Option<usize> {
        self.joints.iter().position(|joint| joint.name == name)
    }

    /// Index of the link called `name`; the base is not among them.
    pub fn link(&self, name: &str) -> Option<usize> {
        self.joints.iter().position(|joint| joint.link == name)
    }
}
