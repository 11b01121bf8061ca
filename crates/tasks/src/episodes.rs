//! [`Episodes`]: turns a simulation into an environment.
//!
//! Here: action repeat, time limit, termination, checks of actions. Each task's own rules are in its file.

use environment::{Environment, Outcome, TaskError, TaskInfo, Termination};
use random::Stream;

use crate::simulation::{OFFSET_BOUND, Simulation};

/// An [`Environment`] over a [`Simulation`].
pub struct Episodes {
    info: TaskInfo,
    simulation: Box<dyn Simulation>,
    termination: Termination,
    frames: u32,
    running: bool,
    action: Vec<f32>,
    vector: Vec<f32>,
}

impl Episodes {
    /// An environment of the task `info` with no episode running yet.
    pub fn new(info: TaskInfo, simulation: Box<dyn Simulation>, termination: Termination) -> Self {
        Self { info, simulation, termination, frames: 0, running: false, action: vec![], vector: vec![] }
    }
}

impl Episodes {
    /// Draws the observations of the simulation's present state.
    fn show(&mut self, image: &mut [u8]) {
        // First the vector: an image moves links from where the last part of a frame left them to where their joints are, and so
        // changes the last bits of their velocities.
        if self.info.observations.vector > 0 {
            self.vector.clear();
            self.simulation.observe(&mut self.vector);
        }
        if self.info.observations.image.is_some() {
            self.simulation.render(image);
        }
    }
}

impl Environment for Episodes {
    fn info(&self) -> &TaskInfo {
        &self.info
    }

    fn reset(&mut self, random: &mut Stream, image: &mut [u8]) -> Result<(), TaskError> {
        let count = self.simulation.offset_count();
        let offsets: Vec<f64> = (0..count).map(|_| random.uniform_in(-OFFSET_BOUND, OFFSET_BOUND)).collect();
        self.simulation.start(&offsets);
        self.show(image);
        self.frames = 0;
        self.running = true;
        Ok(())
    }

    fn step(&mut self, action: &[f32], image: &mut [u8]) -> Result<Outcome, TaskError> {
        assert_eq!(image.len(), self.info.observations.image_bytes(), "bytes of an image");
        self.info.check_action(action)?;
        if !self.running {
            return Err(TaskError::NoEpisode { task: self.task().to_owned() });
        }
        self.action.clear();
        self.action.extend(action.iter().map(|element| element.clamp(-1.0, 1.0)));
        let mut reward = 0.0;
        let mut outcome = Outcome { reward: 0.0, terminal: false, truncated: false, frames: 0 };
        while outcome.frames < self.info.timing.action_repeat && !outcome.over() {
            let frame = self.simulation.frame(&self.action);
            self.frames += 1;
            if !frame.reward.is_finite() || self.simulation.joints().iter().flatten().any(|x| !x.is_finite()) {
                self.running = false;
                return Err(TaskError::Diverged { task: self.task().to_owned(), frame: self.frames });
            }
            reward += frame.reward;
            outcome.frames += 1;
            outcome.terminal = frame.done && self.termination == Termination::Stock;
            outcome.truncated = self.frames >= self.info.timing.frame_limit && !outcome.terminal;
        }
        self.running = !outcome.over();
        self.show(image);
        Ok(Outcome { reward: reward as f32, ..outcome })
    }

    fn vector(&self) -> &[f32] {
        &self.vector
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Frame;
    use environment::IMAGE_BYTES;

    /// Counts its frames: frame n earns n; done from frame `done_at` on; lost in frame `lost_at`.
    #[derive(Default)]
    struct Scripted {
        frame: u32,
        done_at: u32,
        lost_at: u32,
        joints: Vec<[f64; 2]>,
        actions: std::sync::Arc<std::sync::Mutex<Vec<f32>>>,
    }

    impl Simulation for Scripted {
        fn task(&self) -> &'static str {
            "scripted"
        }
        fn action_size(&self) -> usize {
            1
        }
        fn offset_count(&self) -> usize {
            3
        }
        fn start(&mut self, offsets: &[f64]) {
            assert!(offsets.len() == 3 && offsets.iter().all(|offset| offset.abs() <= OFFSET_BOUND));
            self.frame = 0;
            self.joints = vec![[0.0; 2]];
        }
        fn frame(&mut self, action: &[f32]) -> Frame {
            self.frame += 1;
            self.actions.lock().unwrap().push(action[0]);
            if self.frame == self.lost_at {
                self.joints[0][1] = f64::NAN;
            }
            Frame { reward: f64::from(self.frame), done: self.done_at > 0 && self.frame >= self.done_at }
        }
        fn joints(&self) -> &[[f64; 2]] {
            &self.joints
        }
        fn vector_size(&self) -> usize {
            1
        }
        fn observe(&mut self, vector: &mut Vec<f32>) {
            vector.push(self.frame as f32);
        }
        fn render(&mut self, image: &mut [u8]) {
            image.fill(self.frame as u8);
        }
        fn render_by_bullet(&mut self, image: &mut [u8]) {
            self.render(image);
        }
    }

    fn begin(simulation: Scripted, termination: Termination) -> (Episodes, Vec<u8>) {
        let mut episodes = Episodes::new(TaskInfo::new("scripted", "", 1), Box::new(simulation), termination);
        let mut image = vec![9; IMAGE_BYTES];
        episodes.reset(&mut Stream::new(1, "environment"), &mut image).unwrap();
        (episodes, image)
    }

    #[test]
    fn an_action_is_held_for_two_frames_and_their_rewards_are_summed() {
        let (mut episodes, mut image) = begin(Scripted::default(), Termination::Fixed);
        assert_eq!((image[0], episodes.frames), (0, 0));
        for (reward, frames) in [(3.0, 2), (7.0, 4)] {
            let outcome = episodes.step(&[0.5], &mut image).unwrap();
            assert_eq!(outcome, Outcome { reward, terminal: false, truncated: false, frames: 2 });
            assert_eq!((episodes.frames, u32::from(image[5])), (frames, frames));
        }
    }

    #[test]
    fn an_episode_of_fixed_length_ends_after_a_thousand_frames_by_truncation() {
        let (mut episodes, mut image) = begin(Scripted { done_at: 3, ..Default::default() }, Termination::Fixed);
        for step in 1..=500 {
            let outcome = episodes.step(&[0.0], &mut image).unwrap();
            assert_eq!((outcome.terminal, outcome.truncated), (false, step == 500), "step {step}");
        }
        assert_eq!(episodes.frames, 1000);
        assert!(matches!(episodes.step(&[0.0], &mut image), Err(TaskError::NoEpisode { .. })));
        episodes.reset(&mut Stream::new(1, "environment"), &mut image).unwrap();
        assert!(episodes.step(&[0.0], &mut image).is_ok());
    }

    #[test]
    fn the_stock_rule_ends_an_episode_within_a_step() {
        for (done_at, frames, reward) in [(3, 1, 3.0), (4, 2, 7.0)] {
            let (mut episodes, mut image) = begin(Scripted { done_at, ..Default::default() }, Termination::Stock);
            assert!(!episodes.step(&[0.0], &mut image).unwrap().over());
            let last = episodes.step(&[0.0], &mut image).unwrap();
            assert_eq!(last, Outcome { reward, terminal: true, truncated: false, frames });
            assert!(matches!(episodes.step(&[0.0], &mut image), Err(TaskError::NoEpisode { .. })));
        }
        let (mut episodes, mut image) = begin(Scripted { done_at: 1000, ..Default::default() }, Termination::Stock);
        let last = (0..500).map(|_| episodes.step(&[0.0], &mut image).unwrap()).last().unwrap();
        assert_eq!((last.terminal, last.truncated), (true, false), "terminal at the limit is terminal");
    }

    #[test]
    fn actions_are_checked_and_clipped_before_anything_moves() {
        let actions = std::sync::Arc::default();
        let scripted = Scripted { actions: std::sync::Arc::clone(&actions), ..Default::default() };
        let (mut episodes, mut image) = begin(scripted, Termination::Fixed);
        for wrong in [&[][..], &[0.0, 0.0]] {
            let error = episodes.step(wrong, &mut image).unwrap_err();
            assert!(matches!(error, TaskError::ActionLength { expected: 1, given, .. } if given == wrong.len()));
        }
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error = episodes.step(&[wrong], &mut image).unwrap_err();
            assert!(matches!(error, TaskError::ActionValue { index: 0, .. }), "{error}");
        }
        assert!(actions.lock().unwrap().is_empty() && episodes.frames == 0);
        episodes.step(&[-7.0], &mut image).unwrap();
        assert_eq!(*actions.lock().unwrap(), [-1.0, -1.0]);
    }

    #[test]
    fn a_simulation_that_diverges_is_an_error_until_reset() {
        let (mut episodes, mut image) = begin(Scripted { lost_at: 3, ..Default::default() }, Termination::Fixed);
        episodes.step(&[0.0], &mut image).unwrap();
        let error = episodes.step(&[0.0], &mut image).unwrap_err();
        assert!(matches!(error, TaskError::Diverged { frame: 3, .. }), "{error}");
        assert!(matches!(episodes.step(&[0.0], &mut image), Err(TaskError::NoEpisode { .. })));
        episodes.reset(&mut Stream::new(1, "environment"), &mut image).unwrap();
        episodes.step(&[0.0], &mut image).unwrap();
    }
}
