//! The dreamgraft program: arguments in, meaning out, exit codes.

mod args;
mod console;
mod device;
mod exit;
mod inheritance;
mod meaning;
mod plays;
mod print;
mod report;
mod request;
mod shell;
mod signals;
mod study;
mod waiting;
mod watch;

use args::{Command, Typed};
use clap::Parser;
use console::Console;
use exit::{Exit, Failure};
use meaning::Training;
use std::io::Write;
use std::process::ExitCode;
use train::{Device, End, PlayEvent, PlayOptions, SimdInstructionSet, TrainError};
use wording::rounded;

fn main() -> ExitCode {
    let typed = match Typed::try_parse() {
        Ok(typed) => typed,
        Err(error) => {
            // Help and version are printed to stdout; a closed one is no error.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8));
        }
    };
    let end = run(typed.command).unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "error: {error}");
        Exit::from(&error)
    });
    ExitCode::from(end as u8)
}

fn run(command: Command) -> Result<Exit, Failure> {
    SimdInstructionSet::from_environment()?;
    match command {
        Command::Train(typed) => train(&typed),
        Command::Eval(typed) => Ok(play(&meaning::evaluation(&typed), &typed.results)?),
        Command::Play(typed) => Ok(play(&meaning::playing(&typed), &typed.results)?),
        Command::Transfer(args::Transfer::Plan(typed)) => transfer_plan(&typed),
        Command::Study(typed) => study::study(&typed),
        Command::Watch(typed) => watch::watch(&typed),
        Command::Bench(typed) => bench(&typed),
        Command::Tasks => Ok(tasks()?),
        Command::Completions(typed) => Ok(shell::completions(&typed)?),
        Command::Man(typed) => Ok(shell::manual(&typed)?),
    }
}

fn train(typed: &args::Train) -> Result<Exit, Failure> {
    let request = request::of(typed)?;
    let Training { root, config, plan } = Training::new(&request)?;
    let interrupted = signals::interrupted().map_err(|source| TrainError::Signals { source })?;
    let mut console = Console::new();
    let device = device::open(request.device.as_deref())?;
    if let Some(device) = &device {
        console.line(&format!("gradient steps on {}", device.description()));
    }
    let place = device.as_ref().map(|device| device as &dyn Device);
    let mut waited = false;
    let end = loop {
        match train::train(&root, &config, plan.as_ref(), place, &interrupted, &mut console) {
            Err(TrainError::Busy { path, process }) if request.wait => {
                if !std::mem::replace(&mut waited, true) {
                    let folder = path.display();
                    console.line(&format!("{folder} is in use by process {process}, which is waited for"));
                }
                if !waiting::until_free(&root, &interrupted) {
                    console.line("stopped while waiting; the same command waits again");
                    return Ok(Exit::Stopped);
                }
            }
            other => break other?,
        }
    };
    match end {
        End::Finished { frames } => console.line(&format!(
            "finished at step {frames}; `dreamgraft eval {}` plays with the agent",
            root.display()
        )),
        End::FinishedBefore { frames } => console.line(&format!(
            "this run is finished: {} has {frames} frames, and {} were asked for; to train it for longer, give the same \
             command with --steps {}",
            root.display(),
            config.steps,
            2 * frames.0
        )),
        End::Stopped { frames, .. } => {
            console.line(&format!("stopped at step {frames}, checkpoint saved; the same command goes on from there"));
            return Ok(Exit::Stopped);
        }
    }
    Ok(Exit::Done)
}

/// Prints what a new agent would take from earlier ones.
fn transfer_plan(typed: &args::TransferPlan) -> Result<Exit, Failure> {
    let request = request::of_settings(&typed.settings, None, &typed.inherits)?;
    let config = request.configuration()?;
    let plan = inheritance::plan(&request.origin)?
        .ok_or_else(|| Failure::Words("there is nothing to transfer; give --from, --plan or --universal".to_owned()))?;
    let report = train::preview(&config, &plan)?;
    let mut text = if typed.json { report.to_json() } else { report.to_string() };
    for note in report.own_tasks(&config.tasks) {
        if typed.json {
            let _ = writeln!(std::io::stderr(), "note: {note}");
        } else {
            text.push_str(&format!("note: {note}\n"));
        }
    }
    Ok(done(print::line(text.trim_end()))?)
}

/// Plays, and prints what came of it: lines for people as it goes, or JSON at the end. Notes go to stderr.
fn play(options: &PlayOptions, results: &args::Results) -> Result<Exit, TrainError> {
    let mut printed = Ok(());
    let all = train::play(options, |told| {
        match told {
            PlayEvent::Note(text) => {
                let _ = writeln!(std::io::stderr(), "note: {text}");
            }
            PlayEvent::Episode { task, index, score, frames } if !results.json => {
                let (number, score) = (index + 1, rounded(score, 3));
                printed = print::line(&format!("{task}  episode {number:>3}  return {score}  {frames} frames"));
            }
            PlayEvent::Episode { .. } => {}
        }
        // Nobody waits for the other episodes if nobody can read of them.
        printed.is_ok()
    })?;
    let texts =
        all.iter().map(|plays| if results.json { plays::json(plays) } else { plays::summary(plays, &options.policy) });
    let end = done(printed.and_then(|()| texts.into_iter().try_for_each(|text| print::line(&text))))?;
    if let Some(path) = &results.video {
        for plays in &all {
            plays.write_video(&meaning::video_of(path, &plays.task, all.len() > 1))?;
        }
    }
    Ok(end)
}

fn bench(typed: &args::Bench) -> Result<Exit, Failure> {
    let config = meaning::benchmark(typed)?;
    let device = typed.device.open()?;
    let name = device.as_ref().map(cuda::Device::description);
    let named = name.as_deref().zip(device.as_ref().map(|device| device as &dyn Device));
    let measured = train::bench::measure((&typed.preset, &typed.set), &config, typed.steps, named)?;
    Ok(done(print::line(&measured.json()))?)
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
