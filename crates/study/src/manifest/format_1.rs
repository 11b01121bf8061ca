//! Lines of manifests of format 1, which had a run's arguments and not its request.

use super::{Entry, Role, arguments_of};
use serde::Deserialize;
use std::path::PathBuf;
use train::{Frames, Origin, RunRequest};

/// A run, as a line of format 1 has it. The fields are those of [`Entry`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    index: usize,
    role: Role,
    tasks: Vec<String>,
    method: String,
    source: Option<String>,
    seed: u64,
    steps: u64,
    folder: PathBuf,
    after: Vec<usize>,
    arguments: Vec<String>,
}

/// The run of a line.
///
/// # Errors
/// The problem.
pub fn entry(line: &str) -> Result<Entry, String> {
    let Line { index, role, tasks, method, source, seed, steps, folder, after, arguments } =
        serde_json::from_str(line).map_err(|error| error.to_string())?;
    // The comparison detects anything that was ignored.
    let request = request(&arguments).filter(|request| arguments_of(request) == arguments);
    let request = request.ok_or("a study does not create runs with these arguments")?;
    Ok(Entry { index, role, tasks, method, source, seed, steps, folder, after, pilot: None, request, arguments })
}

/// The request that studies of that format typed these arguments for; `None` if they typed others.
fn request(arguments: &[String]) -> Option<RunRequest> {
    let (command, rest) = arguments.split_first()?;
    let options = rest.iter().position(|word| word.starts_with("--")).unwrap_or(rest.len());
    let (tasks, options) = rest.split_at(options);
    let mut request = RunRequest::new(tasks.to_vec(), "");
    let (mut plan, mut fraction, mut from, mut encoder, mut rewards) = (None, None, None, None, Vec::new());
    for option in options.chunks(2) {
        let [name, value] = option else { return None };
        match &**name {
            "--preset" => request.preset.clone_from(value),
            "--set" => request.settings.push(value.clone()),
            "--steps" => request.steps = Some(Frames(value.parse().ok()?)),
            "--seed" => request.seed = Some(value.parse().ok()?),
            "--logdir" => request.folder = Some(value.into()),
            "--plan" => plan = Some(value.into()),
            "--fraction" => fraction = Some(value.parse().ok()?),
            "--from" => from = Some(value.into()),
            "--universal" => encoder = Some(value.into()),
            "--reward-from" => rewards.push(value.into()),
            _ => return None,
        }
    }
    request.origin = match (from, plan, encoder) {
        (None, None, None) => Origin::Random,
        (Some(from), plan, None) => Origin::Agent { from, plan, fraction, untrained: false },
        (None, Some(plan), None) => Origin::Plan { plan, fraction },
        (None, None, Some(encoder)) => {
            Origin::Universal { encoder, rewards, any_encoder: false, untrained: false, plan: None }
        }
        _ => return None,
    };
    (command == "train").then_some(request)
}
