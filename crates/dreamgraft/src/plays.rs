//! The results of `eval` and `play` for a task: a line of text, or a line of JSON.

use ::study::statistics::{deviation, mean};
use train::{Frames, Plays, WhoPlays, unsigned_zero};
use wording::{counted, rounded};

/// Mean of the episodes' lengths in frames; `None` without an episode.
fn mean_length(plays: &Plays) -> Option<f64> {
    mean(&plays.lengths.iter().map(|frames| frames.0 as f64).collect::<Vec<_>>())
}

/// `hopper  10 episodes after 100 000 frames, acting by the mode  mean return 512.000  std 31.250  mean length 1000.0 frames`.
/// The standard deviation is left out for a single episode.
pub fn summary(plays: &Plays, policy: &WhoPlays) -> String {
    let who = match (plays.trained, policy) {
        (Some(frames), _) => {
            let after = is_known(frames).then(|| format!("after {}", frames.counted()));
            let by = plays.evaluation.map(|evaluation| format!("acting by the {}", evaluation.name()));
            after.into_iter().chain(by).collect::<Vec<_>>().join(", ")
        }
        (None, WhoPlays::Zero) => "with zero actions".to_owned(),
        (None, _) => "with random actions".to_owned(),
    };
    let count = counted(plays.returns.len() as u64, "episode");
    let number = |value: f64| rounded(value, 3);
    let parts = [
        mean(&plays.returns).map(|mean| format!("mean return {}", number(mean))),
        deviation(&plays.returns).map(|deviation| format!("std {}", number(deviation))),
        mean_length(plays).map(|length| format!("mean length {} frames", rounded(length, 1))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{}  {count} {who}  {}", plays.task, parts.join("  "))
}

/// Whether an agent's frames are known: an agent's file alone does not have them, and every checkpoint has some.
fn is_known(frames: Frames) -> bool {
    frames.0 > 0
}

/// Everything but the last episode's images, as one line of JSON. `std` is null for a single episode.
pub fn json(plays: &Plays) -> String {
    value(plays).to_string()
}

/// The object of [`json`].
pub fn value(plays: &Plays) -> serde_json::Value {
    let returns: Vec<f64> = plays.returns.iter().map(|&score| unsigned_zero(score)).collect();
    let mut object = serde_json::json!({
        "task": plays.task,
        "policy": plays.policy,
        "seed": plays.seed,
        "episodes": returns.len(),
        "mean": mean(&returns),
        "std": deviation(&returns),
        "returns": returns,
        "lengths": plays.lengths,
    });
    if let Some(frames) = plays.trained {
        object["checkpoint"] = plays.policy.clone().into();
        object["frames"] = is_known(frames).then_some(frames.0).into();
    }
    if let Some(evaluation) = plays.evaluation {
        object["evaluation"] = evaluation.name().into();
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use train::Evaluation;

    fn plays(returns: &[f64]) -> Plays {
        Plays {
            task: "hopper".to_owned(),
            policy: "random".to_owned(),
            trained: None,
            evaluation: None,
            seed: 0,
            step_seconds: 0.033,
            returns: returns.to_vec(),
            lengths: vec![Frames(1000); returns.len()],
            last: None,
            imagined: None,
        }
    }

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let three = plays(&[1.0, 2.0, 3.0]);
        let text = summary(&three, &WhoPlays::Random);
        assert_eq!(
            text,
            "hopper  3 episodes with random actions  mean return 2.000  std 1.000  mean length 1000.0 frames"
        );
        let object: Value = serde_json::from_str(&json(&three)).unwrap();
        assert_eq!((object["mean"].as_f64(), object["std"].as_f64()), (Some(2.0), Some(1.0)));
    }

    #[test]
    fn one_episode_has_no_deviation() {
        let one = plays(&[-0.0]);
        let text = summary(&one, &WhoPlays::Zero);
        assert_eq!(text, "hopper  1 episode with zero actions  mean return 0.000  mean length 1000.0 frames");
        let object: Value = serde_json::from_str(&json(&one)).unwrap();
        assert_eq!((object["mean"].as_f64(), &object["std"]), (Some(0.0), &Value::Null));
    }

    #[test]
    fn the_line_names_how_a_trained_agent_acted() {
        let by = |evaluation| Plays { trained: Some(Frames(2000)), evaluation, ..plays(&[1.0]) };
        for (evaluation, part) in [
            (Some(Evaluation::Mode), "1 episode after 2 000 frames, acting by the mode  mean return 1.000"),
            (Some(Evaluation::Mean), "1 episode after 2 000 frames, acting by the mean  mean return 1.000"),
            (None, "1 episode after 2 000 frames  mean return 1.000"),
        ] {
            let text = summary(&by(evaluation), &WhoPlays::Run("run".into()));
            assert!(text.contains(part), "{text}");
        }
        // The frames of an agent whose file is alone are not known.
        let alone = Plays { trained: Some(Frames(0)), ..by(Some(Evaluation::Mode)) };
        let text = summary(&alone, &WhoPlays::Run("mine.safetensors".into()));
        assert!(text.contains("1 episode acting by the mode  mean"), "{text}");
        let object: Value = serde_json::from_str(&json(&alone)).unwrap();
        assert_eq!(object["frames"], Value::Null);
    }

    #[test]
    fn without_episodes_there_are_no_statistics() {
        let none = plays(&[]);
        assert!(summary(&none, &WhoPlays::Random).contains("0 episodes"));
        let object: Value = serde_json::from_str(&json(&none)).unwrap();
        assert_eq!((&object["mean"], &object["std"], &object["episodes"]), (&Value::Null, &Value::Null, &0.into()));
    }
}
