//! A safe view of the Bullet physics simulator and its software renderer.
