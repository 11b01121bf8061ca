//! `dreamgraft tasks`: the list of tasks.

use crate::exit::{Exit, Failure};
use crate::print;
use environment::Catalogue;

/// How to name an environment that is not in the list.
const OTHERS: &str = "\nAn external environment is named gymnasium:ID (such as gymnasium:Pendulum-v1), gymnasium:MODULE:ID,\n\
                      python:MODULE:CALLABLE or program:FILE.";

/// Prints every task, with the size of its actions, and how external environments are named.
///
/// # Errors
/// If stdout cannot be written.
pub fn tasks(catalogue: &dyn Catalogue) -> Result<Exit, Failure> {
    let tasks = catalogue.tasks();
    let width = tasks.iter().map(|task| task.name.len()).max().unwrap_or(0);
    let list = tasks.iter().try_for_each(|task| {
        let size = task.actions.size;
        let elements = if size == 1 { "1 element".to_owned() } else { format!("{size} elements") };
        print::line(&format!("{:width$}  an action has {elements}: {}", task.name, task.description))
    });
    Ok(print::done(list.and_then(|()| print::text(OTHERS)))?)
}
