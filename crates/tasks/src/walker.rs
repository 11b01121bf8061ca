//! The common part of the four walkers: a reward for forward motion, and a cost for effort.
//!
//! Reward per frame (PyBullet 3.2.7, `WalkerBaseBulletEnv`) is the sum of
//! - alive: 1, or -1 once the walker has fallen, by the task's own rule;
//! - progress: how much nearer the robot came to a point 1 km away, over the frame's time: about 1 per m/s (`progress.rs`);
//! - electricity: -2 mean |a q'| - 0.1 mean a^2 over actions a and a tenth of the joints' speeds q';
//! - joints at their limits: -0.1 each.
//!
//! Single precision is used where PyBullet's rewards use it.

use bullet::{Body, Contact, LinkPose, LoadError};
use environment::TaskError;

use crate::floor;
use crate::numpy::mean;
use crate::progress::Progress;
use crate::robot::{self, ROBOT_FLAGS, Robot};
use crate::simulation::{Frame, Simulation};

/// The factor of joint speeds in the observation of the reward.
const SPEED_SCALE: f64 = 0.1;
/// Share of the range between its limits from which on a joint is at its limit.
const AT_LIMIT: f32 = 0.99;
const ELECTRICITY: f64 = -2.0;
/// The factor of the torso's speed in the observation.
const SPEED_OF_TORSO: f64 = 0.3;
const STALL_TORQUE: f64 = -0.1;
const JOINT_AT_LIMIT: f64 = -0.1;

/// The differences between walkers.
pub struct Walker {
    /// The task's name.
    pub name: &'static str,
    /// The MJCF text, with the robot as its only body.
    pub model: &'static str,
    /// The position of the torso.
    pub torso: Torso,
    /// Torque of each joint at full action, as a common and an own factor, N m.
    pub power: f64,
    /// See `power`; one for each element of an action.
    pub power_of: &'static [f64],
    /// Whether the walker is on its feet.
    pub alive: fn(&Posture) -> bool,
    /// Links whose contact with the floor in the previous frame is passed to `alive`.
    pub off_the_floor: &'static [&'static str],
    /// Links whose contact with the floor in the previous frame is observed.
    pub feet: &'static [&'static str],
    /// Whether PyBullet's rule ends the episode when the walker has fallen.
    pub done_when_fallen: bool,
}

/// The part of a robot whose height and pitch count.
pub enum Torso {
    /// The base, which then counts among the robot's parts.
    Base,
    /// The link of this name; the base is massless and does not count.
    Link(&'static str),
}

/// The inputs of a walker's rule for being alive.
pub struct Posture {
    /// Height of the torso's centre of mass, m.
    pub height: f64,
    /// Pitch of the torso, rad.
    pub pitch: f64,
    /// Whether one of [`Walker::off_the_floor`] touched the floor in the previous frame.
    pub touched: bool,
}

/// A walker in its world.
struct Walking {
    walker: Walker,
    robot: Robot,
    floor: Body,
    torso: Option<usize>,
    off_the_floor: Vec<usize>,
    feet: Vec<usize>,
    contacts: Vec<Contact>,
    touched: bool,
    /// Whether each foot touched the floor in the last frame, and in the one before it; known only if `observed`.
    feet_down: Vec<bool>,
    feet_before: Vec<bool>,
    /// Whether the vector is observed.
    observed: bool,
    /// Whether the floor counts in the place of the walker: not at the very start of PyBullet's first episode.
    floor_counts: bool,
    start_height: f64,
    progress: Progress,
    relative: Vec<[f32; 2]>,
}

impl Walker {
    /// Loads the walker and the floor.
    pub fn load(self) -> Result<Box<dyn Simulation>, TaskError> {
        let task = self.name;
        let failed = |source: LoadError| TaskError::Model { task: task.to_owned(), source: source.into() };
        let mut world = robot::world(4);
        let floor = floor::load(&mut world).map_err(failed)?;
        let body = world.load_mjcf(self.model, ROBOT_FLAGS).map_err(failed)?.swap_remove(0);
        let link = |name: &str| body.link(name).unwrap_or_else(|| panic!("the model of {task} has no link {name}"));
        let torso = match self.torso {
            Torso::Base => None,
            Torso::Link(name) => Some(link(name)),
        };
        let off_the_floor = self.off_the_floor.iter().map(|name| link(name)).collect();
        let feet: Vec<usize> = self.feet.iter().map(|name| link(name)).collect();
        let robot = Robot::new(world, body);
        let progress = Progress::new(robot.state.links.len(), torso);
        assert_eq!(robot.joint_count(), self.power_of.len(), "the model of {task} has a torque for each joint");
        Ok(Box::new(Walking {
            walker: self,
            robot,
            floor,
            torso,
            off_the_floor,
            feet_down: vec![false; feet.len()],
            feet_before: vec![false; feet.len()],
            feet,
            contacts: vec![],
            touched: false,
            observed: false,
            floor_counts: true,
            start_height: 0.0,
            progress,
            relative: vec![],
        }))
    }
}

impl Walking {
    fn torso(&self) -> &LinkPose {
        match self.torso {
            Some(link) => &self.robot.state.links[link],
            None => &self.robot.state.base,
        }
    }

    /// Joint positions as a share of their range, -1 to 1, and scaled speeds.
    fn measure_joints(&mut self) {
        self.relative.clear();
        for (index, &[position, velocity]) in self.robot.joint_states.iter().enumerate() {
            let (lower, upper) = self.robot.limits(index);
            let relative = 2.0 * (position - 0.5 * (lower + upper)) / (upper - lower);
            self.relative.push([relative as f32, (SPEED_SCALE * velocity) as f32]);
        }
    }

    fn posture(&self) -> Posture {
        let torso = self.torso();
        let rise = ((torso.position[2] - self.start_height) as f32).clamp(-5.0, 5.0);
        Posture {
            height: f64::from(rise) + self.start_height,
            pitch: euler_angles(torso.orientation)[1],
            touched: self.touched,
        }
    }

    /// The point that the camera follows, in m.
    fn target(&mut self) -> [f64; 3] {
        self.robot.world.link_frame(&self.robot.body, 0)
    }

    /// Measures contacts with the floor, as far as the reward or the observation needs them.
    fn measure_contacts(&mut self) {
        if self.off_the_floor.is_empty() && !self.observed {
            return;
        }
        self.contacts.clear();
        self.robot.world.contacts(&self.robot.body, &self.floor, &mut self.contacts);
        let touches = |link: &usize| self.contacts.iter().any(|contact| contact.link == Some(*link));
        self.touched = self.off_the_floor.iter().any(touches);
        for (down, foot) in self.feet_down.iter_mut().zip(&self.feet) {
            *down = touches(foot);
        }
    }
}

impl Simulation for Walking {
    fn task(&self) -> &'static str {
        self.walker.name
    }

    fn action_size(&self) -> usize {
        self.walker.power_of.len()
    }

    fn offset_count(&self) -> usize {
        self.action_size()
    }

    fn start(&mut self, offsets: &[f64]) {
        assert_eq!(offsets.len(), self.offset_count(), "{} starts with one offset a joint", self.task());
        self.robot.rewind();
        for (joint, &offset) in offsets.iter().enumerate() {
            self.robot.place(joint, offset);
        }
        self.robot.read();
        self.start_height = self.torso().position[2];
        self.progress.start(&self.robot.state);
        self.measure_joints();
        self.touched = false;
        self.feet_down.fill(false);
        self.feet_before.fill(false);
        self.observed = false;
        self.floor_counts = true;
    }

    fn start_as_stock_first(&mut self, offsets: &[f64]) {
        self.start(offsets);
        self.progress.start_without_floor(&self.robot.state);
        self.floor_counts = false;
    }

    fn frame(&mut self, action: &[f32]) -> Frame {
        let Walker { power, power_of, .. } = self.walker;
        self.floor_counts = true;
        self.robot.step(action.iter().zip(power_of).map(|(&a, of)| power * of * robot::clip(a)));
        self.measure_joints();

        let alive = (self.walker.alive)(&self.posture());
        let progress = self.progress.advance(&self.robot.state);
        let effort = mean(action.iter().zip(&self.relative).map(|(a, [_, speed])| (a * speed).abs()));
        let stall = mean(action.iter().map(|a| a * a));
        let electricity = ELECTRICITY * f64::from(effort) + STALL_TORQUE * f64::from(stall);
        let at_limit = self.relative.iter().filter(|[position, _]| position.abs() > AT_LIMIT).count();
        let limits = JOINT_AT_LIMIT * at_limit as f64;

        // The observation after this frame shows the contacts of the frame before it.
        self.feet_before.clone_from(&self.feet_down);
        self.measure_contacts();
        Frame {
            reward: if alive { 1.0 } else { -1.0 } + progress + electricity + limits,
            done: self.walker.done_when_fallen && !alive,
        }
    }

    fn joints(&self) -> &[[f64; 2]] {
        &self.robot.joint_states
    }

    fn vector_size(&self) -> usize {
        8 + 2 * self.robot.joint_count() + self.feet.len()
    }

    fn observe(&mut self, vector: &mut Vec<f32>) {
        self.observed = true;
        let torso = *self.torso();
        let [roll, pitch, yaw] = euler_angles(torso.orientation);
        let rise = torso.position[2] - self.start_height;
        let angle = self.progress.direction(&self.robot.state, self.floor_counts) - yaw;
        let [[x, y, z], [_, _, turning]] = self.robot.world.velocity(&self.robot.body, self.torso);
        // PyBullet's observation of a link has its turning speed in the place of its speed along y.
        let y = if self.torso.is_some() { turning } else { y };
        let (sine, cosine) = (-yaw).sin_cos();
        let [forward, sideways] = [cosine * x - sine * y, sine * x + cosine * y];
        let speeds = [forward, sideways, z].map(|speed| SPEED_OF_TORSO * speed);
        let numbers = [rise, angle.sin(), angle.cos()].into_iter().chain(speeds).chain([roll, pitch]);
        let joints = self.relative.as_flattened().iter().copied();
        let feet = self.feet_before.iter().map(|down| f32::from(u8::from(*down)));
        vector.extend(numbers.map(|x| x as f32).chain(joints).chain(feet).map(|x| x.clamp(-5.0, 5.0)));
    }

    fn render(&mut self, image: &mut [u8]) {
        let target = self.target();
        self.robot.render(target, image);
    }

    fn render_by_bullet(&mut self, image: &mut [u8]) {
        let target = self.target();
        self.robot.render_by_bullet(target, image);
    }
}

/// Roll, pitch and yaw of an orientation (x, y, z, w), rad, as PyBullet has them.
fn euler_angles([x, y, z, w]: [f64; 4]) -> [f64; 3] {
    let sine = -2.0 * (x * z - w * y);
    if sine <= -0.99999 {
        [0.0, -0.5 * std::f64::consts::PI, 2.0 * x.atan2(-y)]
    } else if sine >= 0.99999 {
        [0.0, 0.5 * std::f64::consts::PI, 2.0 * (-x).atan2(y)]
    } else {
        let [xx, yy, zz, ww] = [x, y, z, w].map(|part| part * part);
        let roll = (2.0 * (y * z + w * x)).atan2(ww - xx - yy + zz);
        let yaw = (2.0 * (x * y + w * z)).atan2(ww + xx - yy - zz);
        [roll, sine.asin(), yaw]
    }
}
