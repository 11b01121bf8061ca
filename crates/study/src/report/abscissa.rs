//! The horizontal axes of learning curves: environment frames, gradient steps, core-seconds.
//!
//! Here: their names, their units and the text of their values. Not here: ticks (`axis`), the curves over them
//! (`curves`).

use super::wording::{frames, value};
use crate::results::Cost;

/// The x-axes of curves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Abscissa {
    /// Environment frames.
    Frames,
    /// A cost of the runs.
    Cost(Cost),
}

impl Abscissa {
    /// All, the one that is shown first at the front.
    pub const ALL: [Self; 3] = [Self::Frames, Self::Cost(Cost::Updates), Self::Cost(Cost::CoreSeconds)];

    /// Its name in the page's attributes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::Cost(Cost::Updates) => "updates",
            Self::Cost(Cost::CoreSeconds) => "core-seconds",
        }
    }

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::Cost(Cost::Updates) => "gradient steps",
            Self::Cost(Cost::CoreSeconds) => "core-seconds",
        }
    }

    /// The unit in which values up to `end` are written.
    pub fn unit(self, end: f64) -> Unit {
        let time = |title, size, after| Unit { title, size, before: "", after };
        match self {
            Self::Frames => Unit { title: "environment frames", size: 1.0, before: "frame ", after: "" },
            Self::Cost(Cost::Updates) => {
                Unit { title: "gradient steps", size: 1.0, before: "gradient step ", after: "" }
            }
            Self::Cost(Cost::CoreSeconds) if end < 600.0 => time("core-seconds", 1.0, " core-seconds"),
            Self::Cost(Cost::CoreSeconds) if end < 36_000.0 => time("core-minutes", 60.0, " core-minutes"),
            Self::Cost(Cost::CoreSeconds) => time("core-hours", 3600.0, " core-hours"),
        }
    }
}

/// The unit of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// The title of the axis.
    pub title: &'static str,
    /// How many frames, gradient steps or core-seconds one is.
    pub size: f64,
    /// The text before a value in a sentence.
    pub before: &'static str,
    /// The text after it.
    pub after: &'static str,
}

impl Unit {
    /// The value at `x` alone: `12 000` frames or gradient steps, `12.5` core-minutes.
    pub fn number(&self, x: f64) -> String {
        if self.before.is_empty() { value(x / self.size) } else { frames(x) }
    }

    /// The value in a sentence: `frame 12 000`, `12.5 core-minutes`.
    pub fn text(&self, x: f64) -> String {
        format!("{}{}{}", self.before, self.number(x), self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_in_units_that_suit_the_whole_axis() {
        let text = |abscissa: Abscissa, end: f64, x: f64| abscissa.unit(end).text(x);
        assert_eq!(text(Abscissa::Frames, 1e6, 12_000.0), "frame 12\u{a0}000");
        assert_eq!(text(Abscissa::Cost(Cost::Updates), 1e5, 1200.4), "gradient step 1\u{a0}200");
        let time = Abscissa::Cost(Cost::CoreSeconds);
        assert_eq!(text(time, 500.0, 45.25), "45.2 core-seconds");
        assert_eq!(text(time, 3000.0, 90.0), "1.50 core-minutes");
        assert_eq!((text(time, 1e6, 90_000.0).as_str(), time.unit(1e6).title), ("25.0 core-hours", "core-hours"));
    }
}
