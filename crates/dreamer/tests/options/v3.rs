//! DreamerV3's agent of images as published, at tiny sizes: every loss, every gradient, and one step of its optimiser.

use crate::whole::Whole;
use crate::{Case, golden};
use dreamer::networks::Reads;
use dreamer::{
    ActionDistribution, ActorGradient, AgentConfig, Cell, Divergence, Heads, ImageNetwork, Latent, LayerActivation,
    Learner, Metric, Norm, OptimiserRule, ReturnScale, ReturnsFrom,
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
pub fn numbers(case: &Case, learner: &Learner<f64>, parameter: Parameter, kind: &str) -> Vec<f64> {
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

#[test]
fn every_loss_every_gradient_and_a_step() {
    let (tensors, all) = golden();
    let moments = ["in/opt_mu", "in/opt_nu"];
    let whole = Whole { case: Case { tensors: &tensors, name: "v3" }, numbers, moments };
    let config = config(&all);
    let mut learner = whole.learner(&all, &config);
    let metrics = whole.step(&mut learner);
    let of = |name: &str| whole.mean(&format!("loss/{name}"));
    let losses = [
        (Metric::ModelLoss, of("image") + of("rew") + of("con") + of("dyn") + config.representation_scale * of("rep")),
        (Metric::ImageLoss, of("image")),
        (Metric::RewardLoss, of("rew")),
        (Metric::DiscountLoss, of("con")),
        (Metric::Kl, whole.mean("kl")),
        (Metric::DynamicsLoss, of("dyn")),
        (Metric::RepresentationLoss, of("rep")),
        (Metric::ActorLoss, whole.policy(&config, "loss/policy")),
        (Metric::ImaginedReturn, whole.mean("imag/returns")),
    ];
    whole.compare(&learner, &metrics, &losses);
}
