//! Open-loop prediction: the images that the model predicts without observing any.

use crate::agent_view::AgentView;
use crate::learner::Learner;
use crate::networks::Seen;
use crate::policy::Policy;
use environment::Observation;
use random::Stream;
use tape::{Real, Tape, Var, Workspace};

impl<F: Real> Learner<F> {
    /// The model's images of one sequence, T observations and the actions that led to them [T, A]; none if the agent does
    /// not predict images. The first `context` come from the posterior, those after it from the prior alone, which
    /// receives only the actions.
    ///
    /// # Panics
    /// If observations and actions have different lengths, or there are fewer observations than `context`.
    pub fn open_loop(
        &self,
        observations: Observation<'_>,
        actions: &[F],
        context: usize,
        random: &mut Stream,
    ) -> Vec<u8> {
        open_loop(self.constant_view(), self.action_size(), observations, actions, context, random)
    }
}

impl<F: Real> Policy<F> {
    /// As [`Learner::open_loop`].
    ///
    /// # Panics
    /// As [`Learner::open_loop`].
    pub fn open_loop(
        &self,
        observations: Observation<'_>,
        actions: &[F],
        context: usize,
        random: &mut Stream,
    ) -> Vec<u8> {
        open_loop(self.constant_view(), self.action_size(), observations, actions, context, random)
    }
}

/// The images that an agent with constant parameters predicts: see [`Learner::open_loop`].
fn open_loop<F: Real>(
    agent: AgentView<'_, F>,
    action_size: usize,
    observations: Observation<'_>,
    actions: &[F],
    context: usize,
    random: &mut Stream,
) -> Vec<u8> {
    let networks = agent.networks;
    let steps = agent.count_of(observations);
    let Some(decoder) = &networks.decoder.image else { return Vec::new() };
    assert_eq!(actions.len(), steps * action_size, "an action for every observation");
    assert!((1..=steps).contains(&context), "context within the sequence");
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(agent.parameters, agent.trainable, &mut workspace);
    let seen = observations.part(&agent.config.observation_space(), 0..context);
    let seen = agent.observation_constants(&mut tape, seen);
    let embed = networks.encoder.forward(&mut tape, seen);
    let latent = agent.config.latent_distribution();
    let mut draw =
        |tape: &mut Tape<F>, rows| tape.constant(rows, agent.config.state_size(), |y| latent.draw(y, random));
    let action = |tape: &mut Tape<F>, from: usize, rows: usize| -> Var {
        let size = action_size;
        tape.constant(rows, size, |y| y.copy_from_slice(&actions[from * size..(from + rows) * size]))
    };
    let (past, noise) = (action(&mut tape, 0, context), draw(&mut tape, context));
    let start = networks.rssm.zero(&mut tape, 1);
    let observed = networks.rssm.observe(&mut tape, start, Seen { embed, action: past, noise, kept: None });
    let mut stoch = tape.rows_of(observed.stoch, context - 1, 1);
    let mut deter = tape.rows_of(observed.deter, context - 1, 1);
    let mut features = tape.list();
    features.push(observed.feature);
    for step in context..steps {
        let action = action(&mut tape, step, 1);
        deter = networks.rssm.next_deter(&mut tape, stoch, deter, action);
        let prior = networks.rssm.prior(&mut tape, deter);
        let noise = draw(&mut tape, 1);
        stoch = latent.sample(&mut tape, prior, noise);
        features.push(tape.concat(stoch, deter));
    }
    let feature = tape.stack(features);
    let mean = decoder.forward(&mut tape, feature);
    let byte = |x: &F| ((x.to_f64() + 0.5) * 255.0).round().clamp(0.0, 255.0) as u8;
    tape.value(mean).iter().map(byte).collect()
}
