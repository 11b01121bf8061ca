//! A whole agent with Dreamer V1's networks and most options of DreamerV3: every loss, every gradient, and one step.

use crate::{Case, golden};
use dreamer::{
    ActionDistribution, AgentConfig, BatchView, Divergence, Heads, LayerActivation, Learner, Metric, Noise, Norm,
    Optimisers, ReturnScale, ReturnsFrom, StepMetrics,
};
use serde_json::Value;
use tape::Optimiser;

/// The agent that the golden file describes.
fn config(all: &Value) -> AgentConfig {
    let of = |key: &str| all["modern"][key].as_u64().unwrap() as usize;
    let number = |key: &str| all[key].as_f64().unwrap();
    AgentConfig {
        depth: of("depth"),
        stoch: of("stoch"),
        deter: of("deter"),
        hidden: of("hidden"),
        units: of("units"),
        norm: Norm::Rms,
        activation: LayerActivation::Silu,
        heads: Heads::TwoHot,
        bins: of("bins"),
        reward_layers: of("reward_layers"),
        value_layers: of("value_layers"),
        actor_layers: of("actor_layers"),
        discount_head: true,
        discount_layers: of("continue_layers"),
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
        min_std: number("gaussian_min_std"),
        actor: ActionDistribution::BoundedNormal,
        actor_entropy: number("actent"),
        slow_value: number("slow_rate"),
        replay_value: number("repval_scale"),
        replay_value_trains_model: false,
        return_scale: ReturnScale::Percentile,
        model_learning_rate: number("model_lr"),
        value_learning_rate: number("value_lr"),
        actor_learning_rate: number("actor_lr"),
        gradient_clip: number("grad_clip"),
        shard: of("batch"),
        ..AgentConfig::default()
    }
}

/// A parameter's name in the file.
fn theirs(path: &str) -> String {
    let path = path.strip_prefix("world_model.").unwrap_or(path);
    let (module, rest) = path.split_once('.').expect("module and layer");
    let module = match module {
        "encoder" => "encode",
        "decoder" => "decode",
        "rssm" => "dynamics",
        "discount" => "continue",
        other => other,
    };
    format!("{module}/{}", rest.replace('.', "/"))
}

/// An agent of the file with its weights, its range of returns and its moments.
fn learner(case: &Case, all: &Value, config: &AgentConfig) -> Learner<f64> {
    let actions = all["modern"]["action"].as_u64().unwrap() as usize;
    let mut learner = Learner::<f64>::new(config, actions).unwrap();
    for parameter in learner.parameters().iter() {
        let name = theirs(learner.parameters().path(parameter));
        let values = match name.as_str() {
            "return_range/bounds" => vec![case.numbers("in/return_low")[0], case.numbers("in/return_high")[0]],
            name => case.numbers(&format!("in/w/{name}")).to_vec(),
        };
        learner.parameters_mut().values_mut(parameter).copy_from_slice(&values);
    }
    let moments = |learner: &Learner<f64>, optimiser: &Optimiser<f64>, kind: &str| -> Vec<f64> {
        let names = optimiser.set().iter().map(|one| theirs(learner.parameters().path(one)));
        names.flat_map(|name| case.numbers(&format!("in/{kind}/{name}")).to_vec()).collect()
    };
    let Optimisers { model, actor, value } = learner.optimisers();
    let before: Vec<_> = [model, actor, value]
        .map(|optimiser| ["adam_m", "adam_v"].map(|kind| moments(&learner, optimiser, kind)))
        .into();
    let steps = all["modern"]["opt_step"].as_u64().unwrap() - 1;
    let Optimisers { model, actor, value } = learner.optimisers_mut();
    for (optimiser, [first, second]) in [model, actor, value].into_iter().zip(&before) {
        let (ours, theirs) = optimiser.moments_mut();
        ours.copy_from_slice(first);
        theirs.copy_from_slice(second);
        optimiser.set_updates(steps);
    }
    learner
}

/// Numbers of rollouts [H, B L, size], numbered sequence by sequence, as ours, which are numbered step by step.
pub fn by_step(numbers: &[f64], config: &AgentConfig, size: usize) -> Vec<f64> {
    let (batch, length) = (config.batch, config.length);
    let rows = batch * length;
    let ours = (0..numbers.len() / size).flat_map(|row| {
        let (step, row) = (row / rows, row % rows);
        &numbers[(step * rows + (row % batch) * length + row / batch) * size..][..size]
    });
    ours.copied().collect()
}

/// One gradient step on the file's batch and noise.
fn step(case: &Case, learner: &mut Learner<f64>) -> StepMetrics {
    let config = learner.config().clone();
    let image: Vec<u8> = case.numbers("in/image_u8").iter().map(|&x| x as u8).collect();
    // The file's agent divides actions beyond [-1, 1] by their absolute values.
    let action: Vec<f64> = case.numbers("in/action").iter().map(|x| x / x.abs().max(1.0)).collect();
    let discount: Vec<f64> = case.numbers("in/is_terminal").iter().map(|terminal| 1.0 - terminal).collect();
    let batch = BatchView {
        image: &image,
        vector: &[],
        action: &action,
        reward: case.numbers("in/reward"),
        discount: &discount,
        first: case.numbers("in/is_first"),
        start: &[],
        embedding: &[],
    };
    let noise = Noise {
        posterior: case.numbers("in/noise/post").to_vec(),
        action: by_step(case.numbers("in/noise/act"), &config, learner.action_size()),
        prior: by_step(case.numbers("in/noise/img"), &config, config.state_size()),
        start: Vec::new(),
    };
    learner.step(batch, &|_, out| out.clone_from(&noise)).unwrap()
}

pub fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

#[test]
fn every_loss_every_gradient_and_a_step() {
    let (tensors, all) = golden();
    let case = Case { tensors: &tensors, name: "modern" };
    let config = config(&all);
    let mut learner = learner(&case, &all, &config);
    let metrics = step(&case, &mut learner);

    let out = |name: &str| mean(case.numbers(&format!("out/{name}")));
    // The reported loss of the actor is without the entropy's part: the weights of all steps but the last, times entropies.
    let (steps, entropy) = (config.horizon, case.numbers("out/imag/entropy"));
    let weights = case.numbers("out/imag/weight").chunks_exact(steps + 1).flat_map(|row| &row[..steps]);
    let weighted: Vec<f64> = weights.zip(entropy).map(|(weight, entropy)| weight * entropy).collect();
    let policy = out("actor_loss") + config.actor_entropy * mean(&weighted);
    for (metric, expected) in [
        (Metric::ModelLoss, out("model_loss")),
        (Metric::ImageLoss, out("image_loss")),
        (Metric::RewardLoss, out("reward_loss")),
        (Metric::DiscountLoss, out("continue_loss")),
        (Metric::Kl, out("kl")),
        (Metric::DynamicsLoss, out("dyn_loss")),
        (Metric::RepresentationLoss, out("rep_loss")),
        (Metric::ActorLoss, policy),
        (Metric::ImaginedReturn, out("imag/returns")),
    ] {
        let found = metrics[metric];
        assert!((found - expected).abs() < 1e-12 * expected.abs(), "{}: {found} {expected}", metric.name());
    }

    let (model, behaviour) = learner.last_gradients();
    let mut gradients = 0;
    for parameter in learner.parameters().iter() {
        let name = theirs(learner.parameters().path(parameter));
        let Some(gradient) = model.of(parameter).or(behaviour.of(parameter)) else { continue };
        case.compare(&format!("grad/{name}"), gradient);
        gradients += 1;
    }
    let expected = tensors.keys().filter(|name| name.starts_with("modern/out/grad/")).count();
    assert_eq!(gradients, expected);

    for parameter in learner.parameters().iter() {
        let name = theirs(learner.parameters().path(parameter));
        let now = learner.parameters().values(parameter);
        if name == "return_range/bounds" {
            case.compare("return_low", &now[..1]);
            case.compare("return_high", &now[1..]);
            continue;
        }
        // The step, not the weight that hides it.
        let before = case.numbers(&format!("in/w/{name}"));
        let after = case.numbers(&format!("out/step/{name}"));
        let largest = after.iter().zip(before).map(|(after, before)| (after - before).abs()).fold(1e-300, f64::max);
        for ((now, after), before) in now.iter().zip(after).zip(before) {
            let error = ((now - before) - (after - before)).abs() / largest;
            assert!(error < 1e-9, "the step of {name} is off by {error:e}");
        }
    }
}

/// The world model's gradient of the loss on replayed states, which DreamerV3 lets through.
#[test]
fn values_of_replayed_states_train_the_world_model() {
    let (tensors, all) = golden();
    let case = Case { tensors: &tensors, name: "modern" };
    let gradients = |trains: bool| {
        let config = AgentConfig { replay_value_trains_model: trains, ..config(&all) };
        let mut learner = learner(&case, &all, &config);
        step(&case, &mut learner);
        learner
    };
    let (with, without) = (gradients(true), gradients(false));
    let mut compared = 0;
    for parameter in with.parameters().iter() {
        let name = theirs(with.parameters().path(parameter));
        let Some((_, expected)) = tensors.get(&format!("modern/out/grad_repval/{name}")) else { continue };
        let [with, without] = [&with, &without].map(|learner| learner.last_gradients().0.of(parameter).unwrap());
        // A small difference of large gradients, those of the images.
        let scale = with.iter().chain(expected).fold(0.0_f64, |most, x| most.max(x.abs()));
        for ((with, without), expected) in with.iter().zip(without).zip(expected) {
            let error = (with - without - expected).abs() / scale;
            assert!(error < 1e-13, "{name} is off by {error:e}");
        }
        compared += 1;
    }
    assert_eq!(compared, tensors.keys().filter(|name| name.starts_with("modern/out/grad_repval/")).count());
    assert!(compared > 10);
}
