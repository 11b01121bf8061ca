//! A session: the work of one process on a run, from the beginning that was decided for it to the end.
//!
//! Here: what is reported and cleaned up first, and the agent of each beginning. Not here: which beginning it is (`begin`), the state
//! of an earlier session (`restore`), and the loop (`Run::go`).

use super::{End, Run, identity};
use crate::TrainError;
use crate::agent::Trainable;
use crate::agent::environments::Environments;
use crate::beginning::Beginning;
use crate::config::{Config, KeptFiles};
use crate::events::{Event, Reporter};
use crate::folder::checkpoint::{self, Loaded};
use crate::folder::metrics_files::missing_lines;
use crate::folder::provenance::Arithmetic;
use crate::folder::{Left, RunFolder, stored_arithmetic};
use crate::output::metrics_lines;
use crate::support::{Support, remove_episodes};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use tape::plan::Device;
use transfer::{Plan, Report};

/// Reports the files that could not be removed, each once in a session.
pub(super) fn note_left(left: Vec<Left>, noted: &mut BTreeSet<PathBuf>, reporter: &mut dyn Reporter) {
    for left in left {
        let note = left.to_string();
        if noted.insert(left.path) {
            reporter.event(&Event::Note(&note));
        }
    }
}

/// One session: everything that a process needs to work on a run, but its agent and its beginning.
pub(crate) struct Session<'a> {
    pub config: &'a Config,
    pub folder: RunFolder,
    pub environments: Environments,
    /// The support of the run.
    pub support: Support,
    /// The device of the gradient steps; `None` for the CPU.
    pub device: Option<&'a dyn Device>,
    pub interrupted: &'a AtomicBool,
    pub reporter: &'a mut dyn Reporter,
}

impl Session<'_> {
    /// Runs from this beginning to the end. `first` makes the agent where neither a checkpoint nor a graft has it: a random one,
    /// or that of a recorded plan.
    ///
    /// # Errors
    /// [`TrainError`]; checkpoints that were written before stay intact in any case.
    pub fn run<L: Trainable>(
        mut self,
        beginning: Beginning<L>,
        first: impl FnOnce(&Config, Option<&Plan>) -> Result<L, TrainError>,
    ) -> Result<End, TrainError> {
        let mut left = BTreeSet::new();
        note_left(self.folder.clean()?, &mut left, self.reporter);
        if let Beginning::Resumed { damaged, checkpoint, .. } = &beginning {
            for damaged in damaged {
                let now = match checkpoint::set_aside(&damaged.path) {
                    Ok(aside) => format!("the damaged one was moved to {}", aside.display()),
                    Err(why) => {
                        format!("the damaged one stays where it is, because it cannot be moved: {why}")
                    }
                };
                let (what, from) = (damaged.why.damage(), checkpoint.path.display());
                self.reporter.event(&Event::Note(&format!("{what}. The run resumes from {from}; {now}")));
            }
        }
        if let Some(Loaded { state, .. }) = beginning.checkpoint()
            && state.is_finished(self.config)
        {
            let lines = state.metrics_lines;
            let found = metrics_lines(&self.folder.metrics());
            if found < lines {
                self.reporter.event(&Event::Note(&missing_lines(&self.folder.metrics(), found, lines)));
            }
            if self.config.replay.files == KeptFiles::UntilFinished {
                note_left(self.folder.remove_episodes()?, &mut left, self.reporter);
                remove_episodes(self.folder.root())?;
            }
            let frames = state.position.frames;
            let rule = if frames >= self.config.steps { None } else { state.rule(&self.config.stop) };
            return Ok(End::FinishedBefore { frames, rule });
        }
        if let Some(Loaded { state, .. }) = beginning.checkpoint()
            && (state.finished || self.config.replay.files == KeptFiles::UntilFinished)
        {
            self.folder.refuse_gone_episodes(state.position.episodes)?;
        }
        let before = stored_arithmetic(self.folder.root());
        let device = self.device.map(Device::name);
        self.folder.write_config(self.config, device.as_deref(), &self.environments.external)?;
        self.announce(&beginning, &before);
        let report = beginning.report();
        let meta_model = report.and_then(|report| report.meta_model.as_ref());
        let reward_sources = meta_model.map(|meta_model| meta_model.sources.clone()).unwrap_or_default();
        let fits = report.is_some_and(Report::fits);
        let (mut agent, state) = match beginning {
            Beginning::New => (first(self.config, None)?, None),
            Beginning::Grafted { agent, .. } => (*agent, None),
            Beginning::BegunUnsaved { transfer } => {
                (first(self.config, transfer.as_ref().map(|transfer| &transfer.plan))?, None)
            }
            Beginning::Resumed { checkpoint, .. } => {
                let Loaded { path, state, agent } = *checkpoint;
                (agent, Some((path, state)))
            }
        };
        // The one setting of an agent that may have changed since its checkpoint.
        agent.evaluate_by(self.config.agent.evaluation);
        self.reporter.event(&Event::Agent { parameters: &agent.parameter_counts() });
        if let Some(device) = self.device {
            agent.move_to(device)?;
        }
        let mut run = Run::restore(self, agent, state, (reward_sources, fits), left)?;
        run.check_sources_of_fit()?;
        let end = run.go();
        run.reporter.event(&Event::Spent { split: run.speed.split() });
        end.map_err(|error| if error.is_of_the_system() { run.halted(error) } else { error })
    }

    /// The note that random episodes alone take longer than the run is to be.
    fn much_prefill(&self) -> Option<String> {
        let (frames, steps) = (self.config.first_frames(), self.config.steps);
        (frames > steps.0).then(|| {
            format!(
                "the {} episodes at the start take {} frames (schedule.prefill_frames, for each task), more than \
                 the {steps} requested: the run will be longer, and learn little",
                self.support.first_episodes(),
                wording::grouped(frames)
            )
        })
    }

    /// Reports how the run begins: new or resumed, with which arithmetic if not with that of `before`, and from which agents.
    fn announce<L>(&mut self, beginning: &Beginning<L>, before: &Arithmetic) {
        let from = beginning.checkpoint().map(|checkpoint| checkpoint.state.position.frames);
        self.reporter.event(&Event::Begins { root: self.folder.root(), config: self.config, from });
        if let Some(change) = from.and_then(|_| before.change(&Arithmetic::here())) {
            self.reporter.event(&Event::Note(&change));
        }
        for note in &self.environments.notes {
            self.reporter.event(&Event::Note(note));
        }
        if let Some(note) = self.much_prefill().filter(|_| from.is_none()) {
            self.reporter.event(&Event::Note(&note));
        }
        let mut notes = Vec::new();
        let begins = from.is_none();
        if let Some(report) = beginning.report() {
            self.reporter.event(&Event::Transferred { report, begins });
            if let Some(choice) = report.choice.as_ref().filter(|choice| begins && choice.is_doubtful()) {
                notes.push(format!(
                    "an untrained agent ranks as high as {}, the first of the sources: none of them promises to help",
                    choice.chosen
                ));
            }
            notes.extend(report.own_tasks(&self.config.tasks));
            let sources = report.sources.iter().map(|source| (&*source.name, &*source.provenance.file));
            notes.extend(identity::shared_luck(sources, self.config).into_iter().filter(|_| begins));
        }
        if let Some(record) = &self.support.guided_by {
            self.reporter.event(&Event::Guided { record, begins });
            let guide = std::iter::once(("the guide", &*record.guide.file));
            notes.extend(identity::shared_luck(guide, self.config).into_iter().filter(|_| begins));
        }
        if let Some(rehearsed) = &self.support.rehearsed {
            self.reporter.event(&Event::Rehearses { record: &rehearsed.record, begins });
        }
        notes.iter().for_each(|note| self.reporter.event(&Event::Note(note)));
    }
}
