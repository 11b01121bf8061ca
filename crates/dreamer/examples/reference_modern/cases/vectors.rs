//! The encoder and the decoder of vectors.

use super::agent::Named;
use super::case::{Case, Results, gradient, negated};
use dreamer::AgentConfig;
use dreamer::networks::symlog;
use tape::{Gradients, Tape, Workspace};

/// The names of the parameters in an agent, and in a case.
fn names(layers: usize) -> Vec<(String, String)> {
    let output =
        |part: &str| (format!("world_model.decoder.vector.hout.{part}"), format!("dec/vec/vector/pred/{part}"));
    let mut names = vec![output("kernel"), output("bias")];
    for layer in 0..layers {
        let [encoder, decoder] = ["encoder", "decoder"].map(|one| format!("world_model.{one}.vector.h{layer}"));
        for part in ["kernel", "bias"] {
            names.push((format!("{encoder}.{part}"), format!("enc/mlp{layer}/{part}")));
            names.push((format!("{decoder}.{part}"), format!("dec/mlp/linear{layer}/{part}")));
        }
        names.push((format!("{encoder}.scale"), format!("enc/mlp{layer}norm/scale")));
        names.push((format!("{decoder}.scale"), format!("dec/mlp/norm{layer}/scale")));
    }
    names
}

/// Embeddings, predictions and losses.
pub fn vectors(case: &Case) -> Result<Results, String> {
    case.fixed(&[("rms_eps", 1e-4)])?;
    let mut results = Results::default();
    let (vector, rows, layers) = (case.numbers("vector")?, case.rows("vector")?, case.size("vector.layers")?);
    let config = AgentConfig {
        images: false,
        vector: vector.len() / rows,
        vector_layers: layers,
        vector_units: case.size("vector.units")?,
        // Normal states: the case's are not one-hot, and the decoder does not ask.
        stoch: case.numbers("stoch")?.len() / rows,
        deter: case.size("vector.deter")?,
        ..AgentConfig::default()
    };
    let agent = Named::new(case, &config, 1, names(layers))?;
    let parameters = agent.learner.parameters();
    let (all, mut workspace) = (parameters.set(|_| true), Workspace::default());
    let mut tape = Tape::new(parameters, &all, &mut workspace);
    let networks = agent.learner.networks();
    let (Some(encoder), Some(decoder)) = (&networks.encoder.vector, &networks.decoder.vector) else {
        return Err("the agent does not observe vectors".to_owned());
    };
    let mut logarithms = vec![0.0; vector.len()];
    symlog(vector.iter().copied(), &mut logarithms);
    let observed = tape.leaf(rows, config.vector, |y| y.copy_from_slice(&logarithms));
    let tokens = encoder.forward(&mut tape, observed);
    results.put("tokens", &[rows, config.vector_units], tape.value(tokens));
    let (stoch, deter) = (case.leaf(&mut tape, "stoch")?, case.leaf(&mut tape, "deter")?);
    let feature = tape.concat(stoch, deter);
    let prediction = decoder.forward(&mut tape, feature);
    results.put("prediction", case.shape("vector")?, tape.value(prediction));
    let target = tape.constant(rows, config.vector, |y| y.copy_from_slice(&logarithms));
    let density = tape.negative_squared_error(prediction, target);
    results.put("loss", &[rows], negated(tape.value(density)));
    tape.seed_with(tokens, case.numbers("cot/tokens")?);
    tape.seed_with(density, &negated(case.numbers("cot/loss")?));
    let mut gradients = Gradients::new(&all);
    tape.backward(&mut gradients);
    agent.put_gradients(&mut results, &mut gradients);
    results.put("grad/stoch", case.shape("stoch")?, gradient(&tape, stoch));
    results.put("grad/deter", case.shape("deter")?, gradient(&tape, deter));
    // The symmetric logarithm is not an operation of the tape: its derivative is 1 / (1 + |x|).
    let slopes = gradient(&tape, observed);
    let slopes: Vec<f64> = slopes.iter().zip(vector).map(|(gradient, x)| gradient / (1.0 + x.abs())).collect();
    results.put("grad/vector", case.shape("vector")?, slopes);
    Ok(results)
}
