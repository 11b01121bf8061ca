//! `half-cheetah`: a long torso with a head, a hind and a front leg, held in the plane of x and z; run.
//!
//! Alive while it pitches less than 1 rad and neither a thigh nor a shin touched the floor in the previous frame; never
//! done. As `HalfCheetahBulletEnv-v0` of PyBullet 3.2.7; the rewards are in `walker.rs`.

use environment::TaskError;

use crate::simulation::Simulation;
use crate::walker::{Torso, Walker};

/// The task's name.
pub const NAME: &str = "half-cheetah";

/// A foot's mass stands after its shape, so that its centre of mass stays at the joint.
const MODEL: &str = r#"
<mujoco model="half cheetah">
  <compiler angle="radian"/>
  <default>
    <joint limited="true"/>
    <geom contype="1" conaffinity="0" condim="3" friction="0.8 0.1 0.1"/>
  </default>
  <worldbody>
    <body name="torso" pos="0 0 0.7">
      <joint name="ignore_x" type="slide" axis="1 0 0" limited="false"/>
      <joint name="ignore_z" type="slide" axis="0 0 1" limited="false"/>
      <joint name="ignore_pitch" type="hinge" axis="0 1 0" limited="false"/>
      <geom type="capsule" size="0.046" fromto="-0.5 0 0 0.5 0 0"/>
      <geom type="capsule" size="0.046 0.15" pos="0.6 0 0.1" axisangle="0 1 0 0.87"/>
      <body name="bthigh" pos="-0.5 0 0">
        <joint name="bthigh" type="hinge" axis="0 1 0" range="-0.52 1.05"/>
        <geom type="capsule" size="0.046 0.145" pos="0.1 0 -0.13" axisangle="0 1 0 -3.8"/>
        <body name="bshin" pos="0.16 0 -0.25">
          <joint name="bshin" type="hinge" axis="0 1 0" range="-0.785 0.785"/>
          <geom type="capsule" size="0.046 0.15" pos="-0.14 0 -0.07" axisangle="0 1 0 -2.03"/>
          <body name="bfoot" pos="-0.28 0 -0.14">
            <joint name="bfoot" type="hinge" axis="0 1 0" range="-0.4 0.785"/>
            <geom type="capsule" size="0.046 0.094" pos="0.03 0 -0.097" axisangle="0 1 0 -0.27"/>
            <inertial mass="10"/>
          </body>
        </body>
      </body>
      <body name="fthigh" pos="0.5 0 0">
        <joint name="fthigh" type="hinge" axis="0 1 0" range="-1.5 0.8"/>
        <geom type="capsule" size="0.046 0.133" pos="-0.07 0 -0.12" axisangle="0 1 0 0.52"/>
        <body name="fshin" pos="-0.14 0 -0.24">
          <joint name="fshin" type="hinge" axis="0 1 0" range="-1.2 1.1"/>
          <geom type="capsule" size="0.046 0.106" pos="0.065 0 -0.09" axisangle="0 1 0 -0.6"/>
          <body name="ffoot" pos="0.13 0 -0.18">
            <joint name="ffoot" type="hinge" axis="0 1 0" range="-3.1 -0.3"/>
            <geom type="capsule" size="0.046 0.07" pos="0.045 0 -0.07" axisangle="0 1 0 -0.6"/>
            <inertial mass="10"/>
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
        power: 0.90,
        power_of: &[120.0, 90.0, 60.0, 140.0, 60.0, 30.0],
        alive: |posture| posture.pitch.abs() < 1.0 && !posture.touched,
        off_the_floor: &["fshin", "fthigh", "bshin", "bthigh"],
        feet: &["ffoot", "fshin", "fthigh", "bfoot", "bshin", "bthigh"],
        done_when_fallen: false,
    }
    .load()
}
