//! Text and numbers for people.
//!
//! Here: an error with its causes ([`with_causes`]), the suggestion for a mistyped name ([`nearest`]), counts of things
//! ([`counted`]), the order of names ([`natural_order`]), lists that are cut ([`first_of`]) and numbers ([`grouped`], [`rounded`], [`bytes`]). Also names
//! and texts of users as terminals ([`printable`]) and shells ([`shell_word`]) read them. Not here: whole messages,
//! which belong to the errors and reports that print them.

mod causes;
mod natural;
mod nearest;
mod numbers;
mod several;
mod system;
mod typed;

pub use causes::with_causes;
pub use natural::natural_order;
pub use nearest::{did_you_mean, distance, nearest};
pub use numbers::{bytes, counted, grouped, rounded, significant};
pub use several::first_of;
pub use system::of_system;
pub use typed::{printable, printable_lines, shell_path, shell_word};
