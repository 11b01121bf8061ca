//! The dreamgraft program: arguments in, meaning out, exit codes.

mod args;
mod console;
mod exit;
mod meaning;
mod print;
mod signals;

use args::{Command, Typed};
use clap::Parser;
use console::Console;
use exit::Exit;
use meaning::Training;
use std::io::Write;
use std::process::ExitCode;
use train::{End, EvaluateOptions, TrainError, grouped};

fn main() -> ExitCode {
    let typed = match Typed::try_parse() {
        Ok(typed) => typed,
        Err(error) => {
            // Help and version are printed to stdout; a closed one is no error.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8));
        }
    };
    let end = match typed.command {
        Command::Train(typed) => train(&typed),
        Command::Eval(typed) => evaluate(&typed),
        Command::Tasks => tasks(),
    };
    let end = end.unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "error: {error}");
        Exit::from(&error)
    });
    ExitCode::from(end as u8)
}

fn train(typed: &args::Train) -> Result<Exit, TrainError> {
    let Training { root, config } = Training::new(typed)?;
    let interrupted = signals::interrupted().map_err(|source| TrainError::Signals { source })?;
    let mut console = Console::new();
    let end = train::train(&root, &config, &interrupted, &mut console)?;
    match end {
        End::Finished { frames } => console.line(&format!(
            "finished at step {frames}; `dreamgraft eval {}` plays with the agent",
            root.display()
        )),
        End::FinishedBefore { frames } => console.line(&format!(
            "this run is finished: {} of {} frames in {}; to train it for longer, give the same command with --steps {}",
            frames,
            config.steps,
            root.display(),
            2 * frames.0
        )),
        End::Stopped { frames, .. } => {
            console.line(&format!("stopped at step {frames}, checkpoint saved; the same command goes on from there"));
            return Ok(Exit::Stopped);
        }
    }
    Ok(Exit::Done)
}

fn evaluate(typed: &args::Eval) -> Result<Exit, TrainError> {
    let options = EvaluateOptions { episodes: typed.episodes, seed: typed.seed, task: typed.task.clone() };
    let mut printed = Ok(());
    let evaluation = train::evaluate(&typed.run, &options, |index, score| {
        if !typed.json {
            printed = print::line(&format!("episode {:>3}  return {score:.3}", index + 1));
        }
        // Nobody waits for the other episodes if nobody can read of them.
        printed.is_ok()
    })?;
    if let Some(path) = &typed.video {
        evaluation.write_video(path)?;
    }
    let text = if typed.json {
        evaluation.json()
    } else {
        let (count, mean, deviation) = (evaluation.returns.len() as u64, evaluation.mean(), evaluation.deviation());
        let (frames, task) = (evaluation.frames, &evaluation.task);
        format!("{task}  {} episodes after {frames} frames  mean {mean:.3}  std {deviation:.3}", grouped(count))
    };
    done(printed.and_then(|()| print::line(&text)))
}

fn tasks() -> Result<Exit, TrainError> {
    let width = train::tasks().iter().map(|task| task.name.len()).max().unwrap_or(0);
    done(train::tasks().iter().try_for_each(|task| {
        let numbers =
            if task.action_size == 1 { "1 number".to_owned() } else { format!("{} numbers", task.action_size) };
        print::line(&format!("{:width$}  an action has {numbers}: {}", task.name, task.description))
    }))
}

/// The end of a command that printed results. A reader that closed stdout has seen enough: that is no error.
fn done(printed: std::io::Result<()>) -> Result<Exit, TrainError> {
    match printed {
        Err(source) if source.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(TrainError::Io { path: "stdout".into(), source })
        }
        _ => Ok(Exit::Done),
    }
}
