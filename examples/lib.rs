//! Examples of the libraries: `own_environment.rs`, `own_plan.rs` and `read_run.rs`. This library is empty; the examples use
//! only the public interfaces of the crates `environment`, `tasks`, `replay`, `dreamer`, `transfer` and `train`.
