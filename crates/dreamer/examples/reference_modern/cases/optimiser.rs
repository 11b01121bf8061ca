//! LaProp with adaptive gradient clipping and a warm-up.

use super::case::{Case, Results};
use tape::{Optimiser, Parameters, Rule};

/// Checks the constants of LaProp.
pub fn check(case: &Case) -> Result<(), String> {
    case.fixed(&[("agc_pmin", 1e-3), ("laprop_b1", 0.9), ("laprop_b2", 0.999), ("laprop_eps", 1e-20)])
}

/// Three steps with either schedule, the moments after the first, clipped gradients, and the rates of the warm-up.
pub fn laprop(case: &Case) -> Result<Results, String> {
    check(case)?;
    let mut results = Results::default();
    let rule = Rule::LaProp { clip_ratio: case.number("agc_clip")?, warmup: 0 };
    let names = case.names_below("w/");
    let numbers = |kind: &str| -> Result<Vec<f64>, String> {
        let of_weight = |name: &&str| {
            let [gradient, weight] = [kind, "w"].map(|kind| format!("{kind}/{name}"));
            let [of_gradient, of_weight] = [case.shape(&gradient)?, case.shape(&weight)?];
            if of_gradient != of_weight {
                return Err(format!("{gradient} is {of_gradient:?}, and {weight} is {of_weight:?}"));
            }
            case.numbers(&gradient)
        };
        Ok(names.iter().map(of_weight).collect::<Result<Vec<_>, String>>()?.concat())
    };
    let rates = case.numbers("lr_warm")?;
    let constant = vec![case.scalar("lr_const")?; rates.len()];
    for (kind, rates) in [("step_const", constant.as_slice()), ("step_warm", rates)] {
        let mut weights = case.weights()?;
        let set = weights.set(|_| true);
        let mut optimiser = Optimiser::new(&set, 0.0, rule);
        for (index, rate) in rates.iter().enumerate() {
            optimiser.rate = *rate;
            let gradient = numbers(&format!("grad{}", index + 1))?;
            let norm = optimiser.norm(&gradient);
            optimiser.step(&mut weights, &gradient, norm);
            for parameter in weights.iter() {
                let name = format!("{kind}{}/{}", index + 1, weights.path(parameter));
                results.put(name, weights.shape(parameter), weights.values(parameter));
            }
        }
        // The moments of the case are those of the constant rate: clipping depends on the weights that the steps
        // before have left.
        if kind == "step_const" {
            let (first, second) = optimiser.moments();
            for (name, moments) in [("mu", first), ("nu", second)] {
                for parameter in weights.iter() {
                    let place = set.place(parameter).expect("of the set");
                    let name = format!("{name}/{}", weights.path(parameter));
                    results.put(name, weights.shape(parameter), &moments[place]);
                }
            }
        }
    }
    for index in 1..=rates.len() {
        clipped(case, &mut results, index, &numbers(&format!("grad{index}"))?, rule)?;
    }
    warm_up(case, &mut results)?;
    Ok(results)
}

/// The clipped gradients at the initial weights: a first step leaves their squares in the second moment.
fn clipped(case: &Case, results: &mut Results, index: usize, gradient: &[f64], rule: Rule) -> Result<(), String> {
    let mut weights = case.weights()?;
    let set = weights.set(|_| true);
    let mut optimiser = Optimiser::new(&set, 0.0, rule);
    optimiser.step(&mut weights, gradient, 0.0);
    let share = 1.0 - case.number("laprop_b2")?;
    let squares = optimiser.moments().1.iter().map(|moment| moment / share);
    let clipped: Vec<f64> = squares.zip(gradient).map(|(square, g)| square.sqrt().copysign(*g)).collect();
    for parameter in weights.iter() {
        let place = set.place(parameter).expect("of the set");
        let name = format!("clipped{index}/{}", weights.path(parameter));
        results.put(name, weights.shape(parameter), &clipped[place]);
    }
    Ok(())
}

/// The rate of each step, which the step of one number shows.
fn warm_up(case: &Case, results: &mut Results) -> Result<(), String> {
    let (rate, warmup) = (case.number("lr")?, case.number("warmup")? as u64);
    let (first, second) = (case.number("laprop_b1")?, case.number("laprop_b2")?);
    let of_count = |count: &f64| {
        let mut weights = Parameters::<f64>::new();
        let one = weights.declare("one", &[1]);
        weights.allocate();
        let set = weights.set(|_| true);
        let mut optimiser = Optimiser::new(&set, rate, Rule::LaProp { clip_ratio: 1e9, warmup });
        optimiser.set_updates(*count as u64);
        optimiser.step(&mut weights, &[1.0], 1.0);
        // The moments were zero, so that the average of normalised gradients is known.
        let updates = count + 1.0;
        let normalised = 1.0 / ((1.0 - second) / (1.0 - second.powf(updates))).sqrt();
        -weights.values(one)[0] * (1.0 - first.powf(updates)) / ((1.0 - first) * normalised)
    };
    let rates: Vec<f64> = case.numbers("schedule_count")?.iter().map(of_count).collect();
    results.put("schedule_lr", case.shape("schedule_count")?, rates);
    Ok(())
}
