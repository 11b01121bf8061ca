//! The names of files and folders in the folder of a study.
//!
//! Not here: the names in a run folder (`files::layout`), and the meaning of the files (`docs/formats.md`).

/// The runs of sources.
pub const SOURCES: &str = "sources";
/// The runs of targets.
pub const RUNS: &str = "runs";
/// The output of each run.
pub const LOGS: &str = "logs";
/// The scripts of job arrays, and the jobs that were submitted.
pub const SLURM: &str = "slurm";
/// The report.
pub const REPORT: &str = "report";
/// The identities of runs that come from a store, or go there.
pub const IDENTITIES: &str = "identities";
/// The lock of the process that starts runs.
pub const LOCK: &str = "study.lock";

/// The entries that the folder of a study may contain without a manifest: whoever removed the manifest keeps the runs.
pub(crate) const ALL: [&str; 7] = [SOURCES, RUNS, LOGS, SLURM, REPORT, IDENTITIES, LOCK];
