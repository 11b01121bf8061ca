//! Measures how fast the tasks run, on one thread.
//!
//! ```text
//! cargo run --release -p tasks --example speed -- [--seconds S] [TASK ...]
//! ```
//!
//! One line of JSON a task: simulator frames per second under random actions (with a new episode every 1000 frames),
//! images per second of one state, and agent steps per second, each two frames and an image. S (default 2) is how long
//! each of the three is measured.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use tape::random::Stream;
use tasks::{FRAME_LIMIT, IMAGE_BYTES, OFFSET_BOUND, Simulation};

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

#[expect(clippy::print_stderr, reason = "a program's message to its user")]
fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}

#[expect(clippy::print_stdout, reason = "a program's result")]
fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), Error> {
    let mut seconds = 2.0;
    let mut names: Vec<String> = vec![];
    while let Some(argument) = arguments.next() {
        if argument == "--seconds" {
            let value = arguments.next().ok_or("--seconds wants a number")?;
            seconds = value.parse().map_err(|_| format!("--seconds wants a number, not {value:?}"))?;
        } else {
            names.push(argument);
        }
    }
    if names.is_empty() {
        names.extend(tasks::names().iter().map(|task| task.name.to_owned()));
    }
    let duration = Duration::try_from_secs_f64(seconds)?;
    for name in names {
        let mut playing = Playing::new(&name)?;
        let mut image = vec![0; IMAGE_BYTES];
        let frames = per_second(duration, || playing.frame());
        let renders = per_second(duration, || playing.simulation.render(&mut image));
        let steps = per_second(duration, || {
            playing.frame();
            playing.frame();
            playing.simulation.render(&mut image);
        });
        println!(
            r#"{{"task": "{name}", "frames_per_s": {frames:.1}, "renders_per_s": {renders:.1}, "agent_steps_per_s": {steps:.1}}}"#
        );
    }
    Ok(())
}

/// How often a second `work` can be done.
fn per_second(duration: Duration, mut work: impl FnMut()) -> f64 {
    let (mut count, start) = (0u32, Instant::now());
    loop {
        work();
        count += 1;
        let elapsed = start.elapsed();
        if elapsed >= duration {
            return f64::from(count) / elapsed.as_secs_f64();
        }
    }
}

/// A task under random actions.
struct Playing {
    simulation: Box<dyn Simulation>,
    random: Stream,
    actions: Vec<f32>,
    frame: usize,
}

impl Playing {
    fn new(name: &str) -> Result<Self, Error> {
        let simulation = tasks::simulation(name)?;
        let mut random = Stream::new(0, "speed");
        let count = FRAME_LIMIT as usize * simulation.action_size();
        let actions = (0..count).map(|_| random.uniform_in(-1.0, 1.0) as f32).collect();
        let mut playing = Self { simulation, random, actions, frame: 0 };
        playing.start();
        Ok(playing)
    }

    fn start(&mut self) {
        let count = self.simulation.offset_count();
        let offsets: Vec<f64> = (0..count).map(|_| self.random.uniform_in(-OFFSET_BOUND, OFFSET_BOUND)).collect();
        self.simulation.start(&offsets);
        self.frame = 0;
    }

    fn frame(&mut self) {
        let size = self.simulation.action_size();
        self.simulation.frame(&self.actions[self.frame * size..][..size]);
        self.frame += 1;
        if self.frame == FRAME_LIMIT as usize {
            self.start();
        }
    }
}
