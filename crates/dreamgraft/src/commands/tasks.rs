//! `dreamgraft tasks`: the list of tasks.

use crate::exit::{Exit, Failure};
use crate::print;

/// Prints every task, with the size of its actions.
///
/// # Errors
/// If stdout cannot be written.
pub fn tasks() -> Result<Exit, Failure> {
    let width = train::tasks().iter().map(|task| task.name.len()).max().unwrap_or(0);
    Ok(print::done(train::tasks().iter().try_for_each(|task| {
        let numbers =
            if task.action_size == 1 { "1 number".to_owned() } else { format!("{} numbers", task.action_size) };
        print::line(&format!("{:width$}  an action has {numbers}: {}", task.name, task.description))
    }))?)
}
