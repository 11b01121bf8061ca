//! Fractions that are fitted to the target's episodes: planted fractions are found, chance gives 0, and other layers
//! are refused.

use crate::common::{config, learner, plan, sources, values};
use dreamer::networks::{IMAGE_NUMBERS, Role};
use dreamer::{AgentConfig, Learner};
use random::Stream;
use replay::{Episode, EpisodeBuilder};
use transfer::{Fraction, Plan, Report, Sources, Take, fit_fractions, resolve};

const LENGTH: usize = 24;
const REST: &str = "[[rule]]\nmatch = \"**\"\nrest = true\ntake = \"random\"\n";

/// An episode of random images and actions with these rewards, the first of which is not earned.
fn episode(seed: u64, rewards: &[f64]) -> Episode {
    ending(seed, rewards, 1.0)
}

/// The same with this discount of the last state.
fn ending(seed: u64, rewards: &[f64], last: f32) -> Episode {
    let mut random = Stream::new(seed, "episode");
    let image = |random: &mut Stream| {
        let brightness = random.uniform();
        (0..IMAGE_NUMBERS).map(|_| (255.0 * brightness * random.uniform()) as u8).collect::<Vec<u8>>()
    };
    let mut builder = EpisodeBuilder::new("task", 3, &image(&mut random)).unwrap();
    for (index, reward) in rewards.iter().enumerate().skip(1) {
        let discount = if index + 1 == rewards.len() { last } else { 1.0 };
        let action: Vec<f32> = (0..3).map(|_| random.uniform() as f32).collect();
        let image = image(&mut random);
        builder.push(&action, *reward as f32, discount, &image).unwrap();
    }
    builder.finish().unwrap()
}

/// The predictions of the head of `role` in the states of an episode, with its own output layer and with these shares
/// of others'.
fn predictions(
    target: &Learner<f64>,
    role: Role,
    path: &str,
    added: &[(f64, &Learner<f64>)],
    episode: &Episode,
) -> Vec<f64> {
    let action: Vec<f64> = episode.action().iter().map(|x| f64::from(*x)).collect();
    let inputs = target.head_inputs(role, episode.observations(), &action).unwrap();
    let layer = |learner: &Learner<f64>| {
        (values(learner, &format!("{path}.hout.kernel")).to_vec(), values(learner, &format!("{path}.hout.bias"))[0])
    };
    let predict = |learner: &Learner<f64>, state: &[f64]| {
        let (kernel, bias) = layer(learner);
        kernel.iter().zip(state).map(|(weight, x)| weight * x).sum::<f64>() + bias
    };
    let width = inputs.len() / LENGTH;
    let one = |state: &[f64]| {
        predict(target, state) + added.iter().map(|(omega, other)| omega * predict(other, state)).sum::<f64>()
    };
    inputs.chunks_exact(width).map(one).collect()
}

/// Episodes whose rewards are predictions of a head with these shares of others; for a value head, their discounted
/// sums are.
fn planted(target: &Learner<f64>, role: Role, path: &str, added: &[(f64, &Learner<f64>)]) -> Vec<Episode> {
    let one = |seed: u64| {
        let mut numbers = predictions(target, role, path, added, &episode(seed, &[0.0; LENGTH]));
        if role == Role::Value {
            let discount = target.config().discount;
            for step in 0..LENGTH - 1 {
                numbers[step] -= discount * numbers[step + 1];
            }
        }
        episode(seed, &numbers)
    };
    (0..4).map(one).collect()
}

/// Resolves a plan, applies it, and fits its fractions to `episodes`.
fn fitted(
    plan: &Plan,
    target: &Learner<f64>,
    from: &Sources<f64>,
    episodes: &[Episode],
) -> Result<(Learner<f64>, Report), transfer::TransferError> {
    let mut after = learner(target.config(), target.action_size(), 2);
    let resolved = resolve(plan, &after, from)?;
    resolved.apply(&mut after)?;
    let mut report = resolved.report().clone();
    assert!(report.fits());
    fit_fractions(plan, &mut after, from, &mut episodes.iter().cloned(), &mut report)?;
    Ok((after, report))
}

fn fit_rule(head: &str) -> String {
    format!("[[rule]]\nmatch = \"{head}.hout.*\"\ntake = {{ fraction = \"fit\" }}\n{REST}")
}

#[test]
fn a_planted_fraction_is_found_and_added() {
    let (source, target) = (learner(&config(), 4, 1), learner(&config(), 3, 2));
    for (role, path) in [(Role::Reward, "world_model.reward"), (Role::Value, "value")] {
        let episodes = planted(&target, role, path, &[(0.37, &source)]);
        let plan = plan(&["a"], &fit_rule(path));
        let (after, report) = fitted(&plan, &target, &sources(&[("a", &source)]), &episodes).unwrap();
        let [fitted] = report.fractions.as_slice() else { panic!("{report}") };
        let found = fitted.sources[0].fraction;
        assert!((found - 0.37).abs() < 1e-3, "{path}: {found}");
        assert_eq!((fitted.episodes, fitted.states, &*fitted.head), (4, 4 * (LENGTH - 1), role.name()));
        assert!(fitted.error < 1e-6 && fitted.error_of_random > 1e-4, "{fitted:?}");
        let errors = fitted.sources[0].errors;
        let least = (0..11).min_by(|a, b| errors[*a].total_cmp(&errors[*b])).unwrap();
        assert_eq!((least, errors[0]), (4, fitted.error_of_random));
        for name in ["kernel", "bias"] {
            let path = format!("{path}.hout.{name}");
            let (random, transferred) = (values(&target, &path), values(&source, &path));
            for ((after, random), transferred) in values(&after, &path).iter().zip(random).zip(transferred) {
                assert!((after - (random + found * transferred)).abs() < 1e-12);
            }
            let part = report.parts.iter().find(|part| part.path == path).unwrap();
            let norm = values(&after, &path).iter().map(|x| x * x).sum::<f64>().sqrt();
            assert_eq!((part.take, part.norm_after), (Take::Fraction(Fraction::Fit), norm));
        }
        assert_eq!(values(&after, "actor.hout.kernel"), values(&target, "actor.hout.kernel"));
    }
}

#[test]
fn the_shares_of_several_sources_are_found() {
    let (one, other) = (learner(&config(), 4, 1), learner(&config(), 3, 3));
    let (none, target) = (learner(&config(), 3, 4), learner(&config(), 3, 2));
    let path = "world_model.reward";
    let episodes = planted(&target, Role::Reward, path, &[(0.5, &one), (0.2, &other)]);
    let rule = format!(
        "[[rule]]\nmatch = \"{path}.hout.*\"\ntake = {{ fraction = \"fit\" }}\nsources = {{ a = 1.0, b = 1.0, c = 1.0 }}\n{REST}"
    );
    let from = sources(&[("a", &one), ("b", &other), ("c", &none)]);
    let (_, report) = fitted(&plan(&["a", "b", "c"], &rule), &target, &from, &episodes).unwrap();
    let found: Vec<f64> = report.fractions[0].sources.iter().map(|source| source.fraction).collect();
    for (found, planted) in found.iter().zip([0.5, 0.2, 0.0]) {
        assert!((found - planted).abs() < 1e-3, "{found:?}");
    }
}

/// Noise resembles a source's predictions by chance in about one of a hundred draws: in 10 of these thousand.
#[test]
fn rewards_that_have_nothing_to_do_with_a_source_hardly_ever_take_anything_from_it() {
    let (source, target) = (learner(&config(), 4, 1), learner(&config(), 3, 2));
    let own = planted(&target, Role::Reward, "world_model.reward", &[]);
    let plan = plan(&["a"], &fit_rule("world_model.reward"));
    let takes = |seed: &u64| {
        // Noise, and a constant, around the target's own predictions.
        let mut random = Stream::new(*seed, "rewards");
        let noisy = own.iter().enumerate().map(|(index, one)| {
            let rewards: Vec<f64> =
                one.reward().iter().map(|reward| f64::from(*reward) + random.normal() + 5.0).collect();
            episode(index as u64, &rewards)
        });
        let (_, report) = fitted(&plan, &target, &sources(&[("a", &source)]), &noisy.collect::<Vec<_>>()).unwrap();
        report.fractions[0].sources[0].fraction != 0.0
    };
    let taking: Vec<u64> = (0..1000).filter(takes).collect();
    assert!(taking.len() <= 20, "{taking:?}");
}

#[test]
fn rewards_that_do_not_vary_take_nothing() {
    let (source, target) = (learner(&config(), 4, 1), learner(&config(), 3, 2));
    for reward in [0.0, 1.0] {
        let episodes: Vec<Episode> = (0..3).map(|seed| episode(seed, &[reward; LENGTH])).collect();
        let plan = plan(&["a"], &fit_rule("world_model.reward"));
        let (_, report) = fitted(&plan, &target, &sources(&[("a", &source)]), &episodes).unwrap();
        assert_eq!(report.fractions[0].sources[0].fraction, 0.0);
    }
}

#[test]
fn a_discount_head_is_fitted_to_how_likely_it_makes_the_episodes() {
    let config = AgentConfig { discount_head: true, ..config() };
    let (mut source, target) = (learner(&config, 4, 1), learner(&config, 3, 2));
    // A source that predicts that episodes continue, as they do in all states but their last.
    let bias = source.parameters().find("world_model.discount.hout.bias").unwrap();
    source.parameters_mut().values_mut(bias).fill(3.0);
    let episodes: Vec<Episode> = (0..3).map(|seed| ending(seed, &[0.0; LENGTH], 0.0)).collect();
    let plan = plan(&["a"], &fit_rule("world_model.discount"));
    let (_, report) = fitted(&plan, &target, &sources(&[("a", &source)]), &episodes).unwrap();
    let fitted = &report.fractions[0];
    assert!(fitted.sources[0].fraction > 0.5 && fitted.error < fitted.error_of_random, "{fitted:?}");
}

#[test]
fn what_no_data_decides_is_refused() {
    let (source, target) = (learner(&config(), 3, 1), learner(&config(), 3, 2));
    let from = sources(&[("a", &source)]);
    let error = |pattern: &str| {
        let rule = format!("[[rule]]\nmatch = \"{pattern}\"\ntake = {{ fraction = \"fit\" }}\n{REST}");
        resolve(&plan(&["a"], &rule), &target, &from).unwrap_err().to_string()
    };
    for (pattern, part) in [
        ("actor.hout.*", "random episodes do not show how good a fraction of the actor is"),
        ("world_model.rssm.gru.*", "fraction of the dynamics"),
        ("value.h0.*", "the value is not linear in this layer"),
        ("value.hout.kernel", "kernel and bias of an output layer are fitted together"),
    ] {
        let message = error(pattern);
        assert!(
            message.contains(part) && message.contains("rule 1") && message.contains("fraction = 0.2"),
            "{message}"
        );
    }
    let plan = plan(&["a"], &fit_rule("value"));
    let message = fitted(&plan, &target, &from, &[]).unwrap_err().to_string();
    assert!(message.contains("there are none"), "{message}");
}

#[test]
fn a_plan_with_a_fitted_fraction_is_written_and_read_again() {
    let mut all = Plan::find("paper").unwrap();
    all.set_fraction(Fraction::Fit).unwrap();
    let again = Plan::parse(&all.to_toml(), "again").unwrap();
    let fits = |plan: &Plan| plan.rules().iter().filter(|rule| rule.take == Take::Fraction(Fraction::Fit)).count();
    assert_eq!((fits(&all), fits(&again)), (2, 2));
    let message = Plan::parse(&all.to_toml().replace("\"fit\"", "\"best\""), "wrong").unwrap_err().to_string();
    assert!(message.contains("a number from 0 to 1, or \"fit\""), "{message}");
}
