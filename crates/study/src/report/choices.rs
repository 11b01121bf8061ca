//! The sources that runs chose when they began.

use super::run_tables::tasks_of;
use super::tables::{Cell, Table};
use crate::results::Results;
use transfer::{Candidate, ChoiceReport};

/// A row for each candidate of each choice.
pub fn choices(results: &Results) -> Table {
    let about = "The sources among which a run chose when it began. A ranking orders them by the mean of their ranks by three scores on \
        the run's random episodes: how well they reconstruct images, how well they predict them 15 steps ahead, and how much of the \
        rewards their latent states explain. An untrained agent is the control."
        .to_owned();
    let mut rows = Vec::new();
    for run in results.targets() {
        let Some(choice) = run.transfer.as_ref().and_then(|transfer| transfer.choice.as_ref()) else { continue };
        let ChoiceReport { chosen, candidates, untrained, .. } = choice;
        let standings = candidates.iter().map(|candidate| (name_of(candidate), candidate.standing.as_ref()));
        let names = candidates.iter().map(|candidate| candidate.name == *chosen);
        let control = untrained.iter().map(|standing| (("an untrained agent".to_owned(), Some(standing)), false));
        for ((name, standing), is_chosen) in standings.zip(names).chain(control) {
            let number = |value: Option<f64>, decimals| {
                Cell::of(value.map_or_else(String::new, |value| wording::rounded(value, decimals)))
            };
            let scores = standing.map(|standing| &standing.scores);
            rows.push(vec![
                Cell::of(tasks_of(run)),
                Cell::of(run.method.as_str()),
                Cell::of(run.seed.to_string()),
                Cell::of(name),
                number(standing.map(|standing| standing.rank), 1),
                number(scores.and_then(|scores| scores.image), 3),
                number(scores.and_then(|scores| scores.ahead[1]), 3),
                number(scores.and_then(|scores| scores.reward), 3),
                Cell::of(if is_chosen { "chosen" } else { "" }),
            ]);
        }
    }
    let columns = ["Task", "Method", "Seed", "Source", "Rank", "Image", "15 ahead", "Reward", "Choice"];
    let columns = columns.map(str::to_owned).to_vec();
    Table { id: "choices", title: "Sources that were chosen".to_owned(), about, columns, rows }
}

/// The tasks of a candidate; its name in the plan if they are not known.
fn name_of(candidate: &Candidate) -> String {
    let tasks = candidate.provenance.tasks.join("+");
    if tasks.is_empty() { candidate.name.clone() } else { tasks }
}
