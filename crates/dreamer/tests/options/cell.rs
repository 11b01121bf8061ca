//! The recurrent cell in blocks.

use crate::{Case, golden};
use dreamer::{AgentConfig, Cell, LayerActivation, Learner, Norm};
use tape::{Gradients, Parameter, Tape, Workspace};

/// The names of the cell's parameters in an agent, and in the golden cases.
const NAMES: [(&str, &str); 14] = [
    ("deter_in.kernel", "dynin0/kernel"),
    ("deter_in.bias", "dynin0/bias"),
    ("deter_in.scale", "dynin0norm/scale"),
    ("stoch_in.kernel", "dynin1/kernel"),
    ("stoch_in.bias", "dynin1/bias"),
    ("stoch_in.scale", "dynin1norm/scale"),
    ("action_in.kernel", "dynin2/kernel"),
    ("action_in.bias", "dynin2/bias"),
    ("action_in.scale", "dynin2norm/scale"),
    ("block_hidden.kernel", "dynhid0/kernel"),
    ("block_hidden.bias", "dynhid0/bias"),
    ("block_hidden.scale", "dynhid0norm/scale"),
    ("block_gates.kernel", "dyngru/kernel"),
    ("block_gates.bias", "dyngru/bias"),
];

#[test]
fn a_cell_in_blocks() {
    let (tensors, config) = golden();
    let case = Case { tensors: &tensors, name: "block_gru" };
    let size = |key: &str| config["gru"][key].as_u64().unwrap() as usize;
    let rows = size("rows");
    let config = AgentConfig {
        norm: Norm::Rms,
        activation: LayerActivation::Silu,
        cell: Cell::BlockGru,
        // Normal states: the case's are not one-hot, and the cell does not ask.
        stoch: case.numbers("in/stoch").len() / rows,
        deter: size("deter"),
        blocks: size("blocks"),
        hidden: size("hidden"),
        depth: 1,
        units: 2,
        ..AgentConfig::default()
    };
    let mut learner = Learner::<f64>::new(&config, size("action")).unwrap();
    let names: Vec<(Parameter, &str)> = NAMES
        .into_iter()
        .map(|(own, theirs)| {
            (learner.parameters().find(&format!("world_model.rssm.{own}")).expect("of the agent"), theirs)
        })
        .collect();
    for (parameter, theirs) in &names {
        learner.parameters_mut().values_mut(*parameter).copy_from_slice(case.numbers(&format!("in/w/{theirs}")));
    }
    let all = learner.parameters().set(|_| true);
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(learner.parameters(), &all, &mut workspace);
    // Actions beyond [-1, 1] are divided by their absolute values, a divisor without a gradient.
    let actions = case.numbers("in/action");
    let divisors: Vec<f64> = actions.iter().map(|x| x.abs().max(1.0)).collect();
    let within: Vec<f64> = actions.iter().zip(&divisors).map(|(action, divisor)| action / divisor).collect();
    let [stoch, deter, action] =
        [(case.numbers("in/stoch"), config.stoch), (case.numbers("in/deter"), config.deter), (&within, size("action"))]
            .map(|(numbers, cols)| tape.leaf(rows, cols, |y| y.copy_from_slice(numbers)));
    let next = learner.networks().rssm.next_deter(&mut tape, stoch, deter, action);
    case.compare("deter", tape.value(next));
    tape.seed_with(next, case.numbers("in/cot/deter"));
    let mut gradients = Gradients::new(&all);
    tape.backward(&mut gradients);
    gradients.finish();
    for (parameter, theirs) in &names {
        case.compare(&format!("grad/{theirs}"), gradients.of(*parameter).unwrap());
    }
    case.compare("grad/stoch", tape.gradient(stoch).unwrap());
    case.compare("grad/deter", tape.gradient(deter).unwrap());
    let to_action = tape.gradient(action).unwrap().iter().zip(&divisors);
    case.compare("grad/action", &to_action.map(|(gradient, divisor)| gradient / divisor).collect::<Vec<_>>());
}
