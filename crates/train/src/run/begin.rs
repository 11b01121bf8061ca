//! The beginning of a run: decided once, when its folder is locked.
//!
//! Here: [`begin`], which decides. Not here: the possible beginnings (`beginning`), and the work of a session from
//! there to its end (`session`).

use super::session::Session;
use super::{End, identity};
use crate::TrainError;
use crate::agent::Trainable;
use crate::agent::environments::{Environments, ExternalEnvironment};
use crate::beginning::{self, Beginning};
use crate::config::Config;
use crate::events::Reporter;
use crate::folder::checkpoint;
use crate::folder::{Opened, RunFolder};
use crate::run::schedule::Position;
use crate::streams::RunKey;
use crate::support::{self, Asked, Support};
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
    let new_run = || Ok(NewRun { config: config.clone(), beginning: Beginning::New, support: Support::default() });
    let (folder, NewRun { config, beginning, support }) =
        begin(root, config, None, Asked::default(), &environments, new_run)?;
    let session = Session { config: &config, folder, environments, support, device: None, interrupted, reporter };
    // Without a plan, only runs that began without one are continued.
    session.run(beginning, |config, _| Ok(new_agent(&config.agent, action_size, RunKey::of(config).seed())?))
}

/// A run at the beginning of a session: its configuration, its beginning, and its support.
pub(crate) struct NewRun<L> {
    pub config: Config,
    pub beginning: Beginning<L>,
    pub support: Support,
}

/// Locks the run folder `root` and decides the beginning of its run. If the folder does not contain a run, `new_run`
/// gives the beginning and the support, which are then recorded. Also returns the folder and the configuration of the
/// run, which is `config` with the changes of the transfer.
///
/// # Errors
/// If the folder cannot be used, or has a run of another configuration, transfer or support.
pub(crate) fn begin<L: Trainable>(
    root: &Path,
    config: &Config,
    plan: Option<&Plan>,
    asked: Asked<'_>,
    environments: &Environments,
    new_run: impl FnOnce() -> Result<NewRun<L>, TrainError>,
) -> Result<(RunFolder, NewRun<L>), TrainError> {
    let leftovers = [beginning::leftovers(root), support::leftovers(root)].concat();
    match RunFolder::open(root, &leftovers)? {
        Opened::New(mut folder) => {
            let run = new_run()?;
            // The configuration comes last: it makes the folder a run's.
            beginning::record(root, &run.beginning)?;
            run.support.record(root)?;
            folder.create(&run.config)?;
            Ok((folder, run))
        }
        Opened::Existing(folder, stored) => {
            // First, because another length of vectors would be a difference of settings that no user has set.
            if let Some(state) =
                checkpoint::newest_state(root).filter(|state| state.task.rules() == config.task.rules())
            {
                ExternalEnvironment::check_all(&state.external, &environments.external, root)?;
            }
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
            let start = Position::default();
            let position = beginning.checkpoint().map_or(&start, |checkpoint| &checkpoint.state.position);
            let support = Support::of_resumed_run(root, asked, (&config, position), environments.shapes())?;
            Ok((folder, NewRun { config, beginning, support }))
        }
    }
}
