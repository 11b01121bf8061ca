//! The Dreamer agent: world model, imagination, losses, gradient step, policy and checkpoint.
//!
//! [`Learner`] is the mathematics of the agent in either precision, with noise from outside. [`Agent`] is for runs:
//! single precision, with its own random stream, policy and checkpoint. Not here: environments, replay files,
//! schedules.
//!
//! ```
//! use dreamer::{ActMode, Agent, AgentConfig};
//!
//! let config = AgentConfig { depth: 2, stoch: 4, deter: 8, hidden: 8, units: 8, ..AgentConfig::default() };
//! let agent = Agent::new(&config, 3, 0)?; // actions of three elements, seed 0
//! let (mut state, mut action) = (agent.begin(), [0.0; 3]);
//! let image = vec![0; replay::IMAGE_BYTES];
//! agent.act(&mut state, (&image).into(), ActMode::Evaluate, &mut random::Stream::new(0, "policy"), &mut action);
//! assert!(action.iter().all(|element| (-1.0..=1.0).contains(element)));
//! # Ok::<(), dreamer::DreamerError>(())
//! ```

mod actor;
mod agent;
mod agent_view;
mod assessment;
mod available;
mod batch;
pub mod behaviour;
mod checkpoint;
mod config;
mod device;
mod error;
mod filtered;
pub mod footprint;
mod head_inputs;
mod images;
mod latent;
mod learner;
mod losses;
mod mean_action;
pub mod metrics;
pub mod networks;
mod noise;
mod open_loop;
mod policy;
mod policy_file;
mod sequence_range;
mod shard;
mod sizes;
mod source_ablation;
mod source_standards;
mod starts;
mod tensor_file;

pub use actor::squashed_log_density;
pub use agent::{Agent, Given};
pub use agent_view::AgentView;
pub use assessment::{AheadError, Assessment, observed_numbers};
pub use batch::BatchView;
pub use config::{
    ActionDistribution, ActorGradient, AgentConfig, Cell, Divergence, Evaluation, Heads, ImageNetwork, Latent,
    LayerActivation, LossWeights, MOST_LAYERS, Norm, OptimiserRule, Precision, Reconstruction, ReturnScale,
    ReturnsFrom, RewardSource,
};
pub use device::check_device;
pub use error::{DreamerError, USE_ANOTHER};
pub use learner::{Learner, Optimisers};
pub use mean_action::mean_of_tanh;
pub use metrics::{METRICS, Metric, StepMetrics};
pub use noise::Noise;
pub use policy::{ActMode, Policy, PolicyNoise, PolicyState};
pub use sizes::{DecidedBy, Size};
pub use source_ablation::SourceAblation;
pub use source_standards::SourceStandard;
