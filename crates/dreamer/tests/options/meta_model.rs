//! Standardised reward sources, and the L1 norm of their weights.

use crate::{Case, golden};
use dreamer::{AgentConfig, Learner, RewardSource, SourceStandard};
use tape::{Gradients, Parameter, Tape, Workspace};

/// The names of a reward meta-model's parameters in a golden case, and ours.
fn names_of_meta_model(sources: usize) -> Vec<(String, String)> {
    let heads = (0..sources).map(|index| (format!("world_model.reward_sources.{index}"), format!("source{index}")));
    let heads = heads.chain([("world_model.reward".to_owned(), "meta".to_owned())]);
    let layers = |(own, theirs): (String, String)| {
        ["h0.kernel", "h0.bias", "hout.kernel", "hout.bias"]
            .map(|layer| (format!("{own}.{layer}"), format!("{theirs}/{}", layer.replace('.', "/"))))
    };
    heads.flat_map(layers).collect()
}

#[test]
fn standardised_reward_sources_and_their_l1() {
    let (tensors, _) = golden();
    for name in ["zero_columns/start", "zero_columns/later"] {
        let case = Case { tensors: &tensors, name };
        let (rows, feature) = (case.rows("in/feat"), case.numbers("in/feat"));
        let (width, sources) = (feature.len() / rows, case.numbers("in/source_mean").len());
        let source =
            RewardSource { layers: 1, units: case.numbers("in/w/source0/h0/bias").len(), ..RewardSource::default() };
        let config = AgentConfig {
            images: false,
            vector: 1,
            stoch: 4,
            deter: width - 4,
            units: case.numbers("in/w/meta/h0/bias").len(),
            reward_layers: 1,
            reward_sources: vec![source; sources],
            reward_sources_standardised: true,
            ..AgentConfig::default()
        };
        let mut learner = Learner::<f64>::new(&config, 1).unwrap();
        let names: Vec<(Parameter, String)> = names_of_meta_model(sources)
            .into_iter()
            .map(|(own, theirs)| (learner.parameters().find(&own).expect("a parameter of the agent"), theirs))
            .collect();
        for (parameter, theirs) in &names {
            let numbers = case.numbers(&format!("in/w/{theirs}"));
            learner.parameters_mut().values_mut(*parameter).copy_from_slice(numbers);
        }
        let standards = case.numbers("in/source_mean").iter().zip(case.numbers("in/source_deviation"));
        let standards: Vec<SourceStandard> =
            standards.map(|(&mean, &deviation)| SourceStandard { mean, deviation, varies: true }).collect();
        learner.set_source_standards(&standards);
        let trained = learner.parameters().set(|path| path.starts_with("world_model.reward."));
        let (mut workspace, reward) = (Workspace::default(), &learner.networks().reward);
        let kernel = learner.parameters().find("world_model.reward.h0.kernel").unwrap();

        let mut tape = Tape::new(learner.parameters(), &trained, &mut workspace);
        let leaf = tape.leaf(rows, width, |y| y.copy_from_slice(feature));
        let predictions = reward.source_predictions(&mut tape, leaf);
        // [rows, sources] of columns.
        let by_row: Vec<f64> = (0..rows)
            .flat_map(|row| predictions.iter().map(move |&one| (one, row)))
            .map(|(one, row)| tape.value(one)[row])
            .collect();
        case.compare("source_predictions", &by_row);
        let predicted = reward.forward(&mut tape, leaf);
        case.compare("reward", tape.value(predicted));
        let constant = reward.forward_constant(&mut tape, leaf);
        case.compare("reward", tape.value(constant));
        tape.seed_with(predicted, case.numbers("in/cot/reward"));
        let mut gradients = Gradients::new(&trained);
        tape.backward(&mut gradients);
        gradients.finish();
        for (parameter, theirs) in names.iter().filter(|(_, theirs)| theirs.starts_with("meta/")) {
            case.compare(&format!("grad/{theirs}"), gradients.of(*parameter).unwrap());
        }
        case.compare("grad/feat", tape.gradient(leaf).unwrap());

        // As in imagination: with constant parameters, the same gradient reaches the feature.
        let mut tape = Tape::new(learner.parameters(), &trained, &mut workspace);
        let leaf = tape.leaf(rows, width, |y| y.copy_from_slice(feature));
        let predicted = reward.forward_constant(&mut tape, leaf);
        tape.seed_with(predicted, case.numbers("in/cot/reward"));
        tape.backward(&mut Gradients::new(&trained));
        case.compare("grad/feat", tape.gradient(leaf).unwrap());

        let mut tape = Tape::new(learner.parameters(), &trained, &mut workspace);
        let sum = reward.absolute_source_weights(&mut tape, 3);
        case.compare("l1", &tape.value(sum)[..1]);
        // As a mean over three copies.
        tape.seed(sum, 1.0 / 3.0);
        let mut gradients = Gradients::new(&trained);
        tape.backward(&mut gradients);
        gradients.finish();
        case.compare("grad_l1/meta/h0/kernel", gradients.of(kernel).unwrap());
    }
}
