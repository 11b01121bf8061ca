//! `dreamgraft inspect`: describes a run, a checkpoint, an export, or all runs in a folder.

use crate::args::outside::Inspect;
use crate::exit::{Exit, Failure};
use crate::print;
use dreamer::{Cell, Latent};
use serde_json::{Value, json};
use std::path::Path;
use study::results::{Results, RunResult};
use train::{About, Learned, Policy, TrainError, find_learned};
use transfer::SourceProvenance;
use wording::{bytes, counted, grouped, rounded};

/// Describes the run, checkpoint, export or folder at a path.
///
/// # Errors
/// If there is neither a run nor an agent.
pub fn inspect(typed: &Inspect) -> Result<Exit, Failure> {
    let place = &typed.place;
    let is_run = place.join(files::layout::CONFIG).is_file();
    let learned = find_learned::<Policy>(place);
    let lines = match learned {
        Ok((learned, damaged)) => {
            let run = is_run.then(|| run_at(place)).flatten();
            let mut lines = of_agent(&learned, run.as_ref(), typed.json)?;
            if !typed.json {
                lines.extend(damaged.iter().map(|damaged| format!("damaged       {}", damaged.why.damage())));
            }
            lines
        }
        // A folder with runs in it, or a run without a checkpoint.
        Err(TrainError::NoCheckpoint { .. }) if place.is_dir() && Results::read(place).is_ok() => {
            let results = Results::read(place)?;
            results.runs.iter().map(|run| of_run(&results, run, typed.json)).collect()
        }
        Err(error) => return Err(error.into()),
    };
    Ok(print::done(lines.iter().try_for_each(|line| print::line(line)))?)
}

/// The results of the run in a folder.
fn run_at(folder: &Path) -> Option<RunResult> {
    Results::read(folder).ok()?.runs.pop()
}

/// The last evaluation of each task.
fn last_returns(run: &RunResult) -> Vec<(String, f64)> {
    let last = |series: &study::results::Series| Some((series.task.clone(), series.evaluation.points().last()?.value));
    run.series.iter().filter_map(last).collect()
}

fn of_agent(learned: &Learned<Policy>, run: Option<&RunResult>, as_json: bool) -> Result<Vec<String>, Failure> {
    let Learned { path, about, agent } = learned;
    let About { tasks, frames, external, .. } = about;
    let config = agent.config();
    let parameters = agent.parameters();
    let numbers: u64 = parameters.iter().map(|one| parameters.values(one).len() as u64).sum();
    let returns = run.map(last_returns).unwrap_or_default();
    let state = train::checkpoint::state_of(path);
    if as_json {
        let object = json!({
            "agent": path, "tasks": tasks, "frames": frames, "updates": agent.updates(), "parameters": numbers,
            "action_size": agent.action_size(), "worlds": external, "config": config,
            "last_return": returns.iter().cloned().map(|(task, value)| (task, json!(value))).collect::<serde_json::Map<_, _>>(),
            "best_return": state.iter().flat_map(|state| state.best_evaluations()).map(|(task, value, frames)| {
                (task.to_owned(), json!({"return": value, "frames": frames}))
            }).collect::<serde_json::Map<_, _>>(),
            "finished": run.map(RunResult::finished),
            "guide": run.and_then(|run| run.guide.as_ref()).map(|record| &record.guide),
            "rehearsal": run.and_then(|run| run.rehearsal.as_ref()),
        });
        return Ok(vec![object.to_string()]);
    }
    let mut lines = vec![
        format!("agent         {}", path.display()),
        format!("tasks         {}", tasks.join(", ")),
        format!("trained       {}, {}", frames.counted(), counted(agent.updates(), "gradient step")),
        format!(
            "parameters    {} numbers ({}): depth {}, stoch {}, deter {}, units {}",
            grouped(numbers),
            bytes(4 * numbers),
            config.depth,
            match config.latent {
                Latent::Gaussian => config.stoch.to_string(),
                Latent::Categorical => format!("{} x {}", config.stoch, config.classes),
            },
            match config.cell {
                Cell::Gru => config.deter.to_string(),
                Cell::BlockGru => format!("{} in {}", config.deter, counted(config.blocks as u64, "block")),
            },
            config.units
        ),
        format!("actions       {}", agent.action_size()),
    ];
    for environment in external {
        let repeatable = if environment.repeatable { "repeatable" } else { "not repeatable" };
        let programs =
            if environment.programs.is_empty() { String::new() } else { format!("{}, ", environment.programs) };
        lines.push(format!("environment   {}: {programs}{repeatable}", environment.task));
    }
    for (task, value) in returns {
        lines.push(format!("last return   {} in {task}", rounded(value, 1)));
    }
    for (task, value, frames) in state.iter().flat_map(|state| state.best_evaluations()) {
        lines.push(format!("best return   {} in {task}, at {}", rounded(value, 1), frames.counted()));
    }
    if let Some(report) = run.and_then(|run| run.transfer.as_ref()) {
        for source in &report.sources {
            lines.push(format!("began with    {} ({})", source.provenance.path.display(), report.plan));
        }
    }
    if let Some(record) = run.and_then(|run| run.guide.as_ref()) {
        let SourceProvenance { file, tasks, sha256, .. } = &record.guide;
        lines.push(format!("guided by     {} ({}, sha256 {sha256:.12})", file.display(), tasks.join("+")));
    }
    if let Some(record) = run.and_then(|run| run.rehearsal.as_ref()) {
        let (folder, tasks, share) = (record.folder.display(), record.tasks.join("+"), record.share);
        lines.push(format!(
            "rehearses     {} of {folder} ({tasks}), share {share}",
            counted(record.episodes, "episode")
        ));
    }
    if let Some(run) = run {
        let state = if run.finished() { "finished" } else { "not finished" };
        lines.push(format!("run           {state}, seed {}, {} requested", run.seed, counted(run.steps, "frame")));
        lines.extend(run.problems.iter().map(|problem| format!("note          {problem}")));
    }
    Ok(lines)
}

/// A line about one of several runs.
fn of_run(results: &Results, run: &RunResult, as_json: bool) -> String {
    let folder = results.root.join(&run.folder);
    let state = train::checkpoint::newest_state(&folder);
    let frames = state.as_ref().map_or(0, |state| state.position.frames.0);
    let returns = last_returns(run);
    if as_json {
        let returns: serde_json::Map<String, Value> =
            returns.into_iter().map(|(task, value)| (task, json!(value))).collect();
        return json!({
            "run": folder, "tasks": run.tasks, "seed": run.seed, "frames": frames, "steps": run.steps,
            "finished": run.finished(), "last_return": returns,
        })
        .to_string();
    }
    if run.steps == u64::MAX {
        let why = run.problems.first().map_or("its config.toml cannot be read", String::as_str);
        return format!("{}  {}  {why}", folder.display(), counted(frames, "frame"));
    }
    let beyond = frames > run.steps;
    let returns: Vec<String> = returns.iter().map(|(_, value)| rounded(*value, 1)).collect();
    let returns = if returns.is_empty() { String::new() } else { format!("  return {}", returns.join(", ")) };
    let steps = run.steps;
    let progress = if beyond {
        format!("{} ({} requested)", counted(frames, "frame"), grouped(steps))
    } else {
        format!("{} of {}", grouped(frames), counted(steps, "frame"))
    };
    format!("{}  {progress}{returns}", folder.display())
}
