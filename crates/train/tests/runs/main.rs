//! Whole runs of a toy agent in toy environments: `run` is what a run does and leaves, `resume` is stopping, killing, damaging and
//! going on, `memory` is what a run keeps of its episodes and learns from.

mod memory;
mod resume;
mod run;
mod toy;
