//! Measures how fast the tasks run.
//!
//! ```text
//! cargo run --release -p dreamgraft-tools --bin speed -- [--seconds S] [--threads N] [TASK ...]
//! ```
//!
//! One line of JSON per task: simulator frames under random actions (with a new episode every 1000 frames), images of
//! one state, and agent steps, each two frames and an image. Each is counted per second of the clock (`_per_s`) and per
//! second of CPU time (`_per_cpu_s`), which other programs on the machine hardly disturb. S (default 2) is how long
//! each of the three is measured. N (default 1) threads do the same at once, each in a world of its own; the rates are
//! sums over the threads.

use std::process::ExitCode;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use environment::{Catalogue, IMAGE_BYTES, Timing};
use random::Stream;
use rustix::time::{ClockId, clock_gettime};
use tasks::{OFFSET_BOUND, Simulation};

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

#[expect(clippy::print_stderr, reason = "a program's message to its user")]
fn fail(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::FAILURE
}

#[expect(clippy::print_stdout, reason = "a program's result")]
fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), Error> {
    let (mut seconds, mut threads) = (2.0, 1);
    let mut names: Vec<String> = vec![];
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seconds" => seconds = number(&argument, arguments.next())?,
            "--threads" => threads = number(&argument, arguments.next())?,
            option if option.starts_with('-') => return Err(format!("there is no option {option}").into()),
            _ => names.push(argument),
        }
    }
    if threads == 0 {
        return Err("--threads wants at least 1".into());
    }
    if names.is_empty() {
        names.extend(tasks::catalogue().tasks().iter().map(|task| task.name.clone()));
    }
    let duration =
        Duration::try_from_secs_f64(seconds).map_err(|_| format!("--seconds wants a time, not {seconds}"))?;
    for name in names {
        let mut playing: Vec<Playing> = (0..threads).map(|_| Playing::new(&name)).collect::<Result<_, _>>()?;
        let measured = [
            ("frames", measure(&mut playing, duration, Playing::frame)),
            ("renders", measure(&mut playing, duration, Playing::render)),
            ("agent_steps", measure(&mut playing, duration, Playing::agent_step)),
        ];
        let mut line = format!(r#"{{"task": "{name}", "threads": {threads}"#);
        for (what, Rates { wall, cpu }) in measured {
            line += &format!(r#", "{what}_per_s": {wall:.1}, "{what}_per_cpu_s": {cpu:.1}"#);
        }
        println!("{line}}}");
    }
    Ok(())
}

/// The value of an option.
fn number<T: std::str::FromStr>(option: &str, value: Option<String>) -> Result<T, Error> {
    let value = value.ok_or_else(|| format!("{option} wants a number"))?;
    value.parse().map_err(|_| format!("{option} wants a number, not {value:?}").into())
}

/// Repetitions per second of the clock and of CPU time.
#[derive(Clone, Copy, Default)]
struct Rates {
    wall: f64,
    cpu: f64,
}

/// The rates of `work`, done on a thread for each element of `playing`: their sums.
fn measure(playing: &mut [Playing], duration: Duration, work: fn(&mut Playing)) -> Rates {
    let together = &Barrier::new(playing.len());
    let rates: Vec<Rates> = thread::scope(|scope| {
        let mut threads = vec![];
        for playing in playing {
            threads.push(scope.spawn(move || {
                together.wait();
                rates(duration, || work(playing))
            }));
        }
        threads.into_iter().map(|thread| thread.join().expect("no measurement panics")).collect()
    });
    let sum = |part: fn(&Rates) -> f64| rates.iter().map(part).sum();
    Rates { wall: sum(|rates| rates.wall), cpu: sum(|rates| rates.cpu) }
}

/// The rates of `work` on this thread.
fn rates(duration: Duration, mut work: impl FnMut()) -> Rates {
    let (mut count, start, start_cpu) = (0u32, Instant::now(), processor_time());
    loop {
        work();
        count += 1;
        let elapsed = start.elapsed();
        if elapsed >= duration {
            let count = f64::from(count);
            return Rates { wall: count / elapsed.as_secs_f64(), cpu: count / (processor_time() - start_cpu) };
        }
    }
}

/// The CPU time of this thread, in s.
fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}

/// A task under random actions.
struct Playing {
    simulation: Box<dyn Simulation>,
    random: Stream,
    actions: Vec<f32>,
    frame: usize,
    image: Vec<u8>,
}

impl Playing {
    fn new(name: &str) -> Result<Self, Error> {
        let simulation = tasks::simulation(name)?;
        let mut random = Stream::new(0, "speed");
        let count = Timing::STANDARD.frame_limit as usize * simulation.action_size();
        let actions = (0..count).map(|_| random.uniform_in(-1.0, 1.0) as f32).collect();
        let mut playing = Self { simulation, random, actions, frame: 0, image: vec![0; IMAGE_BYTES] };
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
        if self.frame == Timing::STANDARD.frame_limit as usize {
            self.start();
        }
    }

    fn render(&mut self) {
        self.simulation.render(&mut self.image);
    }

    fn agent_step(&mut self) {
        self.frame();
        self.frame();
        self.render();
    }
}
