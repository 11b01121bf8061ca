//! Which sources a reward meta-model learns to use: of two that depend on different parts of the latent state, one
//! predicts the rewards and the other is unrelated to them.
//!
//! The latent states are drawn at random, so that nothing but the meta-model decides: the world model does not learn
//! meanwhile.

use dreamer::{AgentConfig, Learner, RewardSource, SourceStandard};
use random::Stream;
use tape::{Gradients, Optimiser, Rule, Tape, Workspace};
use transfer::{InputUse, input_use};

/// Latent states of a gradient step, as many as in the presets.
const ROWS: usize = 256;
/// How much larger the predictions of the noise are.
const LOUDER: f64 = 20.0;

fn config() -> AgentConfig {
    AgentConfig {
        images: false,
        vector: 1,
        vector_units: 4,
        stoch: 8,
        deter: 16,
        hidden: 8,
        units: 32,
        reward_layers: 1,
        reward_sources: vec![RewardSource { layers: 1, units: 16, ..RewardSource::default() }; 2],
        reward_sources_standardised: true,
        ..AgentConfig::default()
    }
}

/// Independent latent states.
fn states(learner: &Learner<f64>, random: &mut Stream) -> Vec<f64> {
    (0..ROWS * learner.config().feature()).map(|_| random.normal()).collect()
}

/// The predictions of both sources for these states.
fn predictions(learner: &Learner<f64>, states: &[f64]) -> [Vec<f64>; 2] {
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(learner.parameters(), learner.no_parameters(), &mut workspace);
    let feature = tape.constant(ROWS, learner.config().feature(), |y| y.copy_from_slice(states));
    let predicted = learner.networks().reward.source_predictions(&mut tape, feature);
    [0, 1].map(|source| tape.value(predicted[source]).to_vec())
}

/// An agent with a silent meta-model over the useful source, which reads the deterministic state, and the noise, which
/// reads the stochastic one.
fn agent() -> Learner<f64> {
    let config = config();
    let mut learner = Learner::new(&config, 1).unwrap();
    learner.initialise(&mut Stream::new(7, "initialisation"));
    let mut change = |path: &str, change: &dyn Fn(&mut [f64])| {
        let parameter = learner.parameters().find(path).unwrap();
        change(learner.parameters_mut().values_mut(parameter));
    };
    let stoch = config.stoch * 16;
    change("world_model.reward_sources.0.h0.kernel", &|kernel| kernel[..stoch].fill(0.0));
    change("world_model.reward_sources.1.h0.kernel", &|kernel| kernel[stoch..].fill(0.0));
    change("world_model.reward_sources.1.hout.kernel", &|kernel| kernel.iter_mut().for_each(|x| *x *= LOUDER));
    change("world_model.reward.h0.kernel", &|kernel| kernel[..2 * config.units].fill(0.0));
    let states = states(&learner, &mut Stream::new(7, "random episodes"));
    let standards = predictions(&learner, &states).map(|predictions| SourceStandard::of(&predictions));
    assert!(standards[1].deviation > 5.0 * standards[0].deviation, "{standards:?}");
    learner.set_source_standards(&standards);
    learner
}

/// The use of both sources after each of `steps` gradient steps on the rewards that the useful source predicts, with
/// this weight of the L1 norm.
fn uses(l1: f64, steps: usize) -> Vec<InputUse> {
    let mut learner = agent();
    let trained = learner.parameters().set(|path| path.starts_with("world_model.reward.h"));
    let mut adam = Optimiser::new(
        &trained,
        learner.config().model_learning_rate,
        Rule::Adam { clip: learner.config().gradient_clip },
    );
    let (mut gradients, mut workspace) = (Gradients::new(&trained), Workspace::default());
    let mut random = Stream::new(7, "states");
    let step = |_| {
        let states = states(&learner, &mut random);
        let [rewards, _] = predictions(&learner, &states);
        let mut tape = Tape::new(learner.parameters(), &trained, &mut workspace);
        let feature = tape.constant(ROWS, learner.config().feature(), |y| y.copy_from_slice(&states));
        let target = tape.constant(ROWS, 1, |y| y.copy_from_slice(&rewards));
        let reward = &learner.networks().reward;
        let mean = reward.forward(&mut tape, feature);
        let density = tape.normal_log_density(mean, target);
        let sum = reward.absolute_source_weights(&mut tape, ROWS);
        tape.seed(density, -1.0 / ROWS as f64);
        tape.seed(sum, l1 / ROWS as f64);
        gradients.clear();
        tape.backward(&mut gradients);
        let gradient = gradients.finish();
        let norm = adam.norm(gradient);
        adam.step(learner.parameters_mut(), gradient, norm);
        input_use(&learner).unwrap()
    };
    (0..steps).map(step).collect()
}

#[test]
fn a_source_that_predicts_the_rewards_is_used_and_one_that_predicts_noise_is_not() {
    let uses = uses(3e-3, 500);
    // Within 200 gradient steps, the useful source is read a third as much as a number of the latent state.
    let InputUse { predictions, stoch, deter } = &uses[199];
    let useful = predictions[0];
    assert!(useful > 0.3 * stoch.max(*deter), "{:?}", uses[199]);
    // Adam's first steps are as long for all weights; the noise never gets far.
    for (step, used) in uses.iter().enumerate() {
        assert!(used.predictions[1] < 0.1 * useful, "step {step}: {used:?}");
        assert!(step < 50 || used.predictions[1] < 0.1 * used.predictions[0], "step {step}: {used:?}");
    }
}

#[test]
fn without_an_l1_norm_noise_is_read_more_and_more() {
    let uses = uses(0.0, 500);
    let share = |step: usize| uses[step].predictions[1] / uses[step].predictions[0];
    assert!(share(499) > 0.2 && share(499) > share(99), "{} {}", share(99), share(499));
}
