//! The real program, in a folder of its own for each test. Where a new test goes: `arguments` for what is typed,
//! `training` for runs and their folders, `resuming` for stopping, damaging and going on, `killing` for SIGKILL, `faults` for the system
//! and people in a run's way, `safety` for where unsafe code stands, `evaluation` for `eval`, `playing` for `play`,
//! `device` for learning on a device, `worlds` for worlds of other programs, `study` for plans and launchers of many runs,
//! `transfer` for what new agents take from earlier ones, `vectors` for processors with fewer instructions,
//! `earlier_versions` for files that earlier versions wrote.

mod arguments;
mod device;
mod earlier_versions;
mod evaluation;
mod faults;
mod killing;
mod measuring;
mod playing;
mod program;
mod reporting;
mod resuming;
mod safety;
mod simd;
mod study;
mod training;
mod transfer;
mod worlds;
