//! The real program, in a folder of its own for each test. Where a new test goes: `arguments` for what is typed,
//! `training` for runs and their folders, `resuming` for stopping, damaging and going on, `evaluation` for `eval`, `playing` for `play`,
//! `transfer` for what new agents take from earlier ones.

mod arguments;
mod evaluation;
mod measuring;
mod playing;
mod program;
mod resuming;
mod training;
mod transfer;
