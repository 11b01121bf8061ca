//! The progress bar: one line of a terminal that is overwritten.
//!
//! Here: what it shows, most important first, because narrow terminals cut it off. Drawing it is the work of `indicatif`. Not
//! here: whether there is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};
use train::Frames;
use wording::printable;

/// Time between two updates.
const REDRAW: Duration = Duration::from_millis(200);

/// A bar of ten characters, the share of the frames, and a text that is cut off at the edge.
const TEMPLATE: &str = "[{bar:10}] {percent:>3} % {wide_msg}";

/// A progress bar, which disappears when it is dropped.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    shown: Option<Instant>,
}

impl Bar {
    /// A bar on stderr.
    pub fn on_stderr() -> Self {
        Self::on(ProgressDrawTarget::stderr())
    }

    fn on(target: ProgressDrawTarget) -> Self {
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self {
            bar: ProgressBar::with_draw_target(Some(0), target).with_style(style.progress_chars("=> ")),
            shown: None,
        }
    }

    /// Whether it is time for an update.
    pub fn is_due(&self) -> bool {
        self.shown.is_none_or(|shown| shown.elapsed() >= REDRAW)
    }

    /// Shows the place of a run, its present activity, and the text of the time left.
    pub fn show(&mut self, frames: Frames, end: Frames, doing: &str, left: Option<String>) {
        let left = left.map(|left| left + "  ").unwrap_or_default();
        self.bar.update(|state| {
            state.set_len(end.0);
            state.set_pos(frames.0.min(end.0));
        });
        self.bar.set_message(printable(&format!("{left}{doing}  frame {frames} of {end}")).into_owned());
        self.shown = Some(Instant::now());
    }

    /// Writes other output, for which the bar is cleared and drawn again.
    pub fn aside(&self, write: impl FnOnce()) {
        // The progress bar; `None` without a terminal.
        if self.shown.is_some() { self.bar.suspend(write) } else { write() }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.shown.is_none() {
            return;
        }
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::time_left;
    use super::*;
    use indicatif::TermLike;
    use std::io;
    use std::sync::{Arc, Mutex};
    use train::TimeLeft;

    /// A terminal of some width, which keeps the written text.
    #[derive(Debug, Clone)]
    struct Terminal(u16, Arc<Mutex<String>>);

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            self.0
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(&format!("{text}\n"))
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.1.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            self.1.lock().unwrap().clear();
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The line that a terminal of this width shows.
    fn shown(width: u16, left: Option<TimeLeft>) -> String {
        let terminal = Terminal(width, Arc::default());
        let mut bar = Bar::on(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
        assert!(bar.is_due());
        let left = left.map(|left| time_left(left, "random"));
        bar.show(Frames(41_000), Frames(100_000), "gradient step 3 of 200", left);
        assert!(!bar.is_due(), "it was just shown");
        terminal.1.lock().unwrap().trim_end().to_owned()
    }

    #[test]
    fn a_bar_that_was_not_shown_yet_draws_nothing() {
        let terminal = Terminal(40, Arc::default());
        let bar = Bar::on(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
        let mut written = false;
        bar.aside(|| written = true);
        drop(bar);
        assert!(written && terminal.1.lock().unwrap().is_empty());
    }

    #[test]
    fn a_narrow_terminal_shows_the_time_left_on_one_line() {
        let left = Some(TimeLeft::Run(Duration::from_secs(4859)));
        let text = shown(40, left);
        assert!(text.starts_with("[====>     ]  41 % 1 h 20 min left"), "{text:?}");
        assert!(text.chars().count() <= 40 && !text.contains('\n'), "{text:?}");
        let wide = shown(100, left);
        assert_eq!(wide, "[====>     ]  41 % 1 h 20 min left  gradient step 3 of 200  frame 41 000 of 100 000");
        let random = shown(44, Some(TimeLeft::FirstEpisodes(Duration::from_secs(12))));
        assert!(random.contains("12 s of random episodes"), "{random:?}");
        assert!(shown(80, None).contains("41 % gradient step 3 of 200"));
    }
}
