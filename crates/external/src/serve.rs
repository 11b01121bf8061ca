//! The other side: a built-in task, served to another program.

use crate::protocol::{
    HEADER, Header, Hello, Info, Kind, Malformed, VERSION, encode_handshake, encode_observation, encode_stepped,
    numbers,
};
use environment::{Environment, TaskError, TaskInfo, TaskOptions};
use random::Stream;
use std::io::{self, Read, Write};

/// That an answer could not be sent, as opposed to a request that could not be received.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct NotSent(pub io::Error);

/// The two pipes to the program that asks.
pub struct Pipes<'a> {
    input: &'a mut dyn Read,
    output: &'a mut dyn Write,
    frame: Vec<u8>,
    payload: Vec<u8>,
}

impl<'a> Pipes<'a> {
    /// Requests come from `input`, answers go to `output`.
    pub fn new(input: &'a mut dyn Read, output: &'a mut dyn Write) -> Self {
        Self { input, output, frame: Vec::new(), payload: Vec::new() }
    }

    /// The next request; `None` if there are no more.
    ///
    /// # Errors
    /// If the system refuses, or the bytes are not a request.
    pub fn receive(&mut self) -> io::Result<Option<(Kind, &[u8])>> {
        let mut header = [0; HEADER];
        match self.input.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let Header { length, kind } = Header::decode(&header).map_err(io::Error::other)?;
        self.payload.resize(length, 0);
        self.input.read_exact(&mut self.payload)?;
        Ok(Some((kind, &self.payload)))
    }

    /// Sends an answer.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn send(&mut self, kind: Kind, payload: &[u8]) -> io::Result<()> {
        self.frame.clear();
        Header::encode(kind, payload, &mut self.frame);
        let sent = self.output.write_all(&self.frame).and_then(|()| self.output.flush());
        sent.map_err(|error| io::Error::new(error.kind(), NotSent(error)))
    }

    /// Sends why there is no other answer.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn refuse(&mut self, why: &dyn std::fmt::Display) -> io::Result<()> {
        self.send(Kind::Error, why.to_string().as_bytes())
    }
}

/// The description of a served task or agent.
pub fn served_info(task: &TaskInfo) -> Info {
    Info {
        name: task.name.clone(),
        programs: format!("dreamgraft {}", env!("CARGO_PKG_VERSION")),
        observations: task.observations,
        actions: task.actions.clone(),
        timing: task.timing,
        repeatable: task.outside.as_ref().is_none_or(|outside| outside.repeatable),
        notes: Vec::new(),
    }
}

/// Serves the environment that `make` makes with the requested options, until the other side ends. `starts` gives the
/// stream of the episode that belongs to a seed.
///
/// # Errors
/// If a pipe breaks in the middle of a message, or does not hold messages.
pub fn serve(
    pipes: &mut Pipes<'_>,
    make: impl Fn(&TaskOptions) -> Result<Box<dyn Environment>, TaskError>,
    starts: impl Fn(u64) -> Stream,
) -> io::Result<()> {
    let mut environment: Option<Box<dyn Environment>> = None;
    let mut image = Vec::new();
    let mut answer = Vec::new();
    while let Some((kind, payload)) = pipes.receive()? {
        answer.clear();
        let answered = match (kind, &mut environment) {
            (Kind::Close, _) => return Ok(()),
            (Kind::Hello, _) => options(payload).and_then(|options| {
                let made = make(&options).map_err(|error| error.to_string())?;
                image = vec![0; made.info().observations.image_bytes()];
                answer = encode_handshake(&served_info(made.info()).to_json());
                environment = Some(made);
                Ok(Kind::Info)
            }),
            (Kind::Reset, Some(environment)) => seed(payload).and_then(|seed| {
                environment.reset(&mut starts(seed), &mut image).map_err(|error| error.to_string())?;
                encode_observation(&image, environment.vector(), &mut answer);
                Ok(Kind::Observation)
            }),
            (Kind::Step, Some(environment)) => action(payload, environment.info()).and_then(|action| {
                let outcome = environment.step(&action, &mut image).map_err(|error| error.to_string())?;
                encode_stepped(outcome.reward, outcome.terminal, outcome.truncated, outcome.frames, &mut answer);
                encode_observation(&image, environment.vector(), &mut answer);
                Ok(Kind::Outcome)
            }),
            (Kind::Reset | Kind::Step, None) => Err(format!("hello (version {VERSION}) comes before {}", kind.name())),
            (other, _) => Err(format!("an environment does not answer the message {}", other.name())),
        };
        match answered {
            Ok(kind) => pipes.send(kind, &answer)?,
            Err(why) => pipes.refuse(&why)?,
        }
    }
    Ok(())
}

/// The options of a request for one of our tasks: its arguments are the task's other options, such as `termination`.
fn options(payload: &[u8]) -> Result<TaskOptions, String> {
    let Hello { observe, action_repeat, frame_limit, arguments } =
        Hello::decode(payload).map_err(|error| error.to_string())?;
    let mut options: TaskOptions = serde_json::from_value(arguments.into())
        .map_err(|error| format!("the task's arguments cannot be used: {error}"))?;
    options.observe = observe;
    if action_repeat > 0 {
        options.action_repeat = action_repeat;
    }
    if frame_limit > 0 {
        options.frame_limit = frame_limit;
    }
    Ok(options)
}

/// The seed of a reset.
///
/// # Errors
/// If it has another length.
pub fn seed(payload: &[u8]) -> Result<u64, String> {
    let seed = payload.try_into().map_err(|_| format!("a seed has 8 bytes, not {}", payload.len()))?;
    Ok(u64::from_le_bytes(seed))
}

/// The action of a step, as the environment expects it.
fn action(payload: &[u8], info: &TaskInfo) -> Result<Vec<f32>, String> {
    let size = info.actions.size;
    let expected = if info.actions.is_discrete() { 4 } else { 4 * size };
    if payload.len() != expected {
        return Err(format!("an action of {} has {expected} bytes, not {}", info.name, payload.len()));
    }
    if !info.actions.is_discrete() {
        return Ok(numbers(payload).collect());
    }
    let index = u32::from_le_bytes(payload.try_into().expect("four bytes"));
    let mut action = vec![0.0; size];
    let chosen = action.get_mut(index as usize);
    *chosen.ok_or_else(|| Malformed::Choice { index, count: size }.to_string())? = 1.0;
    Ok(action)
}
