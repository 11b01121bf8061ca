//! `ant`: a sphere on four legs, free in space; walk forward.
//!
//! Alive while the sphere's centre is above 0.26 m, just more than its radius. As `AntBulletEnv-v0` of PyBullet 3.2.7;
//! the rewards are in `walker.rs`. Its ankles cannot reach the angles that an episode starts with, so the first frames
//! push them out.

use environment::TaskError;

use crate::simulation::Simulation;
use crate::walker::{Torso, Walker};

/// The task's name.
pub const NAME: &str = "ant";

/// Each leg: a hip piece fixed to the torso, an upper part that turns about z, a foot.
const MODEL: &str = r#"
<mujoco model="ant">
  <compiler angle="degree"/>
  <default>
    <joint limited="true"/>
    <geom contype="1" conaffinity="0" condim="3" friction="1.5 0.1 0.1"/>
  </default>
  <worldbody>
    <body name="torso" pos="0 0 0.75">
      <geom type="sphere" size="0.25"/>
      <body name="front_left_leg">
        <geom type="capsule" size="0.08" fromto="0 0 0 0.2 0.2 0"/>
        <body name="aux_1" pos="0.2 0.2 0">
          <joint name="hip_1" type="hinge" axis="0 0 1" range="-40 40"/>
          <geom type="capsule" size="0.08" fromto="0 0 0 0.2 0.2 0"/>
          <body name="front_left_foot" pos="0.2 0.2 0">
            <joint name="ankle_1" type="hinge" axis="-1 1 0" range="30 100"/>
            <geom type="capsule" size="0.08" fromto="0 0 0 0.4 0.4 0"/>
          </body>
        </body>
      </body>
      <body name="front_right_leg">
        <geom type="capsule" size="0.08" fromto="0 0 0 -0.2 0.2 0"/>
        <body name="aux_2" pos="-0.2 0.2 0">
          <joint name="hip_2" type="hinge" axis="0 0 1" range="-40 40"/>
          <geom type="capsule" size="0.08" fromto="0 0 0 -0.2 0.2 0"/>
          <body name="front_right_foot" pos="-0.2 0.2 0">
            <joint name="ankle_2" type="hinge" axis="1 1 0" range="-100 -30"/>
            <geom type="capsule" size="0.08" fromto="0 0 0 -0.4 0.4 0"/>
          </body>
        </body>
      </body>
      <body name="left_back_leg">
        <geom type="capsule" size="0.08" fromto="0 0 0 -0.2 -0.2 0"/>
        <body name="aux_3" pos="-0.2 -0.2 0">
          <joint name="hip_3" type="hinge" axis="0 0 1" range="-40 40"/>
          <geom type="capsule" size="0.08" fromto="0 0 0 -0.2 -0.2 0"/>
          <body name="left_back_foot" pos="-0.2 -0.2 0">
            <joint name="ankle_3" type="hinge" axis="-1 1 0" range="-100 -30"/>
            <geom type="capsule" size="0.08" fromto="0 0 0 -0.4 -0.4 0"/>
          </body>
        </body>
      </body>
      <body name="right_back_leg">
        <geom type="capsule" size="0.08" fromto="0 0 0 0.2 -0.2 0"/>
        <body name="aux_4" pos="0.2 -0.2 0">
          <joint name="hip_4" type="hinge" axis="0 0 1" range="-40 40"/>
          <geom type="capsule" size="0.08" fromto="0 0 0 0.2 -0.2 0"/>
          <body name="right_back_foot" pos="0.2 -0.2 0">
            <joint name="ankle_4" type="hinge" axis="1 1 0" range="30 100"/>
            <geom type="capsule" size="0.08" fromto="0 0 0 0.4 -0.4 0"/>
          </body>
        </body>
      </body>
    </body>
  </worldbody>
</mujoco>"#;

/// Loads the task.
pub fn make() -> Result<Box<dyn Simulation>, TaskError> {
    Walker {
        name: NAME,
        model: MODEL,
        torso: Torso::Base,
        power: 2.5,
        power_of: &[100.0; 8],
        alive: |posture| posture.height > 0.26,
        off_the_floor: &[],
        feet: &["front_left_foot", "front_right_foot", "left_back_foot", "right_back_foot"],
        done_when_fallen: true,
    }
    .load()
}
