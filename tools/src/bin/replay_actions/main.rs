//! Replays recorded actions and writes the resulting trajectory, so that recordings of other simulators can be compared.
//!
//! ```text
//! cargo run --release -p dreamgraft-tools --bin replay_actions -- TASK IN.npz OUT.npz
//! ```
//!
//! IN.npz holds `init` `[N]` f64, the joint offsets (rad) that the episode starts with, and `actions` `[T, A]` f32, one
//! for each frame. `frame_steps` `[K]` i64 is optional: the frames before which an image is drawn (default: 0, 1, 10, 20,
//! 60, 150, 400, 999).
//!
//! OUT.npz holds `init`, `actions` and `frame_steps` again; `joints` `[T, J, 2]` f64, position and velocity after each
//! frame; `reward` `[T]` f64; `done` `[T]` bool by PyBullet's own rule, after which the trajectory continues; and `frames`
//! `[K, 64, 64, 3]` u8.
//!
//! Several episodes, replayed one after the other by the same object, fit in one file: `init` is then `[E, N]`, `actions`
//! `[E, T, A]`, and in OUT.npz `joints` `[E, T, J, 2]`, `reward` `[E, T]`, `done` `[E, T]`. Images are drawn only if there
//! is a `frame_steps` `[K]`, for all episodes the same; `frames` is then `[E, K, 64, 64, 3]`.
//!
//! If IN.npz has `observation` `[T, V]` or `[E, T, V]`, OUT.npz has it too, the vector observed after each frame, and
//! `first_observation` `[V]` or `[E, V]`, the one after the start.
//!
//! Every episode starts as all episodes of an environment do. Stock PyBullet computes the first reward of an object's very
//! first episode differently for walkers (docs/tasks.md). Other arrays of IN.npz are ignored.

pub mod npz;

use std::path::Path;
use std::process::ExitCode;

use environment::{IMAGE_BYTES, IMAGE_SIDE as SIDE};
use npz::{ANY, Reader, Writer};
use tasks::Simulation;

/// The frames before which an image of a single episode is drawn, unless the input has others.
const IMAGE_FRAMES: [i64; 8] = [0, 1, 10, 20, 60, 150, 400, 999];

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, input, output] = arguments.as_slice() else {
        return fail("usage: replay_actions TASK IN.npz OUT.npz");
    };
    match replay(task, Path::new(input), Path::new(output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

#[expect(clippy::print_stderr, reason = "a program's message to its user")]
fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}

/// Replays the actions in the file `input` in `task` and writes the file `output`.
pub fn replay(task: &str, input: &Path, output: &Path) -> Result<(), Error> {
    let mut simulation = tasks::simulation(task)?;
    let inputs = Inputs::read(input, &*simulation)?;
    let mut outputs = Outputs::default();
    for episode in 0..inputs.episodes.unwrap_or(1) {
        outputs.run(&mut *simulation, &inputs, episode);
    }
    let joints = simulation.joints().len();
    outputs.write(output, inputs, joints).map_err(|error| format!("cannot write {}: {error}", output.display()).into())
}

/// The replayed episodes.
struct Inputs {
    /// Number of episodes, if the arrays have an axis for them.
    episodes: Option<usize>,
    /// Offsets of an episode's start.
    offsets: usize,
    /// Frames of an episode.
    frames: usize,
    /// Elements of an action.
    action: usize,
    init: Vec<f64>,
    actions: Vec<f32>,
    image_frames: Option<Vec<i64>>,
    /// Whether vectors are observed.
    observed: bool,
}

impl Inputs {
    fn read(path: &Path, simulation: &dyn Simulation) -> Result<Self, Error> {
        let (offsets, action) = (simulation.offset_count(), simulation.action_size());
        let mut file = Reader::open(path)?;
        let episodes = match file.shape("init")?.as_deref() {
            Some(&[episodes, _]) => Some(usize::try_from(episodes)?),
            _ => None,
        };
        let init: Vec<f64> = file.array("init", &shape(episodes, &[offsets]))?;
        let actions: Vec<f32> = file.array("actions", &shape(episodes, &[ANY, action]))?;
        if let Some(place) = init.iter().position(|x| !x.is_finite()) {
            return Err(format!("element {place} of \"init\" is {}", init[place]).into());
        }
        if let Some(place) = actions.iter().position(|x| !x.is_finite()) {
            return Err(format!("frame {} of \"actions\" holds {}", place / action, actions[place]).into());
        }
        let frames = actions.len() / action / episodes.unwrap_or(1).max(1);
        let image_frames = match (file.shape("frame_steps")?, episodes) {
            (Some(_), _) => Some(file.array("frame_steps", &[ANY])?),
            (None, Some(_)) => None,
            (None, None) => Some(IMAGE_FRAMES.into_iter().filter(|&frame| (frame as usize) < frames).collect()),
        };
        if let Some(wrong) = image_frames.iter().flatten().find(|&&frame| frame < 0 || frame as usize >= frames) {
            return Err(format!("\"frame_steps\" asks for an image before frame {wrong} of {frames}").into());
        }
        let observed = file.shape("observation")?.is_some();
        Ok(Self { episodes, offsets, frames, action, init, actions, image_frames, observed })
    }
}

/// The shape of an array with these axes for each episode.
fn shape(episodes: Option<usize>, axes: &[usize]) -> Vec<usize> {
    episodes.iter().chain(axes).copied().collect()
}

/// The trajectories of all episodes, one after the other.
#[derive(Default)]
struct Outputs {
    joints: Vec<f64>,
    rewards: Vec<f64>,
    done: Vec<bool>,
    images: Vec<u8>,
    first_observations: Vec<f32>,
    observations: Vec<f32>,
}

impl Outputs {
    /// Replays an episode and appends its trajectory.
    fn run(&mut self, simulation: &mut dyn Simulation, inputs: &Inputs, episode: usize) {
        let image_frames = inputs.image_frames.as_deref().unwrap_or_default();
        let mut images = vec![0; image_frames.len() * IMAGE_BYTES];
        simulation.start(&inputs.init[episode * inputs.offsets..][..inputs.offsets]);
        if inputs.observed {
            simulation.observe(&mut self.first_observations);
        }
        let size = inputs.frames * inputs.action;
        let actions = &inputs.actions[episode * size..][..size];
        for (t, action) in actions.chunks_exact(inputs.action).enumerate() {
            let due = image_frames.iter().zip(images.chunks_exact_mut(IMAGE_BYTES));
            for (_, image) in due.filter(|&(&frame, _)| frame as usize == t) {
                simulation.render(image);
            }
            let frame = simulation.frame(action);
            self.joints.extend_from_slice(simulation.joints().as_flattened());
            self.rewards.push(frame.reward);
            self.done.push(frame.done);
            if inputs.observed {
                simulation.observe(&mut self.observations);
            }
        }
        self.images.append(&mut images);
    }

    fn write(self, path: &Path, inputs: Inputs, joints: usize) -> Result<(), Error> {
        let Inputs { episodes, offsets, frames, action, observed, .. } = inputs;
        let mut file = Writer::create(path)?;
        file.put("init", &shape(episodes, &[offsets]), inputs.init)?;
        file.put("actions", &shape(episodes, &[frames, action]), inputs.actions)?;
        file.put("joints", &shape(episodes, &[frames, joints, 2]), self.joints)?;
        file.put("reward", &shape(episodes, &[frames]), self.rewards)?;
        file.put("done", &shape(episodes, &[frames]), self.done)?;
        if observed {
            let vector = self.first_observations.len() / episodes.unwrap_or(1).max(1);
            file.put("first_observation", &shape(episodes, &[vector]), self.first_observations)?;
            file.put("observation", &shape(episodes, &[frames, vector]), self.observations)?;
        }
        if let Some(image_frames) = inputs.image_frames {
            let count = image_frames.len();
            file.put("frame_steps", &[count], image_frames)?;
            file.put("frames", &shape(episodes, &[count, SIDE, SIDE, 3]), self.images)?;
        }
        file.finish()
    }
}
