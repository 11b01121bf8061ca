//! A safe view of the Bullet physics simulator and its software renderer.
//!
//! Start at [`World`]: it owns a simulation; models are loaded into it from text, their joints are read, moved and
//! driven through the returned [`Body`], and [`World::render`] draws an image without any display.
//!
//! Here: physics and pixels. Not here: tasks, rewards, episodes. Nothing is printed: warnings of Bullet's importer are
//! part of the error of the load that caused them. Worlds are independent of each other and can be used on separate
//! threads; equal calls give bitwise identical results on any thread.
//!
//! Units are SI: metres, kilograms, seconds, radians, newtons; angles of the camera are in degrees.

mod body;
mod camera;
mod client;
mod error;
mod ffi;
mod files;
mod id;
mod log;
mod state;
mod visuals;
mod world;

pub use body::{Body, Joint, JointKind};
pub use camera::{Camera, View};
pub use error::LoadError;
pub use files::Asset;
pub use state::{BodyState, Contact, LinkPose};
pub use visuals::{Texture, Visual, Visuals};
pub use world::{LoadFlags, Material, PositionMotor, Settings, Snapshot, World};
