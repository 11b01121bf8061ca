//! The report of a transfer as a table for people.

use crate::choice::{ChoiceReport, Standing};
use crate::document::Take;
use crate::fraction::Fraction;
use crate::rank::{HORIZONS, cell};
use crate::report::{Count, FittedFraction, PartReport, Report, SourceReport};
use std::fmt;
use wording::{counted, significant};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let description = if self.description.is_empty() { String::new() } else { format!(": {}", self.description) };
        writeln!(f, "plan     {}{description}", self.plan)?;
        for source in &self.sources {
            writeln!(f, "source   {}", source_line(source))?;
        }
        if let Some(choice) = &self.choice {
            writeln!(f, "choice   {}", choice.line())?;
        }
        if let Some(meta_model) = &self.meta_model {
            let how = format!("{}{}", counted(meta_model.layers as u64, "hidden layer"), meta_model.how());
            writeln!(f, "reward   meta-model over {} ({how})", meta_model.sources.join(", "))?;
        }
        writeln!(f)?;
        self.rules_table(f)?;
        writeln!(f)?;
        self.parts_table(f)?;
        writeln!(f)?;
        let totals = &self.totals;
        for (name, count) in [
            ("full", totals.full),
            ("soup", totals.soup),
            ("fraction", totals.fraction),
            ("interpolated", totals.interpolated),
            ("random", totals.random),
            ("of these, frozen", totals.frozen),
        ] {
            if count.parts > 0 {
                writeln!(f, "{name:<16} {}", count_in_words(count))?;
            }
        }
        for part in &self.parts {
            if let Some(note) = &part.note {
                writeln!(f, "random: {} {note}", name(part))?;
            }
        }
        if self.parts.iter().any(|part| self.is_still_to_be_fitted(part)) {
            writeln!(f, "fraction fit: the fraction will be fitted to the random episodes of the run")?;
        }
        if let Some(choice) = self.choice.as_ref().filter(|choice| choice.episodes > 0) {
            writeln!(f)?;
            candidates_table(f, choice)?;
        }
        for fitted in &self.fractions {
            writeln!(f)?;
            fractions_table(f, fitted)?;
        }
        Ok(())
    }
}

impl Report {
    fn rules_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![["rule", "match", "take", "parts", "numbers", "place"].map(str::to_owned)];
        for (index, rule) in self.rules.iter().enumerate() {
            let mut patterns = rule.patterns.join(" ");
            if !rule.rows.is_empty() {
                let names: Vec<String> = rule.rows.iter().map(ToString::to_string).collect();
                patterns.push_str(&format!(" ({} rows)", names.join(", ")));
            }
            let frozen = if rule.frozen { ", frozen" } else { "" };
            let (take, parts) = (format!("{}{frozen}", rule.take), rule.parts.to_string());
            rows.push([(index + 1).to_string(), patterns, take, parts, rule.numbers.to_string(), rule.place.clone()]);
        }
        table(f, &rows, &[0, 3, 4])
    }

    fn parts_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows =
            vec![["parameter", "shape", "rule", "take", "from", "norm before", "norm after"].map(str::to_owned)];
        for part in &self.parts {
            let frozen = if part.frozen { ", frozen" } else { "" };
            rows.push([
                name(part),
                format!("{:?}", part.shape),
                (part.rule + 1).to_string(),
                format!("{}{frozen}", part.take),
                given(part),
                format!("{:.4}", part.norm_before),
                if self.is_still_to_be_fitted(part) { "?".to_owned() } else { format!("{:.4}", part.norm_after) },
            ]);
        }
        table(f, &rows, &[2, 5, 6])
    }
}

/// The candidates of a ranking and their scores, the chosen one first.
fn candidates_table(f: &mut fmt::Formatter<'_>, choice: &ChoiceReport) -> fmt::Result {
    let ahead = format!("ahead {}", HORIZONS[1]);
    let mut rows: Vec<[String; 6]> =
        vec![["candidate", "rank", "image", &ahead, "reward", "return"].map(str::to_owned)];
    let controls = choice.untrained.iter().map(|standing| ("(control) untrained agent", standing));
    let candidates = choice.candidates.iter().filter_map(|one| Some((&*one.name, one.standing.as_ref()?)));
    for (name, Standing { rank, scores, zero_shot }) in candidates.chain(controls) {
        let number = |value: Option<f64>, decimals| cell(value, decimals).into_owned();
        rows.push([
            name.to_owned(),
            number(Some(*rank), 1),
            number(scores.image, 3),
            number(scores.ahead[1], 3),
            number(scores.reward, 3),
            number(*zero_shot, 1),
        ]);
    }
    table(f, &rows, &[1, 2, 3, 4, 5])
}

/// The fitted fractions: each source's fraction, and the error with other fractions of it.
fn fractions_table(f: &mut fmt::Formatter<'_>, fitted: &FittedFraction) -> fmt::Result {
    let FittedFraction { head, states, episodes, error_of_random, error, .. } = fitted;
    writeln!(
        f,
        "fraction of the {head}, fitted to {states} states of {episodes} episodes: error {}, without transfer {}{}",
        significant(*error),
        significant(*error_of_random),
        if fitted.is_chance() { " (the improvement by other fractions could be chance)" } else { "" }
    )?;
    let mut rows: Vec<[String; 13]> = vec![std::array::from_fn(|column| match column {
        0 => "source".to_owned(),
        1 => "fraction".to_owned(),
        _ => format!("{:.1}", (column - 2) as f64 / 10.0),
    })];
    for source in &fitted.sources {
        rows.push(std::array::from_fn(|column| match column {
            0 => source.source.clone(),
            1 => format!("{:.3}", source.fraction),
            _ => significant(source.errors[column - 2]),
        }));
    }
    table(f, &rows, &std::array::from_fn::<usize, 12, _>(|column| column + 1))
}

fn source_line(source: &SourceReport) -> String {
    let provenance = &source.provenance;
    let mut line = source.name.clone();
    if !provenance.tasks.is_empty() {
        line.push_str(&format!(", {}", provenance.tasks.join("+")));
    }
    line.push_str(&format!(", action size {}", source.action_size));
    if let Some(frames) = provenance.frames {
        line.push_str(&format!(", {}", counted(frames, "frame")));
    }
    line.push_str(&format!(", {}", counted(provenance.updates, "gradient step")));
    if !provenance.sha256.is_empty() {
        line.push_str(&format!(", {} (sha256 {:.12})", provenance.file.display(), provenance.sha256));
    }
    line
}

fn name(part: &PartReport) -> String {
    part.rows.map_or_else(|| part.path.clone(), |rows| format!("{} ({} rows)", part.path, rows.reads))
}

/// The origin of a part: sources with their shares, and the path where it is another one.
fn given(part: &PartReport) -> String {
    if part.take == Take::Random {
        return if part.note.is_some() { "does not match" } else { "" }.to_owned();
    }
    let is_fitted = part.take == Take::Fraction(Fraction::Fit);
    let one = |given: &crate::report::GivenReport| {
        let share = if part.from.len() > 1 && !is_fitted { format!("{:.3} ", given.share) } else { String::new() };
        let path = if given.path == part.path { String::new() } else { format!(":{}", given.path) };
        format!("{share}{}{path}", given.source)
    };
    part.from.iter().map(one).collect::<Vec<_>>().join(" + ")
}

fn count_in_words(count: Count) -> String {
    format!("{} in {}", counted(count.numbers as u64, "number"), counted(count.parts as u64, "part"))
}

/// Writes rows as columns, those in `right` aligned to the right, without spaces at the ends of lines.
pub(crate) fn table<const N: usize>(f: &mut fmt::Formatter<'_>, rows: &[[String; N]], right: &[usize]) -> fmt::Result {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let padding = " ".repeat(width - cell.chars().count());
            let (before, after) = if right.contains(&column) { (&*padding, "") } else { ("", &*padding) };
            line.push_str(&format!("{before}{cell}{after}  "));
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}
