//! The values of a whole agent before its gradient step: what it filters from a batch, what it imagines, and all losses.

use super::case::{Case, columns, matrix, negated, swapped};
use super::whole::{Batch, Whole};
use dreamer::behaviour::{Evaluated, Imagined, evaluate, imagine};
use dreamer::networks::{IMAGE_NUMBERS, ObservationVars, Observed, Seen};
use dreamer::{AgentConfig, Latent, Learner};
use tape::{Classes, Replayed, Tape, Var, bounded_mean_and_std};

/// The recorded values of a batch, step by step: rows of L steps of B sequences.
pub struct Filtered {
    pub embed: Var,
    pub observed: Observed,
    pub prior: Var,
    pub divergence: Var,
    /// The draws of the posterior's samples.
    pub noise: Var,
    /// Images, around 0, and their means.
    images: Var,
    image_mean: Var,
    reward: Var,
    discount: Var,
    kept: Var,
}

/// The recorded values of imagined rollouts.
pub struct Rollouts {
    pub imagined: Imagined,
    pub evaluated: Evaluated,
    /// The features of all states, the starting ones first [(H + 1) B L, S + D].
    pub features: Var,
    /// Rewards, values, discounts and the slow copy's values of all states.
    pub reward: Var,
    pub value: Var,
    pub con: Var,
    pub slow: Var,
}

/// A batch's classes of categorical states.
pub fn classes(config: &AgentConfig) -> Classes {
    Classes { count: config.classes, unimix: config.latent_unimix }
}

/// Records the filter and the world model's predictions.
pub fn filter(whole: &Whole, learner: &Learner<f64>, tape: &mut Tape<f64>, batch: &Batch) -> Result<Filtered, String> {
    let (config, networks) = (learner.config(), learner.networks());
    let (sequences, length) = (config.batch, config.length);
    let by_step = |numbers: &[f64]| swapped(numbers, sequences, length);
    let bytes: Vec<f64> = batch.image.iter().map(|byte| f64::from(*byte) / 255.0 - 0.5).collect();
    let images = matrix(tape, &by_step(&bytes), IMAGE_NUMBERS);
    let action = matrix(tape, &by_step(&batch.action), learner.action_size());
    let kept: Vec<f64> = by_step(&batch.first).iter().map(|first| 1.0 - first).collect();
    let kept = matrix(tape, &kept, 1);
    let reward = matrix(tape, &by_step(&batch.reward), 1);
    let discount: Vec<f64> = by_step(&batch.discount).iter().map(|kept| config.discount * kept).collect();
    let discount = matrix(tape, &discount, 1);
    let noise = matrix(tape, whole.case.numbers("noise/post")?, config.state_size());
    let start = match batch.start.as_slice() {
        [] => networks.rssm.zero(tape, sequences),
        states => {
            let (state, all) = (config.state_size(), config.feature());
            let stoch = matrix(tape, &columns(states, all, 0..state), state);
            (stoch, matrix(tape, &columns(states, all, state..all), config.deter))
        }
    };
    let embed = networks.encoder.forward(tape, ObservationVars { images: Some(images), vectors: None });
    let observed = networks.rssm.observe(tape, start, Seen { embed, action, noise, kept: Some(kept) });
    let prior = networks.rssm.prior(tape, observed.deter);
    let divergence = match config.latent {
        Latent::Gaussian => tape.divergence(observed.posterior, prior),
        Latent::Categorical => tape.categorical_divergence(observed.posterior, prior, classes(config)),
    };
    let decoder = networks.decoder.image.as_ref().ok_or("the agent has no decoder of images")?;
    let image_mean = decoder.forward(tape, observed.feature);
    Ok(Filtered { embed, observed, prior, divergence, noise, images, image_mean, reward, discount, kept })
}

impl Filtered {
    /// The losses of each transition, step by step: of images, rewards and discounts, and the divergence above the free nats.
    pub fn losses(&self, learner: &Learner<f64>, tape: &mut Tape<f64>) -> Result<[Vec<f64>; 4], String> {
        let networks = learner.networks();
        let decoder = networks.decoder.image.as_ref().ok_or("the agent has no decoder of images")?;
        let image = decoder.log_density(tape, self.image_mean, self.images);
        let reward = networks.reward.log_density(tape, self.observed.feature, self.reward);
        let head = networks.discount.as_ref().ok_or("the agent has no discount head")?;
        let logit = head.forward(tape, self.observed.feature);
        let discount = tape.bernoulli_log_density(logit, self.discount);
        let divergence = tape.at_least(self.divergence, learner.config().free_nats);
        let [image, reward, discount] = [image, reward, discount].map(|density| negated(tape.value(density)));
        Ok([image, reward, discount, tape.value(divergence).to_vec()])
    }

    /// Every 8th row of an image's mean, that of the second transition of the first sequence, and the sums of each channel
    /// of all of them, step by step, with 0 at this level.
    pub fn image_means(&self, config: &AgentConfig, tape: &Tape<f64>, level: f64) -> (Vec<f64>, Vec<f64>) {
        let means: Vec<f64> = tape.value(self.image_mean).iter().map(|x| x + level).collect();
        let (rows, _) = image_statistics(&means[config.batch * IMAGE_NUMBERS..]);
        (rows, image_statistics(&means).1)
    }
}

/// Every 8th row of the first of images, and the sums of each channel of all of them.
pub fn image_statistics(images: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let lines = images.chunks_exact(64 * 3).take(64).step_by(8);
    let sums = images
        .chunks_exact(IMAGE_NUMBERS)
        .flat_map(|image| (0..3).map(|channel| image[channel..].iter().step_by(3).sum::<f64>()));
    (lines.flatten().copied().collect(), sums.collect())
}

/// Records rollouts from all filtered states, and the heads' outputs for all of their states.
pub fn roll_out(
    whole: &Whole,
    learner: &Learner<f64>,
    tape: &mut Tape<f64>,
    observed: Observed,
) -> Result<Rollouts, String> {
    let (config, networks) = (learner.config(), learner.networks());
    let noise = whole.noise(config, learner.action_size())?;
    let start = (observed.stoch.detached(), observed.deter.detached());
    let imagined = imagine(learner.behaviour_view(), tape, start, &noise);
    let evaluated = evaluate(learner.behaviour_view(), tape, &imagined);
    let features = tape.stack(vec![observed.feature.detached(), imagined.feature]);
    let reward = networks.reward.forward_constant(tape, features);
    let value = networks.value.mean_constant(tape, features);
    let head = networks.discount.as_ref().ok_or("the agent has no discount head")?;
    let logit = head.forward_constant(tape, features);
    let con = tape.sigmoid(logit);
    let slow = networks.slow_value.as_ref().ok_or("the agent has no slow value head")?;
    let slow = slow.mean_constant(tape, features);
    Ok(Rollouts { imagined, evaluated, features, reward, value, con, slow })
}

impl Rollouts {
    /// The samples of the first actions [count B L, A], step by step, before they are cut off, given their draws.
    pub fn raw_actions(&self, learner: &Learner<f64>, tape: &mut Tape<f64>, noise: &[f64]) -> Vec<f64> {
        let size = learner.action_size();
        let states = tape.rows_of(self.features, 0, noise.len() / size);
        let outputs = learner.networks().actor.forward(tape, states);
        let rows = tape.value(outputs).chunks_exact(2 * size).zip(noise.chunks_exact(size));
        let samples = rows.flat_map(|(outputs, noise)| {
            let (means, stds) = outputs.split_at(size);
            let pairs = means.iter().zip(stds).zip(noise);
            pairs.map(|((mean, std), noise)| {
                let (mean, std) = bounded_mean_and_std(*mean, *std);
                mean + std * noise
            })
        });
        samples.collect()
    }
}

/// The value head's loss on the states of the batch but the last of each sequence [(L - 1) B, 1], step by step, and their returns,
/// given the imagined returns of all states.
pub fn replay_value(
    learner: &Learner<f64>,
    tape: &mut Tape<f64>,
    filtered: &Filtered,
    returns: Var,
    slow_reg: f64,
) -> Result<(Var, Var), String> {
    let (config, networks) = (learner.config(), learner.networks());
    let (sequences, all) = (config.batch, config.batch * config.length);
    let count = all - sequences;
    let &Filtered { reward, discount, kept, observed, .. } = filtered;
    let bootstrap = tape.rows_of(returns.detached(), 0, all);
    let replayed = Replayed { reward, discount, bootstrap, kept: Some(kept), lambda: config.lambda, sequences };
    let returns = tape.replay_returns(replayed);
    let weights = tape.rows_of(kept, sequences, count);
    let first = tape.rows_of(observed.feature, 0, count);
    let outputs = networks.value.outputs(tape, first);
    let slow = networks.slow_value.as_ref().ok_or("the agent has no slow value head")?;
    let mean = slow.mean_constant(tape, first.detached());
    let of_returns = networks.value.log_density(tape, outputs, returns);
    let of_slow = networks.value.log_density(tape, outputs, mean.detached());
    let minus = matrix(tape, &vec![-slow_reg; count], 1);
    let of_slow = tape.scaled_rows(of_slow, minus);
    let density = tape.difference(of_returns, of_slow);
    let weighted = tape.scaled_rows(density, weights);
    let minus = matrix(tape, &vec![-1.0; count], 1);
    Ok((tape.scaled_rows(weighted, minus), returns))
}

/// Checks the constants that whole agents have.
pub fn check(case: &Case) -> Result<(), String> {
    super::return_scale::check(case)?;
    super::actions::check(case)?;
    if !case.switch("contdisc")? {
        return Err("contdisc is false, and this agent's discount head has the horizon in its target".to_owned());
    }
    case.fixed(&[("rms_eps", 1e-4), ("bins_limit", 20.0), ("update_bias", -1.0), ("slow_reg", 1.0), ("dyn_scale", 1.0)])
}
