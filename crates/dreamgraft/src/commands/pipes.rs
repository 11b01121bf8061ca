//! `dreamgraft serve` and `dreamgraft act`: a task or an agent for another program, over standard input and output.

use crate::args::outside::{Act, Serve};
use crate::exit::{Exit, Failure};
use environment::{ActionSpace, Catalogue, Observation, ObservationSpace, TaskInfo};
use external::protocol::{Hello, Kind, Malformed, ObservationBytes, encode_handshake, numbers, to_bytes};
use external::{NotSent, Pipes, served_info};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use train::streams::EvaluationStreams;
use train::{ActMode, Learned, Policy, TrainError, find_learned};

/// Serves a task until the other side ends. A seed gives the start of the first episode that `eval --seed` would play.
///
/// # Errors
/// If there is no such task, or a pipe breaks.
pub fn serve(catalogue: &dyn Catalogue, typed: &Serve) -> Result<Exit, Failure> {
    catalogue.check(&typed.task).map_err(TrainError::from)?;
    let starts = |seed| EvaluationStreams::asked_for(seed, 0).starts;
    over_pipes(|pipes| external::serve(pipes, |options| catalogue.make(&typed.task, options), starts))
}

/// Serves an agent until the other side ends. A seed gives the draws of the first episode that `eval --seed` would play.
///
/// # Errors
/// If there is no such agent, or a pipe breaks.
pub fn act(catalogue: &dyn Catalogue, typed: &Act) -> Result<Exit, Failure> {
    let (learned, _) = find_learned::<Policy>(&typed.run)?;
    let task = match &typed.task {
        Some(task) => task.clone(),
        None => learned.about.tasks.first().cloned().unwrap_or_default(),
    };
    let info = info_of(catalogue, &learned, &task)?;
    over_pipes(|pipes| answer(pipes, &learned.agent, &info))
}

/// The observations and actions of an agent in a task that it was trained for.
fn info_of(catalogue: &dyn Catalogue, learned: &Learned<Policy>, task: &str) -> Result<TaskInfo, Failure> {
    let about = &learned.about;
    if !about.tasks.iter().any(|known| known == task) {
        let known = about.tasks.join(", ");
        return Err(Failure::Arguments(format!(
            "--task {task}: the agent was trained for {known}; choose one of these"
        )));
    }
    if let Some(external) = about.external.iter().find(|external| external.task == task) {
        let (observations, actions) = (external.observations, external.actions.clone());
        return Ok(TaskInfo { observations, actions, ..TaskInfo::new(task, "", 1) }.with(&about.task));
    }
    match catalogue.tasks().iter().find(|info| info.name == task) {
        Some(info) => Ok(info.clone().with(&about.task)),
        None => Err(TrainError::from(catalogue.unknown(task)).into()),
    }
}

/// Answers requests for actions.
fn answer(pipes: &mut Pipes<'_>, policy: &Policy, info: &TaskInfo) -> io::Result<()> {
    let mut state = policy.begin();
    let mut random = EvaluationStreams::asked_for(0, 0).actions;
    let mut reply = Vec::new();
    let observed = policy.config().observation_space();
    while let Some((kind, payload)) = pipes.receive()? {
        reply.clear();
        let answered = match kind {
            Kind::Close => return Ok(()),
            Kind::Hello => Hello::decode(payload).map_err(|error| error.to_string()).map(|_| {
                reply = encode_handshake(&served_info(info).to_json());
                Kind::Info
            }),
            Kind::Reset => external::seed(payload).map(|seed| {
                (state, random) = (policy.begin(), EvaluationStreams::asked_for(seed, 0).actions);
                Kind::Ready
            }),
            Kind::Act => seen(payload, &info.observations, observed.vector).map(|(image, vector)| {
                let observation = Observation { image, vector: &vector };
                policy.act(&mut state, observation, ActMode::Evaluate, &mut random);
                own_action(&state.action, &info.actions, &mut reply);
                Kind::Action
            }),
            other => Err(format!("an agent does not answer the message {}", other.name())),
        };
        match answered {
            Ok(kind) => pipes.send(kind, &reply)?,
            Err(why) => pipes.refuse(&why)?,
        }
    }
    Ok(())
}

/// The image of an observation, and its vector, padded to `size` numbers.
fn seen<'a>(payload: &'a [u8], space: &ObservationSpace, size: usize) -> Result<(&'a [u8], Vec<f32>), String> {
    let ObservationBytes { image, vector } =
        ObservationBytes::decode(payload, space).map_err(|error| error.to_string())?;
    let mut vector: Vec<f32> = numbers(vector).collect();
    vector.resize(size, 0.0);
    Ok((image, vector))
}

/// Appends the task's own part of an action, which may have been padded.
fn own_action(action: &[f32], space: &ActionSpace, reply: &mut Vec<u8>) {
    let own = &action[..space.size.min(action.len())];
    if space.is_discrete() {
        reply.extend((ActionSpace::choice(own) as u32).to_le_bytes());
    } else {
        to_bytes(own, reply);
    }
}

/// Does `work` over the pipes that this process was started with.
fn over_pipes(work: impl FnOnce(&mut Pipes<'_>) -> io::Result<()>) -> Result<Exit, Failure> {
    let pipe = |name: &str, source| TrainError::Io { path: name.into(), source };
    // Not through the buffers of the standard library: they hold lines, and messages are none.
    let input = io::stdin().as_fd().try_clone_to_owned().map_err(|error| pipe("standard input", error))?;
    let output = io::stdout().as_fd().try_clone_to_owned().map_err(|error| pipe("standard output", error))?;
    let (mut input, mut output) = (File::from(input), File::from(output));
    match work(&mut Pipes::new(&mut input, &mut output)) {
        // Whoever asked has heard enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(error) => Err(match error.downcast::<Malformed>() {
            Ok(Malformed::NotAFrame(text)) => Failure::Arguments(format!(
                "standard input has {text:?} where a message of the protocol must begin. This command is for programs; from \
                 Python, use dreamgraft.load(RUN) or gymnasium.make(\"dreamgraft/TASK-v0\")"
            )),
            Ok(other) => Failure::Arguments(format!("standard input has a message that cannot be answered: {other}")),
            Err(error) => match error.downcast::<NotSent>() {
                Ok(NotSent(source)) => Failure::Output { source },
                Err(error) => pipe("standard input", error).into(),
            },
        }),
        Ok(()) => Ok(Exit::Done),
    }
}
