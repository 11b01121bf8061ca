//! Steps of a recurrent unit compared with plain loops, as launches and, where a device runs them, as a chain.
//!
//! Three steps follow each other, so they are joined to a chain. Every number is compared with what plain loops make of
//! the numbers that the device found before it, so bounds are a few roundings of a sum.

use crate::products::{draw, rounded};
use random::Stream;
use tape::plan::kernels::{RecurrentCell, RecurrentCellKernel};
use tape::plan::{Device, Place, Plan, Planner};

/// Steps of a chain, and numbers before and after each matrix, which must not be accessed.
const STEPS: usize = 3;
const FENCE: usize = 8;

/// Rows, inputs and size of a unit; and how far its weights are from an aligned place.
#[derive(Clone, Copy, Debug)]
struct Case {
    rows: usize,
    inputs: usize,
    size: usize,
    shift: usize,
    /// A number among the inputs of the first row, which is otherwise one like the others.
    number: Option<f32>,
}

/// Memory with its places, and the launches that work on it.
struct Planned {
    memory: Vec<f32>,
    /// The states before and after each step, and the gates and the candidate's sum of each.
    states: Vec<Place>,
    gates: Vec<Place>,
    from_h: Vec<Place>,
    x: Place,
    kernel: Place,
    recurrent: Place,
    bias: Place,
    plan: Plan,
}

fn planned(which: RecurrentCellKernel, case: Case) -> Planned {
    let Case { rows, inputs, size, shift, number } = case;
    let (mut random, mut memory) = (Stream::new(11, "units"), Vec::new());
    let mut at = |numbers: &[f32]| {
        let place = (memory.len() + FENCE).next_multiple_of(64) + shift;
        memory.resize(place, 7.25);
        memory.extend_from_slice(numbers);
        memory.extend([7.25; FENCE]);
        Place(place)
    };
    let mut of = |count: usize, scale: f32| draw(&mut random, count).iter().map(|x| scale * x).collect::<Vec<_>>();
    let mut inputs_of_all = of(rows * inputs, 1.0);
    if let Some(number) = number {
        inputs_of_all[0] = number;
    }
    let x = at(&inputs_of_all);
    let [kernel, recurrent] = [inputs, size].map(|k| at(&of(k * 3 * size, 2.0 / (k as f32).sqrt())));
    let bias = at(&of(6 * size, 0.5));
    let mut states = vec![at(&of(rows * size, 1.0))];
    let (mut gates, mut from_h, mut planner) = (Vec::new(), Vec::new(), Planner::new(tape::Precision::Full));
    for step in 0..STEPS {
        // What is not written is found later.
        let empty = |count: usize| vec![7.25; count];
        gates.push(at(&empty(3 * rows * size)));
        from_h.push(at(&empty(3 * rows * size)));
        states.push(at(&empty(rows * size)));
        let [y, h] = [states[step + 1], states[step]];
        let (gates, from_h) = (gates[step], from_h[step]);
        let cell = RecurrentCell { which, y, gates, from_h, x, h, kernel, recurrent, bias, rows, inputs, size };
        planner.launch([rows.div_ceil(16), size.div_ceil(8), 1], cell);
    }
    planner.reserve(memory.len());
    let plan = planner.finish();
    memory.resize(plan.numbers, 7.25);
    Planned { memory, states, gates, from_h, x, kernel, recurrent, bias, plan }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Whether a number is the expected one up to `bound`, or both are NaN.
fn close(found: f32, expected: f64, bound: f64) -> bool {
    let found = f64::from(found);
    (found.is_nan() && expected.is_nan()) || (found - expected).abs() <= bound
}

/// Compares all that the steps have written with plain loops, and all else with what was there.
fn check(which: RecurrentCellKernel, case: Case, planned: &Planned, found: &[f32]) {
    let Case { rows, inputs, size, .. } = case;
    let name = which.name();
    let mut untouched = planned.memory.clone();
    // A sum over k of a row and a column of weights, and of the products' sizes.
    let sum = |row: Place, weights: Place, k: usize, column: usize| {
        let product = |i: usize| {
            let weight = found[weights.0 + i * 3 * size + column];
            rounded(name, found[row.0 + i]) * rounded(name, weight)
        };
        (0..k).map(product).fold((0.0, 0.0), |sum, one| (sum.0 + one, sum.1 + one.abs()))
    };
    for step in 0..STEPS {
        for (row, unit) in (0..rows).flat_map(|row| (0..size).map(move |unit| (row, unit))) {
            let [x, h] = [planned.x.after(row * inputs), planned.states[step].after(row * size)];
            let sums = [0, 1, 2].map(|gate| {
                let column = gate * size + unit;
                let bias = |half: usize| f64::from(found[planned.bias.0 + half * 3 * size + column]);
                let (of_x, size_of_x) = sum(x, planned.kernel, inputs, column);
                let (of_h, size_of_h) = sum(h, planned.recurrent, size, column);
                let bound = 2e-6 + 1e-5 * (size_of_x + size_of_h).min(f64::MAX);
                (of_x + bias(0), of_h + bias(1), bound)
            });
            let wide = row * 3 * size + unit;
            let gate = |gate: usize| planned.gates[step].0 + wide + gate * size;
            let (past, y) = (planned.from_h[step].0 + wide + 2 * size, planned.states[step + 1].0 + row * size + unit);
            let [z, r, candidate] = [0, 1, 2].map(gate);
            let kept = |place: usize| f64::from(found[place]);
            let state = f64::from(found[h.0 + unit]);
            let expected = [
                (z, sigmoid(sums[0].0 + sums[0].1), sums[0].2),
                (r, sigmoid(sums[1].0 + sums[1].1), sums[1].2),
                (past, sums[2].1, sums[2].2),
                (candidate, (sums[2].0 + kept(r) * kept(past)).tanh(), sums[2].2),
                (y, kept(z) * state + (1.0 - kept(z)) * kept(candidate), 1e-6),
            ];
            for (what, (place, expected, bound)) in ["z", "r", "past", "candidate", "y"].into_iter().zip(expected) {
                let found = found[place];
                assert!(
                    close(found, expected, bound),
                    "{name}, {case:?}, step {step}, row {row}, unit {unit}: {what} is {found}, not {expected}"
                );
                untouched[place] = found;
            }
        }
    }
    let same = untouched.iter().zip(found).all(|(one, other)| one.to_bits() == other.to_bits());
    assert!(same, "{name}, {case:?}: numbers outside of the results were written");
}

fn run(device: &dyn Device, planned: &Planned) -> Vec<f32> {
    let mut found = planned.memory.clone();
    let mut machine = device.start(planned.plan.clone()).unwrap();
    machine.write(Place(0), &found).unwrap();
    machine.run(0).unwrap();
    machine.read(Place(0), &mut found).unwrap();
    found
}

/// Checks units of all kinds of sizes on a device, in every precision. Returns the bits of all memory after the steps.
///
/// # Panics
/// If a number is not what plain loops find.
pub fn check_units(device: &dyn Device) -> Vec<u32> {
    let of = |rows, inputs, size, shift| Case { rows, inputs, size, shift, number: None };
    let mut cases = vec![of(1, 1, 1, 0), of(3, 5, 7, 0), of(16, 6, 32, 0), of(17, 30, 36, 0), of(50, 200, 200, 0)];
    cases.extend([of(18, 260, 66, 0), of(33, 270, 255, 0), of(20, 64, 256, 0), of(18, 36, 44, 1), of(256, 9, 12, 0)]);
    for number in [f32::NAN, f32::INFINITY] {
        cases.push(Case { number: Some(number), ..of(18, 12, 40, 0) });
    }
    let kernels = [
        RecurrentCellKernel::RecurrentCell,
        RecurrentCellKernel::RecurrentCellTf32,
        RecurrentCellKernel::RecurrentCellBf16,
    ];
    let mut bits = Vec::new();
    for which in kernels {
        for &case in &cases {
            let planned = planned(which, case);
            let found = run(device, &planned);
            check(which, case, &planned, &found);
            bits.extend(found.into_iter().map(f32::to_bits));
        }
    }
    bits
}
