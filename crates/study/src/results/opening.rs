//! Whether the first line of a run's metrics holds only the random episodes of its prefill.
//!
//! A run looks whether a line is due after its prefill, and then after each round of its own episodes. If the prefill is
//! shorter than `log.every`, the first line has episodes of the learning agent as well, and its mean return is not that of
//! random actions.

use super::Settings;

/// The first line of metrics with training returns.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FirstLine {
    /// Environment frames of the run.
    pub frames: f64,
    /// Gradient steps so far.
    pub updates: Option<f64>,
    /// Frames of a round of one episode of each task.
    pub round: Option<f64>,
}

/// Why the first line of a run of `tasks` tasks may hold episodes of the learning agent; `None` if it holds only random ones.
pub fn not_only_random(settings: &Settings, tasks: usize, line: &FirstLine) -> Option<String> {
    let number = |key: &'static str| {
        let value = settings.get(key).and_then(|text| text.parse::<f64>().ok());
        value.ok_or_else(|| {
            format!("its config.toml does not have the number {key}, which gives the length of its random episodes")
        })
    };
    let decided = || -> Result<Option<String>, String> {
        let [log_every, prefill] = [number("log.every")?, number("schedule.prefill_frames")? * tasks.max(1) as f64];
        let [every, updates] = [number("schedule.train_every")?, number("schedule.train_updates")?];
        let pretrained = number("schedule.pretrain_updates")?;
        let mixed = || {
            format!(
                "the first line of its metrics, at frame {}, also contains episodes of the learning agent (log.every \
                 is {log_every}, but the random episodes have {prefill} frames or slightly more)",
                line.frames
            )
        };
        // Gradient steps are earned by the agent's own episodes. The setting of log.every may have been changed since.
        let earned = line.updates.map(|count| count - pretrained);
        if earned.is_some_and(|earned| earned > 0.0) {
            return Ok(Some(mixed()));
        }
        let whole_rounds = settings.get("task.termination").is_some_and(|rule| **rule == *"fixed");
        let none_earned = earned.is_some()
            && updates > 0.0
            && whole_rounds
            && line.round.is_some_and(|round| round * updates >= every);
        Ok((log_every > prefill && !none_earned).then(mixed))
    };
    decided().unwrap_or_else(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(changes: &[(&str, &str)]) -> Settings {
        let usual = [
            ("log.every", "1000"),
            ("schedule.prefill_frames", "5000"),
            ("schedule.train_every", "1000"),
            ("schedule.train_updates", "100"),
            ("schedule.pretrain_updates", "100"),
            ("task.termination", "fixed"),
        ];
        usual.iter().chain(changes).map(|(key, value)| ((*key).into(), (*value).into())).collect()
    }

    const LINE: FirstLine = FirstLine { frames: 5000.0, updates: Some(100.0), round: Some(1000.0) };

    #[test]
    fn a_line_that_is_due_after_the_prefill_is_random() {
        assert_eq!(not_only_random(&settings(&[]), 1, &LINE), None);
        let unknown = FirstLine { updates: None, round: None, ..LINE };
        assert_eq!(not_only_random(&settings(&[("log.every", "5000")]), 1, &unknown), None);
        assert_eq!(
            not_only_random(&settings(&[("log.every", "10000")]), 2, &LINE),
            None,
            "5000 frames of each of two tasks"
        );
    }

    #[test]
    fn a_line_that_is_due_later_is_not() {
        let late = FirstLine { frames: 20_000.0, updates: Some(1600.0), ..LINE };
        let why = not_only_random(&settings(&[("log.every", "20000")]), 1, &late).unwrap();
        assert!(why.contains("at frame 20000") && why.contains("log.every is 20000"), "{why}");
        // The setting was changed when the run was resumed; the line shows it.
        assert!(not_only_random(&settings(&[]), 1, &late).is_some());
        // No line was due after a prefill that had enough episodes but fewer frames than requested.
        let few_frames = settings(&[("log.every", "4000"), ("schedule.prefill_frames", "0")]);
        assert_eq!(not_only_random(&few_frames, 1, &LINE), None);
        // Where episodes may end early, an episode may be too short to earn a gradient step.
        let stock = [("log.every", "4000"), ("schedule.prefill_frames", "0"), ("task.termination", "stock")];
        assert!(not_only_random(&settings(&stock), 1, &LINE).is_some());
    }

    #[test]
    fn missing_keys_of_a_configuration_are_named() {
        for key in ["log.every", "schedule.prefill_frames", "schedule.pretrain_updates"] {
            let mut settings = settings(&[]);
            settings.remove(key);
            let why = not_only_random(&settings, 1, &LINE).unwrap();
            assert!(why.contains(key), "{why}");
        }
    }
}
