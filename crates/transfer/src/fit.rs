//! Whether a parameter of a source fits one of the target, by shape and by the meaning of its rows; if not, why.

use crate::matching::Claim;
use crate::rows::{RowInput, rows_of};
use crate::source::Source;
use dreamer::{AgentConfig, Learner};
use std::ops::Range;
use tape::{Parameter, Real};
use wording::first_of;

/// The place of a claim's numbers in a source.
pub(crate) struct Fit {
    pub parameter: Parameter,
    /// The shape of the source's parameter, or of its rows.
    pub shape: Vec<usize>,
    /// The place of the numbers among the source's parameter's.
    pub numbers: Range<usize>,
}

/// Why a source does not fit.
#[derive(Clone, Debug)]
pub(crate) struct Unfit {
    /// The source's parameter with its shape, or that there is none.
    pub given: String,
    /// The difference.
    pub why: String,
    /// The next step.
    pub advice: String,
}

/// Finds the numbers of `path` of a source that a claim of the target transfers.
pub(crate) fn fit<F: Real>(claim: &Claim, target: &Learner<F>, source: &Source<F>, path: &str) -> Result<Fit, Unfit> {
    let ours = target.parameters();
    let advice = || advice(target, source);
    let Some(parameter) = source.parameters().find(path) else {
        let given = format!("the missing parameter {path}");
        return Err(Unfit { given, why: "the source does not have this parameter".to_owned(), advice: advice() });
    };
    let shape = source.parameters().shape(parameter).to_vec();
    let unfit = |why: String, advice: String| Unfit { given: format!("{path} {shape:?}"), why, advice };
    let our_rows = rows_of(target.networks(), claim.parameter);
    let their_rows = rows_of(source.networks(), parameter);
    let range = match claim.reads {
        None => {
            if let Some(why) = different_rows(&our_rows, &their_rows) {
                let split = our_rows.len().max(their_rows.len()) > 1;
                let by_rows = "Rows that differ can have a separate rule (`rows`)";
                return Err(unfit(why, if split { format!("{by_rows}. {}", advice()) } else { advice() }));
            }
            0..shape[0]
        }
        Some(rows) => match their_rows.into_iter().find(|(theirs, _)| *theirs == rows) {
            None => return Err(unfit(format!("the source does not have {rows} rows"), advice())),
            Some((_, range)) if range.len() != claim.rows.len() => {
                return Err(unfit(sizes(rows, range.len(), claim.rows.len()), advice()));
            }
            Some((_, range)) => range,
        },
    };
    let mut part = shape.clone();
    part[0] = range.len();
    if part != claim.shape(ours) {
        return Err(unfit("the shapes differ".to_owned(), advice()));
    }
    let row: usize = shape[1..].iter().product();
    Ok(Fit { parameter, shape: part, numbers: range.start * row..range.end * row })
}

fn sizes(rows: RowInput, theirs: usize, ours: usize) -> String {
    format!("the source has {theirs} {rows} rows, but the target has {ours}")
}

/// The first rows in which two kernels differ. Equal shapes are not enough: 5 states and 3 actions differ from 4 and 4.
fn different_rows(ours: &[(RowInput, Range<usize>)], theirs: &[(RowInput, Range<usize>)]) -> Option<String> {
    let size = |all: &[(RowInput, Range<usize>)], rows: RowInput| {
        all.iter().find(|(other, _)| *other == rows).map_or(0, |(_, range)| range.len())
    };
    let both = ours.iter().chain(theirs).map(|(rows, _)| *rows);
    let differs = |rows: &RowInput| size(ours, *rows) != size(theirs, *rows);
    both.into_iter().find(differs).map(|rows| sizes(rows, size(theirs, rows), size(ours, rows)))
}

/// The advice for a mismatch: the settings that differ, and a way to avoid it.
fn advice<F: Real>(target: &Learner<F>, source: &Source<F>) -> String {
    let mut way_out = "`misfit = \"random\"` leaves parameters that do not match random".to_owned();
    let vectors = [source.config().vector, target.config().vector];
    let observe = |config: &AgentConfig| match (config.images, config.vector > 0) {
        (true, true) => "both",
        (true, false) => "image",
        (false, _) => "vector",
    };
    let observed = [observe(source.config()), observe(target.config())];
    if observed[0] != observed[1] {
        let [theirs, ours] = observed;
        way_out += &format!(
            "; the source observes \"{theirs}\" and the target \"{ours}\": the setting task.observe = \"{theirs}\" makes them alike"
        );
    } else if source.config().reconstruction != target.config().reconstruction {
        way_out += "; with the same agent.reconstruction, they have the same parts";
    }
    if vectors[0] != vectors[1] && !vectors.contains(&0) {
        way_out +=
            "; with the setting task.vector_length, agents of different tasks observe vectors of the same length";
    }
    let actions = (source.action_size(), target.action_size());
    let own = (actions.0 != actions.1).then(|| format!("action size ({} and {})", actions.0, actions.1));
    let sizes = source.config().sizes().into_iter().zip(target.config().sizes());
    let different = sizes.filter(|(theirs, ours)| theirs.value != ours.value);
    let differences: Vec<String> = own
        .into_iter()
        .chain(different.map(|(theirs, ours)| format!("{} ({} and {})", theirs.name, theirs.value, ours.value)))
        .collect();
    if differences.is_empty() {
        return way_out;
    }
    format!("Source and target differ in {}; {way_out}", first_of(&differences, ", ", "settings"))
}
