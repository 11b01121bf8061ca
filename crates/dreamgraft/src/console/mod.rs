//! Prints the progress of a run to a terminal or a log file.
//!
//! Lines for people go to stdout, one for each line of metrics. If both stdout and stderr are terminals, a progress bar on
//! stderr shows the current activity; otherwise a normal line shows it once a minute, without control codes. Here: what is
//! printed when. The text of the lines is in `lines`, the bar in `bar`. Not here: the run itself (`train`).

mod bar;
mod lines;

use crate::print;
use bar::Bar;
use lines::{
    agent_line, best_line, evaluation_line, fitted_lines, guide_line, metrics_line, progress_line, rehearsal_line,
    split_line, time_left, transfer_lines,
};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};
use train::{Event, Frames, Phase, Position, Reporter, TimeLeft};
use wording::{counted, printable};

/// Time without output after which the current activity is written to a log file.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// A terminal, or any other stdout and stderr.
#[derive(Debug)]
pub struct Console {
    /// Whether only notes and warnings are printed.
    quiet: bool,
    /// Before the bar is shown, no line has to be cleared or drawn again.
    bar: Option<Bar>,
    /// When anything was last written.
    written: Instant,
    /// The number of gradient steps at the start of the current round of gradient steps.
    updates_from: Option<u64>,
    /// Whether a checkpoint of this session was reported.
    saved: bool,
    /// Frames from one checkpoint to the next.
    checkpoint_every: Frames,
    /// The name of the episodes before the first gradient step.
    first: &'static str,
}

impl Console {
    /// The program's stdout and stderr. A quiet one prints only notes and warnings, to stderr.
    pub fn new(quiet: bool) -> Self {
        // A terminal without cursor movements shows a log.
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let live = std::io::stdout().is_terminal() && std::io::stderr().is_terminal() && !dumb && !quiet;
        Self {
            quiet,
            bar: live.then(Bar::on_stderr),
            written: Instant::now(),
            updates_from: None,
            saved: false,
            checkpoint_every: Frames(0),
            first: "random",
        }
    }

    /// Writes a line to stdout, unless this is quiet. A stdout that is closed (`| head`) or full does not stop a run.
    pub fn line(&mut self, text: &str) {
        if self.quiet {
            return;
        }
        let write = || print::say(text);
        match &self.bar {
            Some(bar) => bar.aside(write),
            None => write(),
        }
        self.written = Instant::now();
    }

    /// Writes a line that a quiet run prints, too.
    fn remark(&mut self, kind: &str, text: &str) {
        if self.quiet {
            let _ = writeln!(std::io::stderr(), "{kind}: {}", printable(text));
        } else {
            self.line(&format!("{kind}: {text}"));
        }
    }

    fn progress(&mut self, phase: Phase, position: &Position, end: Frames, left: Option<TimeLeft>) {
        let from = match phase {
            Phase::Learn { .. } => *self.updates_from.get_or_insert(position.updates),
            _ => {
                self.updates_from = None;
                0
            }
        };
        let due = self.bar.as_ref().map_or_else(|| self.written.elapsed() >= REPORT_INTERVAL, Bar::is_due);
        if self.quiet || !due {
            return;
        }
        let doing = match phase {
            Phase::Prefill { .. } => format!("{} episode {}", self.first, position.episodes + 1),
            Phase::Collect { .. } => format!("episode {}", position.episodes + 1),
            Phase::Learn { due } => format!("gradient step {} of {}", position.updates - from + 1, due - from),
            Phase::Evaluate => "evaluation".to_owned(),
            Phase::Log | Phase::TooShort { .. } | Phase::Finish => return,
        };
        let left = left.map(|left| time_left(left, self.first));
        match &mut self.bar {
            Some(bar) => bar.show(position.frames, end, &doing, left),
            None => self.line(&progress_line(position.frames, end, &doing, left)),
        }
    }
}

impl Reporter for Console {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Begins { root, config, from } => {
                self.checkpoint_every = config.checkpoint.every;
                let begins = from.map_or_else(|| "new run".to_owned(), |frames| format!("resuming at frame {frames}"));
                let (root, tasks, steps) = (root.display(), config.tasks.join(", "), config.steps.counted());
                self.line(&format!(
                    "{begins} in {root}: {tasks}, {steps}, {}",
                    counted(train::threads(config.threads) as u64, "thread")
                ));
            }
            Event::Agent { parameters } => self.line(&agent_line(parameters)),
            Event::Transferred { report, begins: true } => {
                transfer_lines(report).iter().for_each(|line| self.line(line))
            }
            Event::Transferred { report, begins: false } => {
                let names: Vec<&str> = report.sources.iter().map(|source| &*source.name).collect();
                self.line(&format!("started with a transfer from {} ({})", names.join(", "), report.plan));
            }
            Event::Guided { record, begins } => {
                self.first = "guided";
                self.line(&guide_line(record, *begins));
            }
            Event::Rehearses { record, begins } => self.line(&rehearsal_line(record, *begins)),
            Event::Fitted { report } => fitted_lines(report).iter().for_each(|line| self.line(line)),
            Event::Note(text) => self.remark("note", text),
            Event::Warning(text) => self.remark("warning", text),
            Event::Progress { phase, position, end, left } => self.progress(*phase, position, *end, *left),
            Event::Metrics { frames, values, episodes, left } => {
                self.line(&metrics_line(*frames, values, *episodes, *left));
            }
            Event::Evaluated { frames, task, mean } => self.line(&evaluation_line(*frames, task, *mean)),
            Event::Best { frames, task, mean, path } => self.line(&best_line(*frames, *task, *mean, path)),
            // The later ones would repeat the message.
            Event::Saved { path } if !std::mem::replace(&mut self.saved, true) => {
                let every = self.checkpoint_every.counted();
                self.line(&format!("checkpoint {}; from now on, one every {every}", path.display()));
            }
            Event::Saved { .. } => {}
            Event::Spent { split } => self.line(&split_line(split)),
        }
    }
}
