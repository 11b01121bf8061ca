//! A robot in its own world, on which every task is built.
//!
//! Here: the world's numbers, motors switched off, joints that are driven by torque, resetting. Not here: rewards,
//! images (`view.rs`).

use bullet::{Body, BodyState, JointKind, LoadFlags, PositionMotor, Settings, Snapshot, World};
use environment::Timing;

use crate::view::{self, View};

/// Time that a frame takes, s.
pub const FRAME_TIME: f64 = Timing::STANDARD.frame_seconds;

/// Flags that every robot is loaded with.
pub const ROBOT_FLAGS: LoadFlags = LoadFlags { self_collision_without_ancestors: true, four_colors: true };

/// A motor that does nothing: every loaded joint has one that would hold it otherwise.
const OFF: PositionMotor =
    PositionMotor { position: 0.0, velocity: 0.0, position_gain: 0.1, velocity_gain: 0.1, max_force: 0.0 };

/// The world of a task that simulates a frame in `substeps` parts.
pub fn world(substeps: u16) -> World {
    World::new(&Settings {
        gravity: [0.0, 0.0, -9.8],
        time_step: FRAME_TIME,
        substeps,
        solver_iterations: 5,
        contact_erp: 0.9,
        deterministic_pairs: true,
    })
}

/// A robot, the world around it, and the state of both at the start of every episode.
pub struct Robot {
    pub world: World,
    pub body: Body,
    /// State of the whole body, as of the last [`Robot::step`] or [`Robot::read`].
    pub state: BodyState,
    /// The joints that count: indices into the body's joints.
    joints: Vec<usize>,
    /// Their positions and velocities.
    pub joint_states: Vec<[f64; 2]>,
    start: Snapshot,
    torques: Vec<(usize, f64)>,
    view: View,
}

impl Robot {
    /// Takes over a world whose only moving body is `body`. Joints whose name begins with `ignore` carry the whole robot
    /// and are neither driven nor reported.
    pub fn new(mut world: World, body: Body) -> Self {
        for joint in 0..body.joints.len() {
            world.set_motor(&body, joint, &OFF);
        }
        let counts = |joint: &bullet::Joint| joint.kind != JointKind::Fixed && !joint.name.starts_with("ignore");
        let joints = (0..body.joints.len()).filter(|&joint| counts(&body.joints[joint])).collect();
        let start = world.save();
        let view = View::new(&mut world);
        let state = BodyState::default();
        let mut robot = Self { world, body, state, joints, joint_states: vec![], start, torques: vec![], view };
        robot.read();
        robot
    }

    /// Number of joints that count.
    pub fn joint_count(&self) -> usize {
        self.joints.len()
    }

    /// Limits of joint `index` of those that count, rad or m.
    pub fn limits(&self, index: usize) -> (f64, f64) {
        let joint = &self.body.joints[self.joints[index]];
        (joint.lower_limit, joint.upper_limit)
    }

    /// Back to where the robot was loaded, at rest.
    pub fn rewind(&mut self) {
        self.world.restore(&self.start);
    }

    /// Puts joint `index` at `position` (rad or m), at rest.
    pub fn place(&mut self, index: usize, position: f64) {
        self.world.reset_joint(&self.body, self.joints[index], position, 0.0);
    }

    /// Simulates one frame with the given torques (N m or N) on the first joints that count.
    pub fn step(&mut self, torques: impl Iterator<Item = f64>) {
        self.torques.clear();
        self.torques.extend(self.joints.iter().copied().zip(torques));
        self.world.add_torques(&self.body, &self.torques);
        self.world.step();
        self.read();
    }

    /// Brings `state` and `joint_states` up to date.
    pub fn read(&mut self) {
        self.world.read(&self.body, &mut self.state);
        self.joint_states.clear();
        self.joint_states.extend(self.joints.iter().map(|&joint| self.state.joints[joint]));
    }

    /// Draws the view of a camera 2 m in front of `target` (m).
    pub fn render(&mut self, target: [f64; 3], image: &mut [u8]) {
        self.view.render(&mut self.world, target, image);
    }

    /// [`Robot::render`] by Bullet's own renderer.
    pub fn render_by_bullet(&mut self, target: [f64; 3], image: &mut [u8]) {
        view::render_by_bullet(&mut self.world, target, image);
    }
}

/// How far a motor follows an action's element.
pub fn clip(action: f32) -> f64 {
    f64::from(action).clamp(-1.0, 1.0)
}
