//! `walker2d`: two legs of thigh, shin and foot below a torso, held in the plane of x and z; walk forward.
//!
//! Alive as a hopper is. As `Walker2DBulletEnv-v0` of PyBullet 3.2.7; the rewards are in `walker.rs`.

use environment::TaskError;

use crate::hopper::upright;
use crate::simulation::Simulation;
use crate::walker::{Torso, Walker};

/// The task's name.
pub const NAME: &str = "walker2d";

/// Both legs are in the same place: they pass through each other (`conaffinity="0"`).
const MODEL: &str = r#"
<mujoco model="walker2d">
  <compiler angle="degree"/>
  <default>
    <joint limited="true"/>
    <geom contype="1" conaffinity="0" condim="3" friction="0.8 0.1 0.1"/>
  </default>
  <worldbody>
    <body name="torso">
      <joint name="ignore_x" type="slide" axis="1 0 0" limited="false"/>
      <joint name="ignore_z" type="slide" axis="0 0 1" limited="false"/>
      <joint name="ignore_pitch" type="hinge" axis="0 1 0" limited="false"/>
      <geom type="capsule" size="0.05" fromto="0 0 1.45 0 0 1.05"/>
      <body name="thigh">
        <joint name="thigh_joint" type="hinge" axis="0 -1 0" pos="0 0 1.05" range="-150 0"/>
        <geom type="capsule" size="0.05" fromto="0 0 1.05 0 0 0.6"/>
        <body name="leg">
          <joint name="leg_joint" type="hinge" axis="0 -1 0" pos="0 0 0.6" range="-150 0"/>
          <geom type="capsule" size="0.04" fromto="0 0 0.6 0 0 0.1"/>
          <body name="foot">
            <joint name="foot_joint" type="hinge" axis="0 -1 0" pos="0 0 0.1" range="-45 45"/>
            <geom type="capsule" size="0.06" fromto="0 0 0.1 0.2 0 0.1"/>
          </body>
        </body>
      </body>
      <body name="thigh_left">
        <joint name="thigh_left_joint" type="hinge" axis="0 -1 0" pos="0 0 1.05" range="-150 0"/>
        <geom type="capsule" size="0.05" fromto="0 0 1.05 0 0 0.6"/>
        <body name="leg_left">
          <joint name="leg_left_joint" type="hinge" axis="0 -1 0" pos="0 0 0.6" range="-150 0"/>
          <geom type="capsule" size="0.04" fromto="0 0 0.6 0 0 0.1"/>
          <body name="foot_left">
            <joint name="foot_left_joint" type="hinge" axis="0 -1 0" pos="0 0 0.1" range="-45 45"/>
            <geom type="capsule" size="0.06" fromto="0 0 0.1 0.2 0 0.1"/>
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
        torso: Torso::Link("torso"),
        power: 0.40,
        power_of: &[100.0, 100.0, 30.0, 100.0, 100.0, 30.0],
        alive: upright,
        off_the_floor: &[],
        feet: &["foot", "foot_left"],
        done_when_fallen: true,
    }
    .load()
}
