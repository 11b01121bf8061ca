//! The second half of a shard's gradient step: learning in imagination, then back through time and the encoder.

use super::{Shard, Worker};
use crate::agent_view::AgentView;
use crate::behaviour::{evaluate, imagine};
use crate::images::Images;
use crate::losses::behaviour::losses;
use crate::losses::replay_value::{self, States};
use crate::metrics::Sums;
use crate::starts::Starts;
use tape::{Gradients, Real, Tape};

impl<F: Real> Shard<F> {
    /// Imagines from the shard's posterior states, which are constants, and adds the gradients of the losses of actor and
    /// value head. If the value head's loss on the batch's own states trains the world model, its gradient with respect
    /// to their features is kept for [`Shard::learn_model`].
    ///
    /// # Panics
    /// If [`Shard::observe`] did not come before.
    pub fn learn_behaviour(&mut self, agent: AgentView<F>, worker: &mut Worker<F>, gradients: &mut Gradients<F>) {
        let (config, filtered) = (agent.config, self.filtered.expect("the first half ran"));
        let observed = Tape::resume(agent.parameters, agent.trainable, &mut self.workspace);
        let [stoch, deter] = [filtered.observed.stoch, filtered.observed.deter];
        let transitions = observed.shape(stoch).0;
        let starts = Starts { config, draws: &self.noise.start, transitions };
        let rollouts = starts.count();
        let Worker { behaviour, terms, .. } = worker;
        let mut tape = Tape::new(agent.parameters, agent.trainable, behaviour);
        let mut chosen = |var| {
            let cols = observed.shape(var).1;
            tape.constant(rollouts, cols, |y| starts.choose(observed.value(var), y))
        };
        let start = (chosen(stoch), chosen(deter));
        let imagined = imagine(agent, &mut tape, start, &self.noise);
        let evaluated = evaluate(agent, &mut tape, &imagined);
        terms.clear();
        losses(agent, &mut tape, &imagined, &evaluated, terms);
        let replayed = (config.replay_value > 0.0).then(|| {
            let data = &self.data;
            let numbers = |tape: &mut Tape<F>, of: &[F]| tape.constant(transitions, 1, |y| y.copy_from_slice(of));
            let features = observed.value(filtered.observed.feature);
            let feature = tape.leaf(transitions, config.feature(), |y| y.copy_from_slice(features));
            let feature = if config.replay_value_trains_model { feature } else { feature.detached() };
            let states = States {
                feature,
                reward: numbers(&mut tape, &data.reward),
                discount: numbers(&mut tape, &data.discount),
                kept: config.resets.then(|| numbers(&mut tape, &data.kept)),
                sequences: transitions / config.length,
            };
            replay_value::losses(agent, &mut tape, states, evaluated.returns, terms);
            feature
        });
        terms.sum_up(&tape, &mut self.sums);
        terms.seed(&mut tape);
        tape.backward(gradients);
        if let Some(gradient) = replayed.and_then(|feature| tape.gradient(feature)) {
            self.feature_gradient.iter_mut().zip(gradient).for_each(|(sum, &part)| *sum += part);
        }
        if agent.networks.return_range.is_some() {
            self.returns.clear();
            self.returns.extend_from_slice(tape.value(evaluated.returns));
        }
    }

    /// Computes gradients through time and the encoder, given the sums over the whole batch, which decide whether the
    /// divergence counts.
    ///
    /// # Panics
    /// If [`Shard::observe`] did not come before.
    pub fn learn_model(
        &mut self,
        agent: AgentView<F>,
        images: Images,
        batch: &Sums,
        worker: &mut Worker<F>,
        gradients: &mut Gradients<F>,
    ) {
        let filtered = self.filtered.take().expect("the first half ran");
        self.workspace.exchange_scratch(&mut worker.scratch);
        let mut tape = Tape::resume(agent.parameters, agent.trainable, &mut self.workspace);
        tape.seed_with(filtered.observed.feature, &self.feature_gradient);
        if let Some(projected) = filtered.projected {
            tape.seed_with(projected, &self.projections.gradient);
        }
        self.terms.seed_after(batch, &mut tape);
        tape.backward(gradients);
        if let Some(first) = filtered.first_layers {
            worker.images.learn_to_encode(agent, images, &mut tape, first, gradients);
        }
        self.workspace.exchange_scratch(&mut worker.scratch);
    }
}
