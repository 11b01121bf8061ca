//! Reports of made-up studies. A new test of the page's content goes into `content`, of what a browser makes of it into
//! `browser`, of files that are not as they should be into `hostile`.

mod browser;
mod content;
mod folders;
mod hostile;
