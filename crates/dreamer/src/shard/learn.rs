//! The second half of a shard's gradient step: back through time and the encoder, then learning in imagination.

use super::{Shard, Worker};
use crate::agent_view::AgentView;
use crate::behaviour::{evaluate, imagine};
use crate::images::Images;
use crate::losses::behaviour::losses;
use crate::metrics::Sums;
use crate::starts::Starts;
use tape::{Gradients, Real, Tape};

impl<F: Real> Shard<F> {
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
        let filtered = self.filtered.expect("the first half ran");
        self.workspace.exchange_scratch(&mut worker.scratch);
        let mut tape = Tape::resume(agent.parameters, agent.trainable, &mut self.workspace);
        tape.seed_with(filtered.observed.feature, &self.feature_gradient);
        self.terms.seed_after(batch, &mut tape);
        tape.backward(gradients);
        if let Some(first) = filtered.first_layers {
            worker.images.learn_to_encode(agent, images, &mut tape, first, gradients);
        }
        self.workspace.exchange_scratch(&mut worker.scratch);
    }

    /// Imagines from the shard's posterior states, which are constants, and adds the gradients of the losses of actor and
    /// value head.
    ///
    /// # Panics
    /// If [`Shard::observe`] did not come before.
    pub fn learn_behaviour(&mut self, agent: AgentView<F>, worker: &mut Worker<F>, gradients: &mut Gradients<F>) {
        let filtered = self.filtered.take().expect("the first half ran");
        let observed = Tape::resume(agent.parameters, agent.trainable, &mut self.workspace);
        let [stoch, deter] = [filtered.observed.stoch, filtered.observed.deter];
        let starts = Starts { config: agent.config, draws: &self.noise.start, transitions: observed.shape(stoch).0 };
        let rollouts = starts.count();
        let Worker { behaviour, terms, .. } = worker;
        let mut tape = Tape::new(agent.parameters, agent.trainable, behaviour);
        let mut chosen = |var| {
            let cols = observed.shape(var).1;
            tape.constant(rollouts, cols, |y| starts.choose(observed.value(var), y))
        };
        let start = (chosen(stoch), chosen(deter));
        let imagined = imagine(agent, &mut tape, start, &self.noise);
        let evaluated = evaluate(agent, &mut tape, imagined.feature, rollouts);
        terms.clear();
        losses(agent, &mut tape, &imagined, &evaluated, terms);
        terms.sum_up(&tape, &mut self.sums);
        terms.seed(&mut tape);
        tape.backward(gradients);
        if agent.networks.return_range.is_some() {
            self.returns.clear();
            self.returns.extend_from_slice(tape.value(evaluated.returns));
        }
    }
}
