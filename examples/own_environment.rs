//! Trains an agent on an environment of your own, in which a point should stay in the middle of a line:
//! `cargo run --release --example own_environment`.

use environment::{Environment, IMAGE_SIDE, Outcome, SingleTask, TaskError, TaskInfo, Timing};
use std::{error::Error, path::Path, sync::atomic::AtomicBool};
use train::{Event, Frames, Job, RunRequest};

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
        let Timing { action_repeat: frames, frame_limit, .. } = self.info.timing;
        self.position = (self.position + 0.1 * action[0]).clamp(-1.0, 1.0);
        self.frames += frames;
        self.draw(image);
        let reward = 1.0 - self.position.abs();
        Ok(Outcome { reward, terminal: false, truncated: self.frames >= frame_limit, frames })
    }
}

impl Point {
    fn draw(&self, image: &mut [u8]) {
        let column = ((self.position + 1.0) / 2.0 * (IMAGE_SIDE - 1) as f32) as usize;
        image.fill(0);
        (24..40).for_each(|row| image[3 * (IMAGE_SIDE * row + column)..][..3].fill(255));
    }
}

/// Trains the agent in the run folder `folder`.
pub fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let timing = Timing { frame_limit: 100, ..Timing::STANDARD };
    let info = TaskInfo { timing, ..TaskInfo::new("point", "stay in the middle", 1) };
    let catalogue = SingleTask::new(info, |info| Point { info, position: 0.0, frames: 0 });
    let mut request = RunRequest::new(vec!["point".to_owned()], "smoke");
    request.steps = Some(Frames(600));
    request.settings = ["schedule.prefill_frames=200", "schedule.eval_every=200"].map(str::to_owned).to_vec();
    let mut print = |event: &Event<'_>| {
        if let Event::Evaluated { frames, task, mean } = event {
            println!("frame {frames}: {task} has a return of {mean:.1}");
        }
    };
    train::train(&catalogue, Job::new(folder, &request.configuration()?), &AtomicBool::new(false), &mut print)?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(Path::new("runs/examples/own-environment"))
}
