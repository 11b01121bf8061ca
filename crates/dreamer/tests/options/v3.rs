//! DreamerV3's agent of images as published, at tiny sizes: every loss, every gradient, and one step of its optimiser.

use crate::modern::{by_step, mean};
use crate::{Case, golden};
use dreamer::networks::Reads;
use dreamer::{
    ActionDistribution, ActorGradient, AgentConfig, BatchView, Cell, Divergence, Heads, ImageNetwork, Latent,
    LayerActivation, Learner, Metric, Noise, Norm, OptimiserRule, Optimisers, ReturnScale, ReturnsFrom, StepMetrics,
};
use serde_json::Value;
use tape::Parameter;

/// The agent that the golden file describes.
fn config(all: &Value) -> AgentConfig {
    let of = |key: &str| all["v3"][key].as_u64().unwrap() as usize;
    let number = |key: &str| all[key].as_f64().unwrap();
    let rate = all["v3"]["opt_lr"].as_f64().unwrap();
    AgentConfig {
        image_network: ImageNetwork::V3Pool,
        depth: of("depth"),
        image_multipliers: std::array::from_fn(|layer| all["v3"]["mults"][layer].as_u64().unwrap() as usize),
        image_blocks: of("bspace"),
        latent: Latent::Categorical,
        stoch: of("stoch"),
        classes: of("classes"),
        latent_unimix: number("unimix"),
        cell: Cell::BlockGru,
        deter: of("deter"),
        blocks: of("blocks"),
        prior_layers: of("imglayers"),
        hidden: of("hidden"),
        units: of("units"),
        norm: Norm::Rms,
        activation: LayerActivation::Silu,
        heads: Heads::TwoHot,
        bins: of("bins"),
        reward_layers: of("rewlayers"),
        value_layers: of("vallayers"),
        actor_layers: of("pollayers"),
        discount_head: true,
        discount_layers: of("conlayers"),
        discount_scale: 1.0,
        discount: 1.0 - 1.0 / number("horizon"),
        batch: of("batch"),
        length: of("time"),
        horizon: of("horizon"),
        resets: true,
        returns_from: ReturnsFrom::Start,
        lambda: number("lam"),
        divergence: Divergence::Balanced,
        free_nats: number("free_nats"),
        kl_scale: number("dyn_scale"),
        representation_scale: number("rep_scale"),
        actor: ActionDistribution::BoundedNormal,
        actor_gradient: ActorGradient::Reinforce,
        actor_entropy: number("actent"),
        slow_value: number("slow_rate"),
        replay_value: number("repval_scale"),
        return_scale: ReturnScale::Percentile,
        optimiser: OptimiserRule::LaProp,
        clip_ratio: number("agc_clip"),
        learning_rate_warmup: 0,
        model_learning_rate: rate,
        value_learning_rate: rate,
        actor_learning_rate: rate,
        shard: of("batch"),
        ..AgentConfig::default()
    }
}

/// The names in the file of a layer and of its norm, given its path in an agent without the part at the end.
fn layer(path: &str) -> (String, String) {
    let (network, layer) = path.rsplit_once('.').expect("network and layer");
    let fixed = |layer: &str, norm: &str| (layer.to_owned(), norm.to_owned());
    let number = |layer: &str| layer.trim_start_matches('h').parse::<usize>().expect("a number");
    match (network, layer) {
        ("world_model.encoder", layer) => {
            let name = format!("enc/cnn{}", number(layer) - 1);
            (name.clone(), name + "norm")
        }
        ("world_model.decoder", "deter_in") => fixed("dec/sp0", ""),
        ("world_model.decoder", "stoch_in") => fixed("dec/sp1", "dec/sp1norm"),
        ("world_model.decoder", "stoch_out") => fixed("dec/sp2", ""),
        ("world_model.decoder", "h1") => fixed("", "dec/spnorm"),
        ("world_model.decoder", "h5") => fixed("dec/imgout", ""),
        ("world_model.decoder", layer) => {
            let name = format!("dec/conv{}", 4 - number(layer));
            (name.clone(), name + "norm")
        }
        ("world_model.rssm", layer) => {
            let name = match layer {
                "deter_in" => "dynin0",
                "stoch_in" => "dynin1",
                "action_in" => "dynin2",
                "block_hidden" => "dynhid0",
                "block_gates" => "dyngru",
                "img2" => "prior0",
                "img2_2" => "prior1",
                "img3" => "priorlogit",
                "obs1" => "obs0",
                "obs2" => "obslogit",
                other => panic!("no layer {other}"),
            };
            (format!("dyn/{name}"), format!("dyn/{name}norm"))
        }
        (head, layer) => {
            let (name, output) = match head {
                "world_model.reward" => ("rew", "head/logits"),
                "world_model.discount" => ("con", "head/logit"),
                "actor" => ("pol", "head/action"),
                "value" => ("val", "head/logits"),
                "slow_value" => ("slowval", "head/logits"),
                other => panic!("no network {other}"),
            };
            if layer == "hout" {
                return (format!("{name}/{output}"), String::new());
            }
            let number = number(layer);
            (format!("{name}/mlp/linear{number}"), format!("{name}/mlp/norm{number}"))
        }
    }
}

/// A parameter's numbers in the file, below `kind`, in the order that the agent has them.
fn numbers(case: &Case, learner: &Learner<f64>, parameter: Parameter, kind: &str) -> Vec<f64> {
    let path = learner.parameters().path(parameter);
    let (layer_path, part) = path.rsplit_once('.').expect("layer and part");
    let (name, norm) = layer(layer_path);
    let of = |name: &str| case.numbers(&format!("{kind}/{name}/{part}")).to_vec();
    if layer_path == "actor.hout" {
        // Means and standard deviations are layers of their own there.
        let [means, deviations] = ["mean", "stddev"].map(|output| of(&format!("{name}/{output}")));
        let actions = learner.action_size();
        let rows = means.chunks_exact(actions).zip(deviations.chunks_exact(actions));
        return rows.flat_map(|(means, deviations)| [means, deviations].concat()).collect();
    }
    let numbers = of(if part == "scale" { &norm } else { &name });
    // A feature is [stoch, deter] here, and [deter, stoch] there.
    match learner.networks().rows(parameter) {
        [(Reads::Stoch, stoch), (Reads::Deter, deter)] => {
            let columns = numbers.len() / deter.end;
            let (of_deter, of_stoch) = numbers.split_at((deter.end - stoch.end) * columns);
            [of_stoch, of_deter].concat()
        }
        _ => numbers,
    }
}

/// An agent of the file with its weights, its range of returns and its moments.
fn learner(case: &Case, all: &Value) -> Learner<f64> {
    let actions = all["v3"]["action"].as_u64().unwrap() as usize;
    let mut learner = Learner::<f64>::new(&config(all), actions).unwrap();
    for parameter in learner.parameters().iter() {
        let values = match learner.parameters().path(parameter) {
            "return_range.bounds" => vec![case.numbers("in/return_low")[0], case.numbers("in/return_high")[0]],
            _ => numbers(case, &learner, parameter, "in/w"),
        };
        learner.parameters_mut().values_mut(parameter).copy_from_slice(&values);
    }
    let Optimisers { model, actor, value } = learner.optimisers();
    let moments = [model, actor, value].map(|optimiser| {
        ["in/opt_mu", "in/opt_nu"].map(|kind| -> Vec<f64> {
            optimiser.set().iter().flat_map(|parameter| numbers(case, &learner, parameter, kind)).collect()
        })
    });
    let steps = all["v3"]["opt_step"].as_u64().unwrap() - 1;
    let Optimisers { model, actor, value } = learner.optimisers_mut();
    for (optimiser, [first, second]) in [model, actor, value].into_iter().zip(&moments) {
        let (ours, theirs) = optimiser.moments_mut();
        ours.copy_from_slice(first);
        theirs.copy_from_slice(second);
        optimiser.set_updates(steps);
    }
    learner
}

/// One gradient step on the file's batch and noise.
fn step(case: &Case, learner: &mut Learner<f64>) -> StepMetrics {
    let config = learner.config().clone();
    let image: Vec<u8> = case.numbers("in/image_u8").iter().map(|&x| x as u8).collect();
    // The file's agent divides actions beyond [-1, 1] by their absolute values.
    let action: Vec<f64> = case.numbers("in/action").iter().map(|x| x / x.abs().max(1.0)).collect();
    let discount: Vec<f64> = case.numbers("in/is_terminal").iter().map(|terminal| 1.0 - terminal).collect();
    let states = case.numbers("in/carry/stoch").chunks_exact(config.state_size());
    let start: Vec<f64> = states
        .zip(case.numbers("in/carry/deter").chunks_exact(config.deter))
        .flat_map(|(stoch, deter)| [stoch, deter].concat())
        .collect();
    let first = case.numbers("in/is_first");
    assert!(first.iter().step_by(config.length).any(|first| *first == 0.0), "a sequence that starts from its state");
    let batch = BatchView {
        image: &image,
        vector: &[],
        action: &action,
        reward: case.numbers("in/reward"),
        discount: &discount,
        first,
        start: &start,
        embedding: &[],
    };
    // An action is drawn after the last imagined state, too, and not used.
    let (actions, rollouts) = (learner.action_size(), config.batch * config.length);
    let drawn = &case.numbers("in/noise/act")[..config.horizon * rollouts * actions];
    let noise = Noise {
        posterior: case.numbers("in/noise/post").to_vec(),
        action: by_step(drawn, &config, actions),
        prior: by_step(case.numbers("in/noise/img"), &config, config.state_size()),
        start: Vec::new(),
    };
    learner.step(batch, &|_, out| out.clone_from(&noise)).unwrap()
}

#[test]
fn every_loss_every_gradient_and_a_step() {
    let (tensors, all) = golden();
    let case = Case { tensors: &tensors, name: "v3" };
    let mut learner = learner(&case, &all);
    let metrics = step(&case, &mut learner);

    let config = learner.config();
    let out = |name: &str| mean(case.numbers(&format!("out/{name}")));
    let (steps, entropy) = (config.horizon, case.numbers("out/imag/entropy"));
    let weights = case.numbers("out/imag/weight").chunks_exact(steps + 1).flat_map(|row| &row[..steps]);
    let weighted: Vec<f64> = weights.zip(entropy).map(|(weight, entropy)| weight * entropy).collect();
    // The reported loss of the actor is without the entropy's part.
    let policy = out("loss/policy") + config.actor_entropy * mean(&weighted);
    let of_model = out("loss/image") + out("loss/rew") + out("loss/con") + out("loss/dyn");
    for (metric, expected) in [
        (Metric::ModelLoss, of_model + config.representation_scale * out("loss/rep")),
        (Metric::ImageLoss, out("loss/image")),
        (Metric::RewardLoss, out("loss/rew")),
        (Metric::DiscountLoss, out("loss/con")),
        (Metric::Kl, out("kl")),
        (Metric::DynamicsLoss, out("loss/dyn")),
        (Metric::RepresentationLoss, out("loss/rep")),
        (Metric::ActorLoss, policy),
        (Metric::ImaginedReturn, out("imag/returns")),
    ] {
        let found = metrics[metric];
        assert!((found - expected).abs() < 1e-12 * expected.abs(), "{}: {found} {expected}", metric.name());
    }

    let (model, behaviour) = learner.last_gradients();
    let mut gradients = 0;
    for parameter in learner.parameters().iter() {
        let Some(found) = model.of(parameter).or(behaviour.of(parameter)) else { continue };
        let expected = numbers(&case, &learner, parameter, "out/grad");
        let largest = expected.iter().fold(1e-300_f64, |most, x| most.max(x.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            let (error, path) = ((found - expected).abs() / largest, learner.parameters().path(parameter));
            assert!(error < 1e-12, "the gradient of {path} is off by {error:e}");
        }
        gradients += 1;
    }
    // The kernels and biases of means and standard deviations are two each there.
    let expected = tensors.keys().filter(|name| name.starts_with("v3/out/grad/")).count();
    assert_eq!(gradients, expected - 2);

    for parameter in learner.parameters().iter() {
        let (now, path) = (learner.parameters().values(parameter), learner.parameters().path(parameter));
        if path == "return_range.bounds" {
            case.compare("return_low", &now[..1]);
            case.compare("return_high", &now[1..]);
            continue;
        }
        // The step, not the weight that hides it.
        let [before, after] = ["in/w", "out/step"].map(|kind| numbers(&case, &learner, parameter, kind));
        let largest = after.iter().zip(&before).map(|(after, before)| (after - before).abs()).fold(1e-300, f64::max);
        for ((now, after), before) in now.iter().zip(&after).zip(&before) {
            let error = ((now - before) - (after - before)).abs() / largest;
            assert!(error < 1e-9, "the step of {path} is off by {error:e}");
        }
    }
}
