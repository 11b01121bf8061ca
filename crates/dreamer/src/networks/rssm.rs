//! The recurrent state-space model: latent dynamics with a deterministic and a stochastic part (Hafner et al., 2019).

use super::cell::{CellInputs, RecurrentCell};
use super::declaration::{Declaration, Inputs, Reads, Role};
use super::layer::{HiddenLayer, Style};
use crate::AgentConfig;
use crate::latent::LatentDistribution;
use tape::{Activation, Parameter, Real, Tape, Var};

/// The dynamics' layers. The first of the posterior reads [deter, embed].
#[derive(Clone, Debug)]
pub struct Rssm {
    cell: RecurrentCell,
    /// The hidden layers of the prior.
    img2: Vec<HiddenLayer>,
    img3: (Parameter, Parameter),
    obs1: HiddenLayer,
    obs2: (Parameter, Parameter),
    latent: LatentDistribution,
    stoch: usize,
    deter: usize,
}

/// What [`Rssm::observe`] reads: rows of L steps of B sequences, step by step.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Embeddings of the observations [L * B, E].
    pub embed: Var,
    /// The actions that led to the observations [L * B, A].
    pub action: Var,
    /// The draws of the posterior's samples [L * B, S].
    pub noise: Var,
    /// 0 where an episode begins, so that state and action before it are forgotten, else 1 [L * B, 1]. Without it, nothing is.
    pub kept: Option<Var>,
}

/// The results of [`Rssm::observe`]: L steps of B sequences, step by step.
#[derive(Clone, Copy, Debug)]
pub struct Observed {
    /// Posterior distributions: normal ones as means and standard deviations [L * B, 2S], categorical ones as logits [L * B, S].
    pub posterior: Var,
    /// Posterior samples [L * B, S].
    pub stoch: Var,
    /// Deterministic states [L * B, D], the same for prior and posterior.
    pub deter: Var,
    /// [stoch, deter], [L * B, S + D].
    pub feature: Var,
}

impl Rssm {
    pub(super) fn declare<F: Real>(declaration: &mut Declaration<F>, config: &AgentConfig, action_size: usize) -> Self {
        let &AgentConfig { deter, hidden, .. } = config;
        let latent = config.latent_distribution();
        let style = Style::of(config);
        let mut network = declaration.network("world_model.rssm", Role::Dynamics);
        let cell_inputs = CellInputs::declare(&mut network, config, action_size);
        let img2 = (0..config.prior_layers)
            .map(|number| match number {
                0 => ("img2".to_owned(), Inputs::of(&[(Reads::Deter, deter)])),
                _ => (format!("img2_{}", number + 1), Inputs::hidden(hidden)),
            })
            .map(|(name, inputs)| HiddenLayer::declare(&mut network, &name, inputs, hidden, style))
            .collect();
        let img3 = network.dense("img3", Inputs::hidden(hidden), latent.outputs());
        let obs1_inputs = Inputs::of(&[(Reads::Deter, deter), (Reads::Embedding, config.embed())]);
        let obs1 = HiddenLayer::declare(&mut network, "obs1", obs1_inputs, hidden, style);
        let obs2 = network.dense("obs2", Inputs::hidden(hidden), latent.outputs());
        let cell = RecurrentCell::declare(&mut network, config, cell_inputs);
        Self { cell, img2, img3, obs1, obs2, latent, stoch: config.state_size(), deter }
    }

    /// The embedding's share of the posterior's first layer: [N, E] to [N, hidden].
    fn embed_part<F: Real>(&self, tape: &mut Tape<F>, embed: Var) -> Var {
        self.obs1.part(tape, embed, self.deter)
    }

    /// The next deterministic state [N, D] from stoch [N, S], deter [N, D] and action [N, A].
    pub fn next_deter<F: Real>(&self, tape: &mut Tape<F>, stoch: Var, deter: Var, action: Var) -> Var {
        let action_part = self.cell.action_part(tape, action);
        self.cell.step(tape, stoch, deter, action_part)
    }

    /// The prior over stoch given deter [N, D], as its distribution's value.
    pub fn prior<F: Real>(&self, tape: &mut Tape<F>, deter: Var) -> Var {
        let x = self.img2.iter().fold(deter, |x, layer| layer.forward(tape, x));
        let raw = tape.dense(x, self.img3.0, self.img3.1, Activation::None);
        self.latent.distribution(tape, raw)
    }

    fn posterior_from_part<F: Real>(&self, tape: &mut Tape<F>, deter: Var, embed_part: Var) -> Var {
        let x = self.obs1.forward_plus(tape, deter, embed_part);
        let raw = tape.dense(x, self.obs2.0, self.obs2.1, Activation::None);
        self.latent.distribution(tape, raw)
    }

    /// The posterior over stoch given deter [N, D] and the observation's embedding [N, E], as its distribution's value.
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

    /// Filters B sequences from their `start`, stoch and deter. Only the part that depends on the previous state is computed in the
    /// scan.
    pub fn observe<F: Real>(&self, tape: &mut Tape<F>, start: (Var, Var), seen: Seen) -> Observed {
        let Seen { embed, action, noise, kept } = seen;
        let (mut stoch, mut deter) = start;
        let sequences = tape.shape(stoch).0;
        let steps = tape.shape(embed).0 / sequences;
        let action = kept.map_or(action, |kept| tape.scaled_rows(action, kept));
        let action_parts = self.cell.action_part(tape, action);
        let embed_parts = self.embed_part(tape, embed);
        let (mut posteriors, mut stochs, mut deters) = (tape.list(), tape.list(), tape.list());
        for step in 0..steps {
            let at = step * sequences;
            if let Some(kept) = kept {
                let kept = tape.rows_of(kept, at, sequences);
                (stoch, deter) = (tape.scaled_rows(stoch, kept), tape.scaled_rows(deter, kept));
            }
            let action_part = tape.rows_of(action_parts, at, sequences);
            deter = self.cell.step(tape, stoch, deter, action_part);
            let embed_part = tape.rows_of(embed_parts, at, sequences);
            let posterior = self.posterior_from_part(tape, deter, embed_part);
            let noise = tape.rows_of(noise, at, sequences);
            stoch = self.latent.sample(tape, posterior, noise);
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
