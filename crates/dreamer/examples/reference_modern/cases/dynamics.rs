//! The loss of an actor that learns through the dynamics, in three variants, of which this agent's is the first.

use super::actions::Raw;
use super::case::{Case, Results, columns, gradient, matrix, record, swapped};
use super::returns::weights;
use tape::{Activation, Gradients, Parameters, Tape, Var, Workspace};

/// A variant of the loss.
#[derive(Clone, Copy)]
pub struct Variant {
    /// The end of its results' names.
    pub name: &'static str,
    /// Whether the value that the returns are compared with has a gradient.
    pub baseline: bool,
    /// Whether the entropy has the weights of the states.
    pub weighted_entropy: bool,
}

/// All of them: this agent's, and two that other programs have.
pub const VARIANTS: [Variant; 3] = [
    Variant { name: "", baseline: true, weighted_entropy: true },
    Variant { name: "_stop_baseline", baseline: false, weighted_entropy: true },
    Variant { name: "_unweighted_entropy", baseline: true, weighted_entropy: false },
];

/// Rollouts of N states over H steps as the loss reads them, step by step: rewards, values and discounts of H + 1
/// states, entropies of H actions.
#[derive(Clone, Copy)]
pub struct Rollouts {
    pub reward: Var,
    pub value: Var,
    pub con: Var,
    pub entropy: Var,
    /// N.
    pub rows: usize,
}

/// The constants of the loss.
#[derive(Clone, Copy)]
pub struct Constants {
    pub lambda: f64,
    /// The divisor of advantages.
    pub scale: f64,
    /// The weight of the entropy.
    pub entropy: f64,
}

impl Constants {
    /// Those of a case.
    fn of(case: &Case) -> Result<Self, String> {
        let (lambda, scale) = (case.number("lam")?, case.scalar("scale")?);
        Ok(Self { lambda, scale, entropy: case.number("actent")? })
    }
}

impl Rollouts {
    /// Records the loss in a variant and seeds the walk back with it. Returns the loss and the returns.
    pub fn loss(&self, tape: &mut Tape<f64>, constants: Constants, variant: Variant) -> (f64, Var) {
        let &Self { reward, value, con, entropy, rows } = self;
        let Constants { lambda, scale, entropy: bonus } = constants;
        let count = tape.shape(value).0 - rows;
        let (rewards, discounts) = (tape.rows_of(reward, rows, count), tape.rows_of(con, rows, count));
        let returns = tape.lambda_returns(rewards, value, discounts, lambda, rows);
        let weight = tape.discount_weights(con, rows, true);
        let baseline = if variant.baseline { value } else { value.detached() };
        let baseline = tape.rows_of(baseline, 0, count);
        let advantage = tape.difference(returns, baseline);
        let objective = tape.weighted_sum(advantage, weight);
        let of_entropy = if variant.weighted_entropy { weight } else { matrix(tape, &vec![1.0; count], 1) };
        let entropy = tape.weighted_sum(entropy, of_entropy);
        let loss = -(tape.scalar(objective) / scale + bonus * tape.scalar(entropy)) / count as f64;
        tape.seed(objective, -1.0 / (scale * count as f64));
        tape.seed(entropy, -bonus / count as f64);
        (loss, returns)
    }
}

/// Given rewards, values and discounts.
pub fn trajectory(case: &Case) -> Result<Results, String> {
    let mut results = Results::default();
    let &[rows, states] = case.shape("value")? else { return Err("value is not [N, H]".to_owned()) };
    let steps = states - 1;
    let (raw, constants) = (Raw::of(case)?, Constants::of(case)?);
    let outputs = swapped(&raw.outputs(), rows, steps);
    for variant in VARIANTS {
        record(&Parameters::new(), |tape, gradients| {
            let leaf = |tape: &mut Tape<f64>, name: &str| -> Result<_, String> {
                let numbers = swapped(case.numbers(name)?, rows, states);
                Ok(tape.leaf(rows * states, 1, |y| y.copy_from_slice(&numbers)))
            };
            let (reward, value, con) = (leaf(tape, "reward")?, leaf(tape, "value")?, leaf(tape, "con")?);
            let actions = tape.leaf(rows * steps, 2 * raw.size, |y| y.copy_from_slice(&outputs));
            let entropy = tape.bounded_entropy(actions);
            let rollouts = Rollouts { reward, value, con, entropy, rows };
            let (loss, returns) = rollouts.loss(tape, constants, variant);
            results.scalar(format!("loss{}", variant.name), loss);
            results.put("entropy", &[rows, steps], swapped(tape.value(entropy), steps, rows));
            results.put("returns", &[rows, steps], swapped(tape.value(returns), steps, rows));
            results.put("weight", &[rows, states], weights(tape.value(con), rows, 1.0));
            tape.backward(gradients);
            let name = format!("grad{}", variant.name);
            for (part, var) in [("reward", reward), ("value", value), ("con", con)] {
                let gradient = swapped(&gradient(tape, var), states, rows);
                results.put(format!("{name}/{part}"), &[rows, states], gradient);
            }
            raw.put(case, &mut results, &name, &swapped(&gradient(tape, actions), steps, rows))
        })?;
    }
    Ok(results)
}

/// The hyperbolic tangent of x [N, C]: the state of a cell whose gates are open.
fn tanh(tape: &mut Tape<f64>, x: Var) -> Var {
    let (rows, cols) = tape.shape(x);
    // A logistic function of this is 1.
    let open = matrix(tape, &vec![1e3; rows * cols], cols);
    let nothing = matrix(tape, &vec![0.0; rows * cols], cols);
    let sums = tape.concat(open, x);
    let sums = tape.concat(sums, open);
    tape.block_gates(sums, nothing, 1)
}

/// The case's own small world as dense layers: `state`, which reads a state and an action, and three heads.
fn world(case: &Case) -> Result<Parameters<f64>, String> {
    let size = case.size("imag.state")?;
    let heads = case.numbers("heads")?;
    let head = |column: usize, factor: f64| -> Vec<f64> {
        columns(heads, 3, column..column + 1).iter().map(|x| factor * x).collect()
    };
    let layers = [
        ("state", [case.numbers("P")?, case.numbers("Q")?].concat(), size, 0.0),
        ("reward", head(0, 1.0), 1, 0.0),
        ("value", head(1, 2.0), 1, 0.0),
        ("con", head(2, 1.0), 1, 2.0),
    ];
    let mut weights = Parameters::new();
    for (name, kernel, outputs, _) in &layers {
        weights.declare(&format!("{name}/kernel"), &[kernel.len() / outputs, *outputs]);
        weights.declare(&format!("{name}/bias"), &[*outputs]);
    }
    weights.allocate();
    for (name, kernel, _, bias) in &layers {
        let [own, of_bias] = ["kernel", "bias"].map(|part| weights.find(&format!("{name}/{part}")).expect("declared"));
        weights.values_mut(own).copy_from_slice(kernel);
        weights.values_mut(of_bias).fill(*bias);
    }
    Ok(weights)
}

/// Rollouts in a small world, whose gradient goes back to the actor's outputs.
pub fn rollout(case: &Case) -> Result<Results, String> {
    let mut results = Results::default();
    let &[steps, rows, _] = case.shape("noise")? else { return Err("noise is not [H, N, A]".to_owned()) };
    let (raw, constants, weights_of_world) = (Raw::of(case)?, Constants::of(case)?, world(case)?);
    let none = weights_of_world.set(|_| false);
    for variant in VARIANTS {
        let mut workspace = Workspace::default();
        let mut tape = Tape::new(&weights_of_world, &none, &mut workspace);
        let layer = |tape: &mut Tape<f64>, name: &str, x: Var| {
            let [kernel, bias] =
                ["kernel", "bias"].map(|part| weights_of_world.find(&format!("{name}/{part}")).expect("declared"));
            tape.dense(x, kernel, bias, Activation::None)
        };
        let outputs = tape.leaf(steps * rows, 2 * raw.size, |y| y.copy_from_slice(&raw.outputs()));
        let noise = case.constant(&mut tape, "noise")?;
        let mut states = vec![case.constant(&mut tape, "state")?];
        for step in 0..steps {
            let [outputs, noise] = [outputs, noise].map(|var| tape.rows_of(var, step * rows, rows));
            let action = tape.bounded_sample(outputs, noise);
            let inputs = tape.concat(states[step], action);
            let sums = layer(&mut tape, "state", inputs);
            states.push(tanh(&mut tape, sums));
        }
        let states = tape.stack(states);
        let (reward, value) = (layer(&mut tape, "reward", states), layer(&mut tape, "value", states));
        let con = layer(&mut tape, "con", states);
        let con = tape.sigmoid(con);
        let entropy = tape.bounded_entropy(outputs);
        let rollouts = Rollouts { reward, value, con, entropy, rows };
        let (loss, returns) = rollouts.loss(&mut tape, constants, variant);
        results.scalar(format!("loss{}", variant.name), loss);
        let size = tape.shape(states).1;
        results.put("states", &[rows, steps + 1, size], swapped(tape.value(states), steps + 1, rows));
        results.put("returns", &[rows, steps], swapped(tape.value(returns), steps, rows));
        results.put("weight", &[rows, steps + 1], weights(tape.value(con), rows, 1.0));
        tape.backward(&mut Gradients::new(&none));
        raw.put(case, &mut results, &format!("grad{}", variant.name), &gradient(&tape, outputs))?;
    }
    Ok(results)
}
