//! The Dreamer agent: world model, imagination, losses, training step, policy and checkpoint.
//!
//! [`Learner`] is the agent's mathematics in either precision, with its noise from outside; [`Agent`] is what a run uses:
//! single precision, with its own random stream, policy and checkpoint. Not here: environments, replay files, schedules.

mod actor;
mod agent;
mod batch;
pub mod behaviour;
mod checkpoint;
mod config;
mod device;
mod error;
pub mod footprint;
mod images;
mod learner;
mod losses;
mod mean_action;
pub mod metrics;
mod model;
pub mod networks;
mod noise;
mod open_loop;
mod policy;
mod policy_file;
mod sequence_range;
mod shard;
mod source_ablation;

pub use actor::squashed_log_density;
pub use agent::Agent;
pub use batch::BatchView;
pub use config::{ActionDistribution, AgentConfig, Evaluation, Precision, RewardSource};
pub use device::check_device;
pub use error::DreamerError;
pub use learner::{Learner, Optimisers};
pub use mean_action::mean_of_tanh;
pub use metrics::{METRICS, Metric, StepMetrics};
pub use model::Model;
pub use noise::Noise;
pub use policy::{ActMode, Policy, PolicyNoise, PolicyState};
pub use source_ablation::SourceAblation;
