//! A task one simulator frame at a time: below action repeat, time limit and termination.
//!
//! This is the level at which a task is defined, recorded and compared with others' recordings.

/// Bounds of the random offsets that an episode starts with, rad.
pub const OFFSET_BOUND: f64 = 0.1;

/// A task's physics, reward and camera.
pub trait Simulation: Send {
    /// The task's name in the registry.
    fn task(&self) -> &'static str;

    /// Elements of an action.
    fn action_size(&self) -> usize;

    /// Random joint offsets that an episode starts with, each uniform in -[`OFFSET_BOUND`]..[`OFFSET_BOUND`], rad.
    fn offset_count(&self) -> usize;

    /// Starts an episode with the given offsets. It depends on nothing else.
    ///
    /// # Panics
    /// If there are not [`Simulation::offset_count`] offsets.
    fn start(&mut self, offsets: &[f64]);

    /// [`Simulation::start`], but with the first reward that follows in the very first episode of a PyBullet environment
    /// object. PyBullet measures the start of a walker's first episode without the floor, which counts from the object's
    /// second episode on. It is there to prove this with recordings of first episodes; no environment starts like that.
    ///
    /// # Panics
    /// As [`Simulation::start`] does.
    fn start_as_stock_first(&mut self, offsets: &[f64]) {
        self.start(offsets);
    }

    /// Simulates one frame of 0.0165 s under `action`: finite, [`Simulation::action_size`] elements. Motors follow an
    /// element no further than -1 and 1.
    fn frame(&mut self, action: &[f32]) -> Frame;

    /// Position (rad or m) and velocity (per second) of each of the robot's joints.
    fn joints(&self) -> &[[f64; 2]];

    /// Numbers of the vector observation.
    fn vector_size(&self) -> usize;

    /// Appends the vector observation: PyBullet's numbers. From its first call in an episode on, which should come before the
    /// first frame, frames measure what it needs.
    fn observe(&mut self, vector: &mut Vec<f32>);

    /// Draws the task's view into `image`, `[64, 64, 3]`, RGB, rows from the top.
    fn render(&mut self, image: &mut [u8]);

    /// [`Simulation::render`] by Bullet's own renderer: the same bytes, much slower. It is there to prove just that.
    ///
    /// Normals swing by a rounding from image to image, so the bytes are the same if both were called equally often.
    fn render_by_bullet(&mut self, image: &mut [u8]);
}

/// The result of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Reward.
    pub reward: f64,
    /// Whether PyBullet's own rule ends the episode here.
    pub done: bool,
}
