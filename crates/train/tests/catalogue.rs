//! Environments come from the catalogue that the caller passes, with their own information.

use environment::{Catalogue, Environment, Outcome, TaskError, TaskInfo, TaskOptions, Timing};
use random::Stream;
use train::{Film, Frames, PlayOptions, TrainError, WhoPlays};

/// Frames of an episode.
const EPISODE: u32 = 12;

/// A black image that nothing changes; the task `broken` cannot start an episode.
struct Still {
    info: TaskInfo,
    frames: u32,
}

impl Environment for Still {
    fn info(&self) -> &TaskInfo {
        &self.info
    }

    fn reset(&mut self, _: &mut Stream, image: &mut [u8]) -> Result<(), TaskError> {
        if self.info.name == "broken" {
            return Err(TaskError::NoEpisode { task: self.info.name.clone() });
        }
        image.fill(0);
        self.frames = 0;
        Ok(())
    }

    fn step(&mut self, action: &[f32], _: &mut [u8]) -> Result<Outcome, TaskError> {
        self.info.check_action(action)?;
        self.frames += self.info.timing.action_repeat;
        let truncated = self.frames >= self.info.timing.frame_limit;
        Ok(Outcome { reward: 1.0, terminal: false, truncated, frames: self.info.timing.action_repeat })
    }
}

/// Still images with these names, of which an action is held for four frames of a quarter of a second.
struct Stills(Vec<TaskInfo>);

impl Stills {
    fn new(names: &[&str]) -> Self {
        let timing = Timing { action_repeat: 4, frame_limit: EPISODE, frame_seconds: 0.25 };
        Self(names.iter().map(|name| TaskInfo { timing, ..TaskInfo::new(name, "wait", 2) }).collect())
    }
}

impl Catalogue for Stills {
    fn tasks(&self) -> &[TaskInfo] {
        &self.0
    }

    fn make(&self, name: &str, _: &TaskOptions) -> Result<Box<dyn Environment>, TaskError> {
        let info = self.0.iter().find(|info| info.name == name).ok_or_else(|| self.unknown(name))?;
        Ok(Box::new(Still { info: info.clone(), frames: 0 }))
    }
}

fn random(task: Option<&str>) -> PlayOptions {
    let task = task.map(str::to_owned);
    PlayOptions {
        policy: WhoPlays::Random,
        task,
        settings: Vec::new(),
        film: Film::No,
        evaluation: None,
        episodes: 2,
        seed: 0,
    }
}

#[test]
fn all_tasks_are_those_of_the_catalogue_and_keep_their_own_time() {
    let plays = train::play(&Stills::new(&["one", "two"]), &random(None), |_| true).unwrap();
    assert_eq!(plays.iter().map(|plays| plays.task.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    for plays in plays {
        assert_eq!((plays.lengths, plays.returns), (vec![Frames(12); 2], vec![3.0; 2]));
        assert_eq!((plays.step_seconds, plays.last.unwrap().action_size()), (1.0, 2));
    }
}

#[test]
fn an_unknown_task_is_answered_with_the_nearest_of_the_catalogue() {
    let error = train::play(&Stills::new(&["one", "two"]), &random(Some("tow")), |_| true).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("did you mean \"two\"? All tasks: one, two"), "{message}");
}

#[test]
fn an_episode_that_cannot_start_is_an_error() {
    let error = train::play(&Stills::new(&["broken"]), &random(None), |_| true).unwrap_err();
    assert!(matches!(&error, TrainError::Task(TaskError::NoEpisode { task }) if task == "broken"), "{error}");
}
