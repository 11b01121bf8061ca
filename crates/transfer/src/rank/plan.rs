//! A transfer plan made of a ranking: the preset `paper`, with weights where several sources can be averaged.

use super::{Ranked, Ranking};
use crate::Preset;
use std::fmt::Write;
use toml::{Table, Value};

/// The weight of the sources in a fraction: the share of the rewards that its latent state explains, unless it explains
/// nothing.
fn weight(row: &Ranked) -> f64 {
    row.scores.reward.unwrap_or(0.0).max(0.0)
}

/// Whether the heads of two agents have the same shapes, so that their output layers can be averaged.
fn fits(one: &Ranked, other: &Ranked) -> bool {
    let [one, other] = [one, other].map(|row| &row.config);
    (one.units, one.reward_layers, one.value_layers) == (other.units, other.reward_layers, other.value_layers)
}

/// The plan `paper` with the first source of the ranking in every rule, and in rules with a fraction the weighted mean of all sources
/// whose heads fit the first one's and whose latent state explains part of the rewards. `None` without a source.
///
/// The text is a plan's file; its comments describe how it was made.
pub fn ranked_plan(ranking: &Ranking) -> Option<String> {
    let first = ranking.sources().next()?;
    let weighted: Vec<&Ranked> =
        ranking.sources().filter(|row| row.name == first.name || (weight(row) > 0.0 && fits(first, row))).collect();
    let names: Vec<String> = (1..=weighted.len()).map(|number| format!("source{number}")).collect();
    let mut plan: Table = Preset::Paper.text().parse().expect("a preset is TOML");
    let described = match ranking.sources().count() {
        1 => "the built-in plan paper from the only ranked source".to_owned(),
        count => format!("the built-in plan paper from the best of {count} ranked sources"),
    };
    plan.insert("description".to_owned(), Value::String(described));
    let sources = names.iter().zip(&weighted).map(|(name, row)| {
        let path = row.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
        (name.clone(), Value::String(path))
    });
    plan.insert("sources".to_owned(), Value::Table(sources.collect()));
    let rules = plan.get_mut("rule").and_then(Value::as_array_mut).expect("a preset has rules");
    for rule in rules.iter_mut().filter_map(Value::as_table_mut) {
        match &rule["take"] {
            Value::String(take) if take == "random" => {}
            Value::Table(_) if weighted.len() > 1 => {
                let weights =
                    names.iter().zip(&weighted).map(|(name, row)| (name.clone(), Value::Float(weight(row).max(0.01))));
                rule.insert("sources".to_owned(), Value::Table(weights.collect()));
            }
            _ => {
                rule.insert("source".to_owned(), Value::String(names[0].clone()));
            }
        }
    }
    let mut text = format!(
        "# From `dreamgraft transfer rank {}`, {} episodes of {}.\n",
        ranking.task, ranking.episodes, ranking.episodes_of
    );
    for (name, row) in names.iter().zip(&weighted) {
        let _ = writeln!(
            text,
            "# {name}: {}, rank {:.1}, reward {:.3}",
            row.name,
            row.rank,
            row.scores.reward.unwrap_or(0.0)
        );
    }
    text.push_str(&toml::to_string(&plan).expect("a table of texts and numbers"));
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ranking, row};
    use super::*;
    use crate::Plan;

    #[test]
    fn the_plan_is_one_that_can_be_read_and_has_the_weights() {
        let rows = vec![row("runs/a", 0.1, 0.1, 0.6), row("runs/b", 0.2, 0.2, 0.2), row("runs/c", 0.3, 0.3, -1.0)];
        let mut ranking = ranking(rows);
        let text = ranked_plan(&ranking).unwrap();
        let plan = Plan::parse(&text, "out.toml").unwrap();
        assert_eq!(plan.sources().len(), 2, "the third explains nothing: {text}");
        assert!(text.contains("source1 = 0.6") && text.contains("source2 = 0.2"), "{text}");
        plan.check_sources().unwrap();
        ranking.rows[1].config.units += 1;
        let alone = ranked_plan(&ranking).unwrap();
        assert!(!alone.contains("source2"), "{alone}");
        Plan::parse(&alone, "out.toml").unwrap().check_sources().unwrap();
    }
}
