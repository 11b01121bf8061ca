//! Trains an agent on an environment of your own, in which a point should stay in the middle of a line:
//! `cargo run --release --example own_environment`.

use environment::{Catalogue, Environment, IMAGE_SIDE, Outcome, TaskError, TaskInfo, TaskOptions, Timing};
use std::{error::Error, path::Path, sync::atomic::AtomicBool};
use train::{Event, Frames, Job, Reporter, RunRequest};

struct Point {
    info: TaskInfo,
    position: f32, // from -1 to 1
    frames: u32,
}

impl Environment for Point {
    fn info(&self) -> &TaskInfo {
        &self.info
    }
    fn reset(&mut self, random: &mut random::Stream, image: &mut [u8]) -> Result<(), TaskError> {
        (self.position, self.frames) = (random.uniform_in(-1.0, 1.0) as f32, 0);
        self.draw(image);
        Ok(())
    }
    fn step(&mut self, action: &[f32], image: &mut [u8]) -> Result<Outcome, TaskError> {
        self.info.check_action(action)?;
        self.position = (self.position + 0.1 * action[0]).clamp(-1.0, 1.0);
        self.frames += self.info.timing.action_repeat;
        self.draw(image);
        let truncated = self.frames >= self.info.timing.frame_limit;
        Ok(Outcome {
            reward: 1.0 - self.position.abs(),
            terminal: false,
            truncated,
            frames: self.info.timing.action_repeat,
        })
    }
    fn frames(&self) -> u32 {
        self.frames
    }
}

impl Point {
    fn draw(&self, image: &mut [u8]) {
        let column = ((self.position + 1.0) / 2.0 * (IMAGE_SIDE - 1) as f32) as usize;
        image.fill(0);
        (24..40).for_each(|row| image[3 * (IMAGE_SIDE * row + column)..][..3].fill(255));
    }
}

struct Own([TaskInfo; 1]);

impl Catalogue for Own {
    fn tasks(&self) -> &[TaskInfo] {
        &self.0
    }
    fn make(&self, name: &str, _: &TaskOptions) -> Result<Box<dyn Environment>, TaskError> {
        let info = self.0.iter().find(|info| info.name == name).ok_or_else(|| self.unknown(name))?.clone();
        Ok(Box::new(Point { info, position: 0.0, frames: 0 }))
    }
}

struct Print;

impl Reporter for Print {
    fn event(&mut self, event: &Event<'_>) {
        if let Event::Evaluated { frames, task, mean } = event {
            println!("frame {frames}: {task} has a return of {mean:.1}");
        }
    }
}

/// Trains the agent in the run folder `folder`.
pub fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let timing = Timing { frame_limit: 100, ..Timing::STANDARD };
    let own = Own([TaskInfo { timing, ..TaskInfo::new("point", "stay in the middle", 1) }]);
    let mut request = RunRequest::new(vec!["point".to_owned()], "smoke");
    request.steps = Some(Frames(600));
    request.settings = ["schedule.prefill_frames=200", "schedule.eval_every=200"].map(str::to_owned).to_vec();
    train::train(&own, Job::new(folder, &request.configuration()?), &AtomicBool::new(false), &mut Print)?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(Path::new("runs/examples/own-environment"))
}
