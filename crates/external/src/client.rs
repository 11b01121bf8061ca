//! [`ExternalEnvironment`]: an environment whose steps happen in another process.

use crate::ExternalError;
use crate::child::{Child, Lost};
use crate::name::Server;
use crate::protocol::{
    Hello, Info, Kind, Malformed, ObservationBytes, Stepped, decode_info, encode_handshake, numbers, to_bytes,
};
use crate::python::Python;
use environment::{ActionSpace, Environment, Outcome, Outside, TaskError, TaskInfo, TaskOptions, external_folder};
use random::Stream;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Seeds are below 2^31: many programs cannot use larger ones.
const SEEDS: usize = 1 << 31;

/// The most bytes of the arguments of an external environment: every pipe holds as many.
const LONGEST_ARGUMENTS: usize = 32_768;

/// Seconds that an external environment may take to open at least, even if the setting is lower: it may load much
/// before it can answer.
const OPENING: u64 = 60;

/// Steps after which an episode that was begun to see whether it is repeatable is left.
const PROBE: usize = 20;

/// An external environment.
#[derive(Debug)]
pub struct ExternalEnvironment {
    info: TaskInfo,
    /// Ended after a failure.
    child: Option<Child>,
    /// Seconds that it may take for an answer.
    seconds: u64,
    vector: Vec<f32>,
    payload: Vec<u8>,
    frames: u32,
    agent_steps: u32,
    running: bool,
}

impl ExternalEnvironment {
    /// Opens the environment called `name`: starts its program, asks for its description, and tries whether it is
    /// repeatable.
    ///
    /// # Errors
    /// If the program cannot be started, is not an external environment, or is one that this version cannot use.
    pub(crate) fn open(name: &str, server: &Server, options: &TaskOptions) -> Result<Self, ExternalError> {
        let folder = external_folder();
        let (mut command, next) = match server {
            Server::Python => {
                let python = Python::find(folder.as_deref());
                (python.serve(name), python.next)
            }
            Server::Program(file) => {
                // A name without a folder is a file here, and not a command of the system.
                let file = match &folder {
                    Some(folder) => folder.join(file),
                    None if file.components().count() > 1 => file.clone(),
                    None => Path::new(".").join(file),
                };
                let next = what_to_do(&file);
                (Command::new(file), next)
            }
        };
        if let Some(folder) = folder {
            command.current_dir(folder);
        }
        Self::start(name, command, options, &next)
    }

    /// Opens the environment called `name` that `command` serves.
    ///
    /// # Errors
    /// As for any external environment.
    pub fn of_command(name: &str, command: Command, options: &TaskOptions) -> Result<Self, ExternalError> {
        Self::start(name, command, options, "check its path")
    }

    fn start(name: &str, command: Command, options: &TaskOptions, next: &str) -> Result<Self, ExternalError> {
        let hello = encode_handshake(&Hello::of(options));
        if hello.len() > LONGEST_ARGUMENTS {
            let (task, bytes, most) = (name.to_owned(), hello.len(), LONGEST_ARGUMENTS);
            return Err(ExternalError::Arguments { task, bytes, most });
        }
        let program = command.get_program().into();
        let child = Child::start(command).map_err(|source| {
            let (task, next) = (name.to_owned(), next.to_owned());
            ExternalError::Start { task, program, source, next }
        })?;
        let mut environment = Self {
            info: TaskInfo::new(name, "an external environment", 1),
            child: Some(child),
            seconds: options.timeout.max(OPENING),
            vector: Vec::new(),
            payload: Vec::new(),
            frames: 0,
            agent_steps: 0,
            running: false,
        };
        let Info { name: own, programs, observations, actions, timing, repeatable, notes } =
            environment.ask(Kind::Hello, &hello, "while it was opened", |kind, payload| match kind {
                Kind::Info => decode_info(payload),
                other => Err(Malformed::OutOfPlace { found: other.name(), expected: "info or error" }),
            })?;
        environment.seconds = options.timeout;
        let (name, description) =
            (name.to_owned(), if own.is_empty() { "an external environment".to_owned() } else { own });
        let outside = Outside { programs, repeatable, notes };
        environment.info = TaskInfo { name, description, observations, actions, timing, outside: Some(outside) };
        if repeatable {
            environment.try_repeating()?;
        }
        Ok(environment)
    }

    /// Plays the beginning of an episode twice, and records whether both were the same.
    fn try_repeating(&mut self) -> Result<(), ExternalError> {
        let first = self.probe()?;
        let same = first == self.probe()?;
        self.running = false;
        if let Some(outside) = &mut self.info.outside {
            outside.repeatable = same;
        }
        Ok(())
    }

    /// All that is seen and earned in the beginning of an episode with a fixed seed and fixed actions.
    fn probe(&mut self) -> Result<Vec<u8>, ExternalError> {
        let (space, size) = (self.info.observations, self.info.actions.size);
        let mut random = Stream::new(0, "repeatable");
        let mut image = vec![0; space.image_bytes()];
        let mut seen = Vec::new();
        self.begin(1, &mut image)?;
        for _ in 0..PROBE {
            seen.extend(&image);
            to_bytes(&self.vector, &mut seen);
            let action: Vec<f32> = (0..size).map(|_| random.uniform_in(-1.0, 1.0) as f32).collect();
            let Outcome { reward, terminal, truncated, frames } = self.act(&action, &mut image)?;
            to_bytes(&[reward, f32::from(terminal), f32::from(truncated)], &mut seen);
            seen.extend(frames.to_le_bytes());
            if terminal || truncated {
                break;
            }
        }
        seen.extend(&image);
        to_bytes(&self.vector, &mut seen);
        Ok(seen)
    }

    /// Sends a request and reads the answer. After a failure, the process is ended.
    fn ask<T>(
        &mut self,
        kind: Kind,
        payload: &[u8],
        during: &str,
        read: impl FnOnce(Kind, &[u8]) -> Result<T, Malformed>,
    ) -> Result<T, ExternalError> {
        let task = &self.info.name;
        let patience = Duration::from_secs(self.seconds);
        let Some(child) = &mut self.child else { return Err(ExternalError::Ended { task: task.clone() }) };
        let answer =
            child.send(kind, payload).and_then(|()| child.receive(patience)).and_then(|(kind, payload)| match kind {
                Kind::Error => Ok(Err(String::from_utf8_lossy(payload).into_owned())),
                kind => read(kind, payload).map(Ok).map_err(Lost::Malformed),
            });
        let error = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(text)) => ExternalError::Failed { task: task.clone(), during: during.to_owned(), text },
            Err(lost) => ExternalError::lost(task, during, self.seconds, lost),
        };
        self.running = false;
        if let (Some(mut child), false) = (self.child.take(), matches!(error, ExternalError::Failed { .. })) {
            // One that reported an error itself may end by itself; others are not waited for.
            child.kill();
        }
        Err(error)
    }

    /// Begins the episode of a seed.
    fn begin(&mut self, seed: u64, image: &mut [u8]) -> Result<(), ExternalError> {
        let space = self.info.observations;
        let mut vector = std::mem::take(&mut self.vector);
        let answer = self.ask(Kind::Reset, &seed.to_le_bytes(), "in reset", |kind, payload| {
            if kind != Kind::Observation {
                return Err(Malformed::OutOfPlace { found: kind.name(), expected: "observation or error" });
            }
            keep(ObservationBytes::decode(payload, &space)?, image, &mut vector);
            Ok(())
        });
        self.vector = vector;
        (self.frames, self.agent_steps, self.running) = (0, 0, answer.is_ok());
        answer
    }

    /// Acts; the action has been checked.
    fn act(&mut self, action: &[f32], image: &mut [u8]) -> Result<Outcome, ExternalError> {
        let space = self.info.observations;
        let (mut vector, mut payload) = (std::mem::take(&mut self.vector), std::mem::take(&mut self.payload));
        payload.clear();
        if self.info.actions.is_discrete() {
            payload.extend((ActionSpace::choice(action) as u32).to_le_bytes());
        } else {
            payload.extend(action.iter().flat_map(|element| element.clamp(-1.0, 1.0).to_le_bytes()));
        }
        self.agent_steps += 1;
        let during = format!("in step {} of an episode", self.agent_steps);
        let most = self.info.timing.action_repeat;
        let answer = self.ask(Kind::Step, &payload, &during, |kind, payload| {
            if kind != Kind::Outcome {
                return Err(Malformed::OutOfPlace { found: kind.name(), expected: "outcome or error" });
            }
            let Stepped { reward, terminated, truncated, frames, observation } = Stepped::decode(payload, &space)?;
            if !(1..=most).contains(&frames) {
                let why = format!("it reported {frames} frames for the step, but an action is held for 1 to {most}");
                return Err(Malformed::Handshake { message: kind.name(), why });
            }
            keep(observation, image, &mut vector);
            Ok(Outcome { reward, terminal: terminated, truncated, frames })
        });
        (self.vector, self.payload) = (vector, payload);
        let outcome = answer?;
        self.frames = self.frames.saturating_add(outcome.frames);
        // A state from which nothing more can be earned is one whether or not the time is over, too.
        let late = outcome.truncated || self.frames >= self.info.timing.frame_limit;
        let outcome = Outcome { truncated: late && !outcome.terminal, ..outcome };
        self.running = !outcome.over();
        Ok(outcome)
    }
}

/// Copies an observation.
fn keep(observation: ObservationBytes<'_>, image: &mut [u8], vector: &mut Vec<f32>) {
    image.copy_from_slice(observation.image);
    vector.clear();
    vector.extend(numbers(observation.vector));
}

/// The next step if the system does not start the program in `file`.
fn what_to_do(file: &Path) -> String {
    use std::os::unix::fs::PermissionsExt;
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let step =
                "this file does not exist: give the path of an executable file, such as program:./my-environment";
            return step.to_owned();
        }
        Err(_) => return "check the path".to_owned(),
    };
    if metadata.is_dir() {
        return "it is a folder: give the path of an executable file in it".to_owned();
    }
    if !metadata.is_file() {
        return "it is a pipe or a device: give the path of an executable file".to_owned();
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return format!("it is not executable: chmod +x {}", file.display());
    }
    let mut start = Vec::new();
    // A file that cannot be read has no first line.
    let _ = std::fs::File::open(file).and_then(|file| file.take(256).read_to_end(&mut start));
    let start = String::from_utf8_lossy(&start).into_owned();
    match start.lines().next().and_then(|line| line.strip_prefix("#!")) {
        Some(interpreter) => format!("check that the interpreter in its first line ({}) exists", interpreter.trim()),
        None => "it is neither a program of this machine nor a script: a script needs a first line such as \
                 #!/usr/bin/env python3"
            .to_owned(),
    }
}

impl Environment for ExternalEnvironment {
    fn info(&self) -> &TaskInfo {
        &self.info
    }

    fn reset(&mut self, random: &mut Stream, image: &mut [u8]) -> Result<(), TaskError> {
        let seed = random.below(SEEDS) as u64;
        Ok(self.begin(seed, image)?)
    }

    fn step(&mut self, action: &[f32], image: &mut [u8]) -> Result<Outcome, TaskError> {
        self.info.check_action(action)?;
        if !self.running {
            return Err(TaskError::NoEpisode { task: self.info.name.clone() });
        }
        Ok(self.act(action, image)?)
    }

    fn vector(&self) -> &[f32] {
        &self.vector
    }
}
