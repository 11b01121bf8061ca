//! `inverted-double-pendulum-swingup`: two poles, end to end, hang from a cart on a rail; swing both up.
//!
//! Reward per frame: the cosine of the first pole's angle to the vertical plus the cosine of the second pole's angle to
//! the first. Hanging straight earns -1 + 1 = 0, upright 2; return over 1000 frames: -2000 to 2000. Never done.
//! The model is that of `InvertedDoublePendulumBulletEnv-v0` of PyBullet 3.2.7; the reward is that of the paper.

use environment::TaskError;

use crate::robot::{self, ROBOT_FLAGS, Robot};
use crate::simulation::{Frame, Simulation};

/// The task's name.
pub const NAME: &str = "inverted-double-pendulum-swingup";

/// Force on the cart at full action, N.
const FORCE: f64 = 200.0;

/// Angle of the first pole at the start, before the random offset, rad: just short of hanging straight down.
#[expect(clippy::approx_constant, reason = "the number that PyBullet starts with, not pi")]
const HANGING: f64 = 3.1415;

/// Nothing collides here (`contype="0"`). Floor and rail belong to the world and are bodies of their own.
const MODEL: &str = r#"
<mujoco model="double pendulum on a cart">
  <default>
    <geom contype="0" friction="1 0.1 0.1"/>
  </default>
  <worldbody>
    <geom name="floor" type="plane" pos="0 0 -3" size="40 40 40"/>
    <geom name="rail" type="capsule" size="0.02 1" quat="0.707 0 0.707 0"/>
    <body name="cart">
      <joint name="slider" type="slide" axis="1 0 0" limited="true" range="-1 1"/>
      <geom type="capsule" size="0.1 0.1" quat="0.707 0 0.707 0"/>
      <body name="pole">
        <joint name="hinge" type="hinge" axis="0 1 0"/>
        <geom type="capsule" size="0.045" fromto="0 0 0 0 0 0.6"/>
        <body name="pole2" pos="0 0 0.6">
          <joint name="hinge2" type="hinge" axis="0 1 0"/>
          <geom type="capsule" size="0.045" fromto="0 0 0 0 0 0.6"/>
        </body>
      </body>
    </body>
  </worldbody>
</mujoco>"#;

/// The robot's joints are the slider and two hinges.
const HINGES: [usize; 2] = [1, 2];

struct InvertedDoublePendulumSwingup {
    robot: Robot,
}

/// Loads the task.
pub fn make() -> Result<Box<dyn Simulation>, TaskError> {
    let mut world = robot::world(1);
    let mut bodies = world
        .load_mjcf(MODEL, ROBOT_FLAGS)
        .map_err(|source| TaskError::Model { task: NAME.to_owned(), source: source.into() })?;
    let robot = Robot::new(world, bodies.swap_remove(2));
    Ok(Box::new(InvertedDoublePendulumSwingup { robot }))
}

impl Simulation for InvertedDoublePendulumSwingup {
    fn task(&self) -> &'static str {
        NAME
    }

    fn action_size(&self) -> usize {
        1
    }

    fn offset_count(&self) -> usize {
        2
    }

    fn start(&mut self, offsets: &[f64]) {
        let &[first, second] = offsets else { panic!("{NAME} starts with two offsets, not {}", offsets.len()) };
        self.robot.rewind();
        self.robot.place(HINGES[0], HANGING + first);
        self.robot.place(HINGES[1], second);
        self.robot.read();
    }

    fn frame(&mut self, action: &[f32]) -> Frame {
        self.robot.step(action.iter().map(|&a| FORCE * robot::clip(a)));
        let [theta, gamma] = HINGES.map(|hinge| self.robot.joint_states[hinge][0]);
        Frame { reward: theta.cos() + gamma.cos(), done: false }
    }

    fn joints(&self) -> &[[f64; 2]] {
        &self.robot.joint_states
    }

    fn vector_size(&self) -> usize {
        9
    }

    fn observe(&mut self, vector: &mut Vec<f32>) {
        let Robot { joint_states, state, .. } = &self.robot;
        let &[[x, speed], [theta, turning], [gamma, bending]] = joint_states.as_slice() else {
            unreachable!("three joints")
        };
        // The centre of the second pole, the last link.
        let tip = state.links[state.links.len() - 1].position[0];
        let numbers =
            [x, speed, tip, theta.cos(), theta.sin(), turning, gamma.cos(), gamma.sin(), bending].map(|x| x as f32);
        vector.extend(numbers);
    }

    fn render(&mut self, image: &mut [u8]) {
        self.robot.render([0.0; 3], image);
    }

    fn render_by_bullet(&mut self, image: &mut [u8]) {
        self.robot.render_by_bullet([0.0; 3], image);
    }
}
