//! Reports of made-up studies. New tests of the page's content go to `content`, of axes other than frames and of
//! costs to `axes`, of the compared runs to `compared`, of
//! the sources of runs to `sources`, of candidates to `pilots`, of many methods and runs to `many`, of the page in a browser to `browser`, of damaged or
//! malicious files to `hostile`.

mod axes;
mod browser;
mod compared;
mod content;
mod folders;
mod hostile;
mod many;
mod pilots;
mod sources;
