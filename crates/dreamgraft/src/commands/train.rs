//! `dreamgraft train`: a run, with the console as its reporter.

use crate::args;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::meaning::Training;
use crate::{device, origin, request, signals, waiting};
use environment::Catalogue;
use train::{Device, End, Job, TrainError};
use wording::shell_path;

/// Trains an agent, or resumes a run, until it is finished or stopped.
///
/// # Errors
/// If the arguments cannot be used, or the run fails.
pub fn train(catalogue: &dyn Catalogue, typed: &args::train::Train) -> Result<Exit, Failure> {
    let request = request::of(typed)?;
    let Training { root, config, plan } = Training::new(&request, catalogue)?;
    let interrupted = signals::interrupted().map_err(|source| TrainError::Signals { source })?;
    let mut console = Console::new(typed.quiet);
    let device = device::open_named(request.device.as_deref())?;
    if let Some(device) = &device {
        console.line(&format!("gradient steps run on {}", device.description()));
    }
    let job = Job {
        root: &root,
        config: &config,
        plan: plan.as_ref(),
        support: request.support(),
        device: device.as_ref().map(|device| device as &dyn Device),
    };
    let mut waited = false;
    let end = loop {
        match train::train(catalogue, job, &interrupted, &mut console) {
            Err(TrainError::Busy { path, process, .. }) if request.wait => {
                if !std::mem::replace(&mut waited, true) {
                    let folder = path.display();
                    console.line(&format!("{folder} is in use by process {process}; waiting until it ends"));
                }
                if !waiting::until_free(&root, &interrupted) {
                    console.line("stopped while waiting; the same command waits again");
                    return Ok(Exit::Stopped);
                }
            }
            other => break other.map_err(|error| origin::with_preset(error, &request))?,
        }
    };
    match end {
        End::Finished { frames, rule } => {
            let why = rule.map(|rule| format!(", because {rule}")).unwrap_or_default();
            let root = shell_path(&root);
            console.line(&format!("finished at frame {frames}{why}; `dreamgraft eval {root}` evaluates the agent"));
        }
        End::FinishedBefore { frames, rule: Some(rule) } => console.line(&format!(
            "this run is already finished: {} ended at frame {frames}, because {rule}; to train it for longer, use the same \
             command with another value of that setting",
            root.display()
        )),
        End::FinishedBefore { frames, rule: None } => console.line(&format!(
            "this run is already finished: {} has {}, and this command asks for {}; to train it for longer, use the same \
             command with --steps {}",
            root.display(),
            frames.counted(),
            config.steps,
            2 * frames.0
        )),
        End::Stopped { frames, .. } => {
            console.line(&format!("stopped at frame {frames}, checkpoint saved; the same command resumes"));
            return Ok(Exit::Stopped);
        }
    }
    Ok(Exit::Done)
}
