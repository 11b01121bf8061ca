//! DreamerV3's agent of images as published, at tiny sizes.

use super::case::{Case, Results, mean, swapped};
use super::modern::put_range;
use super::optimiser::check as check_optimiser;
use super::resets::indices;
use super::returns::weights;
pub use super::v3_names::tensors;
use super::whole::{Tensor, Whole, by_rollout, by_step, shared};
use super::world_model::{Rollouts, check, classes, filter, replay_value, roll_out};
use dreamer::{ActorGradient, AgentConfig, Cell, ImageNetwork, Latent, Learner, OptimiserRule};
use tape::{Optimiser, Tape, Workspace, range_divisor};

/// The agent that the configuration describes.
pub fn config(case: &Case) -> Result<AgentConfig, String> {
    case.fixed(&[("v3.kernel", 5.0), ("v3.obslayers", 1.0), ("v3.dynlayers", 1.0)])?;
    let size = |key: &str| case.size(&format!("v3.{key}"));
    let rate = case.scalar("opt_lr")?;
    Ok(AgentConfig {
        image_network: ImageNetwork::V3Pool,
        depth: size("depth")?,
        image_multipliers: case.multipliers("v3.mults")?,
        image_blocks: size("bspace")?,
        latent: Latent::Categorical,
        classes: size("classes")?,
        latent_unimix: case.number("unimix")?,
        cell: Cell::BlockGru,
        blocks: size("blocks")?,
        prior_layers: size("imglayers")?,
        reward_layers: size("rewlayers")?,
        value_layers: size("vallayers")?,
        actor_layers: size("pollayers")?,
        discount_layers: size("conlayers")?,
        actor_gradient: ActorGradient::Reinforce,
        optimiser: OptimiserRule::LaProp,
        clip_ratio: case.number("agc_clip")?,
        learning_rate_warmup: 0,
        model_learning_rate: rate,
        value_learning_rate: rate,
        actor_learning_rate: rate,
        ..shared(case, "v3")?
    })
}

/// Everything.
pub fn agent(case: &Case) -> Result<Results, String> {
    check(case)?;
    check_optimiser(case)?;
    let whole = Whole { case, tensors, moments: ["opt_mu", "opt_nu"] };
    let (config, range, mut results) = (config(case)?, whole.range()?, Results::default());
    let mut learner = whole.learner(&config, range)?;
    let after = values(&whole, &learner, &mut results)?;
    whole.step(&mut learner)?;
    whole.put_step(&mut results, &learner)?;
    step_by_tensor(&whole, &learner, &mut results)?;
    count_clipped(&whole, &mut results)?;

    // The same step with returns divided by the range after it; only the policy differs.
    let mut other = whole.learner(&config, after)?;
    whole.step(&mut other)?;
    let mut all = Results::default();
    whole.put_step(&mut all, &other)?;
    step_by_tensor(&whole, &other, &mut all)?;
    for kind in ["grad", "step"] {
        let of_policy = format!("{kind}/pol/");
        for (name, tensor) in all.0.iter().filter(|(name, _)| name.starts_with(&of_policy)) {
            let name = name.replacen(kind, &format!("{kind}_scale_after"), 1);
            results.0.insert(name, tensor.clone());
        }
    }
    Ok(results)
}

/// Corrects the steps of parameters that the file has as several tensors: a gradient is clipped in relation to the norm
/// of its tensor.
fn step_by_tensor(whole: &Whole, learner: &Learner<f64>, results: &mut Results) -> Result<(), String> {
    let actor = &learner.optimisers().actor;
    for parameter in actor.set().iter() {
        let tensors = (whole.tensors)(learner, parameter)?;
        if tensors.len() > 1 {
            for Tensor { name, .. } in tensors {
                step_of(whole, actor, &name, results)?;
            }
        }
    }
    Ok(())
}

/// The step of one tensor.
fn step_of(whole: &Whole, like: &Optimiser<f64>, name: &str, results: &mut Results) -> Result<(), String> {
    let case = whole.case;
    let mut weights = case.weights_named(&[name], "w/")?;
    let set = weights.set(|_| true);
    let mut optimiser = Optimiser::new(&set, like.rate, like.rule);
    let (first, second) = optimiser.moments_mut();
    first.copy_from_slice(case.numbers(&format!("opt_mu/{name}"))?);
    second.copy_from_slice(case.numbers(&format!("opt_nu/{name}"))?);
    optimiser.set_updates(like.updates() - 1);
    let gradient = results.0.get(&format!("grad/{name}")).ok_or("a tensor without a gradient")?.1.clone();
    optimiser.step(&mut weights, &gradient, 0.0);
    let shape = case.shape(&format!("w/{name}"))?;
    results.put(format!("step/{name}"), shape, weights.data());
    let (first, second) = optimiser.moments();
    results.put(format!("opt_mu/{name}"), shape, first);
    results.put(format!("opt_nu/{name}"), shape, second);
    Ok(())
}

/// How many tensors' gradients the optimiser clips.
fn count_clipped(whole: &Whole, results: &mut Results) -> Result<(), String> {
    let norm = |numbers: &[f64]| numbers.iter().map(|x| x * x).sum::<f64>().sqrt();
    let (ratio, least) = (whole.case.number("agc_clip")?, whole.case.number("agc_pmin")?);
    let mut clipped = 0;
    for (name, (_, gradient)) in &results.0 {
        let Some(name) = name.strip_prefix("grad/") else { continue };
        let own = norm(whole.case.numbers(&format!("w/{name}"))?);
        clipped += usize::from(norm(gradient) > ratio * own.max(least));
    }
    results.scalar("clipped_tensors", clipped as f64);
    Ok(())
}

/// Adds all values before the step, and returns the range of returns after it.
fn values(whole: &Whole, learner: &Learner<f64>, results: &mut Results) -> Result<[f64; 2], String> {
    let (case, config) = (whole.case, learner.config());
    let (batch, length) = (config.batch, config.length);
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(learner.parameters(), learner.no_parameters(), &mut workspace);
    let filtered = filter(whole, learner, &mut tape, &whole.batch(config)?)?;
    let observed = filtered.observed;
    let mut put = |name: &str, tail: &[usize], numbers: &[f64]| {
        results.put(name, &[&[batch, length], tail].concat(), swapped(numbers, length, batch));
    };
    let [image, reward, discount, divergence] = filtered.losses(learner, &mut tape)?;
    let losses = [("image", &image), ("rew", &reward), ("con", &discount), ("dyn", &divergence), ("rep", &divergence)];
    losses.into_iter().for_each(|(name, loss)| put(&format!("loss/{name}"), &[], loss));
    let states = [config.stoch, config.classes];
    put("kl", &[], tape.value(filtered.divergence));
    put("tokens", &[config.embed()], tape.value(filtered.embed));
    put("post/logit", &states, tape.value(observed.posterior));
    put("prior/logit", &states, tape.value(filtered.prior));
    put("post/stoch", &states, tape.value(observed.stoch));
    put("post/deter", &[config.deter], tape.value(observed.deter));
    let index = indices(&tape, observed.posterior, filtered.noise, classes(config));
    put("post/index", &[config.stoch], &index);
    let (rows, sums) = filtered.image_means(config, &tape, 0.5);
    put("image_mean_sums", &[3], &sums);
    results.put("image_mean_rows", &[8, 64, 3], rows);
    let model = mean(&image) + mean(&reward) + mean(&discount);
    let model = model + (config.kl_scale + config.kl_scale * config.representation_scale) * mean(&divergence);

    let rollouts = roll_out(whole, learner, &mut tape, observed)?;
    let weight = put_imagined(whole, learner, &mut tape, &rollouts, results)?;
    let slow_reg = case.number("slow_reg")?;
    let (replayed, returns) = replay_value(learner, &mut tape, &filtered, rollouts.evaluated.returns, slow_reg)?;
    let shape = [batch, length - 1];
    results.put("replay_returns", &shape, swapped(tape.value(returns), length - 1, batch));
    results.put("loss/repval", &shape, swapped(tape.value(replayed), length - 1, batch));
    let replayed = config.replay_value * mean(tape.value(replayed));
    let after = put_range(whole, results, tape.value(rollouts.evaluated.returns))?;

    let mut mean_of_steps = |name: &str, numbers: &[f64]| {
        // The mean over the steps of each rollout, which starts from a state of the batch.
        let by_state: Vec<f64> =
            by_rollout(numbers, config.horizon, config).chunks_exact(config.horizon).map(mean).collect();
        let total = mean(&by_state);
        results.put(name, &[batch, length], by_state);
        total
    };
    let densities = [Some(rollouts.evaluated.value_density), rollouts.evaluated.slow_density];
    let [of_returns, of_slow] = densities.map(|density| density.map(|density| tape.value(density)));
    let zeros = vec![0.0; weight.len()];
    let pairs = of_returns.unwrap_or(&zeros).iter().zip(of_slow.unwrap_or(&zeros)).zip(&weight);
    let value: Vec<f64> = pairs.map(|((returns, slow), weight)| -weight * (returns + slow_reg * slow)).collect();
    let value = mean_of_steps("loss/value", &value);
    let mut totals = Vec::new();
    for (name, total, range) in
        [("loss/policy", "total_loss", whole.range()?), ("scale_after_policy_loss", "scale_after_total_loss", after)]
    {
        let policy = policy_loss(learner, &tape, &rollouts, &weight, range)?;
        let policy = mean_of_steps(name, &policy);
        totals.push((total, model + policy + value + replayed));
    }
    for (name, total) in totals {
        results.scalar(name, total);
    }
    Ok(after)
}

/// Adds the values of imagined rollouts, and returns the weights of the states with a return, step by step.
fn put_imagined(
    whole: &Whole,
    learner: &Learner<f64>,
    tape: &mut Tape<f64>,
    rollouts: &Rollouts,
    results: &mut Results,
) -> Result<Vec<f64>, String> {
    let config = learner.config();
    let (rows, horizon, actions) = (config.batch * config.length, config.horizon, learner.action_size());
    let density = rollouts.imagined.density.ok_or("the actor learns by the density of its actions")?;
    // DreamerV3 draws an action after the last state, too.
    let noise = by_step(whole.case.numbers("noise/act")?, horizon + 1, config);
    let all_actions = rollouts.raw_actions(learner, tape, &noise);
    let weight = weights(tape.value(rollouts.con), rows, 1.0);
    let weight = swapped(&weight, rows, horizon + 1);
    let mut put = |name: &str, numbers: &[f64], steps: usize| {
        results.put(format!("imag/{name}"), &[rows, steps], by_rollout(numbers, steps, config));
    };
    put("returns", tape.value(rollouts.evaluated.returns), horizon);
    put("log_prob", tape.value(density), horizon);
    put("entropy", tape.value(rollouts.imagined.entropy), horizon);
    put("reward", tape.value(rollouts.reward), horizon + 1);
    put("value", tape.value(rollouts.value), horizon + 1);
    put("con", tape.value(rollouts.con), horizon + 1);
    put("weight", &weight, horizon + 1);
    // A feature is [stoch, deter] here, and [deter, stoch] there.
    let features = tape.value(rollouts.features).chunks_exact(config.feature());
    let features = features.flat_map(|feature| {
        let (stoch, deter) = feature.split_at(config.state_size());
        deter.iter().chain(stoch)
    });
    let features: Vec<f64> = features.copied().collect();
    for (name, numbers, size) in
        [("feat", features.as_slice(), config.feature()), ("action", all_actions.as_slice(), actions)]
    {
        results.put(format!("imag/{name}"), &[rows, horizon + 1, size], by_rollout(numbers, horizon + 1, config));
    }
    Ok(weight[..horizon * rows].to_vec())
}

/// The actor's loss of each imagined action, step by step, with advantages divided by this range.
fn policy_loss(
    learner: &Learner<f64>,
    tape: &Tape<f64>,
    rollouts: &Rollouts,
    weight: &[f64],
    range: [f64; 2],
) -> Result<Vec<f64>, String> {
    let density = rollouts.imagined.density.ok_or("the actor learns by the density of its actions")?;
    let [density, entropy, returns, value] =
        [density, rollouts.imagined.entropy, rollouts.evaluated.returns, rollouts.evaluated.value]
            .map(|var| tape.value(var));
    let (scale, bonus) = (range_divisor(&range), learner.config().actor_entropy);
    let of = |at: usize| {
        let advantage = (returns[at] - value[at]) / scale;
        -weight[at] * (density[at] * advantage + bonus * entropy[at])
    };
    Ok((0..weight.len()).map(of).collect())
}
