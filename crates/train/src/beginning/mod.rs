//! The beginning of a run: a new agent, a transfer from earlier agents, or its own newest checkpoint.
//!
//! Here: [`Beginning`], the graft of a new run's agent, and the record of it in the run's folder; in `comparison`,
//! whether a plan is the one with which a run started; in `choose`, the choice of a source that a plan leaves open; in `trial`,
//! transfers from agents that do not exist yet. Not
//! here: the meaning of plans (`transfer`), and the decision which beginning a run has (`run::begin`).

mod choose;
mod comparison;
mod trial;

pub use comparison::check_run_of;
pub(crate) use comparison::{recorded_transfer, refuse};
pub use trial::{Planned, try_beginning};

use crate::TrainError;
use crate::agent::environments::Environments;
use crate::agent::footprint;
use crate::config::Config;
use crate::folder::checkpoint::{Damaged, Loaded};
use crate::streams::RunKey;
use dreamer::{Agent, AgentConfig};
use environment::Catalogue;
use files::layout::{TRANSFER_PLAN, TRANSFER_REPORT};
use std::path::{Path, PathBuf};
use transfer::{Grafted, Plan, Report, Sources, graft, write_record};

/// The beginning of a run. It is decided once, when the run folder is locked.
#[derive(Debug)]
pub(crate) enum Beginning<L> {
    /// A new run without transfer: its agent's parameters are random.
    New,
    /// A new run with transfer.
    Grafted {
        /// The agent, as the sources and the plan make it.
        agent: Box<L>,
        /// The transfer.
        transfer: Transferred,
    },
    /// A run that was stopped before its first checkpoint. Its agent is created again, random or grafted according to
    /// its record.
    BegunUnsaved {
        /// Its record of a transfer, if it began with one.
        transfer: Option<Transferred>,
    },
    /// A run that resumes from its newest usable checkpoint.
    Resumed {
        /// The checkpoint.
        checkpoint: Box<Loaded<L>>,
        /// Newer checkpoints, which cannot be used.
        damaged: Vec<Damaged>,
        /// Its record of a transfer, if it began with one.
        transfer: Option<Transferred>,
    },
}

/// A transfer: the plan, and the report of carrying it out.
#[derive(Debug)]
pub(crate) struct Transferred {
    pub plan: Plan,
    pub report: Report,
}

impl<L> Beginning<L> {
    /// Whether it is the beginning of a new run, in a folder that was none before.
    pub fn is_new(&self) -> bool {
        matches!(self, Self::New | Self::Grafted { .. })
    }

    /// The report of the transfer with which the agent started; `None` without transfer.
    pub fn report(&self) -> Option<&Report> {
        let transfer = match self {
            Self::New => None,
            Self::Grafted { transfer, .. } => Some(transfer),
            Self::BegunUnsaved { transfer } | Self::Resumed { transfer, .. } => transfer.as_ref(),
        };
        transfer.map(|transfer| &transfer.report)
    }

    /// The checkpoint that the run resumes from.
    pub fn checkpoint(&self) -> Option<&Loaded<L>> {
        match self {
            Self::Resumed { checkpoint, .. } => Some(checkpoint),
            _ => None,
        }
    }
}

/// The report of the transfer to a new run of `config` under `plan`. Nothing is trained or written.
///
/// # Errors
/// If a task is unknown, or the transfer cannot be done.
pub fn preview(catalogue: &dyn Catalogue, config: &Config, plan: &Plan) -> Result<Report, TrainError> {
    let environments = Environments::make(catalogue, config)?;
    let (config, action_size) = (environments.adapted(config)?, environments.action_size());
    footprint::check_agent(&config.agent, action_size)?;
    let (plan, choice) = choose::choose(catalogue, &config, plan, action_size)?;
    let report = grafted(&config, &plan, action_size)?.report;
    Ok(Report { choice, ..report })
}

/// The beginning of a new run of `config`, and its configuration with the changes of `plan` to the agent. Nothing is
/// written.
///
/// # Errors
/// If the transfer cannot be done, or parts of an agent without transfer are frozen.
pub(crate) fn of_new_run(
    catalogue: &dyn Catalogue,
    config: &Config,
    plan: Option<&Plan>,
    action_size: usize,
) -> Result<(Config, Beginning<Agent>), TrainError> {
    let mut config = config.clone();
    let Some(plan) = plan else {
        refuse_random_frozen(&config.agent)?;
        return Ok((config, Beginning::New));
    };
    let (plan, choice) = choose::choose(catalogue, &config, plan, action_size)?;
    let Grafted { agent, report } = grafted(&config, &plan, action_size)?;
    config.agent = agent.config().clone();
    let transfer = Transferred { plan: plan.into_owned(), report: Report { choice, ..report } };
    Ok((config, Beginning::Grafted { agent: Box::new(agent), transfer }))
}

/// The agent of a run of `config` under `plan`.
///
/// # Errors
/// If a source cannot be read, or the transfer cannot be done.
pub(crate) fn grafted(config: &Config, plan: &Plan, action_size: usize) -> Result<Grafted, TrainError> {
    Ok(graft(plan, &config.agent, action_size, RunKey::of(config).seed(), &Sources::open(plan)?)?)
}

/// The configuration with which the run in `root`, created with `stored`, resumes if `config` and `plan` are requested,
/// and the transfer with which it started. Nothing is transferred again: the folder contains a record, and the sources
/// may no longer exist.
///
/// # Errors
/// [`TrainError::OtherTransfer`] if the run began with another plan than `plan`.
pub(crate) fn of_resumed_run(
    root: &Path,
    stored: &Config,
    config: &Config,
    plan: Option<&Plan>,
) -> Result<(Config, Option<Transferred>), TrainError> {
    let mut config = config.clone();
    let transfer = comparison::recorded(root, plan)?;
    if let Some(Transferred { report, .. }) = &transfer {
        config.agent.frozen_encoder |= report.target.frozen_encoder;
        if let Some(meta_model) = &report.meta_model {
            config.agent.reward_sources.clone_from(&stored.agent.reward_sources);
            config.agent.reward_layers = meta_model.layers;
            config.agent.reward_sources_standardised = stored.agent.reward_sources_standardised;
            config.agent.reward_sources_l1 = stored.agent.reward_sources_l1;
        }
    }
    Ok((config, transfer))
}

/// Refuses a new agent without sources whose configuration freezes parts of it: that of a run with transfer, for example.
fn refuse_random_frozen(agent: &AgentConfig) -> Result<(), TrainError> {
    let frozen = [("reward_sources", !agent.reward_sources.is_empty()), ("frozen_encoder", agent.frozen_encoder)];
    match frozen.into_iter().find(|(_, set)| *set) {
        Some((key, _)) => Err(TrainError::FrozenAtRandom { key }),
        None => Ok(()),
    }
}

/// Names of the files that an interrupted start leaves of its transfer in `root`. A plan without a report is the user's.
pub(crate) fn leftovers(root: &Path) -> Vec<&'static str> {
    if root.join(TRANSFER_REPORT).exists() { vec![TRANSFER_REPORT, TRANSFER_PLAN] } else { Vec::new() }
}

/// Writes the record of a new run's transfer into `root`. Without a transfer, the record of a start that was interrupted is
/// removed.
///
/// # Errors
/// If a file cannot be written or removed.
pub(crate) fn record<L>(root: &Path, beginning: &Beginning<L>) -> Result<(), TrainError> {
    if let Beginning::Grafted { transfer: Transferred { plan, report }, .. } = beginning {
        return Ok(write_record(root, plan, report)?);
    }
    // The plan first, and each durably: after a loss of power, a plan without a report would look like the user's.
    [root.join(TRANSFER_PLAN), root.join(TRANSFER_REPORT)].into_iter().try_for_each(remove)
}

/// Removes the file at `path`, durably; none may be there.
///
/// # Errors
/// If it cannot be removed.
pub(crate) fn remove(path: PathBuf) -> Result<(), TrainError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    match std::fs::remove_file(&path).and_then(|()| files::sync_folder(folder)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(TrainError::io(path)(error)),
        _ => Ok(()),
    }
}
