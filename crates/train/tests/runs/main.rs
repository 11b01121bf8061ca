//! Whole runs of a toy agent in toy environments: `run` tests the work and the files of a run, `resume` tests stopping,
//! killing, damaging and resuming, `stop` rules that end a run early, `memory` tests the episodes that a run keeps and learns from.

mod memory;
mod resume;
mod run;
mod stop;
mod toy;
