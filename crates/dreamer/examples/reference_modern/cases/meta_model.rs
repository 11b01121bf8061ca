//! A reward meta-model with standardised sources, and the L1 norm of its weights for them.

use super::agent::Named;
use super::case::{Case, Results, gradient, swapped};
use dreamer::{AgentConfig, RewardSource, SourceStandard};
use tape::{Gradients, Tape, Workspace};

/// The names of the parameters in an agent, and in a case.
fn names(sources: usize) -> Vec<(String, String)> {
    let heads = (0..sources).map(|index| (format!("world_model.reward_sources.{index}"), format!("source{index}")));
    let heads = heads.chain([("world_model.reward".to_owned(), "meta".to_owned())]);
    let layers = |(own, theirs): (String, String)| {
        ["h0.kernel", "h0.bias", "hout.kernel", "hout.bias"]
            .map(|layer| (format!("{own}.{layer}"), format!("{theirs}/{}", layer.replace('.', "/"))))
    };
    heads.flat_map(layers).collect()
}

/// An agent with the case's meta-model.
pub fn agent(case: &Case) -> Result<Named, String> {
    let sources = case.size("meta.sources")?;
    let source = RewardSource { layers: 1, units: case.size("meta.source_units")?, ..RewardSource::default() };
    let config = AgentConfig {
        images: false,
        vector: 1,
        stoch: case.size("meta.stoch")?,
        deter: case.size("meta.deter")?,
        units: case.size("meta.units")?,
        reward_layers: 1,
        reward_sources: vec![source; sources],
        reward_sources_standardised: true,
        ..AgentConfig::default()
    };
    let mut agent = Named::new(case, &config, 1, names(sources))?;
    let standards = case.numbers("source_mean")?.iter().zip(case.numbers("source_deviation")?);
    let standards: Vec<SourceStandard> =
        standards.map(|(&mean, &deviation)| SourceStandard { mean, deviation, varies: true }).collect();
    agent.learner.set_source_standards(&standards);
    Ok(agent)
}

/// Predictions of the sources and of the meta-model.
pub fn zero_columns(case: &Case) -> Result<Results, String> {
    let mut results = Results::default();
    let agent = agent(case)?;
    let (rows, sources) = (case.rows("feat")?, case.size("meta.sources")?);
    let (parameters, reward) = (agent.learner.parameters(), &agent.learner.networks().reward);
    let trained = parameters.set(|path| path.starts_with("world_model.reward."));
    let find = |path: &str| parameters.find(path).ok_or_else(|| format!("the agent has no {path}"));
    let (mean, deviation) = (find("world_model.reward.standard.mean")?, find("world_model.reward.standard.deviation")?);
    let mut workspace = Workspace::default();

    let mut tape = Tape::new(parameters, &trained, &mut workspace);
    let feature = case.leaf(&mut tape, "feat")?;
    let predictions = reward.source_predictions(&mut tape, feature);
    let standardised: Vec<_> =
        predictions.iter().enumerate().map(|(index, one)| tape.standardise(*one, mean, deviation, index)).collect();
    // [rows, sources] of columns.
    for (name, values) in [("source_predictions", predictions), ("standardised", standardised)] {
        let all: Vec<f64> = values.iter().flat_map(|one| tape.value(*one)).copied().collect();
        results.put(name, &[rows, sources], swapped(&all, sources, rows));
    }
    let predicted = reward.forward(&mut tape, feature);
    results.put("reward", &[rows], tape.value(predicted));
    tape.seed_with(predicted, case.numbers("cot/reward")?);
    let mut gradients = Gradients::new(&trained);
    tape.backward(&mut gradients);
    agent.put_gradients(&mut results, &mut gradients);
    results.put("grad/feat", case.shape("feat")?, gradient(&tape, feature));

    let mut tape = Tape::new(parameters, &trained, &mut workspace);
    let sum = reward.absolute_source_weights(&mut tape, 1);
    results.scalar("l1", tape.scalar(sum));
    tape.seed(sum, 1.0);
    let mut gradients = Gradients::new(&trained);
    tape.backward(&mut gradients);
    gradients.finish();
    let kernel = find("world_model.reward.h0.kernel")?;
    let gradient = gradients.of(kernel).expect("it is trained");
    results.put("grad_l1/meta/h0/kernel", parameters.shape(kernel), gradient);
    Ok(results)
}
