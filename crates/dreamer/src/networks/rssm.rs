//! The recurrent state-space model: latent dynamics with a deterministic and a stochastic part (Hafner et al., 2019).

use super::mlp::dense;
use crate::AgentConfig;
use tape::{Activation, GruWeights, Parameter, Parameters, Real, Tape, Var};

/// The dynamics' layers. The first reads [stoch, action]; the first of the posterior reads [deter, embed].
#[derive(Clone, Debug)]
pub struct Rssm {
    img1: (Parameter, Parameter),
    img2: (Parameter, Parameter),
    img3: (Parameter, Parameter),
    obs1: (Parameter, Parameter),
    obs2: (Parameter, Parameter),
    gru: GruWeights,
    stoch: usize,
    deter: usize,
    min_std: f64,
}

/// What [`Rssm::observe`] finds: L steps of B sequences, step by step.
#[derive(Clone, Copy, Debug)]
pub struct Observed {
    /// Posterior means and standard deviations [L * B, 2S].
    pub posterior: Var,
    /// Posterior samples [L * B, S].
    pub stoch: Var,
    /// Deterministic states [L * B, D], the prior's and the posterior's alike.
    pub deter: Var,
    /// [stoch, deter], [L * B, S + D].
    pub feature: Var,
}

impl Rssm {
    pub(super) fn declare<F: Real>(parameters: &mut Parameters<F>, config: &AgentConfig, action_size: usize) -> Self {
        let &AgentConfig { stoch, deter, hidden, min_std, .. } = config;
        let mut layer =
            |name: &str, inputs, outputs| dense(parameters, &format!("world_model.rssm.{name}"), inputs, outputs);
        let img1 = layer("img1", stoch + action_size, hidden);
        let img2 = layer("img2", deter, hidden);
        let img3 = layer("img3", hidden, 2 * stoch);
        let obs1 = layer("obs1", deter + config.embed(), hidden);
        let obs2 = layer("obs2", hidden, 2 * stoch);
        let gru = GruWeights {
            kernel: parameters.declare("world_model.rssm.gru.kernel", &[hidden, 3 * deter]),
            recurrent: parameters.declare("world_model.rssm.gru.recurrent_kernel", &[deter, 3 * deter]),
            bias: parameters.declare("world_model.rssm.gru.bias", &[2, 3 * deter]),
        };
        Self { img1, img2, img3, obs1, obs2, gru, stoch, deter, min_std }
    }

    /// The action's share of the first layer's sums: [N, A] to [N, hidden]. It depends on no state, so that a whole
    /// sequence's is computed at once.
    fn action_part<F: Real>(&self, tape: &mut Tape<F>, action: Var) -> Var {
        tape.dense_part(action, self.img1.0, self.stoch, None, None, Activation::None)
    }

    /// The embedding's share of the posterior's first layer: [N, E] to [N, hidden].
    fn embed_part<F: Real>(&self, tape: &mut Tape<F>, embed: Var) -> Var {
        tape.dense_part(embed, self.obs1.0, self.deter, None, None, Activation::None)
    }

    fn step<F: Real>(&self, tape: &mut Tape<F>, stoch: Var, deter: Var, action_part: Var) -> Var {
        let x = tape.dense_part(stoch, self.img1.0, 0, Some(self.img1.1), Some(action_part), Activation::Elu);
        tape.gru(x, deter, self.gru)
    }

    /// The next deterministic state [N, D] from stoch [N, S], deter [N, D] and action [N, A].
    pub fn next_deter<F: Real>(&self, tape: &mut Tape<F>, stoch: Var, deter: Var, action: Var) -> Var {
        let action_part = self.action_part(tape, action);
        self.step(tape, stoch, deter, action_part)
    }

    /// The prior over stoch given deter: [N, D] to means and standard deviations [N, 2S].
    pub fn prior<F: Real>(&self, tape: &mut Tape<F>, deter: Var) -> Var {
        let x = tape.dense(deter, self.img2.0, self.img2.1, Activation::Elu);
        let raw = tape.dense(x, self.img3.0, self.img3.1, Activation::None);
        tape.gaussian(raw, self.min_std)
    }

    fn posterior_from_part<F: Real>(&self, tape: &mut Tape<F>, deter: Var, embed_part: Var) -> Var {
        let x = tape.dense_part(deter, self.obs1.0, 0, Some(self.obs1.1), Some(embed_part), Activation::Elu);
        let raw = tape.dense(x, self.obs2.0, self.obs2.1, Activation::None);
        tape.gaussian(raw, self.min_std)
    }

    /// The posterior over stoch given deter [N, D] and the image's embedding [N, E]: [N, 2S].
    pub fn posterior<F: Real>(&self, tape: &mut Tape<F>, deter: Var, embed: Var) -> Var {
        let embed_part = self.embed_part(tape, embed);
        self.posterior_from_part(tape, deter, embed_part)
    }

    /// The zero state of `rows` sequences: stoch and deter.
    pub fn zero<F: Real>(&self, tape: &mut Tape<F>, rows: usize) -> (Var, Var) {
        let stoch = tape.constant(rows, self.stoch, |y| y.fill(F::ZERO));
        let deter = tape.constant(rows, self.deter, |y| y.fill(F::ZERO));
        (stoch, deter)
    }

    /// Filters sequences from the zero state: embeddings [L * B, E], actions [L * B, A] and standard normal noise
    /// [L * B, S], all step by step. Only what depends on the previous state is computed in the scan.
    pub fn observe<F: Real>(
        &self,
        tape: &mut Tape<F>,
        embed: Var,
        action: Var,
        noise: Var,
        sequences: usize,
    ) -> Observed {
        let steps = tape.shape(embed).0 / sequences;
        let action_parts = self.action_part(tape, action);
        let embed_parts = self.embed_part(tape, embed);
        let (mut stoch, mut deter) = self.zero(tape, sequences);
        let (mut posteriors, mut stochs, mut deters) = (tape.list(), tape.list(), tape.list());
        for step in 0..steps {
            let at = step * sequences;
            let action_part = tape.rows_of(action_parts, at, sequences);
            deter = self.step(tape, stoch, deter, action_part);
            let embed_part = tape.rows_of(embed_parts, at, sequences);
            let posterior = self.posterior_from_part(tape, deter, embed_part);
            let noise = tape.rows_of(noise, at, sequences);
            stoch = tape.sample(posterior, noise);
            posteriors.push(posterior);
            stochs.push(stoch);
            deters.push(deter);
        }
        let posterior = tape.stack(posteriors);
        let stoch = tape.stack(stochs);
        let deter = tape.stack(deters);
        let feature = tape.concat(stoch, deter);
        Observed { posterior, stoch, deter, feature }
    }
}
