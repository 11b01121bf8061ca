//! The names of DreamerV3's parameters, and the order of their numbers.

use super::whole::Tensor;
use dreamer::Learner;
use dreamer::networks::Reads;
use tape::Parameter;

/// The names in the file of a layer and of its norm, given its path in an agent without the part at the end.
fn layer(path: &str) -> Result<(String, String), String> {
    let unknown = || format!("the file has no name for {path}");
    let (network, layer) = path.rsplit_once('.').ok_or_else(unknown)?;
    let fixed = |layer: &str, norm: &str| Ok((layer.to_owned(), norm.to_owned()));
    let number = |layer: &str| layer.trim_start_matches('h').parse::<usize>().map_err(|_| unknown());
    let with_norm = |name: String| Ok((name.clone(), name + "norm"));
    match (network, layer) {
        ("world_model.encoder", layer) => with_norm(format!("enc/cnn{}", number(layer)? - 1)),
        ("world_model.decoder", "deter_in") => fixed("dec/sp0", ""),
        ("world_model.decoder", "stoch_in") => fixed("dec/sp1", "dec/sp1norm"),
        ("world_model.decoder", "stoch_out") => fixed("dec/sp2", ""),
        ("world_model.decoder", "h1") => fixed("", "dec/spnorm"),
        ("world_model.decoder", "h5") => fixed("dec/imgout", ""),
        ("world_model.decoder", layer) => with_norm(format!("dec/conv{}", 4 - number(layer)?)),
        ("world_model.rssm", layer) => {
            let prior = layer.strip_prefix("img2_").map(|number| number.parse::<usize>().map(|number| number - 1));
            let name = match (layer, prior) {
                ("deter_in", _) => "dynin0".to_owned(),
                ("stoch_in", _) => "dynin1".to_owned(),
                ("action_in", _) => "dynin2".to_owned(),
                ("block_hidden", _) => "dynhid0".to_owned(),
                ("block_gates", _) => "dyngru".to_owned(),
                ("img2", _) => "prior0".to_owned(),
                (_, Some(Ok(number))) => format!("prior{number}"),
                ("img3", _) => "priorlogit".to_owned(),
                ("obs1", _) => "obs0".to_owned(),
                ("obs2", _) => "obslogit".to_owned(),
                _ => return Err(unknown()),
            };
            with_norm(format!("dyn/{name}"))
        }
        (head, layer) => {
            let (name, output) = match head {
                "world_model.reward" => ("rew", "head/logits"),
                "world_model.discount" => ("con", "head/logit"),
                "actor" => ("pol", "head/action"),
                "value" => ("val", "head/logits"),
                "slow_value" => ("slowval", "head/logits"),
                _ => return Err(unknown()),
            };
            if layer == "hout" {
                return Ok((format!("{name}/{output}"), String::new()));
            }
            let number = number(layer)?;
            Ok((format!("{name}/mlp/linear{number}"), format!("{name}/mlp/norm{number}")))
        }
    }
}

/// The tensors that a parameter has in the file.
pub fn tensors(learner: &Learner<f64>, parameter: Parameter) -> Result<Vec<Tensor>, String> {
    let path = learner.parameters().path(parameter);
    let count = learner.parameters().values(parameter).len();
    let (layer_path, part) = path.rsplit_once('.').ok_or("a path without a part")?;
    let (name, norm) = layer(layer_path)?;
    if layer_path == "actor.hout" {
        // Means and standard deviations are layers of their own there.
        let actions = learner.action_size();
        let of = |output: &str, first: usize| {
            let rows = (0..count / (2 * actions)).map(|row| 2 * actions * row + first);
            let places = rows.flat_map(|start| start..start + actions).collect();
            Tensor { name: format!("{name}/{output}/{part}"), places }
        };
        return Ok(vec![of("mean", 0), of("stddev", actions)]);
    }
    let name = format!("{}/{part}", if part == "scale" { norm } else { name });
    // A feature is [stoch, deter] here, and [deter, stoch] there.
    let places = match learner.networks().rows(parameter) {
        [(Reads::Stoch, stoch), (Reads::Deter, deter)] => {
            let columns = count / deter.end;
            (stoch.end * columns..count).chain(0..stoch.end * columns).collect()
        }
        _ => (0..count).collect(),
    };
    Ok(vec![Tensor { name, places }])
}
