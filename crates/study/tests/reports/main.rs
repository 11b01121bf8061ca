//! Reports of made-up studies. A new test of the page's content goes into `content`, of which runs are compared
//! with which into `compared`, of where runs' knowledge comes from into `sources`, of what a browser makes of the page into
//! `browser`, of files that are not as they should be into `hostile`.

mod browser;
mod compared;
mod content;
mod folders;
mod hostile;
mod sources;
