//! `inverted-pendulum-swingup`: a pole hangs from a cart on a rail; push the cart so that the pole swings up and stays.
//!
//! Reward per frame: the cosine of the pole's angle to the vertical, from -1 (hanging) to 1 (upright). Never done.
//! Return over 1000 frames: -1000 to 1000. As `InvertedPendulumSwingupBulletEnv-v0` of PyBullet 3.2.7.

use environment::TaskError;

use crate::robot::{self, ROBOT_FLAGS, Robot};
use crate::simulation::{Frame, Simulation};

/// The task's name.
pub const NAME: &str = "inverted-pendulum-swingup";

/// Force on the cart at full action, N.
const FORCE: f64 = 100.0;

/// Angle of the pole at the start, before the random offset, rad: just short of hanging straight down.
#[expect(clippy::approx_constant, reason = "the number that PyBullet starts with, not pi")]
const HANGING: f64 = 3.1415;

/// Nothing collides here (`contype="0"`). The rail belongs to the world; the pole leans by a millimetre over its length.
const MODEL: &str = r#"
<mujoco model="pendulum on a cart">
  <default>
    <geom contype="0" friction="1 0.1 0.1"/>
  </default>
  <worldbody>
    <geom name="rail" type="capsule" size="0.02 1" quat="0.707 0 0.707 0"/>
    <body name="cart">
      <joint name="slider" type="slide" axis="1 0 0" limited="true" range="-1 1"/>
      <geom type="capsule" size="0.1 0.1" quat="0.707 0 0.707 0"/>
      <body name="pole">
        <joint name="hinge" type="hinge" axis="0 1 0" limited="false"/>
        <geom type="capsule" size="0.049" fromto="0 0 0 0.001 0 0.6"/>
      </body>
    </body>
  </worldbody>
</mujoco>"#;

/// The slider and the hinge, in the order of the robot's joints.
const HINGE: usize = 1;

struct InvertedPendulumSwingup {
    robot: Robot,
}

/// Loads the task.
pub fn make() -> Result<Box<dyn Simulation>, TaskError> {
    let mut world = robot::world(1);
    let mut bodies = world
        .load_mjcf(MODEL, ROBOT_FLAGS)
        .map_err(|source| TaskError::Model { task: NAME.to_owned(), source: source.into() })?;
    let robot = Robot::new(world, bodies.swap_remove(1));
    Ok(Box::new(InvertedPendulumSwingup { robot }))
}

impl Simulation for InvertedPendulumSwingup {
    fn task(&self) -> &'static str {
        NAME
    }

    fn action_size(&self) -> usize {
        1
    }

    fn offset_count(&self) -> usize {
        1
    }

    fn start(&mut self, offsets: &[f64]) {
        let &[hinge] = offsets else { panic!("{NAME} starts with one offset, not {}", offsets.len()) };
        self.robot.rewind();
        self.robot.place(HINGE, HANGING + hinge);
        self.robot.read();
    }

    fn frame(&mut self, action: &[f32]) -> Frame {
        self.robot.step(action.iter().map(|&a| FORCE * robot::clip(a)));
        let [angle, _] = self.robot.joint_states[HINGE];
        Frame { reward: angle.cos(), done: false }
    }

    fn joints(&self) -> &[[f64; 2]] {
        &self.robot.joint_states
    }

    fn vector_size(&self) -> usize {
        5
    }

    fn observe(&mut self, vector: &mut Vec<f32>) {
        let &[[x, speed], [angle, turning]] = self.robot.joint_states.as_slice() else { unreachable!("two joints") };
        vector.extend([x, speed, angle.cos(), angle.sin(), turning].map(|number| number as f32));
    }

    fn render(&mut self, image: &mut [u8]) {
        self.robot.render([0.0; 3], image);
    }

    fn render_by_bullet(&mut self, image: &mut [u8]) {
        self.robot.render_by_bullet([0.0; 3], image);
    }
}
