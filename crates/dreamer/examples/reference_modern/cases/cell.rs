//! The recurrent cell in blocks.

use super::agent::Named;
use super::case::{Case, Results, gradient};
use dreamer::{AgentConfig, Cell, LayerActivation, Norm};
use tape::{Activation, Gradients, Number, Parameters, Tape, Var, Workspace};

/// The cell's layers in an agent and in a case, and whether a norm follows.
const LAYERS: [(&str, &str, bool); 5] = [
    ("deter_in", "dynin0", true),
    ("stoch_in", "dynin1", true),
    ("action_in", "dynin2", true),
    ("block_hidden", "dynhid0", true),
    ("block_gates", "dyngru", false),
];

/// The names of the parameters of layers of `world_model.rssm` in an agent, with those in a case.
pub fn names(layers: &[(&str, &str, bool)]) -> Vec<(String, String)> {
    let of_layer = |&(own, theirs, normed): &(&str, &str, bool)| {
        let own = |part: &str| format!("world_model.rssm.{own}.{part}");
        let mut names: Vec<_> = ["kernel", "bias"].map(|part| (own(part), format!("{theirs}/{part}"))).into();
        if normed {
            names.push((own("scale"), format!("{theirs}norm/scale")));
        }
        names
    };
    layers.iter().flat_map(of_layer).collect()
}

/// Actions beyond [-1, 1] are divided by their absolute values, a divisor without a gradient.
pub fn divisors(actions: &[f64]) -> Vec<f64> {
    actions.iter().map(|x| x.abs().max(1.0)).collect()
}

/// A step of the cell.
pub fn blocks(case: &Case) -> Result<Results, String> {
    case.fixed(&[("rms_eps", 1e-4), ("update_bias", -1.0)])?;
    let mut results = Results::default();
    let size = |key: &str| case.size(&format!("gru.{key}"));
    let (rows, actions) = (size("rows")?, size("action")?);
    let config = AgentConfig {
        norm: Norm::Rms,
        activation: LayerActivation::Silu,
        cell: Cell::BlockGru,
        // Normal states: the case's are not one-hot, and the cell does not ask.
        stoch: case.numbers("stoch")?.len() / rows,
        deter: size("deter")?,
        blocks: size("blocks")?,
        hidden: size("hidden")?,
        depth: 1,
        units: 2,
        ..AgentConfig::default()
    };
    let agent = Named::new(case, &config, actions, names(&LAYERS))?;
    let parameters = agent.learner.parameters();
    let (all, mut workspace) = (parameters.set(|_| true), Workspace::default());
    let mut tape = Tape::new(parameters, &all, &mut workspace);
    let given = case.numbers("action")?;
    let divisors = divisors(given);
    let within: Vec<f64> = given.iter().zip(&divisors).map(|(action, divisor)| action / divisor).collect();
    let (stoch, deter) = (case.leaf(&mut tape, "stoch")?, case.leaf(&mut tape, "deter")?);
    let action = tape.leaf(rows, actions, |y| y.copy_from_slice(&within));
    let next = agent.learner.networks().rssm.next_deter(&mut tape, stoch, deter, action);
    let shape = [rows, config.deter];
    results.put("deter", &shape, tape.value(next));
    tape.seed_with(next, case.numbers("cot/deter")?);
    let mut gradients = Gradients::new(&all);
    tape.backward(&mut gradients);
    agent.put_gradients(&mut results, &mut gradients);
    results.put("grad/stoch", case.shape("stoch")?, gradient(&tape, stoch));
    results.put("grad/deter", case.shape("deter")?, gradient(&tape, deter));
    let to_action = gradient(&tape, action);
    let to_action: Vec<f64> = to_action.iter().zip(&divisors).map(|(gradient, divisor)| gradient / divisor).collect();
    results.put("grad/action", case.shape("action")?, to_action);

    // What the cell does not give out, from the same layers.
    let (hidden, gates) = inner(&mut tape, parameters, [deter, stoch, action])?;
    results.put("hidden", &shape, tape.value(hidden));
    let width = config.deter / config.blocks;
    let gate = |index: usize| -> Vec<f64> {
        tape.value(gates).chunks_exact(3 * width).flat_map(|block| &block[index * width..][..width]).copied().collect()
    };
    let (reset, candidate, update) = (gate(0), gate(1), gate(2));
    let bias = case.number("update_bias")?;
    let resets: Vec<f64> = reset.iter().map(|x| x.sigmoid()).collect();
    let candidates: Vec<f64> = resets.iter().zip(&candidate).map(|(reset, x)| (reset * x).tanh()).collect();
    results.put("reset", &shape, resets);
    results.put("candidate", &shape, candidates);
    results.put("update", &shape, update.iter().map(|x| (x + bias).sigmoid()).collect::<Vec<_>>());
    Ok(results)
}

/// The cell's hidden layer, and the sums of its gates.
fn inner(tape: &mut Tape<f64>, parameters: &Parameters<f64>, inputs: [Var; 3]) -> Result<(Var, Var), String> {
    let find = |name: String| {
        let path = format!("world_model.rssm.{name}");
        parameters.find(&path).ok_or_else(|| format!("the agent has no {path}"))
    };
    let mut parts = Vec::new();
    for ((layer, ..), x) in LAYERS.into_iter().zip(inputs) {
        let [kernel, bias, scale] = ["kernel", "bias", "scale"].map(|part| find(format!("{layer}.{part}")));
        let sums = tape.dense(x, kernel?, bias?, Activation::None);
        let normed = tape.rms_norm(sums, scale?);
        parts.push(tape.silu(normed));
    }
    let from_state = tape.concat(parts[0], parts[1]);
    let shared = tape.concat(from_state, parts[2]);
    let [kernel, bias, scale] = ["kernel", "bias", "scale"].map(|part| find(format!("block_hidden.{part}")));
    let sums = tape.block_dense(inputs[0], Some(shared), kernel?, bias?);
    let normed = tape.rms_norm(sums, scale?);
    let hidden = tape.silu(normed);
    let [kernel, bias] = ["kernel", "bias"].map(|part| find(format!("block_gates.{part}")));
    let gates = tape.block_dense(hidden, None, kernel?, bias?);
    Ok((hidden, gates))
}
