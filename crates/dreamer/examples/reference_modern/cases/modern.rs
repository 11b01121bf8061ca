//! A whole agent with Dreamer V1's networks and most options of DreamerV3.

use super::case::{Case, Results, columns, matrix, mean, swapped};
use super::dynamics::{Constants, Rollouts, VARIANTS, Variant};
use super::returns::weights;
use super::whole::{Tensor, Whole, by_rollout, shared};
use super::world_model::{check, filter, replay_value, roll_out};
use dreamer::{AgentConfig, Learner, Metric, StepMetrics};
use tape::{Gradients, Parameter, Tape, Workspace, follow, percentiles, range_divisor};

/// The agent that the configuration describes.
pub fn config(case: &Case) -> Result<AgentConfig, String> {
    let size = |key: &str| case.size(&format!("modern.{key}"));
    Ok(AgentConfig {
        depth: size("depth")?,
        reward_layers: size("reward_layers")?,
        value_layers: size("value_layers")?,
        actor_layers: size("actor_layers")?,
        discount_layers: size("continue_layers")?,
        min_std: case.number("gaussian_min_std")?,
        replay_value_trains_model: false,
        model_learning_rate: case.number("model_lr")?,
        value_learning_rate: case.number("value_lr")?,
        actor_learning_rate: case.number("actor_lr")?,
        gradient_clip: case.number("grad_clip")?,
        ..shared(case, "modern")?
    })
}

/// A parameter has the same numbers in the case.
pub fn tensors(learner: &Learner<f64>, parameter: Parameter) -> Result<Vec<Tensor>, String> {
    let path = learner.parameters().path(parameter);
    let path = path.strip_prefix("world_model.").unwrap_or(path);
    let (module, rest) = path.split_once('.').ok_or("a path without a module")?;
    let module = match module {
        "encoder" => "encode",
        "decoder" => "decode",
        "rssm" => "dynamics",
        "discount" => "continue",
        other => other,
    };
    let places = (0..learner.parameters().values(parameter).len()).collect();
    Ok(vec![Tensor { name: format!("{module}/{}", rest.replace('.', "/")), places }])
}

/// Everything.
pub fn agent(case: &Case) -> Result<Results, String> {
    check(case)?;
    case.fixed(&[("adam_b1", 0.9), ("adam_b2", 0.999), ("adam_eps", 1e-7)])?;
    let whole = Whole { case, tensors, moments: ["adam_m", "adam_v"] };
    let (config, range, mut results) = (config(case)?, whole.range()?, Results::default());
    let mut learner = whole.learner(&config, range)?;
    let after = values(&whole, &learner, &mut results)?;
    for variant in VARIANTS {
        actor_loss(&whole, &learner, &mut results, variant, range)?;
    }
    let scale_after = Variant { name: "_scale_after", ..VARIANTS[0] };
    actor_loss(&whole, &learner, &mut results, scale_after, after)?;
    replay_value_gradient(&whole, &learner, &mut results)?;
    let metrics = whole.step(&mut learner)?;
    whole.put_step(&mut results, &learner)?;
    norms(&mut results, &metrics);
    Ok(results)
}

fn norms(results: &mut Results, metrics: &StepMetrics) {
    let norms = [Metric::ModelGradientNorm, Metric::ActorGradientNorm, Metric::ValueGradientNorm];
    for (name, metric) in ["model", "actor", "value"].into_iter().zip(norms) {
        results.scalar(format!("{name}_grad_norm"), metrics[metric]);
    }
}

/// Adds all values before the step, and returns the range of returns after it.
fn values(whole: &Whole, learner: &Learner<f64>, results: &mut Results) -> Result<[f64; 2], String> {
    let (case, config) = (whole.case, learner.config());
    let (batch, length, horizon) = (config.batch, config.length, config.horizon);
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(learner.parameters(), learner.no_parameters(), &mut workspace);
    let filtered = filter(whole, learner, &mut tape, &whole.batch(config)?)?;
    let draws = matrix(&mut tape, case.numbers("noise/prior")?, config.stoch);
    let prior_stoch = tape.sample(filtered.prior, draws);
    let [image, reward, discount, divergence] = filtered.losses(learner, &mut tape)?;
    let model_loss = mean(&image) + mean(&reward) + mean(&discount);
    let model_loss = model_loss + (config.kl_scale + config.kl_scale * config.representation_scale) * mean(&divergence);
    results.scalar("model_loss", model_loss);
    let losses = [
        ("image_loss", &image),
        ("reward_loss", &reward),
        ("continue_loss", &discount),
        ("dyn_loss", &divergence),
        ("rep_loss", &divergence),
    ];
    for (name, loss) in losses {
        results.put(name, &[batch, length], swapped(loss, length, batch));
    }
    let mut put = |name: &str, numbers: &[f64]| {
        let size = numbers.len() / (batch * length);
        let shape = if size == 1 { vec![batch, length] } else { vec![batch, length, size] };
        results.put(name, &shape, swapped(numbers, length, batch));
    };
    let stoch = config.stoch;
    for (of, distribution, sample) in
        [("post", filtered.observed.posterior, filtered.observed.stoch), ("prior", filtered.prior, prior_stoch)]
    {
        put(&format!("{of}/mean"), &columns(tape.value(distribution), 2 * stoch, 0..stoch));
        put(&format!("{of}/std"), &columns(tape.value(distribution), 2 * stoch, stoch..2 * stoch));
        put(&format!("{of}/stoch"), tape.value(sample));
    }
    put("post/deter", tape.value(filtered.observed.deter));
    put("kl", tape.value(filtered.divergence));
    put("embed", tape.value(filtered.embed));
    let reward_mean = learner.networks().reward.forward(&mut tape, filtered.observed.feature);
    put("reward_mean", tape.value(reward_mean));
    let (rows, sums) = filtered.image_means(config, &tape, 0.0);
    put("image_mean_sums", &sums);
    results.put("image_mean_rows", &[8, 64, 3], rows);

    let rollouts = roll_out(whole, learner, &mut tape, filtered.observed)?;
    let noise = whole.noise(config, learner.action_size())?;
    let actions = rollouts.raw_actions(learner, &mut tape, &noise.action);
    let mut put = |name: &str, numbers: &[f64], steps: usize| {
        let size = numbers.len() / (steps * batch * length);
        let shape = [batch * length, steps, size];
        let shape = if name == "imag/action" || size > 1 { &shape[..] } else { &shape[..2] };
        results.put(name, shape, by_rollout(numbers, steps, config));
    };
    put("imag/action", &actions, horizon);
    put("imag/entropy", tape.value(rollouts.imagined.entropy), horizon);
    put("imag/returns", tape.value(rollouts.evaluated.returns), horizon);
    let all = [
        ("imag/feat", rollouts.features),
        ("imag/reward", rollouts.reward),
        ("imag/value", rollouts.value),
        ("imag/con", rollouts.con),
        ("slow_prediction", rollouts.slow),
    ];
    all.into_iter().for_each(|(name, var)| put(name, tape.value(var), horizon + 1));
    let weight = weights(tape.value(rollouts.con), batch * length, 1.0);
    put("imag/weight", &swapped(&weight, batch * length, horizon + 1), horizon + 1);

    let evaluated = rollouts.evaluated;
    let densities = [Some(evaluated.value_density), evaluated.slow_density].map(|density| {
        let weighted = density.map(|density| tape.weighted_sum(density, evaluated.weights));
        weighted.map_or(0.0, |sum| -tape.scalar(sum) / (horizon * batch * length) as f64)
    });
    let imagined: f64 = densities.iter().sum();
    let slow_reg = case.number("slow_reg")?;
    let (replayed, returns) = replay_value(learner, &mut tape, &filtered, evaluated.returns, slow_reg)?;
    results.put("replay_returns", &[batch, length - 1], swapped(tape.value(returns), length - 1, batch));
    let replayed = mean(tape.value(replayed));
    results.scalar("value_loss_imagined", imagined);
    results.scalar("value_loss_replay", replayed);
    results.scalar("value_loss", imagined + config.replay_value * replayed);
    put_range(whole, results, tape.value(evaluated.returns))
}

/// Adds the range of returns after the step, and what it divides by before and after it. Returns the range.
pub fn put_range(whole: &Whole, results: &mut Results, returns: &[f64]) -> Result<[f64; 2], String> {
    let mut range = whole.range()?;
    results.scalar("scale_before", range_divisor(&range));
    follow(&mut range, &percentiles(&mut returns.to_vec()), whole.case.number("ret_rate")?);
    results.scalar("scale_after", range_divisor(&range));
    results.scalar("return_low", range[0]);
    results.scalar("return_high", range[1]);
    Ok(range)
}

/// Adds the actor's loss and its gradient in a variant, with returns divided by this range.
fn actor_loss(
    whole: &Whole,
    learner: &Learner<f64>,
    results: &mut Results,
    variant: Variant,
    range: [f64; 2],
) -> Result<(), String> {
    let config = learner.config();
    let (mut workspace, view) = (Workspace::default(), learner.behaviour_view());
    let mut tape = Tape::new(learner.parameters(), view.trainable, &mut workspace);
    let observed = {
        let filtered = tape.with_constant_parameters(|tape| filter(whole, learner, tape, &whole.batch(config)?))?;
        filtered.observed
    };
    let rollouts = roll_out(whole, learner, &mut tape, observed)?;
    let as_read = Rollouts {
        reward: rollouts.reward,
        value: rollouts.value,
        con: rollouts.con,
        entropy: rollouts.imagined.entropy,
        rows: config.batch * config.length,
    };
    let constants = Constants { lambda: config.lambda, scale: range_divisor(&range), entropy: config.actor_entropy };
    let (loss, _) = as_read.loss(&mut tape, constants, variant);
    results.scalar(format!("actor_loss{}", variant.name), loss);
    let mut gradients = Gradients::new(view.trainable);
    tape.backward(&mut gradients);
    gradients.finish();
    let actor = learner.optimisers().actor.set();
    for parameter in actor.iter().filter(|_| !variant.name.is_empty()) {
        let gradient = gradients.of(parameter).expect("actor and value head are trained");
        whole.put(results, &format!("grad{}", variant.name), learner, parameter, gradient)?;
    }
    Ok(())
}

/// Adds the world model's gradient of the loss on replayed states, which DreamerV3 lets through.
fn replay_value_gradient(whole: &Whole, learner: &Learner<f64>, results: &mut Results) -> Result<(), String> {
    let config = learner.config();
    let model = learner.optimisers().model.set();
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(learner.parameters(), model, &mut workspace);
    let filtered = filter(whole, learner, &mut tape, &whole.batch(config)?)?;
    let rollouts = tape.with_constant_parameters(|tape| roll_out(whole, learner, tape, filtered.observed))?;
    let slow_reg = whole.case.number("slow_reg")?;
    let (loss, _) = replay_value(learner, &mut tape, &filtered, rollouts.evaluated.returns, slow_reg)?;
    let count = tape.value(loss).len();
    tape.seed(loss, config.replay_value / count as f64);
    let mut gradients = Gradients::new(model);
    tape.backward(&mut gradients);
    gradients.finish();
    for parameter in model.iter() {
        let gradient = gradients.of(parameter).expect("the world model is trained");
        whole.put(results, "grad_repval", learner, parameter, gradient)?;
    }
    Ok(())
}
