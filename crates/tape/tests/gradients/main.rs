//! Every operation: its value against plain formulas where that is short, its gradient against finite differences (f64).

mod distributions;
mod images;
#[path = "../simd/mod.rs"]
mod simd;

use random::Stream;
use tape::{
    Activation, Gradients, GruWeights, Harmony, IdentityDistance, Parameter, Parameters, SimdInstructionSet, Tape, Var,
    Workspace,
};

/// Parameters and leaves, all random; `build` computes a value from them, of which a random weighted sum is the loss.
fn check(
    parameters: &[(&str, &[usize])],
    leaves: &[(usize, usize)],
    build: impl Fn(&mut Tape<f64>, &[Parameter], &[Var]) -> Var,
) {
    let mut random = Stream::new(11, "gradients");
    let mut model = Parameters::<f64>::new();
    let names: Vec<Parameter> = parameters.iter().map(|(path, shape)| model.declare(path, shape)).collect();
    model.allocate();
    for &parameter in &names {
        model.values_mut(parameter).iter_mut().for_each(|x| *x = 0.5 * random.normal());
    }
    let mut inputs: Vec<Vec<f64>> =
        leaves.iter().map(|(rows, cols)| (0..rows * cols).map(|_| random.normal()).collect()).collect();
    let set = model.set(|_| true);
    let weights: Vec<f64> = (0..10_000).map(|_| random.normal()).collect();

    let record = |model: &Parameters<f64>, inputs: &[Vec<f64>], workspace: &mut Workspace<f64>| {
        let mut tape = Tape::new(model, &set, workspace);
        let vars: Vec<Var> =
            leaves.iter().zip(inputs).map(|(&(r, c), x)| tape.leaf(r, c, |y| y.copy_from_slice(x))).collect();
        let result = build(&mut tape, &names, &vars);
        let loss = tape.value(result).iter().zip(&weights).map(|(x, w)| x * w).sum::<f64>();
        (loss, result, vars)
    };
    let mut workspace = Workspace::default();
    // Twice in the same workspace: the remains of the first recording must not matter.
    let mut gradients = Gradients::new(&set);
    let mut by_leaf = Vec::new();
    for _ in 0..2 {
        let (_, result, vars) = record(&model, &inputs, &mut workspace);
        let mut tape = Tape::resume(&model, &set, &mut workspace);
        let (rows, cols) = tape.shape(result);
        tape.seed_with(result, &weights[..rows * cols]);
        gradients.clear();
        tape.backward(&mut gradients);
        gradients.finish();
        by_leaf = vars.iter().map(|&var| tape.gradient(var).map(<[f64]>::to_vec)).collect();
    }
    let step = 1e-6;
    let mut nonzero = 0;
    let mut compare = |exact: f64, plus: f64, minus: f64, what: &str| {
        let numeric = (plus - minus) / (2.0 * step);
        assert!((exact - numeric).abs() < 1e-6 * (1.0 + numeric.abs()), "{what}: {exact} against {numeric}");
        nonzero += usize::from(exact != 0.0);
    };
    let mut other = Workspace::default();
    for &parameter in &names {
        for i in 0..model.values(parameter).len() {
            let before = model.values(parameter)[i];
            let mut at = |x| {
                model.values_mut(parameter)[i] = x;
                record(&model, &inputs, &mut other).0
            };
            let (plus, minus) = (at(before + step), at(before - step));
            model.values_mut(parameter)[i] = before;
            compare(gradients.of(parameter).unwrap()[i], plus, minus, model.path(parameter));
        }
    }
    for leaf in 0..inputs.len() {
        let Some(exact) = &by_leaf[leaf] else { continue };
        for i in 0..inputs[leaf].len() {
            let before = inputs[leaf][i];
            let mut at = |x| {
                inputs[leaf][i] = x;
                record(&model, &inputs, &mut other).0
            };
            let (plus, minus) = (at(before + step), at(before - step));
            inputs[leaf][i] = before;
            compare(exact[i], plus, minus, &format!("leaf {leaf}"));
        }
    }
    assert!(nonzero > 0, "no gradient at all");
}

#[test]
fn dense() {
    for activation in [Activation::None, Activation::Relu, Activation::Elu] {
        check(&[("kernel", &[3, 4]), ("bias", &[4])], &[(5, 3)], |tape, p, x| tape.dense(x[0], p[0], p[1], activation));
    }
}

#[test]
fn dense_in_parts_is_dense_of_the_concatenation() {
    let parts = |tape: &mut Tape<f64>, p: &[Parameter], x: &[Var]| {
        let plus = tape.dense_part(x[1], p[0], 3, None, None, Activation::None);
        tape.dense_part(x[0], p[0], 0, Some(p[1]), Some(plus), Activation::Elu)
    };
    check(&[("kernel", &[5, 4]), ("bias", &[4])], &[(6, 3), (6, 2)], parts);
    let mut model = Parameters::<f64>::new();
    let p = [model.declare("kernel", &[5, 4]), model.declare("bias", &[4])];
    model.allocate();
    let mut random = Stream::new(2, "parts");
    p.iter().for_each(|&p| model.values_mut(p).iter_mut().for_each(|x| *x = random.normal()));
    let set = model.set(|_| true);
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(&model, &set, &mut workspace);
    let x = [tape.constant(6, 3, |y| y.fill(0.3)), tape.constant(6, 2, |y| y.fill(-0.7))];
    let joined = tape.concat(x[0], x[1]);
    let whole = tape.dense(joined, p[0], p[1], Activation::Elu);
    let split = parts(&mut tape, &p, &x);
    for (a, b) in tape.value(whole).iter().zip(tape.value(split)) {
        assert!((a - b).abs() < 1e-14);
    }
}

#[test]
fn gru() {
    check(&[("kernel", &[3, 12]), ("recurrent", &[4, 12]), ("bias", &[2, 12])], &[(5, 3), (5, 4)], |tape, p, x| {
        let weights = GruWeights { kernel: p[0], recurrent: p[1], bias: p[2] };
        let h = tape.gru(x[0], x[1], weights);
        tape.gru(x[0], h, weights)
    });
}

#[test]
fn shapes() {
    check(&[], &[(3, 2), (3, 4)], |tape, _, x| {
        let joined = tape.concat(x[0], x[1]);
        let cut = tape.rows_of(joined, 1, 2);
        let mut list = tape.list();
        list.extend([cut, joined, cut]);
        tape.stack(list)
    });
}

#[test]
fn columns_and_exchanged_pieces() {
    check(&[], &[(3, 12)], |tape, _, x| {
        let part = tape.columns_of(x[0], 2, 5);
        let exchanged = tape.swap_axes(x[0], 2, 3);
        let again = tape.swap_axes(exchanged, 4, 1);
        tape.concat(part, again)
    });
    let parameters = Parameters::<f64>::new();
    let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
    let mut tape = Tape::new(&parameters, &none, &mut workspace);
    let x = tape.constant(2, 12, |y| (0..24).for_each(|i| y[i] = i as f64));
    let part = tape.columns_of(x, 7, 2);
    assert_eq!(tape.value(part), [7.0, 8.0, 19.0, 20.0]);
    // [2, 3, 2] to [3, 2, 2].
    let y = tape.swap_axes(x, 2, 3);
    assert_eq!(tape.value(y)[..12], [0.0, 1.0, 6.0, 7.0, 2.0, 3.0, 8.0, 9.0, 4.0, 5.0, 10.0, 11.0]);
    assert_eq!(tape.value(y)[12], 12.0);
}

#[test]
fn scaled_rows() {
    check(&[], &[(3, 4)], |tape, _, x| {
        let factor = tape.constant(3, 1, |y| y.copy_from_slice(&[1.0, 0.0, -0.5]));
        tape.scaled_rows(x[0], factor)
    });
}

#[test]
fn differences() {
    check(&[], &[(3, 2), (3, 2)], |tape, _, x| tape.difference(x[0], x[1]));
}

#[test]
fn layers_in_blocks() {
    let (kernel, bias): (&[usize], &[usize]) = (&[3, 6, 5], &[15]);
    check(&[("kernel", kernel), ("bias", bias)], &[(4, 6), (4, 4)], |tape, p, x| {
        tape.block_dense(x[0], Some(x[1]), p[0], p[1])
    });
    check(&[("kernel", &[3, 2, 5]), ("bias", bias)], &[(4, 6)], |tape, p, x| tape.block_dense(x[0], None, p[0], p[1]));
}

#[test]
fn gates_in_blocks() {
    for blocks in [1, 3] {
        check(&[], &[(4, 18), (4, 6)], |tape, _, x| tape.block_gates(x[0], x[1], blocks));
    }
}

#[test]
fn numbers_below_a_constant_have_no_gradient() {
    check(&[], &[(5, 3)], |tape, _, x| tape.at_least(x[0], 0.25));
    let parameters = Parameters::<f64>::new();
    let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
    let mut tape = Tape::new(&parameters, &none, &mut workspace);
    let x = tape.leaf(1, 4, |y| y.copy_from_slice(&[-2.0, 1.0, 1.5, f64::NAN]));
    let y = tape.at_least(x, 1.0);
    assert_eq!(tape.value(y)[..3], [1.0, 1.0, 1.5]);
    assert!(tape.value(y)[3].is_nan());
    tape.seed(y, 2.0);
    tape.backward(&mut Gradients::new(&none));
    assert_eq!(tape.gradient(x).unwrap(), [0.0, 0.0, 2.0, 0.0]);
}

#[test]
fn norms_and_silu() {
    for activation in [Activation::Relu, Activation::Elu] {
        check(&[], &[(4, 5)], |tape, _, x| {
            let y = tape.activated(x[0], activation);
            tape.concat(y, x[0])
        });
    }
    // Two groups in a row.
    check(&[("scale", &[3])], &[(2, 6)], |tape, p, x| tape.rms_norm(x[0], p[0]));
    check(&[("scale", &[5])], &[(4, 5)], |tape, p, x| tape.rms_norm(x[0], p[0]));
    // The gradient passes through both, and adds to one that is there.
    check(&[("scale", &[3])], &[(4, 3)], |tape, p, x| {
        let normed = tape.rms_norm(x[0], p[0]);
        let bent = tape.silu(normed);
        tape.concat(bent, x[0])
    });
}

#[test]
fn the_norm_of_a_row_of_zeros_is_zero() {
    let mut model = Parameters::<f64>::new();
    let scale = model.declare("scale", &[2]);
    model.allocate();
    model.values_mut(scale).fill(3.0);
    let (none, mut workspace) = (model.set(|_| false), Workspace::default());
    let mut tape = Tape::new(&model, &none, &mut workspace);
    let x = tape.constant(2, 2, |y| y.copy_from_slice(&[0.0, 0.0, 3.0, -3.0]));
    let y = tape.rms_norm(x, scale);
    let one = 3.0 * 3.0 / (9.0f64 + 1e-4).sqrt();
    for (found, expected) in tape.value(y).iter().zip([0.0, 0.0, one, -one]) {
        assert!((found - expected).abs() < 1e-15);
    }
}

#[test]
fn standardised_numbers() {
    let mut model = Parameters::<f64>::new();
    let (mean, deviation) = (model.declare("mean", &[3]), model.declare("deviation", &[3]));
    model.allocate();
    model.values_mut(mean).copy_from_slice(&[100.0, 1.0, -2.0]);
    model.values_mut(deviation).copy_from_slice(&[100.0, 2.0, 0.5]);
    let set = model.set(|_| true);
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(&model, &set, &mut workspace);
    let x = tape.leaf(2, 2, |y| y.copy_from_slice(&[1.0, 2.0, 5.0, -3.0]));
    let y = tape.standardise(x, mean, deviation, 1);
    assert_eq!(tape.value(y), [0.0, 8.0, 2.0, -2.0]);
    // The value counts twice: its gradients are added.
    let z = tape.concat(y, x);
    tape.seed_with(z, &[1.0, 2.0, 0.5, 0.25, -3.0, 4.0, 1.0, 1.0]);
    let mut gradients = Gradients::new(&set);
    tape.backward(&mut gradients);
    assert_eq!(tape.gradient(x).unwrap(), [1.0 / 2.0 + 0.5, 2.0 / 0.5 + 0.25, -3.0 / 2.0 + 1.0, 4.0 / 0.5 + 1.0]);
    assert!(gradients.finish().iter().all(|&gradient| gradient == 0.0), "mean and deviation are constants");
}

#[test]
fn sums_of_absolute_numbers() {
    check(&[("kernel", &[4, 3])], &[(2, 1)], |tape, p, x| {
        let sum = tape.absolute_sum(p[0], 3..9, 2);
        tape.concat(sum, x[0])
    });
    let mut model = Parameters::<f64>::new();
    let kernel = model.declare("kernel", &[5]);
    model.allocate();
    model.values_mut(kernel).copy_from_slice(&[9.0, -2.0, 0.0, 3.0, -9.0]);
    let set = model.set(|_| true);
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(&model, &set, &mut workspace);
    let sum = tape.absolute_sum(kernel, 1..4, 2);
    assert_eq!(tape.value(sum), [5.0, 5.0]);
    tape.seed(sum, 0.5);
    let mut gradients = Gradients::new(&set);
    tape.backward(&mut gradients);
    assert_eq!(gradients.finish(), [0.0, -1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn standardised_columns() {
    check(&[], &[(5, 3)], |tape, _, x| tape.standardised_columns(x[0]));
    let model = Parameters::<f64>::new();
    let (none, mut workspace) = (model.set(|_| false), Workspace::default());
    let mut tape = Tape::new(&model, &none, &mut workspace);
    // A column whose numbers are all the same has nothing to divide by, and no gradient.
    let x = tape.leaf(2, 2, |y| y.copy_from_slice(&[1.0, 4.0, 3.0, 4.0]));
    let y = tape.standardised_columns(x);
    let half = 0.5f64.sqrt();
    for (found, expected) in tape.value(y).iter().zip([-half, 0.0, half, 0.0]) {
        assert!((found - expected).abs() < 1e-8, "{found} {expected}");
    }
    tape.seed_with(y, &[1.0, 1.0, 2.0, 1.0]);
    tape.backward(&mut Gradients::new(&none));
    assert_eq!(tape.gradient(x).unwrap()[1], 0.0);
    assert!(tape.gradient(x).unwrap().iter().all(|g| g.is_finite()));
}

#[test]
fn products_of_columns() {
    check(&[], &[(5, 3), (5, 4)], |tape, _, x| tape.column_products(x[0], x[1]));
    // Of a matrix with itself.
    check(&[], &[(4, 3)], |tape, _, x| tape.column_products(x[0], x[0]));
}

#[test]
fn distances_from_the_identity() {
    let distance = IdentityDistance { factor: 0.3, diagonal: 2.0, others: 0.7 };
    check(&[], &[(4, 4)], |tape, _, x| tape.identity_distance(x[0], distance));
    let model = Parameters::<f64>::new();
    let (none, mut workspace) = (model.set(|_| false), Workspace::default());
    let mut tape = Tape::new(&model, &none, &mut workspace);
    let x = tape.leaf(2, 2, |y| y.copy_from_slice(&[4.0, 6.0, 0.0, 2.0]));
    let distance = IdentityDistance { factor: 0.5, diagonal: 1.0, others: 0.125 };
    let y = tape.identity_distance(x, distance);
    assert_eq!(tape.value(y), [1.0 + 0.125 * 9.0, 0.0]);
}

#[test]
fn losses_whose_weights_are_learned() {
    let harmony = Harmony { weight: -1.3, share: 0.6 };
    check(&[("s", &[1])], &[(4, 1)], |tape, p, x| tape.harmonised(x[0], p[0], harmony));
    let mut model = Parameters::<f64>::new();
    model.declare("s", &[1]);
    model.allocate();
    let (none, mut workspace) = (model.set(|_| false), Workspace::default());
    let mut tape = Tape::new(&model, &none, &mut workspace);
    let x = tape.leaf(1, 1, |y| y[0] = 5.0);
    let y = tape.harmonised(x, model.find("s").unwrap(), harmony);
    // At the start, s is 0.
    assert!((tape.scalar(y) - (-1.3 * 5.0 + 0.6 * 2.0f64.ln())).abs() < 1e-15);
}

#[test]
fn ranges() {
    let mut model = Parameters::<f64>::new();
    let range = model.declare("range", &[2]);
    model.allocate();
    let (none, mut workspace) = (model.set(|_| false), Workspace::default());
    for ([low, high], divisor) in [([-1.0, 3.0], 4.0), ([0.0, 0.5], 1.0)] {
        model.values_mut(range).copy_from_slice(&[low, high]);
        let mut tape = Tape::new(&model, &none, &mut workspace);
        let x = tape.leaf(1, 2, |y| y.copy_from_slice(&[2.0, -6.0]));
        let y = tape.divide_by_range(x, range);
        assert_eq!(tape.value(y), [2.0 / divisor, -6.0 / divisor]);
        tape.seed(y, 3.0);
        tape.backward(&mut Gradients::new(&none));
        assert_eq!(tape.gradient(x).unwrap(), [3.0 / divisor; 2]);
    }
}

#[test]
fn lambda_returns() {
    check(&[], &[(8, 1), (8, 1), (8, 1)], |tape, _, x| {
        let discount = tape.sigmoid(x[2]);
        let returns = tape.lambda_returns(x[0], x[1], discount, 0.95, 2);
        let weights = tape.discount_weights(discount.detached(), 2, false);
        // The weights are constants; a fixed weight keeps the finite difference from seeing them change.
        let fixed = tape.constant(6, 1, |y| y.copy_from_slice(&[1.0, 2.0, 0.5, 0.3, 0.9, 0.1]));
        assert_eq!(tape.shape(weights), (6, 1));
        tape.weighted_sum(returns, fixed)
    });
}

#[test]
fn frozen_parameters_pass_gradients_on_and_get_none() {
    let mut model = Parameters::<f64>::new();
    let (kernel, bias) = (model.declare("kernel", &[2, 2]), model.declare("bias", &[2]));
    model.allocate();
    model.values_mut(kernel).copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
    let set = model.set(|_| true);
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(&model, &set, &mut workspace);
    let x = tape.leaf(1, 2, |y| y.fill(1.0));
    let y = tape.with_constant_parameters(|tape| tape.dense(x, kernel, bias, Activation::None));
    tape.seed(y, 1.0);
    let mut gradients = Gradients::new(&set);
    tape.backward(&mut gradients);
    assert_eq!(tape.gradient(x).unwrap(), [3.0, 7.0]);
    assert!(gradients.finish().iter().all(|&g| g == 0.0));

    let mut tape = Tape::new(&model, &set, &mut workspace);
    let x = tape.leaf(1, 2, |y| y.fill(1.0));
    let y = tape.dense(x.detached(), kernel, bias, Activation::None);
    tape.seed(y, 1.0);
    gradients.clear();
    tape.backward(&mut gradients);
    assert_eq!(tape.gradient(x), None);
    assert_eq!(gradients.finish(), [1.0; 6]);
}
