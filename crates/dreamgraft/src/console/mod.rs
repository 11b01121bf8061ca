//! Prints the progress of a run to a terminal or a log file.
//!
//! Lines for people go to stdout, one for each line of metrics. If both stdout and stderr are terminals, a last line
//! that is overwritten shows the current activity; otherwise a normal line shows it once a minute. Not here: the run
//! itself (`train`).

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};
use train::{Event, Frames, Phase, Position, Reporter, Split};
use transfer::Report;
use wording::{counted, grouped, printable, rounded};

/// Time between two updates of the status line on a terminal.
const REDRAW: Duration = Duration::from_millis(200);

/// Time without output after which the current activity is written to a log file.
const SILENCE: Duration = Duration::from_secs(60);

/// Clears the current line.
const CLEAR: &str = "\r\x1b[2K";

/// A terminal, or any other stdout and stderr.
#[derive(Debug)]
pub struct Console {
    /// Whether there is a status line that is overwritten.
    live: bool,
    /// Whether the status line is currently shown.
    drawn: bool,
    /// When anything was last written.
    written: Instant,
    /// The number of gradient steps at the start of the current round of gradient steps.
    updates_from: Option<u64>,
}

impl Console {
    /// The program's stdout and stderr.
    pub fn new() -> Self {
        Self {
            live: std::io::stdout().is_terminal() && std::io::stderr().is_terminal(),
            drawn: false,
            written: Instant::now(),
            updates_from: None,
        }
    }

    /// Writes a line to stdout. A closed stdout (`| head`) does not stop a run.
    pub fn line(&mut self, text: &str) {
        self.clear();
        let _ = writeln!(std::io::stdout(), "{}", printable(text));
        self.written = Instant::now();
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(std::io::stderr(), "{CLEAR}");
        }
    }

    fn draw(&mut self, text: &str) {
        let _ = write!(std::io::stderr(), "{CLEAR}{}", printable(text));
        (self.drawn, self.written) = (true, Instant::now());
    }

    fn progress(&mut self, phase: Phase, position: &Position, end: Frames) {
        let from = match phase {
            Phase::Learn { .. } => *self.updates_from.get_or_insert(position.updates),
            _ => {
                self.updates_from = None;
                0
            }
        };
        if self.written.elapsed() < if self.live { REDRAW } else { SILENCE } {
            return;
        }
        let doing = match phase {
            Phase::Prefill { .. } => format!("random episode {}", position.episodes + 1),
            Phase::Collect { .. } => format!("episode {}", position.episodes + 1),
            Phase::Learn { due } => format!("gradient step {} of {}", position.updates - from + 1, due - from),
            Phase::Evaluate => "evaluation".to_owned(),
            Phase::Log | Phase::TooShort { .. } | Phase::Finish => return,
        };
        let text = format!("frame {} of {end}  {doing}", position.frames);
        if self.live { self.draw(&text) } else { self.line(&text) }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Reporter for Console {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Begins { root, config, from } => {
                let begins = from.map_or_else(|| "new run".to_owned(), |frames| format!("resuming at frame {frames}"));
                let (root, tasks, steps) = (root.display(), config.tasks.join(", "), config.steps);
                self.line(&format!(
                    "{begins} in {root}: {tasks}, {steps} frames, {}",
                    counted(train::threads(config.threads) as u64, "thread")
                ));
            }
            Event::Transferred { report, begins: true } => {
                transfer_lines(report).iter().for_each(|line| self.line(line))
            }
            Event::Transferred { report, begins: false } => {
                let names: Vec<&str> = report.sources.iter().map(|source| &*source.name).collect();
                self.line(&format!("started with a transfer from {} ({})", names.join(", "), report.plan));
            }
            Event::Note(text) => self.line(&format!("note: {text}")),
            Event::Progress { phase, position, end } => self.progress(*phase, position, *end),
            Event::Metrics { frames, values, left } => self.line(&metrics_line(*frames, values, *left)),
            Event::Evaluated { frames, task, mean } => {
                self.line(&format!("frame {frames}  evaluation  {task}  return {}", rounded(*mean, 0)));
            }
            Event::Saved { path } => self.line(&format!("checkpoint {}", path.display())),
            Event::Spent { split } => self.line(&split_line(split)),
        }
    }
}

/// The transfer with which a run starts, in a few lines: the sources, and how many parameters are copied in full, in
/// part, and not at all.
fn transfer_lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for source in &report.sources {
        let (tasks, file) = (source.provenance.tasks.join("+"), source.provenance.file.display());
        let after = source.provenance.frames.map(|frames| format!(", {} frames", grouped(frames))).unwrap_or_default();
        let tasks = if tasks.is_empty() { tasks } else { format!(", {tasks}") };
        lines.push(format!("transfer from {}{tasks}{after}: {file}", source.name));
    }
    let totals = &report.totals;
    let counts = [
        ("in full", totals.full),
        ("by a fraction", totals.fraction),
        ("random", totals.random),
        ("frozen", totals.frozen),
    ];
    let counts = counts.into_iter().filter(|(_, count)| count.parts > 0).map(|(name, count)| {
        let parts = if count.parts == 1 { "part" } else { "parts" };
        format!("{} {parts} {name} ({} numbers)", count.parts, grouped(count.numbers as u64))
    });
    lines.push(format!("plan {}: {}", report.plan, counts.collect::<Vec<_>>().join(", ")));
    if let Some(meta_model) = &report.meta_model {
        lines.push(format!("the reward model reads the reward models of {}", meta_model.sources.join(", ")));
    }
    lines
}

/// `frame 41 000  return 512  11.2 gradient steps/s  replay 82 episodes, 0.5 GB  1 h 20 min left`; once the budget of
/// the replay memory is full, `replay 82 of 90 episodes, 0.5 GB`.
fn metrics_line(frames: Frames, values: &[(String, f64)], left: Option<Duration>) -> String {
    let value = |name: &str| values.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    let mut parts = vec![format!("frame {frames}")];
    for (name, mean) in values.iter().filter_map(|(name, mean)| Some((name.strip_prefix("train_return")?, mean))) {
        let task = name.strip_prefix('/').map(|task| format!("{task} ")).unwrap_or_default();
        parts.push(format!("{task}return {}", rounded(*mean, 0)));
    }
    if let Some(rate) = value("updates_per_second") {
        parts.push(format!("{rate:.1} gradient steps/s"));
    }
    if let (Some(episodes), Some(bytes)) = (value("replay_episodes"), value("replay_bytes")) {
        let size = if bytes < 1e8 { format!("{:.0} MB", bytes / 1e6) } else { format!("{:.1} GB", bytes / 1e9) };
        let dropped = value("replay_dropped").unwrap_or(0.0) as u64;
        let held = if dropped > 0 { format!("{} of ", grouped(episodes as u64)) } else { String::new() };
        parts.push(format!("replay {held}{}, {size}", counted(episodes as u64 + dropped, "episode")));
    }
    if let Some(left) = left.filter(|left| left.as_secs() > 0) {
        parts.push(format!("{} left", duration(left)));
    }
    parts.join("  ")
}

/// `1 h 20 min: 94 % gradient steps, 4 % playing, 1 % evaluation, 0 % checkpoints, 1 % all else`.
fn split_line(split: &Split) -> String {
    let [learning, playing, evaluating, saving] = split.shares.map(|share| 100.0 * share);
    let rest = (100.0 - learning - playing - evaluating - saving).max(0.0);
    format!(
        "{}: {learning:.0} % gradient steps, {playing:.0} % playing, {evaluating:.0} % evaluation, {saving:.0} % \
         checkpoints, {rest:.0} % all else",
        duration(split.whole)
    )
}

/// The two largest units of a time.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, _, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_metrics_is_for_people() {
        let values = [
            ("train_return", 511.6),
            ("kl", 3.1),
            ("updates_per_second", 11.23),
            ("replay_episodes", 82.0),
            ("replay_bytes", 5.04e8),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        assert_eq!(
            metrics_line(Frames(41_000), &values, Some(Duration::from_secs(4859))),
            "frame 41 000  return 512  11.2 gradient steps/s  replay 82 episodes, 0.5 GB  1 h 20 min left"
        );
        assert_eq!(metrics_line(Frames(1000), &values[1..2], None), "frame 1 000");
        let few = [("replay_episodes", 3.0), ("replay_bytes", 1.85e7)].map(|(name, value)| (name.to_owned(), value));
        assert_eq!(metrics_line(Frames(1000), &few, None), "frame 1 000  replay 3 episodes, 18 MB");
    }

    #[test]
    fn a_line_of_metrics_counts_dropped_episodes() {
        let line = |dropped| {
            let values = [("replay_episodes", 1324.0), ("replay_bytes", 2e9), ("replay_dropped", dropped)];
            metrics_line(Frames(1000), &values.map(|(name, value)| (name.to_owned(), value)), None)
        };
        assert_eq!(line(0.0), "frame 1 000  replay 1 324 episodes, 2.0 GB");
        assert_eq!(line(676.0), "frame 1 000  replay 1 324 of 2 000 episodes, 2.0 GB");
    }

    #[test]
    fn the_shares_of_time_are_printed_in_percent() {
        let split = Split { whole: Duration::from_secs(4859), shares: [0.9366, 0.041, 0.012, 0.003] };
        assert_eq!(
            split_line(&split),
            "1 h 20 min: 94 % gradient steps, 4 % playing, 1 % evaluation, 0 % checkpoints, 1 % all else"
        );
    }

    #[test]
    fn times_are_printed_in_their_two_largest_units() {
        for (seconds, text) in [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3_700, "1 h 1 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }
}
