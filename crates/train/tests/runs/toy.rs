//! A world and an agent so small that whole runs take milliseconds: every number of one depends on all that came
//! before, so that a run that forgets or repeats anything ends with other bits.

use dreamer::{ActMode, AgentConfig, DreamerError, Evaluation};
use environment::{Environment, Observation, Outcome, TaskError, TaskInfo, Timing};
use random::{Stream, StreamState};
use replay::{Batch, IMAGE_BYTES};
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use train::config::{Config, Layer, resolve};
use train::{Actor, Broken, Device, End, Environments, Event, Metrics, Reporter, TrainError, Trainable, train_with};

/// Frames of a toy episode.
pub const EPISODE: u32 = 40;

/// The point whose images are noise, which does not compress: it fills a memory of episodes.
pub const NOISE: &str = "noise";

/// A point that is pushed about; it earns by being near zero.
pub struct Point {
    info: TaskInfo,
    place: f32,
    frames: u32,
}

impl Point {
    /// A point that needs actions of `size` numbers.
    pub fn boxed(name: &'static str, size: usize) -> Box<dyn Environment> {
        let timing = Timing { frame_limit: EPISODE, ..Timing::STANDARD };
        Box::new(Self { info: TaskInfo { timing, ..TaskInfo::new(name, "", size) }, place: 0.0, frames: EPISODE })
    }

    fn draw(&self, image: &mut [u8]) {
        if self.info.name == NOISE {
            let mut random = Stream::new(u64::from(self.place.to_bits()), NOISE);
            image.fill_with(|| random.below(256) as u8);
        } else {
            image.fill((self.place * 20.0 + 128.0).clamp(0.0, 255.0) as u8);
        }
        image[0] = self.frames as u8;
    }
}

impl Environment for Point {
    fn info(&self) -> &TaskInfo {
        &self.info
    }

    fn reset(&mut self, random: &mut Stream, image: &mut [u8]) -> Result<(), TaskError> {
        self.place = random.normal() as f32;
        self.frames = 0;
        self.draw(image);
        Ok(())
    }

    fn step(&mut self, action: &[f32], image: &mut [u8]) -> Result<Outcome, TaskError> {
        assert_eq!(action.len(), self.action_size());
        self.place += action.iter().sum::<f32>();
        self.frames += 2;
        self.draw(image);
        let truncated = self.frames >= EPISODE;
        Ok(Outcome { reward: -self.place.abs(), terminal: false, truncated, frames: 2 })
    }
}

/// A agent of one weight.
#[derive(Serialize, Deserialize)]
pub struct Toy {
    size: usize,
    updates: u64,
    weight: f64,
    noise: StreamState,
    /// The gradient step at which its loss becomes NaN.
    diverges: Option<u64>,
    /// The gradient step at which its weight does, unnoticed by any loss.
    breaks: Option<u64>,
    /// Whether its evaluations are without noise.
    evaluation: Evaluation,
}

impl Toy {
    pub fn new(_: &AgentConfig, size: usize, seed: u64) -> Result<Self, DreamerError> {
        Ok(Self {
            size,
            updates: 0,
            weight: 0.1,
            noise: Stream::new(seed, "toy").state(),
            diverges: None,
            breaks: None,
            evaluation: Evaluation::Mode,
        })
    }

    pub fn diverging(at: u64) -> impl FnOnce(&AgentConfig, usize, u64) -> Result<Self, DreamerError> {
        move |config, size, seed| Ok(Self { diverges: Some(at), ..Self::new(config, size, seed)? })
    }

    pub fn breaking(at: u64) -> impl FnOnce(&AgentConfig, usize, u64) -> Result<Self, DreamerError> {
        move |config, size, seed| Ok(Self { breaks: Some(at), ..Self::new(config, size, seed)? })
    }

    fn broken(&self, at: Option<u64>) -> Option<Broken> {
        at.filter(|at| self.updates >= *at).and_then(|_| Broken::find("toy.weight", &[f32::NAN]))
    }
}

impl Actor for Toy {
    type State = f64;

    fn action_size(&self) -> usize {
        self.size
    }

    fn updates(&self) -> u64 {
        self.updates
    }

    fn evaluation(&self) -> Option<Evaluation> {
        Some(self.evaluation)
    }

    fn evaluate_by(&mut self, evaluation: Evaluation) {
        self.evaluation = evaluation;
    }

    fn begin(&self) -> f64 {
        0.0
    }

    fn act(
        &self,
        state: &mut f64,
        observation: Observation<'_>,
        mode: ActMode,
        random: &mut Stream,
        action: &mut [f32],
    ) {
        let image = observation.image;
        *state = 0.5 * *state + f64::from(image[1]) / 255.0 - 0.5;
        for value in action {
            let noise = match (mode, self.evaluation) {
                (ActMode::Explore, _) => random.normal(),
                (_, Evaluation::Mode) => 0.1 * random.normal(),
                (_, Evaluation::Mean) => 0.0,
            };
            *value = (self.weight - *state + 0.3 * noise).clamp(-1.0, 1.0) as f32;
        }
    }

    fn open_loop(&self, observations: Observation<'_>, _: &[f32], context: usize, _: &mut Stream) -> Vec<u8> {
        let image = observations.image;
        let last = &image[(context - 1) * IMAGE_BYTES..context * IMAGE_BYTES];
        let shown = image[..context * IMAGE_BYTES].chunks_exact(IMAGE_BYTES);
        shown.chain(std::iter::repeat(last)).take(image.len() / IMAGE_BYTES).flatten().copied().collect()
    }

    fn load(path: &Path) -> Result<Self, DreamerError> {
        let bytes = std::fs::read(path).map_err(|source| DreamerError::Io { path: path.to_owned(), source })?;
        serde_json::from_slice(&bytes)
            .map_err(|error| DreamerError::Checkpoint { path: path.to_owned(), why: error.to_string() })
    }
}

impl Trainable for Toy {
    fn move_to(&mut self, _device: &dyn Device) -> Result<(), DreamerError> {
        unreachable!("toys are given no device")
    }

    fn learn(&mut self, batch: &Batch, interrupted: &AtomicBool) -> Result<Option<Metrics>, DreamerError> {
        if interrupted.load(Ordering::SeqCst) {
            return Ok(None);
        }
        assert_eq!(batch.image.len(), batch.batch * batch.length * IMAGE_BYTES);
        let mut noise = Stream::resume(&self.noise).unwrap();
        let reward = batch.reward.iter().map(|&reward| f64::from(reward)).sum::<f64>() / batch.reward.len() as f64;
        let pixels = batch.image.iter().step_by(997).map(|&byte| f64::from(byte)).sum::<f64>();
        self.weight = 0.9 * self.weight + 0.01 * reward + 1e-9 * pixels + 1e-3 * noise.normal();
        self.noise = noise.state();
        self.updates += 1;
        let loss = if self.diverges == Some(self.updates) { f64::NAN } else { reward };
        Ok(Some(vec![("weight", self.weight), ("toy_loss", loss)]))
    }

    fn broken_parameter(&self) -> Option<Broken> {
        self.broken(self.breaks)
    }

    fn broken_gradient(&self) -> Option<Broken> {
        self.broken(self.diverges)
    }

    fn save(&self, path: &Path) -> Result<(), DreamerError> {
        let io = |source| DreamerError::Io { path: path.to_owned(), source };
        std::fs::write(path, serde_json::to_vec(self).unwrap()).map_err(io)
    }
}

/// The configuration of a toy run, with further settings.
pub fn config(settings: &[&str]) -> Config {
    let common = [
        "tasks=point",
        "seed=3",
        "steps=400",
        "schedule.prefill_episodes=2",
        "schedule.prefill_frames=80",
        "schedule.pretrain_updates=3",
        "schedule.train_every=40",
        "schedule.train_updates=5",
        "schedule.eval_every=120",
        "schedule.eval_episodes=2",
        "log.every=80",
        "log.videos=false",
        "checkpoint.every=120",
        "replay.budget=4MB",
        "agent.batch=2",
        "agent.length=7",
    ];
    let layers: Vec<Layer> = common.iter().chain(settings).map(|text| Layer::typed(text).unwrap()).collect();
    resolve(&layers).unwrap()
}

/// The action of a listener at the event with this number, from 0.
type Act<'a> = Box<dyn FnMut(usize) + Send + 'a>;

/// Counts events and keeps the notes.
pub struct Listener<'a> {
    pub events: usize,
    pub notes: Vec<String>,
    act: Act<'a>,
}

impl<'a> Listener<'a> {
    pub fn new(act: impl FnMut(usize) + Send + 'a) -> Self {
        Self { events: 0, notes: Vec::new(), act: Box::new(act) }
    }
}

impl Reporter for Listener<'_> {
    fn event(&mut self, event: &Event<'_>) {
        if let Event::Note(note) = event {
            self.notes.push((*note).to_owned());
        }
        (self.act)(self.events);
        self.events += 1;
    }
}

/// Runs `config` in `root` to its end.
pub fn finish(root: &Path, config: &Config) -> Listener<'static> {
    let mut listener = Listener::new(|_| {});
    let end = run(root, config, &AtomicBool::new(false), &mut listener).unwrap();
    assert!(matches!(end, End::Finished { .. }), "{end:?}");
    listener
}

/// Runs `config` in `root` until its end or the event of number `at`; whether it was stopped.
pub fn stop_at(root: &Path, config: &Config, at: usize) -> bool {
    let interrupted = AtomicBool::new(false);
    let mut listener = Listener::new(|event| interrupted.store(event >= at, Ordering::SeqCst));
    let end = run(root, config, &interrupted, &mut listener).unwrap();
    matches!(end, End::Stopped { .. })
}

/// Runs `config` in `root`.
pub fn run(
    root: &Path,
    config: &Config,
    interrupted: &AtomicBool,
    listener: &mut Listener<'_>,
) -> Result<End, TrainError> {
    train_with(root, config, environments(config), Toy::new, interrupted, listener)
}

/// Points: `pair` needs two numbers, `noise`, `other` and all else one.
pub fn environments(config: &Config) -> Environments {
    let make = || {
        let names = config.tasks.iter().map(|name| match name.as_str() {
            "pair" => Point::boxed("pair", 2),
            "other" => Point::boxed("other", 1),
            NOISE => Point::boxed(NOISE, 1),
            _ => Point::boxed("point", 1),
        });
        names.collect()
    };
    Environments::new(make(), make(), &config.task).unwrap()
}

/// All that must be equal in two runs of one configuration: metrics without times, episodes, the newest checkpoint's
/// agent and state.
#[derive(Debug, PartialEq)]
pub struct Outcomes {
    pub metrics: Vec<serde_json::Value>,
    pub episodes: Vec<(u64, u64)>,
    pub agent: Vec<u8>,
    pub state: serde_json::Value,
}

/// The files of a run in `root`.
pub fn outcomes(root: &Path) -> Outcomes {
    let newest = checkpoints(root).pop().unwrap();
    let mut state: serde_json::Value =
        serde_json::from_slice(&std::fs::read(newest.join("run.json")).unwrap()).unwrap();
    for time in ["seconds", "cpu_seconds"] {
        state["run"].as_object_mut().unwrap().remove(time).expect("a checkpoint counts it");
    }
    state.as_object_mut().unwrap().remove("run_crc32").unwrap();
    let hashed = |name: &String| {
        let mut hasher = DefaultHasher::new();
        std::fs::read(root.join("episodes").join(name)).unwrap().hash(&mut hasher);
        hasher.finish()
    };
    let names = names(&root.join("episodes"));
    let mut episodes: Vec<(u64, u64)> =
        names.iter().filter_map(|name| Some((replay::EpisodeName::parse(name)?.id, hashed(name)))).collect();
    episodes.sort();
    Outcomes {
        metrics: metrics(root),
        episodes,
        agent: std::fs::read(newest.join("agent.safetensors")).unwrap(),
        state,
    }
}

/// The metrics of the run in `root`, without those that are times or sizes of the process.
pub fn metrics(root: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(root.join("metrics.jsonl")).unwrap();
    let timeless = |line| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        let timed = [
            "updates_per_second",
            "frames_per_second",
            "seconds",
            "cpu_seconds",
            "resident_bytes",
            "replay_embedding_bytes",
        ];
        line.as_object_mut().unwrap().retain(|name, _| !timed.contains(&&**name) && !name.starts_with("share_"));
        line
    };
    text.lines().map(timeless).collect()
}

/// The checkpoints in a run folder, oldest first.
pub fn checkpoints(root: &Path) -> Vec<PathBuf> {
    let folder = root.join("checkpoints");
    let names = names(&folder).into_iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    names.map(|name| folder.join(name)).collect()
}

/// Names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Copies a folder in its current state, as if the process were killed now.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
