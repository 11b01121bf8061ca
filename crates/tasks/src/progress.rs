//! How far a walker came in a frame, bit for bit as PyBullet 3.2.7 measures it (`WalkerBaseBulletEnv`).
//!
//! A walker's place is the mean position of its parts. Its potential is minus the distance from there to a point 1 km
//! away, divided by the time of a frame; a frame's progress is the difference of two potentials, about 1 per m/s.
//!
//! PyBullet counts the floor among the parts. The floor stays at the origin, so a robot of n parts seems to move at
//! n / (n + 1) of its speed. When PyBullet measures the start of an environment object's first episode, however, it has
//! not added the floor yet: that episode's first progress is the difference between two kinds of mean. From the object's
//! second episode on, the floor counts at the start as well. Here it counts in every episode, so that a new environment
//! and a used one give the same episode. [`Progress::start_without_floor`] measures the start of the exception.

use bullet::BodyState;

use crate::numpy::mean;
use crate::robot::FRAME_TIME;

/// The point that all walkers walk to, m.
const TARGET: [f64; 2] = [1000.0, 0.0];

/// Measures a walker's progress from frame to frame.
pub struct Progress {
    /// In PyBullet's order, which decides the last bits of the mean; the floor comes last.
    parts: Vec<Part>,
    potential: f64,
}

/// One of the parts that a walker's place is the mean of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Link(usize),
    Base,
    Floor,
}

impl Progress {
    /// For a robot with this many links whose torso is a link, or else its base. A base that is not the torso is not a part.
    pub fn new(links: usize, torso: Option<usize>) -> Self {
        let mut parts: Vec<Part> = (0..links).filter(|&link| Some(link) != torso).map(Part::Link).collect();
        // PyBullet names the torso when it has seen the first link, which never is the torso.
        parts.insert(1, torso.map_or(Part::Base, Part::Link));
        parts.push(Part::Floor);
        Self { parts, potential: 0.0 }
    }

    /// Measures the start of an episode.
    pub fn start(&mut self, state: &BodyState) {
        self.potential = potential(&self.parts, state);
    }

    /// Measures the start of an episode as PyBullet does in an environment object's first one: the floor does not count.
    pub fn start_without_floor(&mut self, state: &BodyState) {
        self.potential = potential(&self.parts[..self.parts.len() - 1], state);
    }

    /// The direction from the mean of the parts to the target, rad; with `floor`, the floor counts among the parts.
    pub fn direction(&self, state: &BodyState, floor: bool) -> f64 {
        let parts = &self.parts[..self.parts.len() - usize::from(!floor)];
        let [x, y] = to_target(parts, state);
        y.atan2(x)
    }

    /// The progress since the last call, or since the start.
    pub fn advance(&mut self, state: &BodyState) -> f64 {
        let before = self.potential;
        self.potential = potential(&self.parts, state);
        self.potential - before
    }
}

/// The way from the mean of the parts to the target, m.
fn to_target(parts: &[Part], state: &BodyState) -> [f64; 2] {
    let mean = |axis: usize| {
        mean(parts.iter().map(|&part| match part {
            Part::Link(link) => state.links[link].position[axis],
            Part::Base => state.base.position[axis],
            Part::Floor => 0.0,
        }))
    };
    [0, 1].map(|axis| TARGET[axis] - mean(axis))
}

/// Minus the distance from the mean of the parts to the target, over the time of a frame, m/s.
fn potential(parts: &[Part], state: &BodyState) -> f64 {
    let [x, y] = to_target(parts, state);
    // PyBullet has numpy compute this as a dot product of OpenBLAS, whose last bit depends on the CPU. The recordings
    // were made with kernels (SkylakeX) that multiply and add with a single rounding. Only the ant leaves the line y =
    // 0.
    let distance = x.mul_add(x, y * y).sqrt();
    -distance / FRAME_TIME
}

#[cfg(test)]
mod tests {
    use bullet::LinkPose;

    use super::*;

    fn at(x: f64) -> LinkPose {
        LinkPose { position: [x, 0.0, 1.0], ..LinkPose::default() }
    }

    #[test]
    fn parts_are_in_pybullets_order() {
        use Part::{Base, Floor, Link};
        assert_eq!(Progress::new(4, Some(2)).parts, [Link(0), Link(2), Link(1), Link(3), Floor]);
        assert_eq!(Progress::new(3, None).parts, [Link(0), Base, Link(1), Link(2), Floor]);
    }

    #[test]
    fn the_floor_scales_the_speed_and_may_be_missing_at_the_start() {
        let state = |x: f64| BodyState { links: vec![at(x); 3], base: at(99.0), ..BodyState::default() };
        let metres = |progress: f64| progress * FRAME_TIME;
        let mut progress = Progress::new(3, Some(1));
        progress.start(&state(0.4));
        assert!((metres(progress.advance(&state(0.8))) - 0.75 * 0.4).abs() < 1e-9);
        assert!((metres(progress.advance(&state(0.4))) + 0.75 * 0.4).abs() < 1e-9);
        progress.start_without_floor(&state(0.4));
        assert!((metres(progress.advance(&state(0.8))) - (0.75 * 0.8 - 0.4)).abs() < 1e-9);
    }
}
