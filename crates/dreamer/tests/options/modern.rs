//! A whole agent with Dreamer V1's networks and most options of DreamerV3: every loss, every gradient, and one step.

use crate::tensors::Tensors;
use crate::whole::Whole;
use crate::{Case, golden};
use dreamer::{
    ActionDistribution, AgentConfig, Divergence, Heads, LayerActivation, Learner, Metric, Norm, ReturnScale,
    ReturnsFrom,
};
use serde_json::Value;
use tape::Parameter;

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

fn whole(tensors: &Tensors) -> Whole<'_> {
    let numbers = |case: &Case, learner: &Learner<f64>, parameter: Parameter, kind: &str| {
        case.numbers(&format!("{kind}/{}", theirs(learner.parameters().path(parameter)))).to_vec()
    };
    Whole { case: Case { tensors, name: "modern" }, numbers, moments: ["in/adam_m", "in/adam_v"] }
}

#[test]
fn every_loss_every_gradient_and_a_step() {
    let (tensors, all) = golden();
    let (whole, config) = (whole(&tensors), config(&all));
    let mut learner = whole.learner(&all, &config);
    let metrics = whole.step(&mut learner);
    let losses = [
        (Metric::ModelLoss, whole.mean("model_loss")),
        (Metric::ImageLoss, whole.mean("image_loss")),
        (Metric::RewardLoss, whole.mean("reward_loss")),
        (Metric::DiscountLoss, whole.mean("continue_loss")),
        (Metric::Kl, whole.mean("kl")),
        (Metric::DynamicsLoss, whole.mean("dyn_loss")),
        (Metric::RepresentationLoss, whole.mean("rep_loss")),
        (Metric::ActorLoss, whole.policy(&config, "actor_loss")),
        (Metric::ImaginedReturn, whole.mean("imag/returns")),
    ];
    whole.compare(&learner, &metrics, &losses);
}

/// The world model's gradient of the loss on replayed states, which DreamerV3 lets through.
#[test]
fn values_of_replayed_states_train_the_world_model() {
    let (tensors, all) = golden();
    let whole = whole(&tensors);
    let gradients = |trains: bool| {
        let config = AgentConfig { replay_value_trains_model: trains, ..config(&all) };
        let mut learner = whole.learner(&all, &config);
        whole.step(&mut learner);
        learner
    };
    let (with, without) = (gradients(true), gradients(false));
    let mut compared = 0;
    for parameter in with.parameters().iter() {
        let name = theirs(with.parameters().path(parameter));
        let Some((_, expected)) = tensors.get(&format!("modern/out/grad_repval/{name}")) else { continue };
        let [with, without] = [&with, &without].map(|learner| learner.last_gradients().0.of(parameter).unwrap());
        // A small difference of large gradients, those of the images.
        let largest = |numbers: &[f64]| numbers.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let scale = largest(with);
        assert!(largest(expected) > 1e-9 * scale, "{name}: a difference that could not be seen");
        for ((with, without), expected) in with.iter().zip(without).zip(expected) {
            let error = (with - without - expected).abs() / scale;
            assert!(error < 1e-13, "{name} is off by {error:e}");
        }
        compared += 1;
    }
    assert_eq!(compared, tensors.keys().filter(|name| name.starts_with("modern/out/grad_repval/")).count());
    assert!(compared > 10);
}
