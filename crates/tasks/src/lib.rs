//! The environments an agent can learn: models, rewards, resets and cameras.
