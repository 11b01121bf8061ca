//! The beginning of a run: decided once, when its folder is locked.
//!
//! Here: [`begin`], which decides. Not here: the possible beginnings (`beginning`), and what a session does from there to its end
//! (`session`).

use super::session::Session;
use super::{End, identity};
use crate::TrainError;
use crate::agent::Trainable;
use crate::agent::environments::Environments;
use crate::beginning::{self, Beginning};
use crate::config::Config;
use crate::events::Reporter;
use crate::folder::checkpoint;
use crate::folder::{Opened, RunFolder};
use crate::streams::RunKey;
use dreamer::{AgentConfig, DreamerError};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use transfer::Plan;

/// Trains an agent in the run folder `root`, from the beginning (with the agent that `new_agent` creates from the
/// agent's configuration, its action size and the seed of the run's streams) or from its newest intact checkpoint,
/// until the run has its frames or `interrupted` is set. Runs on the current thread pool.
///
/// # Errors
/// [`TrainError`]; checkpoints that were written before stay intact in any case.
pub fn train_with<L: Trainable>(
    root: &Path,
    config: &Config,
    environments: Environments,
    new_agent: impl FnOnce(&AgentConfig, usize, u64) -> Result<L, DreamerError>,
    interrupted: &AtomicBool,
    reporter: &mut dyn Reporter,
) -> Result<End, TrainError> {
    environments.check_length(config)?;
    let action_size = environments.action_size();
    let new_run = || Ok((config.clone(), Beginning::New));
    let (folder, config, beginning) = begin(root, config, None, &environments, new_run)?;
    let session = Session { config: &config, folder, environments, device: None, interrupted, reporter };
    // Without a plan, only runs that began without one are continued.
    session.run(beginning, |config, _| Ok(new_agent(&config.agent, action_size, RunKey::of(config).seed())?))
}

/// Locks the run folder `root` and decides the beginning of its run. If the folder does not contain a run, `new_run`
/// gives the beginning, which is then recorded. Also returns the folder and the configuration of the run, which is
/// `config` with the changes of the transfer.
///
/// # Errors
/// If the folder cannot be used, or has a run of another configuration or transfer.
pub(crate) fn begin<L: Trainable>(
    root: &Path,
    config: &Config,
    plan: Option<&Plan>,
    environments: &Environments,
    new_run: impl FnOnce() -> Result<(Config, Beginning<L>), TrainError>,
) -> Result<(RunFolder, Config, Beginning<L>), TrainError> {
    match RunFolder::open(root, beginning::leftovers(root))? {
        Opened::New(mut folder) => {
            let (config, beginning) = new_run()?;
            // The configuration comes last: it makes the folder a run's.
            beginning::record(root, &beginning)?;
            folder.create(&config)?;
            Ok((folder, config, beginning))
        }
        Opened::Existing(folder, stored) => {
            let (config, transfer) = beginning::of_resumed_run(root, &stored, config, plan)?;
            folder.reopen(&stored, &config)?;
            let beginning = match checkpoint::newest::<L>(&folder.checkpoints())? {
                (Some(checkpoint), damaged) => {
                    identity::check(&checkpoint, &config, environments)?;
                    Beginning::Resumed { checkpoint: Box::new(checkpoint), damaged, transfer }
                }
                (None, _) => {
                    folder.refuse_lost_checkpoints(&stored, &config, *environments.action_repeat().start())?;
                    Beginning::BegunUnsaved { transfer }
                }
            };
            Ok((folder, config, beginning))
        }
    }
}
