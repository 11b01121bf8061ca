//! A ranking as a table for people.

use super::scores::cell;
use super::{HORIZONS, Kind, Ranked, Ranking};
use crate::table::table;
use std::fmt;

impl fmt::Display for Ranking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "target   {} ({}), {} episodes of {}, mean return {:.1}\n",
            self.task,
            wording::counted(self.action_size as u64, "action element"),
            self.episodes,
            self.episodes_of,
            self.mean_return
        )?;
        let [near, middle, far] = HORIZONS.map(|steps| format!("ahead {steps}"));
        let header = ["", "rank", "image", "own", "kl", &near, &middle, &far, "reward", "logme", "return", "actions"];
        let mut rows = vec![header.map(str::to_owned)];
        rows.extend(self.rows.iter().map(|row| self.row(row)));
        table(f, &rows, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])?;
        writeln!(
            f,
            "\nrank     the mean of the ranks by image, {middle} and reward: the table is sorted by it\n\
             image    the error of reconstructed images (or vectors) over that of their mean; own: on the agent's own tasks\n\
             kl       the divergence of posterior and prior, in nats\n\
             ahead N  the error of images (or vectors) predicted N steps ahead over that of holding the last one\n\
             reward   the share of the reward's variance that the latent state explains in an unseen episode; logme: its evidence\n\
             return   the mean return of the agent's own policy, where the actions fit\n\n\
             Such scores are often no better than simple heuristics (arXiv 2510.06448). Trust a source only if it is clearly\n\
             ahead of the untrained agent; if you can, first train short pilot runs from the best two or three."
        )
    }
}

impl Ranking {
    fn row(&self, row: &Ranked) -> [String; 12] {
        let scores = &row.scores;
        let name = match row.kind {
            Kind::Source => row.name.clone(),
            Kind::Untrained => "(control) untrained agent".to_owned(),
            Kind::Target => format!("(control) {}", row.name),
        };
        let actions = match row.action_size.cmp(&self.action_size) {
            std::cmp::Ordering::Equal => row.action_size.to_string(),
            std::cmp::Ordering::Less => format!("{} (cut)", row.action_size),
            std::cmp::Ordering::Greater => format!("{} (padded)", row.action_size),
        };
        let ahead = scores.ahead.map(|ratio| cell(ratio, 3).into_owned());
        let [near, middle, far] = ahead;
        let number = |value: Option<f64>, decimals| cell(value, decimals).into_owned();
        [
            name,
            number(Some(row.rank), 1),
            number(scores.image, 3),
            number(row.own_image, 3),
            number(Some(scores.divergence), 2),
            near,
            middle,
            far,
            number(scores.reward, 3),
            number(Some(scores.reward_log_evidence), 2),
            number(row.zero_shot, 1),
            actions,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ranking, row};

    #[test]
    fn a_table_shows_controls_missing_scores_and_actions_that_do_not_fit() {
        let mut other = row("runs/ant", 0.5, 0.25, 0.125);
        other.action_size = 8;
        other.scores.ahead[2] = None;
        let text = ranking(vec![other, row("runs/walker2d", 0.75, 1.0, -2.0)]).to_string();
        for part in [
            "target   hopper (3 action elements), 5 episodes of random actions",
            "8 (padded)",
            "0.125",
            "-2.000",
            "2510.06448",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
