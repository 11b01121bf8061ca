//! LaProp with adaptive gradient clipping and a warm-up.

use crate::{Case, golden};
use tape::{Optimiser, Parameters, Rule};

#[test]
fn laprop_with_adaptive_clipping() {
    let (tensors, config) = golden();
    let case = Case { tensors: &tensors, name: "laprop_agc" };
    let clip_ratio = config["agc_clip"].as_f64().unwrap();
    let names = ["a", "b", "c", "d"];
    let numbers = |kind: &str| -> Vec<f64> {
        names.iter().flat_map(|name| case.numbers(&format!("{kind}/{name}"))).copied().collect()
    };
    for (steps, rates) in
        [("step_const", vec![case.numbers("in/lr_const")[0]; 3]), ("step_warm", case.numbers("in/lr_warm").to_vec())]
    {
        let mut parameters = Parameters::<f64>::new();
        let declared = names.map(|name| parameters.declare(name, &tensors[&format!("laprop_agc/in/w/{name}")].0));
        parameters.allocate();
        for (parameter, name) in declared.into_iter().zip(names) {
            parameters.values_mut(parameter).copy_from_slice(case.numbers(&format!("in/w/{name}")));
        }
        let set = parameters.set(|_| true);
        let mut optimiser = Optimiser::new(&set, 0.0, Rule::LaProp { clip_ratio, warmup: 0 });
        for (step, rate) in rates.into_iter().enumerate() {
            optimiser.rate = rate;
            let gradient = numbers(&format!("in/grad{}", step + 1));
            let norm = optimiser.norm(&gradient);
            optimiser.step(&mut parameters, &gradient, norm);
            for (parameter, name) in declared.into_iter().zip(names) {
                case.compare(&format!("{steps}{}/{name}", step + 1), parameters.values(parameter));
            }
        }
        // The moments are those of the constant rate: clipping depends on the parameters that the steps before have left.
        if steps != "step_const" {
            continue;
        }
        let (first, second) = optimiser.moments();
        for (found, name) in [(first, "mu"), (second, "nu")] {
            for (parameter, part) in declared.into_iter().zip(names) {
                case.compare(&format!("{name}/{part}"), &found[set.place(parameter).unwrap()]);
            }
        }
    }
}

/// The rate of each step is that of a schedule which counts the steps before it.
#[test]
fn the_warm_up_of_the_rate() {
    let (tensors, config) = golden();
    let case = Case { tensors: &tensors, name: "laprop_agc" };
    let (rate, warmup) = (config["lr"].as_f64().unwrap(), config["warmup"].as_u64().unwrap());
    for (count, expected) in case.numbers("in/schedule_count").iter().zip(case.numbers("out/schedule_lr")) {
        let mut parameters = Parameters::<f64>::new();
        let one = parameters.declare("one", &[1]);
        parameters.allocate();
        let set = parameters.set(|_| true);
        let mut optimiser = Optimiser::new(&set, rate, Rule::LaProp { clip_ratio: 1e9, warmup });
        optimiser.set_updates(*count as u64);
        optimiser.step(&mut parameters, &[1.0], 1.0);
        // The second moment was zero: the average of normalised gradients is known.
        let t = count + 1.0;
        let normalised = 1.0 / (0.001 / (1.0 - 0.999_f64.powf(t))).sqrt();
        let step = expected * 0.1 * normalised / (1.0 - 0.9_f64.powf(t));
        let found = -parameters.values(one)[0];
        assert!((found - step).abs() <= 1e-12 * step, "{count}: {found} {step}");
    }
}
