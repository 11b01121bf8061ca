//! The lines of text about a run.
//!
//! Here: texts. Not here: when and where they are printed.

use std::path::Path;
use std::time::Duration;
use train::{Episodes, Frames, GuideRecord, RehearsalRecord, Split, TimeLeft};
use transfer::Report;
use transfer::report::{FittedFraction, SourceFraction};
use wording::{counted, grouped, rounded, shell_path, significant};

/// `agent: 1 234 567 parameters (encoder 83 000, dynamics 290 000, ...)`.
pub fn agent_line(parameters: &[(&str, u64)]) -> String {
    let whole = counted(parameters.iter().map(|(_, count)| count).sum(), "parameter");
    let parts: Vec<String> = parameters.iter().map(|(part, count)| format!("{part} {}", grouped(*count))).collect();
    format!("agent: {whole} ({})", parts.join(", "))
}

/// `frame 41 000  evaluation  hopper  return 512`.
pub fn evaluation_line(frames: Frames, task: &str, mean: f64) -> String {
    format!("frame {frames}  evaluation  {task}  return {}", score(mean))
}

/// `the best evaluation with a checkpoint was that at frame 41 000, return 512; ...`.
pub fn best_line(frames: Frames, task: Option<&str>, mean: f64, path: &Path) -> String {
    let of = task.map(|task| format!(" of {task}")).unwrap_or_default();
    let (mean, path) = (score(mean), shell_path(path));
    format!(
        "the best evaluation{of} with a checkpoint was that at frame {frames}, return {mean}; `dreamgraft eval {path}` evaluates \
         that agent"
    )
}

/// A return as people read it: small ones with decimals.
fn score(mean: f64) -> String {
    rounded(mean, if mean.abs() < 10.0 { 2 } else { 0 })
}

/// `frame 41 000 of 100 000  gradient step 3 of 200  1 h 20 min left`; `left` is the text of [`time_left`].
pub fn progress_line(frames: Frames, end: Frames, doing: &str, left: Option<String>) -> String {
    let left = left.map(|left| format!("  {left}")).unwrap_or_default();
    format!("frame {frames} of {end}  {doing}{left}")
}

/// `1 h 20 min left`, or `12 s of random episodes left`; `first` names the episodes before the first gradient step.
pub fn time_left(left: TimeLeft, first: &str) -> String {
    match left {
        TimeLeft::Run(left) => format!("{} left", duration(left)),
        TimeLeft::FirstEpisodes(left) => format!("{} of {first} episodes left", duration(left)),
    }
}

/// The guide of a run that begins, or resumes: `guided by hopper, 100 000 frames: runs/hopper/small/0/...`.
pub fn guide_line(record: &GuideRecord, begins: bool) -> String {
    let guide = &record.guide;
    let frames = guide.frames.map(|frames| format!(", {}", counted(frames, "frame"))).unwrap_or_default();
    let (tasks, file) = (guide.tasks.join("+"), guide.file.display());
    let how = if begins { "the first episodes are guided by" } else { "started with episodes that are guided by" };
    format!("{how} an agent of {tasks}{frames}: {file}")
}

/// The transfer with which a run starts, in a few lines: the sources, and how many parameters are copied in full, in
/// part, and not at all.
pub fn transfer_lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(report.choice.as_ref().map(|choice| format!("source: {}", choice.line())));
    for source in &report.sources {
        let (tasks, file) = (source.provenance.tasks.join("+"), source.provenance.file.display());
        let after =
            source.provenance.frames.map(|frames| format!(", {}", counted(frames, "frame"))).unwrap_or_default();
        let tasks = if tasks.is_empty() { tasks } else { format!(", {tasks}") };
        lines.push(format!("transfer from {}{tasks}{after}: {file}", source.name));
    }
    let totals = &report.totals;
    let counts = [
        ("in full", totals.full),
        ("in a soup", totals.soup),
        ("by a fraction", totals.fraction),
        ("interpolated", totals.interpolated),
        ("random", totals.random),
        ("frozen", totals.frozen),
    ];
    let counts = counts.into_iter().filter(|(_, count)| count.parts > 0).map(|(name, count)| {
        format!("{} {name} ({})", counted(count.parts as u64, "part"), counted(count.numbers as u64, "number"))
    });
    lines.push(format!("transfer by {}: {}", report.plan, counts.collect::<Vec<_>>().join(", ")));
    if let Some(meta_model) = &report.meta_model {
        let (sources, how) = (meta_model.sources.join(", "), meta_model.how());
        lines.push(format!("the reward model reads the reward models of {sources}{how}"));
    }
    lines
}

/// The rehearsal of a run that begins, or resumes: `rehearses 82 episodes of hopper, 41 000 transitions, from
/// runs/hopper/small/0: ...`.
pub fn rehearsal_line(record: &RehearsalRecord, begins: bool) -> String {
    let (episodes, tasks) = (counted(record.episodes, "episode"), record.tasks.join("+"));
    let (transitions, folder) = (counted(record.transitions, "transition"), record.folder.display());
    let copied = if begins { "copied from" } else { "which came from" };
    let share = record.share;
    format!("rehearses {episodes} of {tasks} ({transitions}), {copied} {folder}: a share of {share} of the sequences")
}

/// The fractions that were fitted, a line for each head: `reward: fraction 0.37 of ant; mean squared error 0.41, 0.92 without`.
pub fn fitted_lines(report: &Report) -> Vec<String> {
    let line = |fitted: &FittedFraction| {
        let of_source = |one: &SourceFraction| format!("{:.3} of {}", one.fraction, one.source);
        let fractions: Vec<String> = fitted.sources.iter().map(of_source).collect();
        let errors = format!("{} instead of {}", significant(fitted.error), significant(fitted.error_of_random));
        let why = if fitted.is_chance() {
            "the improvement by larger fractions could be chance".to_owned()
        } else {
            format!("error {errors}")
        };
        format!(
            "fitted the fraction of the {} to {}: {} ({why})",
            fitted.head,
            counted(fitted.episodes as u64, "episode"),
            fractions.join(", "),
        )
    };
    report.fractions.iter().map(line).collect()
}

/// `frame 41 000  return 512  11.2 gradient steps/s  replay 82 episodes, 0.5 GB  1 h 20 min left`; once the budget of
/// the replay memory is full, `replay 82 of 90 episodes, 0.5 GB`. Returns of random and of guided episodes are marked
/// as such.
pub fn metrics_line(frames: Frames, values: &[(String, f64)], episodes: Episodes, left: Option<TimeLeft>) -> String {
    let value = |name: &str| values.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    let mut parts = vec![format!("frame {frames}")];
    for (name, mean) in values.iter().filter_map(|(name, mean)| Some((name.strip_prefix("train_return")?, mean))) {
        let task = name.strip_prefix('/').map(|task| format!("{task} ")).unwrap_or_default();
        let of = match episodes {
            Episodes::Random => " of random episodes",
            Episodes::Mixed => " with random episodes",
            Episodes::Guided => " of guided episodes",
            Episodes::MixedGuided => " with guided episodes",
            Episodes::Own => "",
        };
        parts.push(format!("{task}return {}{of}", score(*mean)));
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
    let over = |left: &TimeLeft| matches!(left, TimeLeft::Run(left) if left.as_secs() == 0);
    // A line of metrics comes after the first gradient step.
    parts.extend(left.filter(|left| !over(left)).map(|left| time_left(left, "random")));
    parts.join("  ")
}

/// `1 h 20 min: 94 % gradient steps, 4 % playing, 1 % evaluation, 0 % checkpoints, 1 % all else`.
pub fn split_line(split: &Split) -> String {
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
            metrics_line(Frames(41_000), &values, Episodes::Own, Some(TimeLeft::Run(Duration::from_secs(4859)))),
            "frame 41 000  return 512  11.2 gradient steps/s  replay 82 episodes, 0.5 GB  1 h 20 min left"
        );
        assert_eq!(metrics_line(Frames(1000), &values[1..2], Episodes::Own, None), "frame 1 000");
        let few = [("replay_episodes", 3.0), ("replay_bytes", 1.85e7)].map(|(name, value)| (name.to_owned(), value));
        assert_eq!(metrics_line(Frames(1000), &few, Episodes::Own, None), "frame 1 000  replay 3 episodes, 18 MB");
    }

    #[test]
    fn the_best_evaluation_is_named_with_its_checkpoint() {
        let line = |task| best_line(Frames(41_000), task, 512.4, Path::new("a b/0000041000"));
        let rest = " with a checkpoint was that at frame 41 000, return 512; `dreamgraft eval 'a b/0000041000'` evaluates that agent";
        assert_eq!(line(None), format!("the best evaluation{rest}"));
        assert_eq!(line(Some("ant")), format!("the best evaluation of ant{rest}"));
    }

    #[test]
    fn small_returns_have_decimals() {
        let small = [-9.876, 0.0, 0.125, 10.4].map(|mean| evaluation_line(Frames(1), "a", mean));
        let returns = small.each_ref().map(|line| line.rsplit(' ').next().unwrap());
        assert_eq!(returns, ["-9.88", "0.00", "0.12", "10"]);
    }

    #[test]
    fn returns_of_random_episodes_are_marked() {
        let values = [("train_return/a".to_owned(), -90.0), ("train_return/b".to_owned(), 10.0)];
        let line = |episodes| metrics_line(Frames(5000), &values, episodes, None);
        assert_eq!(
            line(Episodes::Random),
            "frame 5 000  a return -90 of random episodes  b return 10 of random episodes"
        );
        assert_eq!(
            line(Episodes::Mixed),
            "frame 5 000  a return -90 with random episodes  b return 10 with random episodes"
        );
        assert_eq!(line(Episodes::Own), "frame 5 000  a return -90  b return 10");
        assert_eq!(
            line(Episodes::Guided),
            "frame 5 000  a return -90 of guided episodes  b return 10 of guided episodes"
        );
        assert!(line(Episodes::MixedGuided).ends_with("b return 10 with guided episodes"));
    }

    #[test]
    fn the_agent_is_introduced_with_the_sizes_of_its_parts() {
        assert_eq!(
            agent_line(&[("encoder", 83_000), ("actor", 1_500_000)]),
            "agent: 1 583 000 parameters (encoder 83 000, actor 1 500 000)"
        );
    }

    #[test]
    fn the_time_left_says_of_what() {
        for first in ["random", "guided"] {
            let left = time_left(TimeLeft::FirstEpisodes(Duration::from_secs(12)), first);
            assert_eq!(
                progress_line(Frames(2000), Frames(9000), "episode 3", Some(left)),
                format!("frame 2 000 of 9 000  episode 3  12 s of {first} episodes left")
            );
        }
        assert_eq!(progress_line(Frames(0), Frames(9000), "evaluation", None), "frame 0 of 9 000  evaluation");
    }

    #[test]
    fn a_line_of_metrics_counts_dropped_episodes() {
        let line = |dropped| {
            let values = [("replay_episodes", 1324.0), ("replay_bytes", 2e9), ("replay_dropped", dropped)];
            metrics_line(Frames(1000), &values.map(|(name, value)| (name.to_owned(), value)), Episodes::Own, None)
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
