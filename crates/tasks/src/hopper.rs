//! `hopper`: one leg of thigh, shin and foot below a torso, held in the plane of x and z; hop forward.
//!
//! Alive while the torso is above 0.8 m and pitches less than 1 rad. As `HopperBulletEnv-v0` of PyBullet 3.2.7; the
//! rewards are in `walker.rs`.

use environment::TaskError;

use crate::simulation::Simulation;
use crate::walker::{Posture, Torso, Walker};

/// The task's name.
pub const NAME: &str = "hopper";

/// Positions of joints are in the frame of the whole robot, whose origin is on the floor.
const MODEL: &str = r#"
<mujoco model="hopper">
  <compiler angle="degree"/>
  <default>
    <joint limited="true"/>
    <geom contype="1" conaffinity="1" condim="1" friction="0.8 0.1 0.1"/>
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
            <geom type="capsule" size="0.06" fromto="-0.13 0 0.1 0.26 0 0.1"/>
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
        power: 0.75,
        power_of: &[100.0; 3],
        alive: upright,
        off_the_floor: &[],
        feet: &["foot"],
        done_when_fallen: true,
    }
    .load()
}

/// Whether a hopper or a walker stands.
pub fn upright(posture: &Posture) -> bool {
    posture.height > 0.8 && posture.pitch.abs() < 1.0
}
