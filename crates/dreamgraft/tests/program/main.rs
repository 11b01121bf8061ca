//! The real program, in a separate folder for each test. Where a new test goes: `arguments` for arguments, `training`
//! for runs and their folders, `resuming` for stopping, damaging and resuming, `killing` for SIGKILL, `faults` for
//! errors of the operating system and foreign files, `safety` for the list of unsafe code, `evaluation` for `eval`,
//! `playing` for `play`, `device` for learning on a device, `external` for external environments, `study` for
//! plans and launchers of many runs, `transfer` for what new agents take from earlier ones, `support` for what else
//! earlier runs do for new ones, `simd` for processors with fewer instructions, `vectors` for agents that observe
//! vectors, `earlier_versions` for files of earlier versions, `limits` for limits of memory, `errors` for causes of
//! errors, `names` for odd names of files and for pipes, `progress` for what `train` shows on the way, `advice` for
//! messages about mistakes, `agents` for the trained agents of the repository, `episodes` for episodes of other
//! programs, `dreamer_v3` for agents with DreamerV3's settings, `results` for the results of the repository.

mod advice;
mod agents;
mod arguments;
mod device;
mod dreamer_v3;
mod earlier_versions;
mod episodes;
mod errors;
mod evaluation;
mod external;
mod faults;
mod killing;
mod limits;
mod measuring;
mod names;
mod playing;
mod program;
mod progress;
mod reporting;
mod results;
mod resuming;
mod safety;
mod simd;
mod study;
mod support;
mod training;
mod transfer;
mod vectors;
