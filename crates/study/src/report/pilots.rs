//! The candidates of choices by pilot runs, and the costs of the choices.

use super::run_tables::tasks_of;
use super::tables::{Cell, Table};
use crate::results::{PilotEnd, Results};

/// A row for each candidate: its return in each slice, and whether it was dropped.
pub fn pilots(results: &Results) -> Table {
    let about = "Mean training return of each candidate in each slice of frames. After a slice the better half continues, and after the \
        last one the best candidate alone. The frames of all candidates count as the cost of the method; where another method of the \
        study trains all sources to the end, its table shows the gain of the choice over the best, the mean and the worst."
        .to_owned();
    let most = results.pilots.iter().map(|row| row.slices.len()).max().unwrap_or(0);
    let rows = results.pilots.iter().filter_map(|row| {
        let run = results.runs.get(row.run)?;
        let frames = run.series.iter().filter_map(|series| series.training.points().last());
        let frames = frames.map(|point| point.frames as u64).max().unwrap_or(0);
        let end = match row.end {
            PilotEnd::Chosen => "chosen",
            PilotEnd::Dropped => "dropped",
            PilotEnd::Failed => "failed",
            PilotEnd::Undecided => "not decided",
        };
        let mut cells = vec![
            Cell::of(tasks_of(run)),
            Cell::of(run.method.as_str()),
            Cell::of(run.seed.to_string()),
            Cell::of(row.name.as_str()),
        ];
        for slice in 0..most {
            cells.push(Cell::of(row.scores.get(slice).map_or(String::new(), |score| wording::rounded(*score, 0))));
        }
        cells.push(Cell::of(wording::grouped(frames)));
        cells.push(Cell::of(end));
        Some(cells)
    });
    let rows = rows.collect();
    let mut columns = ["Task", "Method", "Seed", "Candidate"].map(str::to_owned).to_vec();
    columns.extend((1..=most).map(|slice| format!("Return in slice {slice}")));
    columns.extend(["Frames".to_owned(), "End".to_owned()]);
    Table { id: "pilots", title: "Pilot runs".to_owned(), about, columns, rows }
}
