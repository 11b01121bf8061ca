//! The settings that a name which is none of them may stand for.
//!
//! Here: names of other programs, last parts of names, and names that are mistyped. Not here: messages about them
//! (`error`).

use super::tables::{paths, table_of};
use super::{Config, size};

/// Names that other programs give to settings of this one. `*` stands for any beginning of a name.
const ELSEWHERE: [(&str, &str); 22] = [
    ("lr", "*_learning_rate"),
    ("learning_rate", "*_learning_rate"),
    ("model_lr", "agent.model_learning_rate"),
    ("actor_lr", "agent.actor_learning_rate"),
    ("critic_lr", "agent.value_learning_rate"),
    ("value_lr", "agent.value_learning_rate"),
    ("batch_size", "agent.batch"),
    ("batch_length", "agent.length"),
    ("sequence_length", "agent.length"),
    ("seq_len", "agent.length"),
    ("gamma", "agent.discount"),
    ("imag_horizon", "agent.horizon"),
    ("num_threads", "threads"),
    ("workers", "threads"),
    ("num_workers", "threads"),
    ("frames", "steps"),
    ("timesteps", "steps"),
    ("total_timesteps", "steps"),
    ("num_steps", "steps"),
    ("max_steps", "steps"),
    ("buffer_size", "replay.budget"),
    ("replay_size", "replay.budget"),
];

/// The settings that `typed` means by its last part: that of a setting, or one that other programs use. Empty if it means
/// none for certain.
pub fn settings_meant(typed: &str) -> Vec<String> {
    let last = typed.rsplit('.').next().unwrap_or(typed).replace('-', "_").to_ascii_lowercase();
    let known = known();
    let ends_in = |ending: &str| known.iter().filter(|path| path.ends_with(ending)).cloned().collect::<Vec<_>>();
    let same = known.iter().filter(|path| path.rsplit('.').next() == Some(&*last)).cloned().collect::<Vec<_>>();
    if !same.is_empty() {
        return same;
    }
    match ELSEWHERE.iter().find(|(name, _)| *name == last) {
        Some((_, here)) => match here.strip_prefix('*') {
            Some(ending) => ends_in(ending),
            None => vec![(*here).to_owned()],
        },
        None => Vec::new(),
    }
}

/// The names of all settings, and of what stands for several.
fn known() -> Vec<String> {
    let mut known = paths(&table_of(&Config::default()));
    known.push(size::KEY.to_owned());
    known
}

/// Whether there is a setting of this name.
pub(super) fn is_setting(key: &str) -> bool {
    known().iter().any(|path| path == key)
}

/// [`settings_meant`], or the setting whose name is most like `typed`; empty if none is like it.
pub(super) fn nearest(typed: &str) -> Vec<String> {
    let meant = settings_meant(typed);
    if !meant.is_empty() {
        return meant;
    }
    let known = known();
    wording::nearest(typed, known.iter().map(String::as_str)).map(str::to_owned).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_programs_and_last_parts_find_settings() {
        let rates = ["agent.actor_learning_rate", "agent.model_learning_rate", "agent.value_learning_rate"];
        assert_eq!(settings_meant("agent.learning_rate"), rates);
        assert_eq!(settings_meant("lr"), rates);
        assert_eq!(settings_meant("batch-size"), ["agent.batch"]);
        assert_eq!(settings_meant("horizon"), ["agent.horizon"]);
        assert_eq!(settings_meant("size"), ["agent.size"]);
        assert_eq!(settings_meant("every"), ["checkpoint.every", "log.every"]);
        assert!(settings_meant("horison").is_empty());
        assert_eq!(nearest("horison"), ["agent.horizon"]);
    }

    #[test]
    fn every_name_of_another_program_stands_for_a_setting() {
        let known = paths(&table_of(&Config::default()));
        for (name, _) in ELSEWHERE {
            let meant = settings_meant(name);
            assert!(!meant.is_empty() && meant.iter().all(|path| known.contains(path)), "{name}: {meant:?}");
        }
    }
}
